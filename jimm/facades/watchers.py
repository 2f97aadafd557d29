"""Watchers of one connection: what a client made there, and asks for news by its id."""

from typing import Final

from jimm.errors import Conflict, NotFound
from jimm.fleet.summaries import Watcher

MOST: Final = 32
"""Watchers on one connection: each may have a call waiting, and other calls need their turn."""


class Watchers:
    """The watchers by id. They end with their connection."""

    def __init__(self) -> None:
        self._watchers: dict[str, Watcher] = {}
        self._last = 0

    def __len__(self) -> int:
        return len(self._watchers)

    def require_room(self) -> None:
        """Nothing, while there is room for one more.

        Raises:
            Conflict: there are too many.
        """
        if len(self) >= MOST:
            raise Conflict(f"this connection has {MOST} watchers already: stop one first")

    def add(self, watcher: Watcher) -> str:
        """Keeps a watcher and gives its id."""
        self._last += 1
        self._watchers[str(self._last)] = watcher
        return str(self._last)

    def find(self, watcher_id: str) -> Watcher:
        """The watcher of that id.

        Raises:
            NotFound: there is none (any more), in Juju's words.
        """
        if watcher_id not in self._watchers:
            raise NotFound("unknown watcher id")
        return self._watchers[watcher_id]

    def stop(self, watcher_id: str) -> None:
        """Ends a watcher, and whoever waits for it.

        Raises:
            NotFound: there is none (any more).
        """
        self.find(watcher_id).stop()
        del self._watchers[watcher_id]

    def stop_all(self) -> None:
        """Ends them all: the client is gone."""
        for watcher_id in list(self._watchers):
            self.stop(watcher_id)
