"""The months of the trail: made ahead, and dropped when they have been kept long enough."""

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.exc import DBAPIError

from jimm.errors import JimmError
from jimm.registry import audit_partitions as partitions
from jimm.registry.audit_months import month_of
from jimm.registry.session import Registry

log = logging.getLogger(__name__)

DAILY: Final = 24 * 3600.0
"""Seconds between two looks."""

SOON: Final = 600.0
"""Seconds until the next one after one that failed."""


class Months:
    """Looks after them. Every replica does so; whoever comes first does the work.

    ``retention`` is in days; with 0 nothing is ever dropped.
    """

    def __init__(self, registry: Registry, retention: int, now: Callable[[], datetime]) -> None:
        self._registry = registry
        self._retention = retention
        self._now = now
        self._well = False

    async def run(self) -> None:
        """Looks daily, for ever; the first time is the caller's, before anything is recorded."""
        while True:
            pause = DAILY if self._well else SOON
            await asyncio.sleep(pause * random.uniform(0.9, 1.0))  # noqa: S311 - jitter
            await self.look()

    async def look(self) -> None:
        """Makes and drops what is due; if that fails, a record makes its month by itself."""
        try:
            await make_ahead(self._registry, self._now())
            await self._drop()
        except (DBAPIError, JimmError, OSError, TimeoutError) as error:
            log.warning("the audit trail's months wait: %s", type(error).__name__)
            self._well = False
        else:
            self._well = True

    async def _drop(self) -> None:
        async with self._registry.write() as session:
            await partitions.forget_writers(session)
        if not self._retention:
            return
        async with self._registry.write() as session:
            oldest = self._now() - timedelta(days=self._retention)
            dropped = await partitions.drop(session, oldest)
        for month in dropped:
            log.info("the audit trail of %04d-%02d is dropped", month.year, month.month)


async def make_ahead(registry: Registry, now: datetime) -> None:
    """Makes this month's partition and the next ones', where they are not there yet."""
    async with registry.write() as session:
        await partitions.make(session, month_of(now))
