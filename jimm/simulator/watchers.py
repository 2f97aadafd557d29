"""Watchers: objects on the server that a client asks again and again for what has changed."""

import asyncio
from collections.abc import Callable

from jimm.errors import JimmError, NotFound
from jimm.simulator.deltas import Entities, changes
from jimm.simulator.store import Change, Store
from jimm.wire import codes
from jimm.wire.params.watcher import Delta


class WatcherStopped(JimmError):
    """A ``Next`` that waited when the watcher was stopped."""

    code = codes.STOPPED

    def __init__(self) -> None:
        super().__init__("watcher has been stopped")


class Watcher:
    """What one client knows; ``look`` gives what there is to know."""

    def __init__(self, store: Store, look: Callable[[], Entities]) -> None:
        self._store = store
        self._look = look
        self._known: Entities = {}
        self._changed = asyncio.Event()
        self._started = False
        self._stopped = False

    def start(self) -> None:
        """Listens to the store from now on."""
        self._store.listen(self._on_change)

    def stop(self) -> None:
        """Ends it; a ``Next`` that waits raises."""
        self._store.unlisten(self._on_change)
        self._stopped = True
        self._changed.set()

    async def next(self) -> list[Delta]:
        """What has changed since the last call; the first call tells everything at once.

        Raises:
            WatcherStopped: it was stopped, before or meanwhile.
        """
        while not self._stopped:
            self._changed.clear()
            current = self._look()
            found = changes(self._known, current)
            self._known = current
            if found or not self._started:
                self._started = True
                return found
            await self._changed.wait()
        raise WatcherStopped

    def _on_change(self, _change: Change) -> None:
        self._changed.set()


class Quiet:
    """A watcher that never has anything to tell: its ``Next`` waits until it is stopped."""

    def __init__(self) -> None:
        self._stopped = asyncio.Event()

    def start(self) -> None:
        """Nothing to listen to."""

    def stop(self) -> None:
        """Ends it; a ``Next`` that waits raises."""
        self._stopped.set()

    async def next(self) -> list[Delta]:
        """Waits.

        Raises:
            WatcherStopped: it was stopped, before or meanwhile.
        """
        await self._stopped.wait()
        raise WatcherStopped


class Watchers:
    """The watchers of one connection by id."""

    def __init__(self) -> None:
        self._watchers: dict[str, Watcher | Quiet] = {}
        self._last = 0

    def add(self, watcher: Watcher | Quiet) -> str:
        """Starts a watcher and gives its id."""
        self._last += 1
        watcher.start()
        self._watchers[str(self._last)] = watcher
        return str(self._last)

    def find(self, watcher_id: str) -> Watcher | Quiet:
        """The watcher of that id.

        Raises:
            NotFound: there is none, or it was stopped.
        """
        if watcher_id not in self._watchers:
            raise NotFound("unknown watcher id")
        return self._watchers[watcher_id]

    def stop(self, watcher_id: str) -> None:
        """Stops and forgets a watcher.

        Raises:
            NotFound: there is none.
        """
        self.find(watcher_id).stop()
        del self._watchers[watcher_id]

    def stop_all(self) -> None:
        """Stops them all, because the connection is gone."""
        for watcher_id in list(self._watchers):
            self.stop(watcher_id)
