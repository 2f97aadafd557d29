"""Waiting for a condition, with a deadline, instead of for a time."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

T = TypeVar("T")


@overload
async def eventually(
    condition: Callable[[], Awaitable[T]], *, deadline: float = ..., interval: float = ...
) -> T: ...


@overload
async def eventually(
    condition: Callable[[], T], *, deadline: float = ..., interval: float = ...
) -> T: ...


async def eventually(
    condition: Callable[[], Any], *, deadline: float = 30.0, interval: float = 0.02
) -> Any:
    """The first true value of ``condition``, asked every ``interval`` seconds.

    Raises:
        AssertionError: it was not true within ``deadline`` seconds; tells the last value.
    """
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"still {value!r} after {deadline} s")
        await asyncio.sleep(interval)
