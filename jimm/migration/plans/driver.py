"""The driver: claims plans that are due, and carries each on in a task of its own."""

import logging
from typing import Final

from jimm.fleet.fleet import Fleet
from jimm.fleet.leasing import LEASE, kept
from jimm.fleet.rounds import Rounds
from jimm.migration.plans.drive import Drive, PlanLost
from jimm.migration.plans.errands import ask, upgrade
from jimm.migration.plans.pace import PlanPace
from jimm.net.tasks import Tasks
from jimm.registry import plans
from jimm.registry.plan_records import Plan

log = logging.getLogger(__name__)

EVERY: Final = 1.0
"""Seconds between two looks for work, when nobody wakes the driver."""


class Driver:
    """One per replica; any number may run. ``pace`` is made quicker by tests."""

    def __init__(self, fleet: Fleet, *, pace: PlanPace | None = None) -> None:
        self._fleet = fleet
        self._pace = pace or PlanPace()
        self._driving = Tasks()
        self._rounds = Rounds("the look for plans", self._claim_all)
        self._drives: dict[str, Drive] = {}

    def wake(self, plan_id: str = "") -> None:
        """There may be work: on that plan, or anywhere."""
        if plan_id in self._drives:
            self._drives[plan_id].wake()
            return
        self._rounds.wake()
        if not plan_id:
            for each in self._drives.values():
                each.wake()

    def heard(self, migration_id: str) -> None:
        """Something happened to a migration."""
        for each in self._drives.values():
            each.heard(migration_id)

    async def run(self) -> None:
        """Works until cancelled; hands every lease back then."""
        try:
            await self._rounds.run()
        finally:
            await self._driving.aclose()
            await self._hand_back()

    async def _claim_all(self) -> float:
        if not await plans.are_due(self._fleet.registry):
            return EVERY
        while (claimed := await self._claim()) is not None:
            self._driving.spawn(self._drive(claimed), name=f"plan {claimed.id}")
        return EVERY

    async def _claim(self) -> Plan | None:
        async with self._fleet.registry.write() as session:
            return await plans.claim(session, self._fleet.worker, LEASE)

    async def _drive(self, plan: Plan) -> None:
        drive = Drive(self._fleet, self._pace, plan, ask=ask, upgrade=upgrade)
        self._drives[plan.id] = drive
        try:
            async with kept(self._fleet.registry, plans.renew, plan.held):
                await drive.run()
            await self._give_back(plan, again_in=0.0)
        except PlanLost:
            log.info("plan %s is in other hands", plan.id)
        except Exception:
            log.exception("plan %s broke, and is tried again", plan.id)
            await self._give_back(plan, again_in=self._pace.again)
        finally:
            if self._drives.get(plan.id) is drive:
                del self._drives[plan.id]

    async def _give_back(self, plan: Plan, *, again_in: float) -> None:
        try:
            async with self._fleet.registry.write() as session:
                await plans.release(session, plan.held, again_in=again_in)
        except Exception:
            log.warning("could not hand back plan %s", plan.id, exc_info=True)

    async def _hand_back(self) -> None:
        try:
            async with self._fleet.registry.write() as session:
                await plans.release_all(session, self._fleet.worker)
        except Exception:
            log.warning("could not hand back the plans", exc_info=True)
