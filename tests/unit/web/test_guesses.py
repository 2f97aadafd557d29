"""How often a code may be guessed."""

import pytest

from jimm.errors import TryAgain
from jimm.web.guesses import ADDRESSES, OF_ADDRESS, OF_ALL, Bound, Guesses


class Clock:
    """Seconds that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("address", "bound"), [("", OF_ALL), ("192.0.2.1", OF_ADDRESS)])
def test_a_few_at_once_and_then_one_at_a_time(address: str, bound: Bound) -> None:
    clock = Clock()
    guesses = Guesses(clock)
    for _ in range(bound.at_once):
        guesses.admit(address)
        guesses.failed(address)
    with pytest.raises(TryAgain):
        guesses.admit(address)
    guesses.admit("192.0.2.2")
    clock.now += bound.every
    guesses.admit(address)
    guesses.failed(address)
    with pytest.raises(TryAgain):
        guesses.admit(address)
    clock.now += bound.every * bound.at_once
    guesses.admit(address)


def test_only_so_many_addresses_are_kept() -> None:
    guesses = Guesses(Clock())
    for _ in range(OF_ADDRESS.at_once):
        guesses.failed("first")
    for number in range(ADDRESSES - 1):
        guesses.failed(str(number))
    with pytest.raises(TryAgain):
        guesses.admit("first")
    guesses.failed("one more")
    guesses.admit("first")
