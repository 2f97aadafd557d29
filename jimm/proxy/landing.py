"""Where the bytes of all legs of one loop arrive, and how they go on.

What several legs read in one turn of the loop is dealt with together at its end: first all of it
is looked at, then all of it is written. Each of the two is done again and again with the
processor's caches full of it, which is worth more than all else that it takes.
"""

import logging
from collections.abc import Callable
from functools import partial
from itertools import repeat
from typing import Final, Protocol

LANDING: Final = 240 * 1024
"""Bytes that are read at once, at most: fifteen TLS records, and what is copied from there is not
yet so large that it would be mapped anew each time (:mod:`jimm.proxy.entrance`)."""

_LONG: Final = 16 * 1024
"""Bytes from which on it is better to go on with a chunk while it is in the caches itself."""

_ALONE: Final = 31
"""Chunks that go on at once, at most, after some that had waited for no other."""

log = logging.getLogger(__name__)

Passes = Callable[[bytes], bool]
"""Whether bytes go to the other end just as they are, with nothing else to do."""

Forward = Callable[[bytes], object]
"""Writes bytes to the other end."""


class Place(Protocol):
    """Where the next bytes are to be put (``asyncio.BufferedProtocol.get_buffer``)."""

    def __call__(self, sizehint: int) -> memoryview: ...


class Landed(Protocol):
    """So many bytes have been put there (``asyncio.BufferedProtocol.buffer_updated``)."""

    def __call__(self, nbytes: int) -> None: ...


class Leg(Protocol):
    """Whose bytes land. Those that its ``passes`` lets pass go to ``forward``."""

    passes: Passes
    forward: Forward

    def receive(self, data: bytes) -> None:
        """Bytes that do not simply pass."""

    def abort(self) -> None:
        """Cuts the connection."""


class Landing:
    """One block of memory for all reading, for a block for each read would cost more than the
    reading; and what has been read in this turn. ``call_soon`` is the loop's.

    A leg's ``get_buffer`` is :attr:`place`, which no Python code runs for, and its
    ``buffer_updated`` is :meth:`landed` for that leg.
    """

    def __init__(self, call_soon: Callable[[Callable[[], None]], object]) -> None:
        self.block = memoryview(bytearray(LANDING))
        self.place: Place = partial(next, repeat(self.block))
        self._call_soon = call_soon
        self._waiting: list[tuple[Leg, bytes]] = []
        self._alone = 0
        self._lonely = 0

    def landed(self, leg: Leg, size: int) -> None:
        """So many bytes of a leg are in the block."""
        data = bytes(self.block[:size])
        if self._alone:  # then nothing waits
            self._alone -= 1
            go_on(leg, data)
        elif size > _LONG:
            self.settle()
            go_on(leg, data)
        else:
            if not self._waiting:
                self._call_soon(self.settle)
            self._waiting.append((leg, data))

    def settle(self) -> None:
        """Goes on with all that waits. What fails for one leg is not felt by another."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        # Who is alone most of the time gains nothing by waiting; one look in 32 costs little.
        self._alone = self._lonely = 0 if len(waiting) > 1 else min(2 * self._lonely + 1, _ALONE)
        passing: list[tuple[Leg, bytes]] = []
        for leg, data in waiting:
            try:
                if leg.passes(data):
                    passing.append((leg, data))
                    continue
                _write(passing)
                passing = []
                leg.receive(data)
            except Exception:
                _fail(leg)
        _write(passing)


def go_on(leg: Leg, data: bytes) -> None:
    """Goes on with what one leg read."""
    if leg.passes(data):
        leg.forward(data)
    else:
        leg.receive(data)


def _write(passing: list[tuple[Leg, bytes]]) -> None:
    for leg, data in passing:
        try:
            leg.forward(data)
        except Exception:
            _fail(leg)


def _fail(leg: Leg) -> None:
    log.exception("what a connection sent could not be dealt with, it is cut")
    leg.abort()


def nothing_lands(nbytes: int) -> None:
    """Nobody is there any more."""


def nothing_passes(_: bytes) -> bool:
    """No bytes pass without more ado."""
    return False
