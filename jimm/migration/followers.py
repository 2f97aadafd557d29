"""Those on this replica who follow a migration, and how they hear that it went on.

A notification wakes them at once. It is only a hint, so one look every two seconds, with one
query for all of them together, finds what none told of.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from jimm.registry import migration_history
from jimm.registry.session import Registry

log = logging.getLogger(__name__)

LOOK_EVERY: Final = 2.0
"""Seconds between two looks at all migrations that are followed."""


@dataclass(eq=False, slots=True)
class Follower:
    """One who follows a migration: ``seen`` is the last ``seq`` that they know."""

    migration: str
    seen: int = 0
    woken: asyncio.Event = field(default_factory=asyncio.Event)

    async def news(self, at_most: float) -> None:
        """Waits until there may be something new, and no longer than so many seconds."""
        try:
            async with asyncio.timeout(at_most):
                await self.woken.wait()
        except TimeoutError:
            return


class Followers:
    """One for a replica."""

    def __init__(self, registry: Registry, *, every: float = LOOK_EVERY) -> None:
        self._registry = registry
        self._every = every
        self._following: set[Follower] = set()

    @contextmanager
    def follow(self, migration: str, after: int = 0) -> Iterator[Follower]:
        """Somebody who is woken, for the length of a block, when the history of that migration
        is longer than they know."""
        follower = Follower(migration, after)
        self._following.add(follower)
        try:
            yield follower
        finally:
            self._following.discard(follower)

    def told(self, migration: str) -> None:
        """Wakes those who follow that migration; all of them, for an empty id."""
        for each in self._following:
            if migration in ("", each.migration):
                each.woken.set()

    async def run(self) -> None:
        """Looks for what no notification told of, until cancelled."""
        while True:
            await asyncio.sleep(self._every)
            try:
                await self._look()
            except Exception:
                log.warning("could not look at the migrations that are followed", exc_info=True)

    async def _look(self) -> None:
        if not self._following:
            return
        async with self._registry.read() as session:
            lengths = await migration_history.lengths(
                session, {each.migration for each in self._following}
            )
        for each in self._following:
            if lengths.get(each.migration, 0) > each.seen:
                each.woken.set()
