"""The use cases: asking for a migration, and looking at one."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime

from jimm import audit
from jimm.access.names import shown
from jimm.errors import (
    ChecksFailed,
    Conflict,
    MigrationUnderway,
    ModelNotFound,
    NotFound,
    Unauthorized,
)
from jimm.fleet import controllers as fleet_controllers
from jimm.fleet import levels
from jimm.fleet import models as fleet_models
from jimm.fleet.caller import Caller
from jimm.fleet.fleet import Fleet
from jimm.migration import facts, prechecks, rehearsal
from jimm.migration.phases import State
from jimm.migration.prechecks import Finding
from jimm.registry import controllers, migrations
from jimm.registry.controllers import Controller
from jimm.registry.migrations import Migration, MigrationEvent, NewMigration
from jimm.registry.models import Model, Visible


async def request(
    fleet: Fleet, caller: Caller, reference: str, target_name: str, *, prepare: bool = False
) -> Migration:
    """Writes a migration down, for a worker to carry out. All is checked now, so that the
    caller hears of it at once, and once more when it begins. With ``prepare`` what can be made
    right on the target will be, and stands in nobody's way.

    ``reference`` is a uuid, ``model-<uuid>`` or ``owner/name`` with a full identity.

    Raises:
        ModelNotFound, NotFound: no such model or controller that the caller may know of.
        Unauthorized: the caller may not move it there.
        MigrationUnderway: it is being moved already.
        ChecksFailed: with every finding.
    """
    seen = await fleet_models.refer(fleet, caller, reference)
    target = await _target(fleet, caller, seen, target_name, to_move=True)
    await refuse_underway(fleet, seen.model)
    source = await _source(fleet, seen.model)
    findings = await _findings(fleet, seen.model, source, target)
    require_ready(fleet, seen.model, target, findings, prepare=prepare)
    new = NewMigration(
        id=str(uuid.uuid4()),
        model_uuid=seen.model.uuid,
        model_name=f"{seen.model.owner}/{seen.model.name}",
        source_id=source.id,
        source_name=source.name,
        target_id=target.id,
        target_name=target.name,
        requested_by=caller.identity,
        prepare=prepare,
    )
    async with fleet.registry.write() as session:
        asked = await migrations.request(session, new)
        await audit.record(
            session,
            caller.did(
                "migrate-model",
                model=asked.model_uuid,
                controller=target.name,
                params={"migration-id": asked.id, "source": source.name, "prepare": prepare},
            ),
        )
    return asked


async def dry_run(
    fleet: Fleet, caller: Caller, reference: str, target_name: str
) -> Sequence[Finding]:
    """Everything that stands in the way, and advice besides; nothing refusing means that it
    could begin now. For a model's administrators. The source's own dry run is part of it, where
    it has one.

    Raises:
        ModelNotFound, NotFound, Unauthorized: as :func:`request`.
    """
    seen = await fleet_models.refer(fleet, caller, reference)
    target = await _target(fleet, caller, seen, target_name, to_move=False)
    source = await _source(fleet, seen.model)
    underway = await is_underway(fleet, seen.model)
    here, there = await facts.of_both(fleet, seen.model, source, target, migrating=underway)
    findings = prechecks.check(here.model, here.controller, there.controller)
    if not rehearsal.is_possible(here, there, findings):
        return findings
    await _note_rehearsal(fleet, caller, seen.model, source, target)
    told = await rehearsal.rehearse(fleet, source, target, here, findings)
    return sorted([*findings, *told], key=lambda each: each.advice)


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
    underway = await is_underway(fleet, seen.model)
    whole = await _whole(fleet, others)
    found, there = await facts.of_every(fleet, seen.model, source, whole, migrating=underway)
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


async def _whole(fleet: Fleet, some: Sequence[Controller]) -> list[Controller]:
    """The same with their addresses, which are not shown to everybody."""
    async with fleet.registry.read() as session:
        every = {each.id: each for each in await controllers.every(session)}
    return [every.get(each.id, each) for each in some]


async def _source(fleet: Fleet, model: Model) -> Controller:
    if model.controller_id is None:
        raise Conflict(
            f"{shown_name(fleet, model)} is unmanaged: register its controller, then "
            f"jimmctl update-migrated-model CONTROLLER {model.uuid}"
        )
    async with fleet.registry.read() as session:
        return await controllers.by_id(session, model.controller_id)


def shown_name(fleet: Fleet, model: Model) -> str:
    """``owner/name`` as people write it."""
    return f"{shown(model.owner, fleet.local_domain)}/{model.name}"


async def _findings(
    fleet: Fleet, model: Model, source: Controller, target: Controller
) -> Sequence[Finding]:
    underway = await is_underway(fleet, model)
    here, there = await facts.of_both(fleet, model, source, target, migrating=underway)
    return prechecks.check(here.model, here.controller, there.controller)


async def _note_rehearsal(
    fleet: Fleet, caller: Caller, model: Model, source: Controller, target: Controller
) -> None:
    """A login of the target's is lent for it, and that leaves a trace."""
    async with fleet.registry.write() as session:
        params = {"source": source.name}
        note = caller.did(
            "dry-run-migration", model=model.uuid, controller=target.name, params=params
        )
        await audit.record(session, note)


def require_ready(
    fleet: Fleet, model: Model, target: Controller, findings: Sequence[Finding], *, prepare: bool
) -> None:
    """Nothing, where a migration may begin.

    Raises:
        ChecksFailed: with every finding.
    """
    if refusing := prechecks.refusing(findings, prepare=prepare):
        raise ChecksFailed(
            f"{shown_name(fleet, model)} can't be migrated to {target.name}: "
            + "; ".join(each.found for each in refusing),
            [asdict(each) for each in findings],
        )


async def refuse_underway(fleet: Fleet, model: Model) -> None:
    """Nothing, for a model that JIMM is not moving.

    Raises:
        MigrationUnderway: it is.
    """
    if await is_underway(fleet, model):
        raise MigrationUnderway


async def is_underway(fleet: Fleet, model: Model) -> bool:
    """Whether JIMM is moving the model."""
    async with fleet.registry.read() as session:
        return bool(await migrations.active(session, [model.uuid]))


def _require_model_administrator(caller: Caller, seen: Visible) -> None:
    if levels.on_model(seen, caller) != levels.ADMIN:
        raise Unauthorized
