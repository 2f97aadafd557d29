"""Looking at plans and steering them, for administrators of JIMM. Making is a file of its own."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from jimm import audit
from jimm.access.names import shown
from jimm.errors import Conflict
from jimm.fleet.caller import Caller
from jimm.fleet.controllers import require_administrator
from jimm.fleet.fleet import Fleet
from jimm.migration.plans import states
from jimm.migration.plans.making import Shown, again
from jimm.registry import plans
from jimm.registry.plan_records import Followed, Plan, PlanChange
from jimm.registry.session import WriteSession
from jimm.registry.words import PLAN_ENDED, PlanItemState, PlanState

MOST_NEWS: Final = 200
"""Items that are told at once, about."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What is new of a plan: ``items`` that changed, in the order of their last change, up to a
    revision; ``shown`` is the plan where all that was new is told, ``None`` where more follows
    or nothing was."""

    plan: Plan
    upto: int
    items: tuple[Followed, ...] = ()
    shown: Shown | None = None


async def show(fleet: Fleet, caller: Caller, plan_id: str) -> Shown:
    """One plan.

    Raises:
        Unauthorized: the caller does not administer JIMM.
        NotFound: no such plan.
    """
    require_administrator(caller)
    async with fleet.registry.read() as session:
        found = await plans.by_id(session, plan_id)
        return Shown(found, (await plans.counts(session, [plan_id]))[plan_id])


async def page(
    fleet: Fleet, caller: Caller, *, before: tuple[datetime, str] | None = None, limit: int = 100
) -> list[Shown]:
    """Plans, the newest first.

    Raises:
        Unauthorized: the caller does not administer JIMM.
    """
    require_administrator(caller)
    async with fleet.registry.read() as session:
        found = await plans.page(session, before=before, limit=limit)
        counts = await plans.counts(session, [each.id for each in found])
    return [Shown(each, counts[each.id]) for each in found]


async def items(
    fleet: Fleet,
    caller: Caller,
    plan_id: str,
    *,
    only: Collection[PlanItemState] = (),
    after: int = 0,
    limit: int = 100,
) -> list[Followed]:
    """The models of a plan in its order, after a seq.

    Raises:
        Unauthorized, NotFound: as :func:`show`.
    """
    require_administrator(caller)
    async with fleet.registry.read() as session:
        await plans.by_id(session, plan_id)
        return await plans.items(session, plan_id, states=only, after=after, limit=limit)


async def changes(fleet: Fleet, caller: Caller, plan_id: str, *, after: int) -> Changes:
    """What is new of a plan after one of its revisions.

    Raises:
        Unauthorized, NotFound: as :func:`show`.
    """
    require_administrator(caller)
    async with fleet.registry.read() as session:
        found = await plans.by_id(session, plan_id)
        if found.revision <= after:
            return Changes(found, after)
        changed = await plans.changed(session, plan_id, after=after, limit=MOST_NEWS)
        # read after its items, so that what is told of it is at least as new as they are
        now = await plans.by_id(session, plan_id)
        counts = (await plans.counts(session, [plan_id]))[plan_id]
    last = changed[-1].item.revision if changed else after
    more = len(changed) >= MOST_NEWS
    return Changes(
        now,
        upto=last if more else max(found.revision, last),
        items=tuple(changed),
        shown=None if more else Shown(now, counts),
    )


async def under_way(fleet: Fleet, caller: Caller, plan_id: str) -> list[Followed]:
    """The models that are on their way now.

    Raises:
        Unauthorized: the caller does not administer JIMM.
    """
    require_administrator(caller)
    async with fleet.registry.read() as session:
        return await plans.under_way(session, plan_id)


async def pause(fleet: Fleet, caller: Caller, plan_id: str) -> Shown:
    """Begins no more models; those on their way go on.

    Raises:
        Unauthorized, NotFound: as :func:`show`.
        Conflict: it is not running.
    """
    require_administrator(caller)
    async with fleet.registry.write() as session:
        found = await plans.locked(session, plan_id)
        state = states.move_plan(found.state, PlanState.PAUSED)
        who = shown(caller.identity, fleet.local_domain)
        change = PlanChange(state=state, message=f"paused by {who}")
        return await _changed(session, caller, "pause-plan", found, change)


async def resume(fleet: Fleet, caller: Caller, plan_id: str) -> Shown:
    """Goes on with a paused plan.

    Raises:
        Unauthorized, NotFound: as :func:`show`.
        Conflict: it is not paused.
    """
    require_administrator(caller)
    async with fleet.registry.write() as session:
        found = await plans.locked(session, plan_id)
        if found.state is not PlanState.PAUSED:
            raise Conflict(f"the plan is {found.state}, not paused")
        change = PlanChange(
            state=states.move_plan(found.state, PlanState.RUNNING), message="", failures_in_row=0
        )
        return await _changed(session, caller, "resume-plan", found, change)


async def cancel(fleet: Fleet, caller: Caller, plan_id: str) -> Shown:
    """Takes out what has not begun. Models on their way go on, and the plan ends with the last
    of them.

    Raises:
        Unauthorized, NotFound: as :func:`show`.
        Conflict: it has ended.
    """
    require_administrator(caller)
    async with fleet.registry.write() as session:
        found = await plans.locked(session, plan_id)
        if found.state in PLAN_ENDED:
            raise Conflict(f"the plan has ended: {found.state}")
        await plans.cancel_waiting(session, found)
        counts = (await plans.counts(session, [plan_id]))[plan_id]
        end = states.ending(counts)
        if end is None:
            change = PlanChange(message="cancelled; the models that are on their way go on")
        else:
            change = PlanChange(
                state=states.move_plan(found.state, end), message=states.report(counts)
            )
        return await _changed(session, caller, "cancel-plan", found, change)


async def retry(fleet: Fleet, caller: Caller, plan_id: str) -> Shown:
    """Tries the models again that failed, and goes on with the plan. Where a target is free to
    choose and nothing of the group has moved, it is chosen anew.

    Raises:
        Unauthorized, NotFound, ControllerError: as :func:`make`.
        Conflict: nothing has failed; or none of it can be moved now either.
    """
    require_administrator(caller)
    changed = await again(fleet, plan_id)
    async with fleet.registry.write() as session:
        found = await plans.locked(session, plan_id)
        for item, planned in changed:
            await plans.change_item(session, found, item, planned)
        number = await plans.retry_failed(session, found)
        if not number:
            counts = (await plans.counts(session, [plan_id]))[plan_id]
            raise Conflict(
                f"nothing that failed ({states.models(counts.failed)}) has a target now: "
                f"jimmctl plan show {plan_id}"
                if counts.failed
                else "nothing of this plan has failed"
            )
        if found.state is not PlanState.RUNNING:
            states.move_plan(found.state, PlanState.RUNNING)
        change = PlanChange(
            state=PlanState.RUNNING,
            message=f"{states.models(number)} tried again",
            failures_in_row=0,
        )
        return await _changed(session, caller, "retry-plan", found, change)


async def _changed(
    session: WriteSession, caller: Caller, action: str, found: Plan, change: PlanChange
) -> Shown:
    after = await plans.change(session, found, change)
    await audit.record(session, caller.did(action, params={"plan-id": found.id}))
    return Shown(after, (await plans.counts(session, [found.id]))[found.id])
