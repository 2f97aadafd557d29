"""Device logins on a connection to a model, each of which waits for a person."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Final

from jimm.access.device_outcomes import begun, confirmed
from jimm.access.visitor import Visitor
from jimm.errors import TryAgain
from jimm.net.tasks import Tasks
from jimm.proxy.doorkeeper import Doorkeeper
from jimm.wire import login

NOT_NOW: Final = "this login cannot be checked just now, try again"

Event = login.DeviceBegun | login.DeviceConfirmed | login.DeviceFailed


class DeviceLogins:
    """Those of one connection; ``tell`` hears what comes of each."""

    def __init__(self, doorkeeper: Doorkeeper, tasks: Tasks, tell: Callable[[Event], None]) -> None:
        self._doorkeeper = doorkeeper
        self._tasks = tasks
        self._tell = tell
        self._running: set[asyncio.Task[None]] = set()

    def begin(self, ticket: int, visitor: Visitor) -> None:
        """Begins one: an address and a code for a person."""
        self._spawn(self._begin(ticket, visitor))

    def wait(self, ticket: int, login_id: str) -> None:
        """Waits until it is confirmed, or is not any more."""
        self._spawn(self._wait(ticket, login_id))

    def drop(self) -> None:
        """Waits for none any more."""
        for task in self._running:
            task.cancel()

    def _spawn(self, coroutine: Coroutine[None, None, None]) -> None:
        task = self._tasks.spawn(coroutine, name="device login at a model")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _begin(self, ticket: int, visitor: Visitor) -> None:
        asking = self._doorkeeper.begin_device(visitor)
        self._tell(await begun(ticket, asking, TryAgain(NOT_NOW)))

    async def _wait(self, ticket: int, login_id: str) -> None:
        waiting = self._doorkeeper.await_device(login_id)
        self._tell(await confirmed(ticket, waiting, TryAgain(NOT_NOW)))
