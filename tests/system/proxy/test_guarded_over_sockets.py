"""A guarded pipe between real sockets."""

import json
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from jimm.proxy.guard import Restriction
from jimm.proxy.limits import Limits
from jimm.wire import frames
from tests.eventually import eventually
from tests.system.proxy.stage import Stage, ask, request, staged

REFUSED = {"error": "model migration in progress", "response": {}}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path, Limits(close=2.0, buffer=64 * 1024)) as found:
        found.controller.answers |= {"FullStatus": found.controller.echo, "Ping": answer}
        yield found


async def answer(connection: ServerConnection, asked: dict[str, Any]) -> None:
    """Answers with nothing in particular."""
    await connection.send(json.dumps({"request-id": asked["request-id"], "response": {}}))


def restrict(stage: Stage) -> None:
    """From now on logins are restricted."""
    admission = stage.doorkeeper.admission
    stage.doorkeeper.admission = replace(admission, restriction=Restriction.EXPORTING)


async def told(client: ClientConnection) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await client.recv())
    return found


async def test_it_is_fixed_at_the_login(stage: Stage) -> None:
    stage.controller.answers["Deploy"] = answer
    async with stage.logged_in() as before:
        restrict(stage)
        async with stage.logged_in() as during:
            assert "error" not in await ask(before, "Deploy", facade="Application", number=2)
            refused = await ask(during, "Deploy", facade="Application", number=2)
            assert refused == {"request-id": 2, **REFUSED}
            params = {"patterns": ["a"]}
            shown = await ask(during, "FullStatus", params, number=3)
            assert shown == {"request-id": 3, "response": params}
            assert await ask(during, "Ping", facade="Pinger", number=4) == {
                "request-id": 4,
                "response": {},
            }
    asked = [each["request"] for each in stage.controller.requests]
    assert asked == ["Deploy", "FullStatus", "Ping"]
    assert [call.request for call in stage.calls] == ["Deploy", *asked]  # the refused one too


async def test_parts_and_bytes_are_no_way_round_it(stage: Stage) -> None:
    restrict(stage)
    async with stage.logged_in() as client:
        forged = '{"request-id":5,"type":"Client","request":"FullStatus","REQUEST":"Destroy"}'
        await client.send([forged[:20], forged[20:60], forged[60:]])
        assert await told(client) == {"request-id": 5, **REFUSED}
        await client.send(forged.encode())
        assert await told(client) == {"request-id": 5, **REFUSED}
        good = request("FullStatus", number=6)
        await client.send([good[:20], good[20:]])
        assert await told(client) == {"request-id": 6, "response": {}}
    assert [each["request-id"] for each in stage.controller.requests] == [6]


async def test_what_can_not_be_read_ends_it(stage: Stage) -> None:
    restrict(stage)
    async with stage.logged_in() as client:
        await client.send("nonsense")
        with pytest.raises(ConnectionClosed):
            await client.recv()
        assert client.close_code == 1008
        assert "can't be read" in str(client.close_reason)
    assert stage.controller.requests == []


async def test_who_asks_and_does_not_listen_is_not_read_any_more(stage: Stage) -> None:
    restrict(stage)
    small = socket.create_connection(("127.0.0.1", stage.port))
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 128 * 1024)
    batch = frames.encode(frames.TEXT, request("Deploy").encode(), mask=b"mask") * 1000
    async with stage.logged_in(sock=small) as client:
        (pipe,) = stage.pipes
        client.transport.pause_reading()
        sent = 0

        def is_held_back() -> bool:
            nonlocal sent
            if pipe.reads_client:
                client.transport.write(batch)
                sent += 1000
            return not pipe.reads_client

        await eventually(is_held_back, deadline=60)
        client.transport.resume_reading()
        for _ in range(sent):
            assert await told(client) == {"request-id": 1, **REFUSED}
        await eventually(lambda: pipe.reads_client)


async def test_a_model_that_left_is_not_told_to_be_unknown(stage: Stage) -> None:
    async def gone(connection: ServerConnection, asked: dict[str, Any]) -> None:
        error = {"error": 'unknown model: "x"', "error-code": "model not found"}
        await stage.controller.reply(connection, asked, **error, response={})

    stage.controller.answers["FullStatus"] = gone
    async with stage.logged_in() as client:
        await client.send(request("FullStatus"))
        with pytest.raises(ConnectionClosed):
            await client.recv()
        assert client.close_code == 1001
