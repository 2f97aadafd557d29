"""The proxy between real sockets: uvicorn with TLS, a websocket client, a scripted controller."""

import asyncio
import base64
import contextlib
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode

from jimm.net.tls import client_context
from jimm.proxy.limits import Limits
from jimm.wire import frames, handshake
from tests.eventually import eventually
from tests.system.proxy.stage import (
    CONTROLLER,
    IDENTITY,
    JIMM,
    MODEL,
    Stage,
    ask,
    log_in,
    request,
    staged,
)

OTHER = "9a3f3f0a-1c0e-4d3e-8f6f-0a4f1b6c7d8e"
BIG = 5_000_000


@pytest.fixture
def limits() -> Limits:
    return Limits(close=2.0)


@pytest.fixture
async def stage(tmp_path: Path, limits: Limits) -> AsyncIterator[Stage]:
    async with staged(tmp_path, limits) as found:
        yield found


async def goodbye(connection: Any) -> tuple[int, str]:
    """The close frame that the client is sent, past all messages before it."""
    with contextlib.suppress(ConnectionClosed):
        async with asyncio.timeout(10):
            while True:
                await connection.recv()
    return connection.close_code, connection.close_reason


class TestLogin:
    async def test_wrong_then_right_on_one_socket(self, stage: Stage) -> None:
        async with stage.client() as client:
            for _ in range(3):
                refused = await log_in(client, "wrong")
                assert refused["error"] == "invalid entity name or password"
                assert refused["error-code"] == "unauthorized access"
            assert stage.controller.connections == []
            answer = await log_in(client)
            assert "error" not in answer
            result = answer["response"]
            assert result["user-info"]["identity"] == "user-alice"
            assert result["controller-tag"] == f"controller-{JIMM}"
            assert result["model-tag"] == f"model-{MODEL}"
            assert result["server-version"] == "3.6.9"
            assert [host["value"] for host in result["servers"][0]] == ["jimm.local"]
            assert await ask(client, "Echo", {"a": 1}, number=5) == {
                "request-id": 5,
                "response": {"a": 1},
            }
        (login,) = stage.controller.logins
        assert login["params"]["token"] == "token 0"
        assert "right" not in json.dumps(login)
        assert [call.request for call in stage.calls] == ["Echo"]

    async def test_the_clients_version_is_passed_on(self, stage: Stage) -> None:
        async with stage.logged_in(additional_headers={"X-Juju-ClientVersion": "4.0.13"}):
            (connection,) = stage.controller.connections
            assert connection.request is not None
            assert connection.request.headers["X-Juju-ClientVersion"] == "4.0.13"
            assert connection.request.path == f"/model/{MODEL}/api"
            assert "Sec-WebSocket-Extensions" not in connection.request.headers

    async def test_nobodys_model(self, stage: Stage) -> None:
        async with stage.client(f"/model/{OTHER}/api") as client:
            answer = await log_in(client)
            assert answer["error"] == f'unknown model: "{OTHER}"'
            assert answer["error-code"] == "model not found"

    async def test_what_is_no_uuid(self, stage: Stage) -> None:
        with pytest.raises(InvalidStatus) as refused:
            async with stage.client("/model/m1/api"):
                pass
        assert refused.value.response.status_code == 400
        assert refused.value.response.body == b'invalid model UUID "m1"\n'

    async def test_a_controller_that_is_not_there(self, stage: Stage) -> None:
        admission = stage.doorkeeper.admission
        away = replace(admission.endpoint, addresses=("127.0.0.1:1",))
        stage.doorkeeper.admission = replace(admission, endpoint=away)
        async with stage.client() as client:
            answer = await log_in(client)
            assert answer["error-code"] == "connection failed"
            assert answer["error"] == "controller north cannot be reached, try again later"
            stage.doorkeeper.admission = admission
            assert "error" not in await log_in(client)

    async def test_another_controller_hears_nothing_more(self, stage: Stage) -> None:
        stage.controller.uuid = OTHER
        async with stage.client() as client:
            answer = await log_in(client)
            assert "wrong controller" in answer["error"]
            (connection,) = stage.controller.connections
            await connection.wait_closed()
            assert stage.controller.requests == []
            stage.controller.uuid = CONTROLLER
            assert "error" not in await log_in(client)

    async def test_whatever_is_no_request_leaves_the_socket_open(self, stage: Stage) -> None:
        async with stage.client() as client:
            await client.send("nonsense")
            assert json.loads(await client.recv())["error-code"] == "bad request"
            await client.ping()
            assert (await ask(client, "Echo"))["error-code"] == "not implemented"
            assert "error" not in await log_in(client)

    async def test_no_frame_at_all_is_told_and_closed(self, stage: Stage) -> None:
        async with stage.client() as client:
            client.transport.write(b"\xff\xff\xff")
            assert await goodbye(client) == (1002, "reserved bits are set")

    async def test_the_client_may_leave_before_login(self, stage: Stage) -> None:
        async with stage.client() as client:
            await client.close()
            assert client.close_code == 1000

    @pytest.mark.parametrize("limits", [Limits(login=0.1, close=1.0)])
    async def test_who_never_logs_in_is_sent_away(self, stage: Stage) -> None:
        async with stage.client() as client:
            assert await goodbye(client) == (1008, "no login in 0.1 s")

    @pytest.mark.parametrize("limits", [Limits(controller_login=0.1, close=1.0)])
    async def test_a_controller_that_never_answers(self, stage: Stage) -> None:
        stage.controller.silent = True
        async with stage.client() as client:
            answer = await log_in(client)
            assert answer["error"] == "controller north did not answer the login within 0.1 s"


class TestFrames:
    async def test_large_ones_both_ways(self, stage: Stage) -> None:
        text = secrets.token_hex(BIG // 2)
        async with stage.logged_in() as client:
            answer = await ask(client, "Echo", {"text": text})
            assert answer["response"]["text"] == text

    async def test_many_at_once_keep_their_order(self, stage: Stage) -> None:
        async with stage.logged_in() as client:
            for number in range(1, 301):
                await client.send(request("Echo", {"n": number}, number=number))
            for number in range(1, 301):
                assert json.loads(await client.recv())["response"] == {"n": number}
        assert [call.request_id for call in stage.calls] == list(range(1, 301))

    async def test_fragments_with_pings_between(self, stage: Stage) -> None:
        async def in_parts(connection: ServerConnection, asked: dict[str, Any]) -> None:
            raw = json.dumps({"request-id": asked["request-id"], "response": asked["params"]})
            await connection.send([raw[:10], raw[10:20], raw[20:]])

        stage.controller.answers["Parts"] = in_parts
        async with stage.logged_in() as client:
            raw = request("Parts", {"text": "x" * 100}).encode()
            for at, opcode in ((0, Opcode.TEXT), (50, Opcode.CONT), (100, Opcode.CONT)):
                part = raw[at : at + 50] if at < 100 else raw[at:]
                frame = Frame(opcode, part, fin=at == 100)
                client.transport.write(frame.serialize(mask=True))
                await (await client.ping())
            assert json.loads(await client.recv())["response"] == {"text": "x" * 100}
            (connection,) = stage.controller.connections
            await (await connection.ping())
        assert [call.request for call in stage.calls] == ["Parts"]


class TestEnds:
    async def test_the_client_closes(self, stage: Stage) -> None:
        async with stage.logged_in() as client:
            await client.close(1000, "done")
            assert client.close_code == 1000
            (connection,) = stage.controller.connections
            await connection.wait_closed()
            assert (connection.close_code, connection.close_reason) == (1000, "done")
        await eventually(lambda: len(stage.pipes) == 0)

    async def test_the_controller_closes(self, stage: Stage) -> None:
        async with stage.logged_in() as client:
            await stage.controller.connections[0].close(1001, "stopping")
            assert await goodbye(client) == (1001, "stopping")
        await eventually(lambda: len(stage.pipes) == 0)

    async def test_the_controller_dies(self, stage: Stage) -> None:
        async with stage.logged_in() as client:
            stage.controller.connections[0].transport.abort()
            assert await goodbye(client) == (1001, "the controller went away")
        await eventually(lambda: len(stage.pipes) == 0)

    async def test_the_controller_dies_inside_a_long_frame(self, stage: Stage) -> None:
        async def begin(connection: ServerConnection, _: object) -> None:
            whole = Frame(Opcode.TEXT, b"x" * BIG).serialize(mask=False)
            connection.transport.write(whole[: BIG // 2])

        stage.controller.answers["Begin"] = begin
        async with stage.logged_in() as client:
            await client.send(request("Begin"))
            await asyncio.wait_for((await stage.controller.connections[0].ping()), 5)
            stage.controller.connections[0].transport.abort()
            assert await goodbye(client) == (1006, "")

    async def test_the_client_vanishes(self, stage: Stage) -> None:
        async with stage.logged_in() as client:
            client.transport.abort()
            (connection,) = stage.controller.connections
            await connection.wait_closed()
            assert (connection.close_code, connection.close_reason) == (
                1001,
                "the client went away",
            )
        await eventually(lambda: len(stage.pipes) == 0)

    @pytest.mark.parametrize(
        ("by", "what"),
        [("close_model", MODEL), ("close_identity", IDENTITY), ("close_controller", CONTROLLER)],
    )
    async def test_jimm_closes(self, stage: Stage, by: str, what: str) -> None:
        async with stage.logged_in() as client:
            assert getattr(stage.pipes, by)("somebody else", "no") == 0
            assert getattr(stage.pipes, by)(what, "it is over") == 1
            assert await goodbye(client) == (1001, "it is over")
            await stage.controller.connections[0].wait_closed()
        await eventually(lambda: len(stage.pipes) == 0)

    async def test_a_graceful_stop_tells_everybody(self, stage: Stage) -> None:
        async with stage.logged_in() as inside, stage.client() as outside:
            stage.server.should_exit = True
            told = (1001, "JIMM is stopping, connect again")
            assert await goodbye(inside) == told
            assert await goodbye(outside) == told
            await stage.controller.connections[0].wait_closed()
        await eventually(lambda: not stage.server.server_state.connections)

    @pytest.mark.parametrize("limits", [Limits(close=0.2)])
    async def test_a_stop_waits_for_nobody_for_long(self, stage: Stage) -> None:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1",
            stage.port,
            ssl=client_context(stage.authority.certificate_pem),
            server_hostname="juju-apiserver",
        )
        key = base64.b64encode(bytes(16)).decode()
        path = f"/model/{MODEL}/api"
        writer.write(handshake.build_request(host="jimm", path=path, key=key, headers={}))
        await reader.readuntil(b"\r\n\r\n")
        params = {"auth-tag": "user-alice", "credentials": "right"}
        login = request("Login", params, facade="Admin", version=3)
        writer.write(frames.encode(frames.TEXT, login.encode(), mask=b"mask"))
        await eventually(lambda: len(stage.pipes) == 1 and stage.controller.logins)
        stage.server.should_exit = True
        await eventually(lambda: not stage.server.server_state.connections, deadline=5)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


class TestBackpressure:
    async def test_a_client_that_does_not_read_stops_the_controller(self, stage: Stage) -> None:
        sent = 0

        async def flood(connection: ServerConnection, asked: dict[str, Any]) -> None:
            nonlocal sent
            for _ in range(100):
                await stage.controller.reply(connection, asked, response={"a": "x" * 1_000_000})
                sent += 1

        stage.controller.answers["Flood"] = flood
        async with stage.logged_in(max_queue=1) as client:
            (pipe,) = stage.pipes
            await client.send(request("Flood"))
            await eventually(lambda: not pipe.reads_controller)
            # Everything between the two is full: sockets, TLS and the pipe's own bound.
            stalled = await eventually(still(lambda: sent))
            assert stalled < 40  # of 100
            for _ in range(100):
                assert len(await client.recv()) > 1_000_000
            await eventually(lambda: pipe.reads_controller)

    async def test_a_controller_that_does_not_read_stops_the_client(self, stage: Stage) -> None:
        reading = asyncio.Event()

        async def wait(connection: ServerConnection, _: object) -> None:
            async with asyncio.timeout(60):  # or it would outlive a test that fails
                await reading.wait()

        stage.controller.answers["Wait"] = wait
        async with stage.logged_in() as client:
            (pipe,) = stage.pipes
            await client.send(request("Wait"))
            sent = 0

            async def flood() -> None:
                nonlocal sent
                for _ in range(100):
                    await client.send(request("Echo", {"a": "x" * 1_000_000}))
                    sent += 1

            async with asyncio.TaskGroup() as group:
                group.create_task(flood())
                await eventually(lambda: not pipe.reads_client)
                stalled = await eventually(still(lambda: sent))
                assert stalled < 40  # of 100
                reading.set()
                for _ in range(100):
                    assert len(await client.recv()) > 1_000_000
            await eventually(lambda: pipe.reads_client)


def still(count: Any) -> Any:
    """A condition: the count has not changed since it was asked last (several times over)."""
    seen: list[int] = []

    def ask_again() -> int:
        seen.append(count())
        steady = len(seen) > 10 and len(set(seen[-10:])) == 1
        return max(seen[-1], 1) if steady else 0

    return ask_again


class TestAccess:
    async def test_a_grant_after_login_is_used_without_a_word(self, stage: Stage) -> None:
        async def need_a_token(connection: ServerConnection, asked: dict[str, Any]) -> None:
            login = stage.controller.logins[stage.controller.connections.index(connection)]
            if login["params"]["token"] == "token 1":
                await stage.controller.echo(connection, asked)
                return
            error = {"error": "access permissions required", "error-code": "access required"}
            await stage.controller.reply(connection, asked, response={}, **error)

        stage.controller.answers["Deploy"] = need_a_token
        stage.doorkeeper.readmits = True
        async with stage.logged_in() as client:
            assert await ask(client, "Deploy", {"a": 1}, number=2) == {
                "request-id": 2,
                "response": {"a": 1},
            }
            first, second = stage.controller.connections
            await first.wait_closed()
            assert await ask(client, "Echo", {"b": 2}, number=3) == {
                "request-id": 3,
                "response": {"b": 2},
            }
            stage.controller.answers["Echo"] = need_a_token
            assert (await ask(client, "Echo", {}, number=4))["response"] == {}
            assert second.state.name == "OPEN"

    async def test_the_login_serves_once_and_is_forgotten(self, stage: Stage) -> None:
        async with stage.logged_in():
            assert stage.controller.logins[0]["params"]["token"]
            (pipe,) = stage.pipes
            kept = stage.pipes.admission(pipe)
            assert kept is not None
            assert (kept.identity, kept.login.token) == (IDENTITY, "")

    async def test_no_grant_is_a_denial(self, stage: Stage) -> None:
        async def refuse(connection: ServerConnection, asked: dict[str, Any]) -> None:
            error = {"error": "access permissions required", "error-code": "access required"}
            await stage.controller.reply(connection, asked, response={}, **error)

        stage.controller.answers["Deploy"] = refuse
        async with stage.logged_in() as client:
            for number in (2, 3):
                answer = await ask(client, "Deploy", number=number)
                assert answer == {
                    "request-id": number,
                    "error": "permission denied",
                    "error-code": "unauthorized access",
                    "response": {},
                }
            assert (await ask(client, "Echo", {"a": 1}))["response"] == {"a": 1}

    async def test_a_model_that_moved_away_closes_the_pipe(self, stage: Stage) -> None:
        async def moved(connection: ServerConnection, asked: dict[str, Any]) -> None:
            error = {"error": "moved", "error-code": "redirection required"}
            await stage.controller.reply(connection, asked, response={}, **error)

        stage.controller.answers["Deploy"] = moved
        async with stage.logged_in() as client:
            await client.send(request("Deploy"))
            assert await goodbye(client) == (1001, "the model has moved, connect again")


class TestOtherPaths:
    @pytest.mark.parametrize("path", ["/api", f"/model/{MODEL}/log", "/"])
    async def test_websockets_reach_the_application(self, stage: Stage, path: str) -> None:
        async with stage.client(path) as client:
            for text in ("one", "two" * 100_000):
                await client.send(text)
                assert await client.recv() == f"{path}: {text}"

    async def test_http_reaches_it_too(self, stage: Stage) -> None:
        context = client_context(stage.authority.certificate_pem)
        async with httpx.AsyncClient(verify=context) as client:
            answer = await client.get(f"https://localhost:{stage.port}/model/{MODEL}/api")
            assert (answer.status_code, answer.text) == (200, "hello")
