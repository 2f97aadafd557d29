"""What an administrator knows better: the last word on a migration, and models moved by hand."""

from typing import NamedTuple

from jimm import audit
from jimm.access.names import shown
from jimm.errors import (
    Conflict,
    ControllerUnavailable,
    MigrationUnderway,
    NotFound,
    NotValid,
)
from jimm.fleet import models as fleet_models
from jimm.fleet.caller import Caller
from jimm.fleet.controllers import require_administrator
from jimm.fleet.fleet import Fleet
from jimm.migration import ending, outside, phases, requests, users, views
from jimm.migration.phases import State
from jimm.migration.verdict import Absent, Present, Silent
from jimm.registry import controllers, destinations, migrations, models, placements
from jimm.registry.controllers import Controller
from jimm.registry.migrations import Migration, Step
from jimm.registry.models import Model
from jimm.registry.words import ENDED, ModelState


class Updated(NamedTuple):
    """Whether anything was changed, and in words."""

    changed: bool
    message: str


async def resolve(
    fleet: Fleet, caller: Caller, migration_id: str, *, on: str, reason: str
) -> Migration:
    """An administrator's word on a migration that never ends: the model is on that controller.

    What the controller says counts for more, if it answers.

    Raises:
        Unauthorized: the caller does not administer JIMM.
        NotFound: no such migration.
        NotValid: ``on`` is neither its source nor its target.
        Conflict: it is over, or has not begun; or that controller does not have the model.
    """
    require_administrator(caller)
    async with fleet.registry.read() as session:
        migration = await migrations.by_id(session, migration_id)
    if on not in (migration.source_name, migration.target_name):
        raise NotValid(
            f"the model is on {migration.source_name} or on {migration.target_name}",
            field="model-is-on",
        )
    state = migration.state
    if state in ENDED:
        raise Conflict(f"the migration is over: {state}")
    outcome = phases.decide(state, moved=on == migration.target_name)
    async with fleet.registry.read() as session:
        if on == migration.target_name and migration.target_id is None:
            named = (await destinations.of_migration(session, migration.id)).controller
        else:
            named = await controllers.by_name(session, on)
    there = await views.look(fleet, named, migration.model_uuid)
    if not isinstance(there, Silent):
        _require_available(named, there)
    return await _decide(fleet, caller, migration, named, outcome, reason)


async def update_migrated(
    fleet: Fleet, caller: Caller, reference: str, controller_name: str
) -> Updated:
    """Makes sure that a model is on that controller and on no other, and writes it down.

    Raises:
        Unauthorized: the caller does not administer JIMM.
        ModelNotFound, NotFound: no such model or controller.
        MigrationUnderway: JIMM itself is moving it.
        Conflict: it is not there, is still being imported, or is on the old one as well.
        ControllerUnavailable: one of the two does not answer, so it can't be known.
    """
    require_administrator(caller)
    model = (await fleet_models.refer(fleet, caller, reference)).model
    async with fleet.registry.read() as session:
        target = await controllers.by_name(session, controller_name)
    name = requests.shown_name(fleet, model)
    if model.controller_id == target.id and model.state is ModelState.LIVE:
        return Updated(False, f"{name} is on {target.name} already, and nothing was changed")
    await requests.refuse_underway(fleet, model)
    _require_available(target, await views.look(fleet, target, model.uuid))
    await _require_gone(fleet, model, target)
    before = model.controller_name or "no controller"
    await _remap(fleet, caller, model, target)
    await users.admit(fleet, model, target)
    return Updated(True, f"{name} is on {target.name} now, and was on {before}")


async def _decide(
    fleet: Fleet,
    caller: Caller,
    migration: Migration,
    named: Controller,
    outcome: State,
    reason: str,
) -> Migration:
    who = shown(caller.identity, fleet.local_domain)
    word = f"{who} says that the model is on {named.name}: {reason}"
    failed = outcome is State.FAILED
    step = Step(
        state=outcome,
        message=word,
        error_code="resolved" if failed else "",
        error=word if failed else "",
        remedy="",
    )
    async with fleet.registry.write() as session:
        decided = await migrations.decide(session, migration.id, step, controller_id=named.id)
        await ending.note(session, decided)
        if named.is_outside:
            await audit.record(session, outside.left(decided, named))
        await audit.record(
            session,
            caller.did(
                "resolve-migration",
                model=migration.model_uuid,
                controller=named.name,
                params={"migration-id": migration.id, "reason": reason},
            ),
        )
    return decided


async def _require_gone(fleet: Fleet, model: Model, target: Controller) -> None:
    """Nothing, where the controller that had the model has it no more."""
    if model.controller_id in (None, target.id):
        return
    try:
        async with fleet.registry.read() as session:
            old = await controllers.by_id(session, model.controller_id or 0)
    except NotFound:
        return
    here = await views.look(fleet, old, model.uuid)
    if isinstance(here, Silent):
        raise ControllerUnavailable(
            f"{old.name} does not answer, so it may still have the model ({here.why}); if it is "
            f"gone for good: jimmctl remove-controller --force {old.name}, then try again"
        )
    if isinstance(here, Present):
        raise Conflict(f"both {old.name} and {target.name} have the model")


async def _remap(fleet: Fleet, caller: Caller, model: Model, target: Controller) -> None:
    async with fleet.registry.write() as session:
        if await migrations.active(session, [model.uuid]):
            raise MigrationUnderway
        await models.set_controller(session, model.uuid, target.id)
        await placements.note(
            session,
            model,
            target.name,
            policy="update-migrated-model",
            reason=f"moved by hand from {model.controller_name or 'no controller'}",
            by=caller.identity,
        )
        await audit.record(
            session,
            caller.did(
                "update-migrated-model",
                model=model.uuid,
                controller=target.name,
            ),
        )


def _require_available(controller: Controller, view: Present | Absent | Silent) -> None:
    """Nothing, where the controller has the model and it may be used there.

    Raises:
        Conflict, ControllerUnavailable: not so, or not known.
    """
    match view:
        case Silent(why):
            raise ControllerUnavailable(f"{controller.name} does not answer: {why}")
        case Absent():
            raise Conflict(f"{controller.name} does not have the model")
        case Present(importing=True):
            raise Conflict(f"{controller.name} is still importing the model; wait until that ends")
        case Present(controller_uuid=uuid) if uuid != controller.uuid:
            raise Conflict(f"{controller.name} says that the model is another controller's")
        case Present():
            return
