"""Background tasks that have a name, are kept, and are joined."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from jimm.errors import JimmError

T = TypeVar("T")

log = logging.getLogger(__name__)

PATIENCE: Final = 15.0
"""Seconds that a cancelled task has for its last words; a statement that Postgres doesn't end may
take ten."""


def soon(work: Callable[[], None]) -> None:
    """Has it done in the next turn of the running loop."""
    asyncio.get_running_loop().call_soon(work)


class Tasks:
    """The tasks of one owner.

    Where a TaskGroup fits, use that: a task here may fail without stopping its owner, and the
    failure is logged.
    """

    def __init__(self, *, patience: float = PATIENCE) -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._patience = patience

    def __len__(self) -> int:
        return len(self._running)

    def spawn(self, coroutine: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """Starts a task and keeps it until it ends."""
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def aclose(self) -> None:
        """Cancels what still runs and waits for it.

        A task may lose a cancellation to a library that takes it for its own; it is cancelled
        again after ``patience`` seconds, for otherwise nobody would ever be done.
        """
        running = set(self._running)
        while running:
            for task in running:
                task.cancel()
            _, running = await asyncio.wait(running, timeout=self._patience)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, JimmError):  # a refusal; whoever awaits the task is told
            log.debug("%s: %s", task.get_name(), error)
        elif error is not None:
            log.error("task %s failed", task.get_name(), exc_info=error)
