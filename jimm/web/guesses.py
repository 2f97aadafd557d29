"""A bound on guesses of the codes that `juju login` shows.

A code is one of 20⁸ and lives ten minutes. Where a trusted proxy tells who asks, each address has
a bound of its own; elsewhere all who ask share one, because an address that anybody can make up,
or that is an ingress's, says nothing. A thousand logins waiting at once and ten minutes of
guessing at the shared bound: one chance in 38,000 to hit any of them, and whoever does still has
to sign in and only gives the client *their own* rights.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from jimm.errors import TryAgain


@dataclass(frozen=True, slots=True)
class Bound:
    """``at_once`` wrong codes, and then one in ``every`` seconds."""

    at_once: int
    every: float


OF_ADDRESS: Final = Bound(10, 30.0)
OF_ALL: Final = Bound(60, 1.0)
ADDRESSES: Final = 10_000
"""How many addresses are kept in memory; the one that guessed longest ago is forgotten first."""


class Guesses:
    """Wrong codes of late; ``clock`` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._paid_until: OrderedDict[str, float] = OrderedDict()

    def admit(self, address: str) -> None:
        """Lets a code be looked at; ``address`` is empty where nobody trusted tells it.

        Raises:
            TryAgain: there were too many wrong ones just now.
        """
        bound = _bound(address)
        owed = self._paid_until.get(address, 0.0) - self._clock()
        if owed > (bound.at_once - 1) * bound.every:
            raise TryAgain(
                "too many wrong codes were entered just now; wait a minute, then try again"
            )

    def failed(self, address: str) -> None:
        """Counts a wrong code."""
        now = self._clock()
        paid_until = max(self._paid_until.pop(address, now), now)
        self._paid_until[address] = paid_until + _bound(address).every
        while len(self._paid_until) > ADDRESSES:
            self._paid_until.popitem(last=False)


def _bound(address: str) -> Bound:
    return OF_ADDRESS if address else OF_ALL
