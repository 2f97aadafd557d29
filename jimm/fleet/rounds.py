"""Work that is done over and over: at once when somebody calls, else after a pause."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

log = logging.getLogger(__name__)

AFTER_FAILURE: Final = 1.0
"""Seconds until a round that broke is done again."""


class Rounds:
    """Repeats one piece of work, which gives the seconds until its next round."""

    def __init__(self, what: str, work: Callable[[], Awaitable[float]]) -> None:
        self._what = what
        self._work = work
        self._called = asyncio.Event()

    def wake(self) -> None:
        """There is something to do: the next round begins now."""
        self._called.set()

    async def run(self) -> None:
        """Works until cancelled; a round that breaks is logged and done again."""
        while True:
            self._called.clear()
            try:
                pause = await self._work()
            except Exception:
                log.exception("%s failed; it goes on", self._what)
                pause = AFTER_FAILURE
            try:
                async with asyncio.timeout(pause):
                    await self._called.wait()
            except TimeoutError:
                pass
