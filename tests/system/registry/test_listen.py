"""A listener ends whenever it is told to, whatever it is just doing."""

import asyncio
import random

import pytest

from jimm.net.tasks import Tasks
from jimm.registry import listen
from jimm.registry.session import Registry

TIMES = 120


async def test_it_ends_whenever_it_is_cancelled(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "KEEPALIVE", 0.003)  # so that it is mostly trying the connection
    rng, tasks = random.Random(5), Tasks()
    try:
        for number in range(TIMES):
            heard = asyncio.Event()
            listening = tasks.spawn(_hear(registry, heard), name="listen")
            async with asyncio.timeout(10):
                await heard.wait()
            await asyncio.sleep(0.003)
            for _ in range(rng.randrange(12)):
                await asyncio.sleep(0)
            listening.cancel()
            await asyncio.wait({listening}, timeout=5)
            assert listening.done(), f"the cancellation was lost the {number}th time"
    finally:
        await tasks.aclose()


async def _hear(registry: Registry, heard: asyncio.Event) -> None:
    async for _ in registry.listen("jimm_test"):
        heard.set()
