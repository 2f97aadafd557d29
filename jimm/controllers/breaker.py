"""A circuit breaker: while a controller is away, nobody waits to find out again.

::

    closed ──(failures)──> open ──(time)──> half-open ──success──> closed
                            ^                   │
                            └──────failure──────┘

Pure: the caller brings the time, in seconds of any steady clock.
"""

from dataclasses import dataclass
from enum import Enum


class State(Enum):
    """Closed lets all attempts pass, open none, half-open one at a time."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(slots=True)
class Breaker:
    """Opens after ``failures`` in a row, lets one attempt try again ``retry_after`` later.

    An attempt that was let through while half-open and never reports its outcome blocks the
    next one for ``retry_after`` and no longer.
    """

    failures: int = 3
    retry_after: float = 5.0
    state: State = State.CLOSED
    failed_in_a_row: int = 0
    waits_until: float = 0.0

    def allows(self, now: float) -> bool:
        """Whether an attempt may begin; one that may is expected to report its outcome."""
        if self.state is State.CLOSED:
            return True
        if now < self.waits_until:
            return False
        self.state = State.HALF_OPEN
        self.waits_until = now + self.retry_after
        return True

    def succeeded(self) -> None:
        """An attempt reached the controller."""
        self.state = State.CLOSED
        self.failed_in_a_row = 0

    def failed(self, now: float) -> None:
        """An attempt did not reach it."""
        self.failed_in_a_row += 1
        if self.state is not State.CLOSED or self.failed_in_a_row >= self.failures:
            self.state = State.OPEN
            self.waits_until = now + self.retry_after
