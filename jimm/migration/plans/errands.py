"""What is done for one model of a plan: its migration is asked for, and its agents upgraded.

Each may be begun anew by another driver at any line. A migration that was asked for by a driver
that died before it wrote its id down is found again by its model, its target and who asked.
"""

import asyncio
from collections.abc import Awaitable, Callable

from jimm.controllers.calls import model_manager
from jimm.errors import JimmError, ModelNotFound, TryAgain, Unauthorized
from jimm.fleet import upgrades
from jimm.fleet.caller import Caller
from jimm.migration import requests
from jimm.migration.plans.drive import Drive
from jimm.migration.plans.following import Failure, is_away, not_upgraded, refused, settled
from jimm.migration.prechecks import Version
from jimm.registry import controllers, migrations, models, users
from jimm.registry.controllers import Controller
from jimm.registry.migrations import Migration
from jimm.registry.plan_records import Item, ItemChange
from jimm.registry.words import PlanItemState, PlanKind
from jimm.wire import tags
from jimm.wire.params.model_upgrader import UpgradeModel


async def ask(drive: Drive, item: Item) -> None:
    """Asks for the item's migration, in the name of who asked for the plan."""

    async def work() -> None:
        found = await _own(drive, item)
        if found is None and (here := await _settled(drive, item)):
            await drive.arrived(item, here)
            return
        found = found or await _requested(drive, item)
        if found is None:
            await drive.arrived(item)
        else:
            await drive.change(item, ItemChange(migration_id=found.id, message=""))

    def failure(error: JimmError) -> Failure:
        return refused(error, item, prepare=_prepares(drive))

    await _patiently(drive, item, work, failure)


async def upgrade(drive: Drive, item: Item) -> None:
    """Takes the model's agents to the version of its new controller, after asking what stands
    against it (Juju ``ModelUpgrader.UpgradeModel`` with ``dry-run``)."""

    async def work() -> None:
        async with drive.fleet.registry.read() as session:
            target = await controllers.by_name(session, item.target_name)
        if not await _runs(drive, item, target):
            refusal = await _upgraded(drive, item, target.agent_version)
            if refusal:
                await drive.fail(item, not_upgraded(item, refusal))
                return
            await _until_it_runs(drive, item, target)
        message = f"it runs {target.agent_version}"
        await drive.change(item, ItemChange(state=PlanItemState.DONE, message=message))

    def failure(error: JimmError) -> Failure:
        return not_upgraded(item, str(error))

    await _patiently(drive, item, work, failure)


async def _patiently(
    drive: Drive,
    item: Item,
    work: Callable[[], Awaitable[None]],
    failure: Callable[[JimmError], Failure],
) -> None:
    """Does the work; a controller that is away is waited for."""
    clock = asyncio.get_running_loop().time
    end = clock() + drive.pace.patience
    said = item.message
    while True:
        try:
            await work()
            return
        except JimmError as error:
            if not is_away(error, prepare=_prepares(drive)) or clock() > end:
                await drive.fail(item, failure(error))
                return
            why = failure(error).sentence
        if why != said:
            said = why
            await drive.change(item, ItemChange(message=f"waiting: {why}"))
        await asyncio.sleep(drive.pace.away)


async def _own(drive: Drive, item: Item) -> Migration | None:
    """The migration that this turn of the item has asked for already."""
    async with drive.fleet.registry.read() as session:
        found = (await migrations.latest(session, [item.model_uuid])).get(item.model_uuid)
    if found is None or item.started is None or found.started < item.started:
        return None
    asked = (found.target_name, found.requested_by)
    return found if asked == (item.target_name, drive.plan.requested_by) else None


async def _settled(drive: Drive, item: Item) -> str:
    try:
        async with drive.fleet.registry.read() as session:
            model = await models.by_uuid(session, item.model_uuid)
    except ModelNotFound:
        if drive.plan.kind is PlanKind.UPGRADE_TO:
            raise
        return "the model is gone"
    return settled(drive.plan, item, model.controller_name)


async def _requested(drive: Drive, item: Item) -> Migration | None:
    """The migration that was asked for now; ``None`` if the model is there meanwhile.

    Raises:
        JimmError: it was refused.
    """
    try:
        return await requests.request(
            drive.fleet,
            await _caller(drive),
            item.model_uuid,
            item.target_name,
            prepare=_prepares(drive),
        )
    except JimmError:
        # another driver, which has lost the plan and does not know, may have been quicker
        found = await _own(drive, item)
        if found is None and not await _settled(drive, item):
            raise
        return found


async def _upgraded(drive: Drive, item: Item, version: str) -> str:
    """Begins the upgrade; what stands against it, in the controller's words, or nothing."""
    caller = await _caller(drive)
    for dry_run in (True, False):
        asked = UpgradeModel(
            model_tag=tags.model_tag(item.model_uuid), target_version=version, dry_run=dry_run
        )
        result = await upgrades.upgrade(drive.fleet, caller, asked)
        if result.error is not None:
            return result.error.message or "the controller gave no reason"
    return ""


async def _until_it_runs(drive: Drive, item: Item, target: Controller) -> None:
    """Waits for the version.

    Raises:
        TryAgain: it takes too long.
    """
    clock = asyncio.get_running_loop().time
    end = clock() + drive.pace.upgrade
    while clock() < end:
        if await _runs(drive, item, target):
            return
        await asyncio.sleep(drive.pace.away)
    raise TryAgain("the upgrade was begun and does not come to its end")


async def _runs(drive: Drive, item: Item, target: Controller) -> bool:
    """Whether the model runs the controller's version, or a later one."""
    info = await model_manager.model_info(drive.fleet.link(target), item.model_uuid)
    here, wanted = Version.parse(info.agent_version or ""), Version.parse(target.agent_version)
    return wanted is None or (here is not None and here >= wanted)


async def _caller(drive: Drive) -> Caller:
    """Who asked for the plan; the trail says that JIMM did it.

    Raises:
        Unauthorized: they do not administer JIMM any more.
    """
    name = drive.plan.requested_by
    async with drive.fleet.registry.read() as session:
        known = (await users.named(session, [name])).get(name)
    if known is None or known.disabled or not known.admin:
        raise Unauthorized
    return Caller(name, admin=True, door="jimm")


def _prepares(drive: Drive) -> bool:
    return drive.plan.params.get("prepare") is True
