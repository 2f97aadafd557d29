"""Three simulated controllers, and a worker and a driver that are quick."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from jimm.fleet import controllers as fleet_controllers
from jimm.fleet import offering
from jimm.fleet.fleet import Fleet
from jimm.fleet.offering import NewOffer
from jimm.migration.pace import Pace
from jimm.migration.plans import making, requests
from jimm.migration.plans.driver import Driver
from jimm.migration.plans.making import Shown, Wanted
from jimm.migration.plans.pace import PlanPace
from jimm.migration.worker import Worker
from jimm.net.tasks import Tasks
from jimm.registry import audit, controllers, identities, relations
from jimm.registry.audit import AuditEvent
from jimm.registry.controllers import Health
from jimm.registry.crypto import Sealer
from jimm.registry.listen import MIGRATIONS
from jimm.registry.plan_records import Followed
from jimm.registry.relations import Object
from jimm.registry.words import ControllerStatus, PlanItemState, PlanKind, Relation
from jimm.simulator.offers import with_offer
from jimm.simulator.state import OfferConnection, Status
from jimm.wire.tags import ModelUUID
from tests.eventually import eventually
from tests.fix_fleet import ADMIN, ALICE, running_fleet
from tests.system.migration.conftest import QUICK as QUICK_WORK
from tests.system.migration.conftest import Scene

QUICK = PlanPace(look=0.05, breath=0.01, away=0.05, patience=1.0, upgrade=2.0, again=0.05)


@dataclass
class PlanScene(Scene):
    """Controllers ``a``, ``b`` and ``c``."""

    async def some(self, count: int, on: str = "a") -> list[ModelUUID]:
        """Models of alice's."""
        return [await self.model(f"m{number}", on) for number in range(1, count + 1)]

    async def make(self, kind: PlanKind, controller: str = "", **more: Any) -> Shown:
        """An administrator makes a plan."""
        return await making.make(self.fleet, ADMIN, Wanted(kind, controller, **more))

    async def drain(self, controller: str = "a", **more: Any) -> Shown:
        """An administrator drains a controller."""
        return await self.make(PlanKind.DRAIN, controller, **more)

    async def shown(self, plan_id: str) -> Shown:
        """The plan as it is now."""
        return await requests.show(self.fleet, ADMIN, plan_id)

    async def items(self, plan_id: str, *states: PlanItemState) -> list[Followed]:
        """Its items."""
        return await requests.items(self.fleet, ADMIN, plan_id, only=states, limit=1000)

    async def until_plan(self, plan_id: str, *states: str) -> Shown:
        """The plan once it is in one of these states, with nothing on its way."""

        async def there() -> Shown | None:
            now = await self.shown(plan_id)
            quiet = not now.counts.under_way
            over = now.plan.ended is not None
            return now if quiet and (over or now.plan.state.value in states) else None

        found: Shown | None = await eventually(there, deadline=60)
        assert found is not None
        assert found.plan.state.value in states, found
        return found

    async def trail(self) -> list[AuditEvent]:
        """The audit trail, newest first."""
        async with self.fleet.registry.read() as session:
            return await audit.page(session)

    async def shown_counts(self, plan_id: str, **wanted: int) -> bool:
        """Whether so many of a plan's models are in these states."""
        counts = (await self.shown(plan_id)).counts
        return all(getattr(counts, state) == number for state, number in wanted.items())

    async def is_driven_by(self, plan_id: str, worker: str | None) -> bool:
        """Whether a plan's lease is that worker's, or nobody's."""
        async with self.fleet.registry.read() as session:
            asked = text("SELECT lease_owner FROM plans WHERE id = :id")
            return bool(await session.scalar(asked, {"id": plan_id}) == worker)

    async def deprecate(self, name: str, *, undo: bool = False) -> None:
        """An administrator retires a controller."""
        await fleet_controllers.set_deprecated(self.fleet, ADMIN, name, not undo)

    async def away(self, name: str) -> None:
        """The last look at a controller found nobody."""
        health = Health(ControllerStatus.UNAVAILABLE, info="no route")
        async with self.fleet.registry.write() as session:
            await controllers.record_health(session, self.controllers[name].uuid, health)

    async def tie(self, offering_: ModelUUID, consuming: ModelUUID) -> None:
        """One model offers something that the other uses; both on controller a."""
        wanted = NewOffer(
            offering_, "pg", "ubuntu", "a database", {"server": "server"}, ALICE.identity
        )
        await offering.offer(self.fleet, ALICE, wanted)
        store = self.peers["a"].store
        there = store.models[offering_]
        relation = OfferConnection(
            relation_id=7,
            model=consuming,
            user=self.fleet.trust.local_name(ALICE.identity),
            endpoint="server",
            status=Status(status="joined", since=datetime.now(UTC)),
        )
        offer = msgspec.structs.replace(there.offers["pg"], connections=(relation,))
        store.put(with_offer(there, offer))

    async def expire(self) -> None:
        """Lets the time of every plan's lease pass."""
        statement = "UPDATE plans SET lease_expires = now() WHERE lease_owner IS NOT NULL"
        async with self.fleet.registry.write() as session:
            await session.execute(text(statement))

    @asynccontextmanager
    async def working(
        self, fleet: Fleet | None = None, pace: Pace = QUICK_WORK
    ) -> AsyncIterator[Worker]:
        """A worker for the length of a block, which is told of migrations as it is in JIMM."""
        async with super().working(fleet, pace) as worker:
            tasks = Tasks()
            tasks.spawn(self._tell(worker), name="tell the worker")
            try:
                yield worker
            finally:
                await tasks.aclose()

    async def _tell(self, worker: Worker) -> None:
        async with aclosing(self.fleet.registry.listen(MIGRATIONS)) as heard:
            async for _ in heard:
                worker.wake()

    @asynccontextmanager
    async def driving(
        self, fleet: Fleet | None = None, pace: PlanPace = QUICK
    ) -> AsyncIterator[Driver]:
        """A driver for the length of a block."""
        driver = Driver(fleet or self.fleet, pace=pace)
        tasks = Tasks()
        tasks.spawn(driver.run(), name="driver")
        try:
            yield driver
        finally:
            await tasks.aclose()


@pytest.fixture
async def scene(database_url: str, sealer: Sealer, tmp_path: Path) -> AsyncIterator[PlanScene]:
    """Controllers a, b and c, and nobody who works yet."""
    async with running_fleet(database_url, sealer) as fleet:
        made = PlanScene(fleet, tmp_path)
        try:
            async with fleet.registry.write() as session:
                await identities.ensure(session, ADMIN.identity)
                await relations.add(session, ADMIN.identity, Relation.ADMINISTRATOR, Object.jimm())
            for name in "abc":
                await made.start(name, speed=200.0)
            yield made
        finally:
            for peer in made.peers.values():
                await peer.stop()
