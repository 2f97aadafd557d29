"""One clock for all open pipes of a loop."""

import asyncio
from collections import deque
from typing import Final, Protocol

PIECES: Final = 16
"""How many turns a round takes: ten thousand pipes at once would keep the loop for too long."""


class Walked(Protocol):
    """What is looked at in turn."""

    def tick(self) -> None:
        """It is its turn."""
        ...

    def regulate(self) -> None:
        """Something that decides from whom is read has changed."""
        ...


class Rounds:
    """Everything in it has its turn once in ``every`` seconds; one timer for all."""

    def __init__(self, every: float) -> None:
        self._pause = every / PIECES
        self._turns: deque[set[Walked]] = deque(set() for _ in range(PIECES))
        self._places: dict[Walked, set[Walked]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, walked: Walked) -> None:
        """Its first turn comes now."""
        place = self._places[walked] = self._turns[-1]
        place.add(walked)
        if self._timer is None:
            self._go_on()
        walked.tick()

    def discard(self, walked: Walked) -> None:
        """It has no turn any more."""
        place = self._places.pop(walked, None)
        if place is not None:
            place.discard(walked)
        if not self._places and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def regulate(self) -> None:
        """All of them are told."""
        for walked in list(self._places):
            walked.regulate()

    def _go_on(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._pause, self._turn)

    def _turn(self) -> None:
        self._go_on()
        self._turns.rotate(-1)
        for walked in list(self._turns[-1]):
            walked.tick()
