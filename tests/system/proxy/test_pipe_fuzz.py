"""The pipe over real sockets, TLS on both legs, compared byte by byte with what was sent.

What is random comes from one seed, which is told when something fails.
"""

import asyncio
import contextlib
import random
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jimm.proxy.limits import Limits
from tests.eventually import eventually
from tests.go_json import executed
from tests.system.proxy.stage import Stage, staged
from tests.system.proxy.wires import BareController, Wire, bare_controller, joined
from tests.unit.proxy.judge import End, Side, judge_down, judge_up
from tests.unit.proxy.wild import TEXT, Wild, chunks, framed, heard

DEADLINE = 60.0
"""Seconds that one conversation may take, however slow both sides are."""

LAST = b'{"request-id":1,"type":"Client","version":6,"request":"Last","params":{}}'
AT_ONCE = 8


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with staged(tmp_path, Limits(close=0.3, dial=30.0)) as found:
        yield found


@pytest.fixture
async def controller(stage: Stage) -> AsyncIterator[BareController]:
    async with bare_controller(stage) as found:
        yield found


class Talk:
    """One conversation: what each side sends, how fast each reads, and how it ends."""

    def __init__(self, seed: int, *, large: float) -> None:
        self.rng = rng = random.Random(seed)
        count, secrets = rng.randrange(1, 12), rng.choice((0.0, 0.0, 0.0, 0.2))
        up, down = (rng.choice((End.NOT, End.NOT, *End)) for _ in range(2))
        self.client = Side(Wild(rng, masked=True, large=large), count, up)
        wild = Wild(rng, masked=False, large=large, secrets=secrets)
        self.controller = Side(wild, count, down)
        self.last_up, self.last_down = framed(TEXT, LAST, b"mask").raw, framed(TEXT, LAST).raw
        asked = heard(self.client.passing, masked=True).messages
        readable = all(executed(each.payload) is not None for each in asked)
        self.whole = up is down is End.NOT and not secrets and readable
        if up is down is End.NOT:
            self._finish(self.client, self.last_up)
            self._finish(self.controller, self.last_down)

    def _finish(self, side: Side, last: bytes) -> None:
        side.passing += last
        side.chunks = chunks(self.rng, side.passing)

    async def run(self, client: Wire, behind: Wire) -> None:
        """The conversation, to its end; then all is compared."""
        async with asyncio.timeout(DEADLINE), asyncio.TaskGroup() as group:
            group.create_task(self._write(client, self.client, self._another()))
            group.create_task(self._write(behind, self.controller, self._another()))
            group.create_task(self._read(client, self.last_down, self._another()))
            group.create_task(self._read(behind, self.last_up, self._another()))
        self.client.got, self.controller.got = bytes(client.got), bytes(behind.got)
        self.client.gone = True  # whether a close frame reached it depends on the time
        over = client.ended or behind.ended
        assert not (over and self.whole)
        judge_up(self.client, [self.controller], None, over=over)
        judge_down(self.client, [self.controller], over=over)

    def _another(self) -> random.Random:
        return random.Random(self.rng.getrandbits(64))

    async def _write(self, wire: Wire, side: Side, rng: random.Random) -> None:
        slowness = rng.choice((0.0, 0.02, 0.3))
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            for chunk in side.chunks:
                side.fed += len(chunk)
                await wire.send(chunk)
                if rng.random() < slowness:
                    await asyncio.sleep(rng.choice((0, 0.001, 0.01)))
        if side.is_cut:
            wire.cut()

    async def _read(self, wire: Wire, last: bytes, rng: random.Random) -> None:
        slowness, size = rng.choice((0.0, 0.02, 0.3)), rng.choice((500, 4096, 65_536))
        await asyncio.sleep(rng.choice((0, 0, 0.2)))
        while await wire.read(size) and not wire.got.endswith(last):
            if rng.random() < slowness:
                await asyncio.sleep(rng.choice((0, 0.001, 0.01)))


async def play(stage: Stage, controller: BareController, seed: int, *, large: float) -> None:
    """So many conversations at the same time."""
    talks = [Talk(seed * AT_ONCE + number, large=large) for number in range(AT_ONCE)]
    try:
        async with contextlib.AsyncExitStack() as stack, asyncio.TaskGroup() as group:
            for talk in talks:
                ends = await stack.enter_async_context(joined(stage, controller))
                group.create_task(talk.run(*ends))
        await eventually(lambda: len(stage.pipes) == 0)
    except BaseException as error:
        error.add_note(f"seed {seed}, large {large}")
        raise


async def test_what_is_sent_comes_out_the_same(stage: Stage, controller: BareController) -> None:
    for seed in range(4):
        await play(stage, controller, seed, large=0.03)


@pytest.mark.soak
@pytest.mark.timeout(3600)
async def test_what_is_sent_comes_out_the_same_for_minutes(
    stage: Stage, controller: BareController
) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seeds from {seed}")
    end = time.monotonic() + 180
    while time.monotonic() < end:
        await play(stage, controller, seed, large=random.Random(seed).choice((0.0, 0.05, 0.3)))
        seed += 1
