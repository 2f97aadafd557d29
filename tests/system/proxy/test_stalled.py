"""Of many clients that do not read, some are given up, and the others go on."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from jimm.net.tasks import Tasks
from jimm.proxy.limits import Limits
from tests.eventually import eventually
from tests.system.proxy.stage import staged
from tests.system.proxy.test_memory import DOWN, Flood, Reader
from tests.system.proxy.wires import bare_controller, joined


async def test_those_that_are_too_many_are_given_up(tmp_path: Path) -> None:
    tasks = Tasks()
    async with AsyncExitStack() as stack:
        limits = Limits(close=0.3, tick=0.1, stalled=2, patience=0.5)
        stage = await stack.enter_async_context(staged(tmp_path, limits))
        controller = await stack.enter_async_context(bare_controller(stage))
        ends = [await stack.enter_async_context(joined(stage, controller)) for _ in range(4)]
        stack.push_async_callback(tasks.aclose)
        floods = [Flood(behind, DOWN) for _, behind in ends]
        running = [tasks.spawn(flood.run(), name="flood") for flood in floods]
        await eventually(lambda: len(stage.pipes) == 2)
        await eventually(lambda: sum(task.done() for task in running) == 2)
        left = [number for number, task in enumerate(running) if not task.done()]
        for number in left:
            floods[number].enough.set()
        async with asyncio.timeout(30):
            await asyncio.gather(*(Reader(ends[each][0]).run(floods[each]) for each in left))
        assert len(stage.pipes) == 2
