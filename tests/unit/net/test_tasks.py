"""Tasks are joined, whatever becomes of their cancellation."""

import asyncio
from contextlib import suppress

from jimm.net.tasks import Tasks


async def test_a_task_that_lost_its_cancellation_is_cancelled_again() -> None:
    lost = 0

    async def loses_the_first() -> None:
        nonlocal lost
        while True:
            with suppress(asyncio.CancelledError if lost == 0 else TimeoutError):
                await asyncio.Event().wait()
            lost += 1

    tasks = Tasks(patience=0.01)
    running = tasks.spawn(loses_the_first(), name="loses the first")
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await tasks.aclose()
    assert (lost, running.cancelled(), len(tasks)) == (1, True, 0)


async def test_what_a_task_does_at_its_end_is_waited_for() -> None:
    done: list[str] = []

    async def ends_slowly() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            done.append("all")

    tasks = Tasks()
    tasks.spawn(ends_slowly(), name="ends slowly")
    await asyncio.sleep(0)
    await tasks.aclose()
    assert done == ["all"]
