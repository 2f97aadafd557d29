"""The worker: claims migrations that are due, and carries each on in a task of its own."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

from jimm.fleet.fleet import Fleet
from jimm.fleet.leasing import LEASE, kept
from jimm.fleet.rounds import Rounds
from jimm.migration import target_login
from jimm.migration.experience import Experience
from jimm.migration.looks import Looks
from jimm.migration.machine import first_step
from jimm.migration.operation import LeaseLost, Operation
from jimm.migration.pace import Pace
from jimm.migration.phases import State
from jimm.migration.steps import carry_on
from jimm.net.tasks import Tasks
from jimm.registry import migrations
from jimm.registry.migrations import Limits, Migration, Step
from jimm.wire.tags import ModelUUID

log = logging.getLogger(__name__)

EVERY: Final = 1.0
"""Seconds between two looks for work, when nobody wakes the worker."""

SPACING: Final = 0.05
"""Seconds between two looks for work, however often somebody wakes the worker."""

SWEEP: Final = 60.0
"""Seconds between two looks for logins that nobody needs."""

AGAIN: Final = 5.0
"""Seconds until a step that broke is tried again."""

OnMoved = Callable[[ModelUUID], Awaitable[None]]
"""Called once a model is on its new controller: its open pipes end on the old one."""


class Worker:
    """One per replica; any number may run.

    ``experience`` tells how long others took; ``pace`` is made quicker by tests.
    """

    def __init__(
        self,
        fleet: Fleet,
        on_moved: OnMoved,
        *,
        experience: Experience | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._fleet = fleet
        self._on_moved = on_moved
        self._experience = experience or Experience(fleet.registry, time.monotonic)
        self._pace = pace or Pace()
        self._looks = Looks(fleet)
        self._driving = Tasks()
        self._rounds = Rounds("the look for migrations", self._claim_all)
        self._limits = Limits(
            per_source=fleet.settings.migrations_per_source,
            per_target=fleet.settings.migrations_per_target,
            at_once=fleet.settings.migrations_at_once,
        )

    def wake(self) -> None:
        """There may be work: a migration was asked for, or something was heard about one."""
        self._rounds.wake()

    async def run(self) -> None:
        """Works until cancelled; hands every lease back then."""
        sweeping = Tasks()
        sweeping.spawn(self._sweep(), name="take back the logins of migrations")
        try:
            await self._rounds.run()
        finally:
            await sweeping.aclose()
            await self._driving.aclose()
            await self._hand_back()

    async def _claim_all(self) -> float:
        if not await migrations.are_due(self._fleet.registry):
            return EVERY
        while (claimed := await self._claim()) is not None:
            self._driving.spawn(self._drive(claimed), name=f"migration {claimed.id}")
        await asyncio.sleep(SPACING)  # every step of every migration wakes all workers
        return EVERY

    async def _claim(self) -> Migration | None:
        """Claims one; its turn begins in the same transaction, so that the next claim counts it
        among those under way."""
        async with self._fleet.registry.write() as session:
            claimed = await migrations.claim(session, self._fleet.worker, LEASE, self._limits)
            if claimed is None or claimed.state is not State.REQUESTED:
                return claimed
            return await migrations.apply(session, claimed.held, first_step(claimed))

    async def _drive(self, migration: Migration) -> None:
        try:
            async with kept(self._fleet.registry, migrations.renew, migration.held):
                operation = await Operation.load(self._fleet, self._looks, self._pace, migration)
                await self._carry_on(operation)
        except LeaseLost:
            log.info("migration %s is in other hands", migration.id)
        except Exception:
            log.exception("migration %s broke, and is tried again", migration.id)
            await self._put_off(migration)

    async def _carry_on(self, operation: Operation) -> None:
        await carry_on(operation, self._experience)
        ended = operation.migration
        log.info("migration %s of %s is %s", ended.id, ended.model_uuid, ended.state.value)
        if ended.state is State.DONE:
            await self._on_moved(ended.model_uuid)
        self.wake()  # one that waited for its turn may have it now
        if operation.target.is_outside:
            await self._fleet.connect_all()
        else:
            await target_login.give_back(self._fleet, operation.target)

    async def _put_off(self, migration: Migration) -> None:
        try:
            async with self._fleet.registry.write() as session:
                await migrations.apply(session, migration.held, Step(next_in=AGAIN))
                await migrations.release(session, migration.held)
        except Exception:
            log.warning("could not hand back migration %s", migration.id, exc_info=True)

    async def _sweep(self) -> None:
        while True:
            try:
                await target_login.sweep(self._fleet)
            except Exception:
                log.warning("could not take back logins", exc_info=True)
            await asyncio.sleep(SWEEP)

    async def _hand_back(self) -> None:
        try:
            async with self._fleet.registry.write() as session:
                await migrations.release_all(session, self._fleet.worker)
        except Exception:
            log.warning("could not hand back the migrations", exc_info=True)
