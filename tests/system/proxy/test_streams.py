"""The log of a model as a stream: what Juju's clients see of it, and what is kept meanwhile."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from jimm.net.tls import server_context
from jimm.proxy.carrier import Pace
from tests.eventually import eventually
from tests.system.proxy.below_stage import BelowStage, staged
from tests.system.proxy.stage import MODEL

LINE = json.dumps({"tag": "unit-a-0", "sev": "INFO", "msg": "x" * 1000})
LONG_LINE = json.dumps({"tag": "unit-a-0", "sev": "INFO", "msg": "x" * 20_000})
Log = Callable[[ServerConnection], Awaitable[None]]


class LogServer:
    """A controller that serves a log as ``script`` says."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str]] = []
        self.open = 0
        self.script: Log = self.three_lines

    async def serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        login = connection.request.headers.get("Authorization", "")
        self.requests.append((connection.request.path, login))
        self.open += 1
        try:
            with contextlib.suppress(ConnectionClosed):
                await self.script(connection)
        finally:
            self.open -= 1

    async def three_lines(self, connection: ServerConnection) -> None:
        await connection.send("{}\n")
        for _ in range(3):
            await connection.send(LINE)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[BelowStage]:
    async with staged(tmp_path, Pace()) as made:
        yield made
        assert await eventually(made.is_quiet)


@pytest.fixture
async def log(stage: BelowStage) -> AsyncIterator[LogServer]:
    made = LogServer()
    context = server_context(stage.authority.issue(["127.0.0.1"]))
    # As Juju's: it reads nothing, so it answers no pings.
    async with serve(made.serve, "127.0.0.1", 0, ssl=context, ping_interval=None) as server:
        found = stage.gate.admission
        endpoint = replace(found.endpoint, addresses=(_address(server),))
        stage.gate.admission = replace(found, endpoint=endpoint)
        yield made
        assert await eventually(lambda: made.open == 0)


def _address(server: Server) -> str:
    (socket,) = server.sockets
    return f"127.0.0.1:{socket.getsockname()[1]}"


async def test_the_lines_come_as_they_are_and_the_end_is_the_end(
    stage: BelowStage, log: LogServer
) -> None:
    async with stage.log("?replay=true&level=INFO&:modeluuid=x&includeEntity=unit-a-%2A") as client:
        assert await client.recv() == "{}\n"
        assert [await client.recv() for _ in range(3)] == [LINE] * 3
        with pytest.raises(ConnectionClosed):
            await client.recv()
        assert client.close_code == 1000
    path, login = log.requests[0]
    assert path == f"/model/{MODEL}/log?replay=true&level=INFO&includeEntity=unit-a-%2A"
    assert login == "Bearer jwt"


async def test_a_client_that_goes_closes_the_controller_s_end(
    stage: BelowStage, log: LogServer
) -> None:
    async def forever(connection: ServerConnection) -> None:
        await connection.send("{}\n")
        await connection.wait_closed()

    log.script = forever
    async with stage.log() as client:
        await client.recv()
        assert (log.open, len(stage.pipes)) == (1, 1)
    assert client.close_code == 1000
    assert await eventually(lambda: log.open == 0)


async def test_what_the_client_sends_reaches_the_controller(
    stage: BelowStage, log: LogServer
) -> None:
    async def echo(connection: ServerConnection) -> None:
        await connection.send("{}\n")
        async for message in connection:
            await connection.send(f"heard {message!r}")

    log.script = echo
    async with stage.log() as client:
        await client.recv()
        await client.send("one")
        assert await client.recv() == "heard 'one'"
        await asyncio.wait_for(await client.ping(), 5)
        await client.send("x" * 2_000_000)
        with pytest.raises(ConnectionClosed):
            await client.recv()
        assert client.close_code == 1009


async def test_a_client_that_reads_nothing_stops_the_controller(
    stage: BelowStage, log: LogServer
) -> None:
    sent, number = 0, 3000  # 60 MB: more than waits in the buffers of the system

    async def flood(connection: ServerConnection) -> None:
        nonlocal sent
        await connection.send("{}\n")
        for _ in range(number):
            await connection.send(LONG_LINE)
            sent += 1

    log.script = flood
    async with stage.log(max_queue=1) as client:
        await client.recv()
        last = -1
        while sent != last:
            last = sent
            await asyncio.sleep(0.5)  # there is no sign for what does not happen
        assert 10 < sent < number
        for _ in range(number):
            await client.recv()
    assert sent == number


@pytest.mark.parametrize(
    ("user", "code"), [("user-nobody", "unauthorized access"), ("", "unauthorized access")]
)
async def test_who_is_not_let_in_hears_it_after_the_upgrade(
    stage: BelowStage, log: LogServer, user: str, code: str
) -> None:
    async with stage.log(user=user) as client:
        first = await client.recv()
        assert isinstance(first, str)
        assert first.endswith("}\n")
        assert json.loads(first)["error"]["code"] == code
        with pytest.raises(ConnectionClosed):
            await client.recv()
    assert log.requests == []


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        (
            {"message": 'level value "X" is not one of …', "code": ""},
            {"message": 'level value "X" is not one of …', "code": ""},
        ),
        (
            {"message": "authentication failed: secret", "code": "unauthorized access"},
            {
                "message": "the controller does not show its log to JIMM just now",
                "code": "connection failed",
            },
        ),
    ],
)
async def test_what_a_controller_refuses(
    stage: BelowStage, log: LogServer, told: dict[str, str], seen: dict[str, str]
) -> None:
    async def refuse(connection: ServerConnection) -> None:
        await connection.send(json.dumps({"error": told}) + "\n")

    log.script = refuse
    async with stage.log() as client:
        assert json.loads(await client.recv()) == {"error": seen}


async def test_a_controller_that_is_away(stage: BelowStage) -> None:
    found = stage.gate.admission
    endpoint = replace(found.endpoint, addresses=("127.0.0.1:1",))
    stage.gate.admission = replace(found, endpoint=endpoint)
    async with stage.log() as client:
        error = json.loads(await client.recv())["error"]
    assert error == {
        "message": "controller north is not reachable now",
        "code": "connection failed",
    }


async def test_it_is_closed_when_somebody_s_access_has_changed(
    stage: BelowStage, log: LogServer
) -> None:
    async def forever(connection: ServerConnection) -> None:
        await connection.send("{}\n")
        await connection.wait_closed()

    log.script = forever
    async with stage.log() as client:
        await client.recv()
        stage.pipes.close_identity("alice@jimm", "what you may do here has changed")
        with pytest.raises(ConnectionClosed):
            await client.recv()
        assert (client.close_code, client.close_reason) == (
            1001,
            "what you may do here has changed",
        )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/model/{MODEL}/commands", 404),
        (f"/model/{MODEL}/charms", 404),
        (f"/model/{MODEL}/pubsub", 404),
        (f"/model/{MODEL}//log", 400),
        (f"/model/{MODEL}/%2e/log", 400),
        ("/model/x/log", 400),
    ],
)
async def test_other_upgrades_are_refused_with_a_reason(
    stage: BelowStage, path: str, status: int
) -> None:
    async with stage.raw() as (reader, writer):
        lines = [f"GET {path} HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: upgrade"]
        lines += ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        told = (await asyncio.wait_for(reader.read(), 5)).decode()
    assert told.startswith(f"HTTP/1.1 {status} ")
    assert "application/json\r\n" in told
    assert json.loads(told.partition("\r\n\r\n")[2])["error"]["code"]
