"""One plan in the hands of one driver.

Nothing but the database is asked what has become of a model. Work per look does not grow with
the plan: what is on its way is bounded, and the next ones are found by an index.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from jimm.fleet.fleet import Fleet
from jimm.migration.plans import states
from jimm.migration.plans.following import Failure, Next, failed, following
from jimm.migration.plans.pace import PlanPace
from jimm.net.tasks import Tasks
from jimm.registry import plan_facts, plans
from jimm.registry.plan_records import Followed, Item, ItemChange, Plan, PlanChange
from jimm.registry.words import PlanItemState, PlanKind, PlanState

log = logging.getLogger(__name__)


class PlanLost(Exception):
    """Another driver has the plan."""


Work = Callable[["Drive", Item], Awaitable[None]]


class Drive:
    """What is done for one plan. ``ask`` and ``upgrade`` are what is done for one item; they
    write down what came of it themselves."""

    def __init__(
        self, fleet: Fleet, pace: PlanPace, plan: Plan, *, ask: Work, upgrade: Work
    ) -> None:
        self.fleet = fleet
        self.pace = pace
        self.plan = plan
        self._ask = ask
        self._upgrade = upgrade
        self._called = asyncio.Event()
        self._busy: set[int] = set()
        self._followed: set[str] = set()
        self._lost = False

    def wake(self) -> None:
        """There may be something to do."""
        self._called.set()

    def heard(self, migration_id: str) -> None:
        """Something happened to a migration."""
        if migration_id in self._followed:
            self._called.set()

    async def run(self) -> None:
        """Until the plan has ended, or is paused with nothing on its way.

        Raises:
            PlanLost: another driver has it.
        """
        tasks = Tasks()
        try:
            while await self._look(tasks):
                await asyncio.sleep(self.pace.breath)
                await self._wait()
                if self._lost:
                    raise PlanLost
        finally:
            await tasks.aclose()

    async def change(self, item: Item, wanted: ItemChange) -> Item:
        """Writes down what became of an item, and counts it.

        Raises:
            PlanLost: nothing was written.
            Conflict: the table of states does not allow it.
        """
        if wanted.state is not None and wanted.state is not item.state:
            states.move_item(item.state, wanted.state)
        async with self.fleet.registry.write() as session:
            plan = await plans.hold(session, self.plan.held)
            after = None if plan is None else await plans.change_item(session, plan, item, wanted)
            if plan is None or after is None:
                raise PlanLost
            if wanted.state in (PlanItemState.DONE, PlanItemState.FAILED):
                plan = await plans.change(session, plan, _counted(plan, after))
        self.plan = plan
        self._called.set()
        return after

    async def fail(self, item: Item, why: Failure) -> None:
        """Writes down that an item has failed."""
        log.info("plan %s: %s failed: %s", item.plan_id, item.model_uuid, why.code)
        await self.change(
            item,
            ItemChange(
                state=PlanItemState.FAILED,
                message="",
                error_code=why.code,
                error=why.sentence,
                remedy=why.remedy,
            ),
        )

    async def arrived(self, item: Item, message: str = "") -> None:
        """Writes down that a model is where it shall be."""
        upgrades = self.plan.kind is PlanKind.UPGRADE_TO
        state = PlanItemState.UPGRADING if upgrades else PlanItemState.DONE
        await self.change(item, ItemChange(state=state, message=message))

    async def _look(self, tasks: Tasks) -> bool:
        """One look at the plan, and what follows from it; whether it goes on."""
        self._called.clear()
        async with self.fleet.registry.read() as session:
            plan = await plans.still_held(session, self.plan.held)
            moving = await plans.under_way(session, self.plan.id)
        if plan is None:
            raise PlanLost
        self.plan = plan
        self._followed = {each.item.migration_id or "" for each in moving}
        for each in moving:
            await self._carry_on(tasks, each)
        free = plan.concurrency - len(moving)
        taken = await self._take(free) if self.plan.state is PlanState.RUNNING and free > 0 else []
        for item in taken:
            self._spawn(tasks, self._ask, item)
        if moving or taken:
            return True
        return not await self._end()

    async def _carry_on(self, tasks: Tasks, followed: Followed) -> None:
        item = followed.item
        if item.seq in self._busy:
            return
        match following(followed):
            case Next.ASK:
                self._spawn(tasks, self._ask, item)
            case Next.UPGRADE:
                self._spawn(tasks, self._upgrade, item)
            case Next.ARRIVED:
                await self.arrived(item)
            case Next.FAILED:
                await self.fail(item, failed(followed))
            case Next.WAIT:
                pass

    async def _take(self, most: int) -> Sequence[Item]:
        """The items whose turn has come, unless the plan was paused meanwhile."""
        async with self.fleet.registry.read() as session:
            seqs = await plans.next_waiting(session, self.plan.id, most)
        if not seqs:
            return []
        async with self.fleet.registry.write() as session:
            plan = await plans.hold(session, self.plan.held)
            if plan is None:
                raise PlanLost
            self.plan = plan
            if plan.state is not PlanState.RUNNING:
                return []
            return await plans.take(session, plan, seqs)

    async def _end(self) -> bool:
        """Ends a plan of which nothing is left; ``True`` too when there is nothing to do for a
        paused one."""
        async with self.fleet.registry.write() as session:
            plan = await plans.hold(session, self.plan.held)
            if plan is None:
                raise PlanLost
            counts = (await plans.counts(session, [plan.id]))[plan.id]
            state = states.ending(counts)
            if state is None:
                return plan.state is PlanState.PAUSED and not counts.under_way
            message = states.report(counts)
            if plan.kind is PlanKind.DRAIN:
                drained = str(plan.params["controller"])
                left = await plan_facts.left_on(session, drained)
                message += f"; {_left(drained, left)}"
            states.move_plan(plan.state, state)
            self.plan = await plans.change(session, plan, PlanChange(state=state, message=message))
        log.info("plan %s is %s: %s", plan.id, state.value, message)
        return True

    def _spawn(self, tasks: Tasks, work: Work, item: Item) -> None:
        self._busy.add(item.seq)
        tasks.spawn(self._do(work, item), name=f"plan {item.plan_id}, {item.model_uuid}")

    async def _do(self, work: Work, item: Item) -> None:
        try:
            await work(self, item)
        except PlanLost:
            self._lost = True
        except Exception:
            log.exception("plan %s: %s broke, and is tried again", item.plan_id, item.model_uuid)
            await asyncio.sleep(self.pace.again)
        finally:
            self._busy.discard(item.seq)
            self._called.set()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self.pace.look):
                await self._called.wait()
        except TimeoutError:
            return


def _counted(plan: Plan, ended: Item) -> PlanChange:
    """What the end of an item changes of its plan: after a run of failures it pauses."""
    if ended.state is PlanItemState.DONE:
        return PlanChange(failures_in_row=0)
    failures = plan.failures_in_row + 1
    stops = plan.state is PlanState.RUNNING and 0 < plan.stop_after <= failures
    if not stops:
        return PlanChange(failures_in_row=failures)
    return PlanChange(
        state=states.move_plan(plan.state, PlanState.PAUSED),
        failures_in_row=failures,
        message=f"paused after {failures} failures in a row, the last one: {ended.error}; "
        f"mend it, then: jimmctl plan retry {plan.id} (or plan resume, which leaves out what "
        "has failed)",
    )


def _left(controller: str, left: int) -> str:
    if left:
        return f"{controller} still has {states.models(left)}"
    return f"{controller} has no models any more"
