"""Time as a simulated controller sees it."""

import asyncio
import datetime


class Clock:
    """The real time of day, with waits shortened by ``speed``.

    Whatever takes Juju a while (a model that dies, a phase, a retry) waits here, so that tests
    and the demo can run the same protocol faster.
    """

    def __init__(self, speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError("speed is a positive number")
        self.speed = speed

    def now(self) -> datetime.datetime:
        """The time of day, UTC, to the microsecond."""
        return datetime.datetime.now(datetime.UTC)

    async def sleep(self, seconds: float) -> None:
        """Waits as long as a real controller would, divided by the speed."""
        await asyncio.sleep(seconds / self.speed)
