"""Stretches of time that a search goes through one after the other, each longer than the last.
Pure.

A search for somebody's records has no index that gives them in order, only one that tells where
they may be. So it reads a little along the time, which is enough for whoever calls often, and
then looks up longer and longer stretches: what it reads is in proportion to how far back the
records are that it finds.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

FIRST: Final = 10_000
"""Records in the first stretch."""

LONGER: Final = 4
"""How many times longer each one is than the one before."""

_SHORTEST: Final = timedelta(milliseconds=1)


class Window(NamedTuple):
    """From one time to another in the direction of a search; what is ``None`` is open. Its
    beginning is not in it, and its end is."""

    begin: datetime | None
    end: datetime | None


def windows(begin: datetime, first: datetime | None, end: datetime) -> Iterator[Window]:
    """All records between ``begin`` and ``end``, which may be before it; the first window ends
    with ``first``, or is all there is."""
    last: datetime | None = None
    if first is not None:
        towards = 1 if end > begin else -1
        length = max(abs(first - begin), _SHORTEST)
        while (end - first) * towards > timedelta(0):
            yield Window(last, first)
            last = first
            length = min(length * LONGER, abs(end - begin))
            first += length * towards
    yield Window(last, None)
