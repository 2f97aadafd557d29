"""One side stops reading while the other sends as fast as it can: what is kept stays bounded.

Both ends and JIMM are in this process, so its resident size counts everything but what the
kernel keeps in its sockets, which the number of accepted bytes counts too.
"""

import asyncio
import contextlib
import os
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jimm.net.tasks import Tasks
from jimm.proxy.limits import Limits
from jimm.proxy.peer import PING_EVERY
from tests.eventually import eventually
from tests.system.proxy.stage import Stage, staged
from tests.system.proxy.wires import BareController, Wire, bare_controller, joined
from tests.unit.proxy.wild import TEXT, framed

TEXT_OF_SIZE = b'"' + b"x" * 60_000 + b'"'
REQUEST = b'{"request-id":1,"type":"Client","version":6,"request":"X","params":%s}' % TEXT_OF_SIZE
UP = framed(TEXT, REQUEST, b"mask").raw
DOWN = framed(TEXT, TEXT_OF_SIZE).raw

KERNEL = 16_000_000
"""Bytes that the kernel may keep in the four sockets of one pipe."""

OURS = 8_000_000
"""Bytes that one pipe and both its ends may take in this process: bounds of 256 KiB a side for
JIMM, as much again that was read before the pause, the buffers of TLS, and the test's own ends."""

OWN_PING = 2 + 8
"""Bytes of a ping of JIMM's own, its mask not counted."""

AT_FIRST = 16_000_000
"""The same for the first pipe, with all that is loaded and made once."""


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path, Limits(close=0.5)) as found:
        yield found


@pytest.fixture
async def controller(stage: Stage) -> AsyncIterator[BareController]:
    async with bare_controller(stage) as found:
        yield found


class Flood:
    """Sends the same frame again and again, and counts what was taken."""

    def __init__(self, wire: Wire, frame: bytes) -> None:
        self.wire = wire
        self.frame = frame
        self.sent = 0
        self.enough = asyncio.Event()

    async def run(self) -> None:
        """Until there is enough, or the connection is gone."""
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while not self.enough.is_set():
                await self.wire.send(self.frame)
                self.sent += len(self.frame)


class Reader:
    """Reads and keeps nothing but the count."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.read = 0

    async def run(self, flood: Flood) -> None:
        """Until all has come that was sent."""
        while self.read < flood.sent or not flood.enough.is_set():
            found = await self.wire.reader.read(1 << 16)
            assert found, "the pipe was closed"
            self.read += len(found)


def resident() -> int:
    """Bytes of memory that this process has now."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


async def steady(floods: list[Flood], *, for_seconds: float) -> None:
    """Returns when nobody has got rid of anything for so long."""
    last = [-1, time.monotonic()]

    def nothing_moves() -> bool:
        sent = sum(flood.sent for flood in floods)
        if sent != last[0]:
            last[:] = sent, time.monotonic()
        return time.monotonic() - last[1] >= for_seconds

    await eventually(nothing_moves, deadline=60 + for_seconds)


@pytest.mark.parametrize("up", [True, False], ids=["to the controller", "to the client"])
@pytest.mark.parametrize("quiet", [0.4, pytest.param(60.0, marks=pytest.mark.soak)])
async def test_one_side_does_not_read(
    stage: Stage, controller: BareController, up: bool, quiet: float
) -> None:
    async with joined(stage, controller) as (client, behind):
        sender, receiver, frame = (client, behind, UP) if up else (behind, client, DOWN)
        before, tasks = resident(), Tasks()
        flood, reader = Flood(sender, frame), Reader(receiver)
        tasks.spawn(flood.run(), name="flood")
        try:
            await steady([flood], for_seconds=0.4)
            full = resident()
            await steady([flood], for_seconds=quiet)
            print(f"{flood.sent:,} bytes taken, {full - before:,} more in memory")
            assert flood.sent < KERNEL
            assert full - before < AT_FIRST
            assert resident() - full < OURS
            flood.enough.set()
            async with asyncio.timeout(30):
                await reader.run(flood)
            assert reader.read - flood.sent in (0, OWN_PING + 4 * up if quiet >= PING_EVERY else 0)
        finally:
            await tasks.aclose()


@pytest.mark.parametrize("count", [16, pytest.param(100, marks=pytest.mark.soak)])
async def test_many_pipes_that_nobody_reads(
    stage: Stage, controller: BareController, count: int
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        pairs = [await stack.enter_async_context(joined(stage, controller)) for _ in range(count)]
        floods = [Flood(client, UP) for client, _ in pairs[::2]]
        floods += [Flood(behind, DOWN) for _, behind in pairs[1::2]]
        before, tasks = resident(), Tasks()
        for flood in floods:
            tasks.spawn(flood.run(), name="flood")
        try:
            await steady(floods, for_seconds=0.5)
            grown = resident() - before
            print(f"{sum(flood.sent for flood in floods):,} bytes taken, {grown:,} more in memory")
            assert len(stage.pipes) == count
            assert sum(flood.sent for flood in floods) < count * KERNEL
            assert grown < AT_FIRST + count * OURS
        finally:
            await tasks.aclose()
