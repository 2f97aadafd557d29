"""Pipes of which one end takes nothing: what was read for it waits in memory. Pure.

Each of them holds what was read before its other end was paused, a megabyte or two. Many of them
together would take the memory of all.
"""

from collections.abc import Hashable


class Stalled:
    """The pipes that are stalled now: as many as ``limit`` may be so for longer than ``patience``
    seconds. ``now`` is seconds of any steady clock."""

    def __init__(self, limit: int, patience: float) -> None:
        self._limit = limit
        self._patience = patience
        self._since: dict[Hashable, float] = {}

    def __len__(self) -> int:
        return len(self._since)

    def add(self, pipe: Hashable, now: float) -> None:
        """It is stalled."""
        self._since.setdefault(pipe, now)

    def discard(self, pipe: Hashable) -> None:
        """It goes on, or is over."""
        self._since.pop(pipe, None)

    def has_to_go(self, pipe: Hashable, now: float) -> bool:
        """Whether it is one too many, and has been stalled for long enough to be given up; then
        it counts no more."""
        if len(self._since) <= self._limit:
            return False
        gone = now - self._since.get(pipe, now) >= self._patience
        if gone:
            self.discard(pipe)
        return gone
