"""What this fleet's migrations took, read again when it is a minute old."""

import asyncio
from collections.abc import Callable
from typing import Final

from jimm.migration.expectations import NONE, SIZES, Pastime, Pastimes
from jimm.registry import migration_history
from jimm.registry.session import Registry

KEPT: Final = 60.0
"""Seconds for which what was read is believed."""


class Experience:
    """One for a replica; ``clock`` gives seconds that only go forward."""

    def __init__(self, registry: Registry, clock: Callable[[], float]) -> None:
        self._registry = registry
        self._clock = clock
        self._reading = asyncio.Lock()
        self._pastimes = NONE
        self._until = float("-inf")

    async def pastimes(self) -> Pastimes:
        """What migrations took lately; many that ask at once are answered by one reading."""
        async with self._reading:
            if self._clock() >= self._until:
                async with self._registry.read() as session:
                    rows = await migration_history.pastimes(session, SIZES)
                self._until = self._clock() + KEPT
                self._pastimes = Pastimes(
                    {
                        (row.stage, row.size_class): Pastime(
                            median=row.median,
                            ninetieth=row.ninetieth,
                            after=row.after,
                            count=row.count,
                        )
                        for row in rows
                    }
                )
            return self._pastimes
