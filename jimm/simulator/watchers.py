"""Watchers: objects on the server that a client asks again and again for what has changed."""

import asyncio
from collections.abc import Callable, Iterable

from jimm.errors import JimmError, NotFound
from jimm.simulator.deltas import Entities, changes, entities_of, in_order
from jimm.simulator.state import Controller, Model
from jimm.simulator.store import Change, Store
from jimm.wire import codes
from jimm.wire.params.watcher import Delta
from jimm.wire.tags import ModelUUID


class WatcherStopped(JimmError):
    """A ``Next`` that waited when the watcher was stopped."""

    code = codes.STOPPED

    def __init__(self) -> None:
        super().__init__("watcher has been stopped")


class Watcher:
    """What one client knows of some models; ``sees`` says of which.

    It looks at those that have changed and at no other, for there may be a thousand.
    """

    def __init__(self, store: Store, sees: Callable[[ModelUUID], bool]) -> None:
        self._store = store
        self._sees = sees
        self._known: dict[ModelUUID, Entities] = {}
        self._unseen: set[ModelUUID] = set()
        self._changed = asyncio.Event()
        self._started = False
        self._stopped = False

    def start(self) -> None:
        """Listens to the store from now on."""
        self._unseen.update(filter(self._sees, self._store.models))
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
            found = self._look()
            if found or not self._started:
                self._started = True
                return found
            await self._changed.wait()
        raise WatcherStopped

    def _look(self) -> list[Delta]:
        unseen, self._unseen = self._unseen, set()
        found: list[Delta] = []
        for uuid in unseen:
            model = self._store.models.get(uuid)
            known = self._known.pop(uuid, {})
            current = entities_of(self._store.controller, model) if model is not None else {}
            if current:
                self._known[uuid] = current
            found += changes(known, current)
        return in_order(found)

    def _on_change(self, change: Change) -> None:
        changed: Iterable[ModelUUID] = ()
        match change.after or change.before:
            case Model(uuid=uuid):
                changed = (uuid,)
            case Controller():  # its defaults are part of every model
                changed = self._store.models
        seen = [uuid for uuid in changed if self._sees(uuid)]
        if seen:
            self._unseen.update(seen)
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
