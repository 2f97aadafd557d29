"""The models of plans as jobs, in Go JIMM's words."""

from collections.abc import Collection, Mapping
from typing import Final

from jimm.errors import JimmError, NotFound, NotValid
from jimm.fleet import models as fleet_models
from jimm.fleet.caller import Caller
from jimm.fleet.controllers import require_administrator
from jimm.fleet.fleet import Fleet
from jimm.migration.plans import making
from jimm.migration.plans.making import Wanted
from jimm.registry import plan_jobs
from jimm.registry.plan_records import Job, NewItem
from jimm.registry.words import PlanItemState, PlanKind

MOST: Final = 10_000

STATUSES: Final[Mapping[PlanItemState, str]] = {
    PlanItemState.WAITING: "pending",
    PlanItemState.MIGRATING: "running",
    PlanItemState.UPGRADING: "running",
    PlanItemState.DONE: "successful",
    PlanItemState.FAILED: "failed",
    PlanItemState.CANCELLED: "failed",
}
"""How an item's state is called as a job's status."""

RIVER: Final[Mapping[PlanItemState, str]] = {
    PlanItemState.WAITING: "available",
    PlanItemState.MIGRATING: "running",
    PlanItemState.UPGRADING: "running",
    PlanItemState.DONE: "completed",
    PlanItemState.FAILED: "discarded",
    PlanItemState.CANCELLED: "cancelled",
}
"""And as the state of a job of River, which Go JIMM is built on."""

PROGRESS: Final[Mapping[PlanItemState, str]] = {
    **dict.fromkeys(PlanItemState, "progress"),
    PlanItemState.DONE: "completed",
    PlanItemState.FAILED: "error",
    PlanItemState.CANCELLED: "error",
}
"""And in a list of models."""


def info(job: Job) -> str:
    """How far an upgrade has come, in Go JIMM's sentences."""
    item = job.item
    match item.state:
        case PlanItemState.WAITING:
            return "Paused" if job.paused else "Waiting for its turn"
        case PlanItemState.MIGRATING:
            return f"Migrating model to controller {item.target_name}"
        case PlanItemState.UPGRADING:
            return f"Upgrading model to the version of {item.target_name}"
        case PlanItemState.DONE:
            return "Upgrade completed"
        case PlanItemState.CANCELLED:
            return "Cancelled"
        case PlanItemState.FAILED:
            stage = "Upgrade" if item.error_code == "upgrade-refused" else "Migration"
            return f"{stage} failed"


async def upgrade_to(
    fleet: Fleet, caller: Caller, uuids: Collection[str], target: str
) -> list[JimmError | None]:
    """Makes one plan of all that can be moved and upgraded; an error or ``None`` for each, in
    order.

    Raises:
        Unauthorized: the caller does not administer JIMM.
        NotFound: no such controller.
        ControllerError: a controller that must be asked does not answer.
    """
    require_administrator(caller)
    errors: dict[str, JimmError] = {}
    known = []
    for each in dict.fromkeys(uuids):
        try:
            known.append(str((await fleet_models.refer(fleet, caller, each)).model.uuid))
        except NotFound as error:
            errors[each] = error
    if known:
        wanted = Wanted(PlanKind.UPGRADE_TO, target, tuple(known))
        stays = {
            str(each.model_uuid): _why(each)
            for each in await making.preview(fleet, caller, wanted)
            if not each.target_name
        }
        errors |= stays
        going = tuple(each for each in known if each not in stays)
        if going:
            await making.make(fleet, caller, Wanted(PlanKind.UPGRADE_TO, target, going))
    return [errors.get(each.removeprefix("model-")) or errors.get(each) for each in uuids]


async def show(fleet: Fleet, caller: Caller, job_id: str) -> Job:
    """One job.

    Raises:
        Unauthorized: the caller does not administer JIMM.
        NotFound: no such job.
    """
    require_administrator(caller)
    number = _number(job_id)
    if number is None:
        raise NotFound(f'job "{job_id}" not found')
    async with fleet.registry.read() as session:
        return await plan_jobs.by_number(session, number)


async def page(
    fleet: Fleet,
    caller: Caller,
    *,
    kinds: Collection[str],
    statuses: Collection[str],
    count: int,
    cursor: str,
) -> tuple[list[Job], str]:
    """Jobs, the newest first, and the cursor of those that follow, empty at the end.

    Raises:
        Unauthorized: the caller does not administer JIMM.
        NotValid: the cursor is none, or the count too high.
    """
    require_administrator(caller)
    before = _number(cursor) if cursor else None
    if cursor and before is None:
        raise NotValid("the cursor is none of JIMM's", field="cursor")
    if not 0 <= count <= MOST:
        raise NotValid(f"give a count from 1 to {MOST}", field="count")
    states = [state for state, status in STATUSES.items() if status in statuses]
    limit = count or 100
    async with fleet.registry.read() as session:
        found = await plan_jobs.page(
            session,
            kinds=kinds,
            states=states if statuses else None,
            before=before,
            limit=limit + 1,
        )
    more = len(found) > limit
    return found[:limit], str(found[limit - 1].item.job) if more else ""


async def of_models(fleet: Fleet, uuids: Collection[str]) -> dict[str, Job]:
    """The newest upgrade of each of these models, which the caller may see, by uuid."""
    async with fleet.registry.read() as session:
        return await plan_jobs.latest(session, PlanKind.UPGRADE_TO, uuids)


def _why(item: NewItem) -> NotValid:
    return NotValid(f"{item.error}; {item.remedy}" if item.remedy else item.error)


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and text.isascii() and len(text) <= 18 else None
