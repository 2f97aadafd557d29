"""Peers that are gone without a word, as when a network or a machine fails: within a deadline
their pipes are gone too, on both sides."""

import asyncio
import contextlib
import random
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from jimm.net.tasks import Tasks
from jimm.proxy import peer
from jimm.proxy.limits import Limits
from tests.eventually import eventually
from tests.relay import Relay
from tests.system.proxy.stage import Stage, ask, staged
from tests.system.proxy.wires import Wire, bare_client, bare_controller, lead_to
from tests.unit.proxy.wild import CLOSE, PONG, TEXT, framed, heard

PING = 0.4
WITHIN = 8.0
"""Seconds; a ping, its deadline and the goodbye take 1.2 where nobody else needs the machine."""

LIMITS = Limits(close=0.3, tick=0.05)


TEXT_OF_SIZE = b'"' + b"x" * 60_000 + b'"'
REQUEST = b'{"request-id":1,"type":"Client","version":6,"request":"X","params":%s}' % TEXT_OF_SIZE


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "PING_EVERY", PING)
    monkeypatch.setattr(peer, "ANSWER_WITHIN", PING)


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path, LIMITS) as found:
        yield found


@dataclass
class Line:
    """A pipe with a relay on either side, each of which may go silent."""

    stage: Stage
    client: Wire
    near: Relay
    far: Relay
    controller: Wire

    async def is_gone(self) -> float:
        """Seconds until JIMM has given it up."""
        began = time.monotonic()
        await eventually(lambda: len(self.stage.pipes) == 0, deadline=WITHIN)
        return time.monotonic() - began


@pytest.fixture
async def line(stage: Stage) -> AsyncIterator[Line]:
    async with bare_controller(stage) as controller, Relay(controller.port) as far:
        lead_to(stage, int(far.address.rpartition(":")[2]))
        async with Relay(stage.port) as near:
            client = await bare_client(stage, int(near.address.rpartition(":")[2]))
            behind = await controller.next()
            try:
                yield Line(stage, client, near, far, behind)
            finally:
                near.flow()
                far.flow()
                client.cut()
                behind.cut()


async def pong(wire: Wire, *, masked: bool) -> None:
    """Answers pings, and says goodbye, as any living peer does."""
    seen = 0
    while await wire.read():
        for opcode, payload in heard(bytes(wire.got), masked=not masked).controls[seen:]:
            seen += 1
            kind = CLOSE if opcode == CLOSE else PONG
            mask = random.randbytes(4) if masked else b""
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await wire.send(framed(kind, payload, mask).raw)


def goodbye(wire: Wire, *, masked: bool) -> str:
    """What the close frame said."""
    opcode, payload = heard(bytes(wire.got), masked=masked).controls[-1]
    assert opcode == CLOSE
    return payload[2:].decode()


async def test_a_client_that_is_gone(line: Line) -> None:
    line.near.stall()
    async with asyncio.timeout(WITHIN):
        await pong(line.controller, masked=False)
    assert goodbye(line.controller, masked=True) == "the client went away"
    print(f"gone after {await line.is_gone():.1f} s")


async def test_a_controller_that_is_gone(line: Line) -> None:
    line.far.stall()
    async with asyncio.timeout(WITHIN):
        await pong(line.client, masked=True)
    assert goodbye(line.client, masked=False) == "the controller went away"
    print(f"gone after {await line.is_gone():.1f} s")


async def test_both_gone(line: Line) -> None:
    line.near.stall()
    line.far.stall()
    print(f"gone after {await line.is_gone():.1f} s")


async def test_a_client_that_is_gone_while_much_is_on_its_way_to_it(line: Line) -> None:
    (pipe,) = line.stage.pipes
    async with (
        pouring(line.controller, framed(TEXT, TEXT_OF_SIZE).raw),
        alive(line.controller, masked=False),
    ):
        line.near.stall()
        await eventually(lambda: not pipe.reads_controller)
        print(f"gone after {await line.is_gone():.1f} s")


async def test_a_controller_that_is_gone_while_much_is_on_its_way_to_it(line: Line) -> None:
    (pipe,) = line.stage.pipes
    async with (
        pouring(line.client, framed(TEXT, REQUEST, b"mask").raw),
        alive(line.client, masked=True),
    ):
        line.far.stall()
        await eventually(lambda: not pipe.reads_client)
        print(f"gone after {await line.is_gone():.1f} s")


@asynccontextmanager
async def alive(wire: Wire, *, masked: bool) -> AsyncIterator[None]:
    """A peer that reads, and answers pings."""
    tasks = Tasks()
    tasks.spawn(pong(wire, masked=masked), name="alive")
    try:
        yield
    finally:
        await tasks.aclose()


@asynccontextmanager
async def pouring(wire: Wire, flood: bytes) -> AsyncIterator[None]:
    """A peer that sends as much as is taken."""
    tasks = Tasks()
    tasks.spawn(pour(wire, flood), name="pour")
    try:
        yield
    finally:
        await tasks.aclose()


async def pour(wire: Wire, flood: bytes) -> None:
    """Sends as much as is taken."""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while True:
            await wire.send(flood)


async def test_who_is_only_quiet_stays(stage: Stage) -> None:
    async with stage.logged_in(ping_interval=None) as client:
        await asyncio.sleep(5 * PING)  # that nothing happens can't be waited for
        assert (await ask(client, "Echo", {"a": 1}))["response"] == {"a": 1}
        assert len(stage.pipes) == 1


async def test_both_gone_when_neither_was_reading(line: Line) -> None:
    (pipe,) = line.stage.pipes
    up, down = framed(TEXT, REQUEST, b"mask").raw, framed(TEXT, TEXT_OF_SIZE).raw
    async with pouring(line.client, up), pouring(line.controller, down):
        await eventually(lambda: not (pipe.reads_client or pipe.reads_controller))
        line.near.stall()
        line.far.stall()
        print(f"gone after {await line.is_gone():.1f} s")
