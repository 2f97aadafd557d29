"""Waiting outside of asyncio."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], *, deadline: float = 30.0) -> None:
    """Returns once the condition holds.

    Raises:
        AssertionError: it did not within ``deadline`` seconds.
    """
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end, f"not so after {deadline} s"
        time.sleep(0.02)
