"""How runs are taken."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def turns(peers: Sequence[T], number: int) -> list[T]:
    """The peers in the order of a round: each round begins with another one."""
    start = number % len(peers)
    return [*peers[start:], *peers[:start]]


def idle_rate(spent: Callable[[], float], seconds: float) -> float:
    """What goes by in a second while nobody asks for anything."""
    before, began = spent(), time.monotonic()
    time.sleep(seconds)
    return (spent() - before) / (time.monotonic() - began)
