"""The use cases: asking for a migration, looking at one, and having the last word on one."""

import asyncio
import uuid
from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import NamedTuple

from jimm import audit
from jimm.access.names import shown
from jimm.errors import (
    ChecksFailed,
    Conflict,
    ControllerUnavailable,
    MigrationUnderway,
    ModelNotFound,
    NotFound,
    NotValid,
    Unauthorized,
)
from jimm.fleet import controllers as fleet_controllers
from jimm.fleet import levels
from jimm.fleet import models as fleet_models
from jimm.fleet.caller import Caller
from jimm.fleet.controllers import require_administrator
from jimm.fleet.fleet import Fleet
from jimm.migration import facts, phases, prechecks, users, views
from jimm.migration.phases import State
from jimm.migration.prechecks import Finding
from jimm.migration.verdict import Absent, Present, Silent
from jimm.registry import controllers, migrations, models, placements
from jimm.registry.controllers import Controller
from jimm.registry.migrations import Migration, MigrationEvent, NewMigration, Step
from jimm.registry.models import Model, Visible
from jimm.registry.placements import NewPlacement
from jimm.registry.words import ENDED, ModelState


class Updated(NamedTuple):
    """Whether anything was changed, and in words."""

    changed: bool
    message: str


async def request(fleet: Fleet, caller: Caller, reference: str, target_name: str) -> Migration:
    """Writes a migration down, for a worker to carry out. All is checked now, so that the
    caller hears of it at once, and once more when it begins.

    ``reference`` is a uuid, ``model-<uuid>`` or ``owner/name`` with a full identity.

    Raises:
        ModelNotFound, NotFound: no such model or controller that the caller may know of.
        Unauthorized: the caller may not move it there.
        MigrationUnderway: it is being moved already.
        ChecksFailed: with every finding.
    """
    seen = await fleet_models.refer(fleet, caller, reference)
    target = await _target(fleet, caller, seen, target_name, to_move=True)
    await _refuse_underway(fleet, seen.model)
    source = await _source(fleet, seen.model)
    findings = await _findings(fleet, seen.model, source, target)
    if findings:
        raise ChecksFailed(
            f"{_shown(fleet, seen.model)} can't be migrated to {target.name}: "
            + "; ".join(each.found for each in findings),
            [asdict(each) for each in findings],
        )
    new = NewMigration(
        id=str(uuid.uuid4()),
        model_uuid=seen.model.uuid,
        model_name=f"{seen.model.owner}/{seen.model.name}",
        source_id=source.id,
        source_name=source.name,
        target_id=target.id,
        target_name=target.name,
        requested_by=caller.identity,
    )
    async with fleet.registry.write() as session:
        asked = await migrations.request(session, new)
        await audit.record(
            session,
            caller.did(
                "migrate-model",
                model=asked.model_uuid,
                controller=target.name,
                params={"migration-id": asked.id, "source": source.name},
            ),
        )
    return asked


async def dry_run(
    fleet: Fleet, caller: Caller, reference: str, target_name: str
) -> Sequence[Finding]:
    """Everything that stands in the way; nothing means that it could begin now. For a model's
    administrators.

    Raises:
        ModelNotFound, NotFound, Unauthorized: as :func:`request`.
    """
    seen = await fleet_models.refer(fleet, caller, reference)
    target = await _target(fleet, caller, seen, target_name, to_move=False)
    source = await _source(fleet, seen.model)
    return await _findings(fleet, seen.model, source, target)


async def targets(
    fleet: Fleet, caller: Caller, reference: str
) -> list[tuple[Controller, Sequence[Finding]]]:
    """Every other controller that the caller may know of, by name, with what stands in the way.

    Raises:
        ModelNotFound, Unauthorized: as :func:`request`.
    """
    seen = await fleet_models.refer(fleet, caller, reference)
    _require_model_administrator(caller, seen)
    source = await _source(fleet, seen.model)
    known = await fleet_controllers.list_controllers(fleet, caller, limit=100_000)
    others = [each for each in known if each.id != source.id]
    underway = await _is_underway(fleet, seen.model)
    found = await facts.of_source(fleet, seen.model, source, migrating=underway)
    there = await asyncio.gather(*(facts.of_target(fleet, found, each) for each in others))
    return [
        (each, prechecks.check(found.model, found.controller, its.controller))
        for each, its in zip(others, there, strict=True)
    ]


async def get(fleet: Fleet, caller: Caller, migration_id: str) -> Migration:
    """One migration, for whoever asked for it or administers the model.

    Raises:
        NotFound: no such migration, or none that the caller may know of.
    """
    async with fleet.registry.read() as session:
        found = await migrations.by_id(session, migration_id)
    if caller.admin or found.requested_by == caller.identity:
        return found
    try:
        seen = await fleet_models.find(fleet, caller, found.model_uuid)
        _require_model_administrator(caller, seen)
    except (ModelNotFound, Unauthorized) as error:
        raise NotFound(f'migration "{migration_id}" not found') from error
    return found


async def page(
    fleet: Fleet,
    caller: Caller,
    *,
    reference: str = "",
    states: Collection[State] = (),
    before: tuple[datetime, str] | None = None,
    limit: int = 100,
) -> list[Migration]:
    """Migrations, the newest first: all for an administrator of JIMM, those of one model
    (``reference``) for its administrators, and else those that the caller asked for.

    Raises:
        ModelNotFound, Unauthorized: of the model.
    """
    model_uuid, requested_by = "", ""
    if reference:
        seen = await fleet_models.refer(fleet, caller, reference)
        _require_model_administrator(caller, seen)
        model_uuid = seen.model.uuid
    elif not caller.admin:
        requested_by = caller.identity
    async with fleet.registry.read() as session:
        return await migrations.page(
            session,
            model_uuid=model_uuid,
            states=states,
            requested_by=requested_by,
            before=before,
            limit=limit,
        )


async def events(
    fleet: Fleet, caller: Caller, migration_id: str, *, after: int = 0
) -> tuple[list[MigrationEvent], Migration]:
    """The history after a seq, and the migration as it was just before that was read: once it
    is over, the history is whole.

    Raises:
        NotFound: as :func:`get`.
    """
    migration = await get(fleet, caller, migration_id)
    async with fleet.registry.read() as session:
        return await migrations.events(session, migration_id, after=after), migration


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
    name = _shown(fleet, model)
    if model.controller_id == target.id and model.state is ModelState.LIVE:
        return Updated(False, f"{name} is on {target.name} already, and nothing was changed")
    await _refuse_underway(fleet, model)
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
    )
    async with fleet.registry.write() as session:
        decided = await migrations.decide(session, migration.id, step, controller_id=named.id)
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
    chosen = f"moved by hand from {model.controller_name or 'no controller'}"
    async with fleet.registry.write() as session:
        if await migrations.active(session, [model.uuid]):
            raise MigrationUnderway
        await models.set_controller(session, model.uuid, target.id)
        placed = await placements.add(
            session,
            NewPlacement(
                model_id=model.id,
                owner=model.owner,
                name=model.name,
                cloud=model.cloud,
                region=model.region,
                policy="update-migrated-model",
                candidates=(
                    {"controller": target.name, "eligible": True, "rank": 1, "reasons": [chosen]},
                ),
                requested_by=caller.identity,
            ),
        )
        await placements.finish(session, placed, chosen=target.name, attempts=())
        await audit.record(
            session,
            caller.did(
                "update-migrated-model",
                model=model.uuid,
                controller=target.name,
            ),
        )


async def _target(
    fleet: Fleet, caller: Caller, seen: Visible, name: str, *, to_move: bool
) -> Controller:
    """The target, for somebody who may move the model there, or may ask whether it could be."""
    _require_model_administrator(caller, seen)
    if to_move and not (caller.admin or fleet.settings.owners_may_migrate):
        raise Unauthorized
    # for all but administrators: one on which they may add models
    await fleet_controllers.show(fleet, caller, name)
    async with fleet.registry.read() as session:
        return await controllers.by_name(session, name)


async def _source(fleet: Fleet, model: Model) -> Controller:
    if model.controller_id is None:
        raise Conflict(
            f"{_shown(fleet, model)} is unmanaged: register its controller, then "
            f"jimmctl update-migrated-model CONTROLLER {model.uuid}"
        )
    async with fleet.registry.read() as session:
        return await controllers.by_id(session, model.controller_id)


def _shown(fleet: Fleet, model: Model) -> str:
    return f"{shown(model.owner, fleet.local_domain)}/{model.name}"


async def _findings(
    fleet: Fleet, model: Model, source: Controller, target: Controller
) -> Sequence[Finding]:
    underway = await _is_underway(fleet, model)
    here = await facts.of_source(fleet, model, source, migrating=underway)
    there = await facts.of_target(fleet, here, target)
    return prechecks.check(here.model, here.controller, there.controller)


async def _refuse_underway(fleet: Fleet, model: Model) -> None:
    if await _is_underway(fleet, model):
        raise MigrationUnderway


async def _is_underway(fleet: Fleet, model: Model) -> bool:
    async with fleet.registry.read() as session:
        return bool(await migrations.active(session, [model.uuid]))


def _require_model_administrator(caller: Caller, seen: Visible) -> None:
    if levels.on_model(seen, caller) != levels.ADMIN:
        raise Unauthorized


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
