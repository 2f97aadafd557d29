"""Models on their way: requests, the leases of those who work on them, and their history."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    and_,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import InstrumentedAttribute

from jimm.errors import Conflict, MigrationUnderway, NotFound
from jimm.registry import destinations, leases, models
from jimm.registry.controllers import OUTSIDE
from jimm.registry.held import Held
from jimm.registry.listen import MIGRATIONS
from jimm.registry.migration_records import Migration, MigrationEvent, NewMigration, Step
from jimm.registry.prepared import Question
from jimm.registry.rows import columns, record, violations
from jimm.registry.session import ReadSession, Registry, WriteSession, lock, notify
from jimm.registry.tables import MigrationEventRow, MigrationRow
from jimm.registry.words import ENDED, MigrationState, ModelState
from jimm.wire.tags import ModelUUID, is_uuid

__all__ = [
    "Limits",
    "Migration",
    "MigrationEvent",
    "NewMigration",
    "Step",
    "active",
    "apply",
    "apply_moved",
    "are_due",
    "by_id",
    "claim",
    "decide",
    "events",
    "is_prepared_by_another",
    "is_towards",
    "latest",
    "page",
    "release",
    "release_all",
    "renew",
    "request",
    "wake",
]


class Limits(NamedTuple):
    """How many migrations may be under way at once: from one controller, to one, and in all."""

    per_source: int
    per_target: int
    at_once: int


async def request(session: WriteSession, new: NewMigration) -> Migration:
    """Writes a migration down, with its first event, and calls the workers.

    Whoever destroys the model takes the lock of its row as well: one of the two comes second,
    and sees the other.

    Raises:
        MigrationUnderway: the model is being moved already.
        Conflict: it is being destroyed.
    """
    underway = MigrationUnderway()
    statement = insert(MigrationRow).values(asdict(new)).returning(*_columns())
    async with violations(session, {"uq_migrations_one_active": underway}):
        asked = record(Migration, (await session.execute(statement)).one())
    # Only now: whoever ends the model's last migration holds that row, and wants this one.
    if await models.locked(session, new.model_uuid) is ModelState.DESTROYING:
        raise Conflict("the model is being destroyed")
    await _append(session, asked)
    return asked


async def by_id(session: ReadSession, migration_id: str) -> Migration:
    """The migration with that id.

    Raises:
        NotFound: there is none.
    """
    statement = select(*_columns()).where(MigrationRow.id == migration_id)
    row = (await session.execute(statement)).one_or_none() if is_uuid(migration_id) else None
    if row is None:
        raise NotFound(f'migration "{migration_id}" not found')
    return record(Migration, row)


async def active(session: ReadSession, uuids: Collection[str]) -> dict[ModelUUID, Migration]:
    """The migrations that are under way for these models."""
    statement = select(*_columns()).where(
        MigrationRow.model_uuid.in_(uuids), MigrationRow.ended.is_(None)
    )
    found = [record(Migration, row) for row in await session.execute(statement)]
    return {each.model_uuid: each for each in found}


async def latest(session: ReadSession, uuids: Collection[str]) -> dict[ModelUUID, Migration]:
    """The newest migration of each of these models, over or not."""
    statement = (
        select(*_columns())
        .where(MigrationRow.model_uuid.in_(uuids))
        .distinct(MigrationRow.model_uuid)
        .order_by(MigrationRow.model_uuid, MigrationRow.started.desc())
    )
    found = [record(Migration, row) for row in await session.execute(statement)]
    return {each.model_uuid: each for each in found}


async def page(
    session: ReadSession,
    *,
    model_uuid: str = "",
    states: Collection[MigrationState] = (),
    requested_by: str = "",
    before: tuple[datetime, str] | None = None,
    limit: int = 100,
) -> list[Migration]:
    """Migrations, the newest first, older than the start and id in ``before``."""
    statement = (
        select(*_columns())
        .order_by(MigrationRow.started.desc(), MigrationRow.id.desc())
        .limit(limit)
    )
    if model_uuid:
        statement = statement.where(MigrationRow.model_uuid == model_uuid)
    if states:
        statement = statement.where(MigrationRow.state.in_(sorted(states)))
    if requested_by:
        statement = statement.where(MigrationRow.requested_by == requested_by)
    if before is not None:
        statement = statement.where(
            tuple_(MigrationRow.started, MigrationRow.id)
            < tuple_(literal(before[0]), literal(before[1], MigrationRow.id.type))
        )
    return [record(Migration, row) for row in await session.execute(statement)]


async def is_towards(
    session: ReadSession, controller_id: int, states: Collection[MigrationState]
) -> bool:
    """Whether a migration towards that controller is in one of these states."""
    found = select(MigrationRow.id).where(
        MigrationRow.target_id == controller_id,
        MigrationRow.state.in_(sorted(states)),
        MigrationRow.ended.is_(None),
    )
    return bool(await session.scalar(select(found.exists())))


async def is_prepared_by_another(
    session: ReadSession, one: Migration, entry: Mapping[str, object], *, after: bool
) -> bool:
    """Whether another migration towards the same controller has that in ``prepared`` and is
    under way; with ``after`` also one that is done."""
    is_done = MigrationRow.state == MigrationState.DONE
    found = select(MigrationRow.id).where(
        MigrationRow.target_id == one.target_id,
        MigrationRow.id != one.id,
        type_coerce(MigrationRow.prepared, JSONB).contains([dict(entry)]),
        or_(MigrationRow.ended.is_(None), is_done if after else false()),
    )
    return bool(await session.scalar(select(found.exists())))


async def are_due(registry: Registry) -> bool:
    """Whether there is one to claim, if the limits let it begin."""
    return await leases.is_any(registry, _whether_due())


async def claim(
    session: WriteSession, owner: str, lease: float, limits: Limits
) -> Migration | None:
    """Takes the lease of a migration that is due and that nobody works on, if there is one.

    Those that have begun come first. One that was only requested waits while its source, its
    target or all together have as many under way as they may; those that may begin do so in the
    order in which they were asked for. Call it in a transaction of its own: beginnings take
    turns.
    """
    begun = await _take(session, owner, lease, MigrationRow.state != MigrationState.REQUESTED)
    if begun is not None:
        return begun
    await lock(session, MIGRATIONS)
    return await _take(session, owner, lease, _fits(limits))


async def _take(
    session: WriteSession, owner: str, lease: float, which: ColumnElement[bool]
) -> Migration | None:
    statement = leases.claimed(
        MigrationRow, owner, lease, MigrationRow.next_at, MigrationRow.ended.is_(None), which
    )
    row = (await session.execute(statement.returning(*_columns()))).one_or_none()
    return None if row is None else record(Migration, row)


@cache
def _whether_due() -> Question:
    return leases.whether_any(MigrationRow, MigrationRow.next_at, MigrationRow.ended.is_(None))


def _fits(limits: Limits) -> ColumnElement[bool]:
    """Whether one that was requested may begin. Who is under way is counted once for all that
    wait; one that is stuck keeps nobody waiting."""
    busy = (
        select(MigrationRow.source_id, MigrationRow.target_id)
        .where(
            MigrationRow.ended.is_(None),
            MigrationRow.state != MigrationState.REQUESTED,
            MigrationRow.state != MigrationState.STUCK,
        )
        .cte("busy")
    )
    everywhere = select(func.count()).select_from(busy).scalar_subquery()
    return and_(
        MigrationRow.state == MigrationState.REQUESTED,
        everywhere < limits.at_once,
        _has_room(MigrationRow.source_id, busy.c.source_id, limits.per_source),
        _has_room(MigrationRow.target_id, busy.c.target_id, limits.per_target),
    )


def _has_room(
    controller: InstrumentedAttribute[int | None], busy: ColumnElement[int | None], most: int
) -> ColumnElement[bool]:
    full = select(busy).where(busy.is_not(None)).group_by(busy).having(func.count() >= most)
    return or_(controller.is_(None), controller.not_in(full))


async def renew(session: WriteSession, held: Held, lease: float) -> bool:
    """Holds it for ``lease`` seconds from now; ``False`` if it was lost."""
    return await leases.renew(session, MigrationRow, held, lease) is not None


async def release(session: WriteSession, held: Held) -> bool:
    """Hands it back; ``False`` if it was lost."""
    return await leases.release(session, MigrationRow, held)


async def release_all(session: WriteSession, owner: str) -> int:
    """Hands back all that ``owner`` holds; how many there were."""
    return await leases.release_all(session, MigrationRow, owner)


async def apply(session: WriteSession, held: Held, step: Step) -> Migration | None:
    """Changes a migration, and writes its history if state, phase or message changed.

    Returns what it is now, or ``None`` when the lease was lost: then nothing was changed, and
    whatever was found out is dropped. A state in which it is over ends the lease too.
    """
    statement = select(*_columns()).where(leases.guard(MigrationRow, held)).with_for_update()
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        return None
    return await _change(session, record(Migration, row), step)


async def apply_moved(
    session: WriteSession, held: Held, step: Step, *, controller_id: int
) -> Migration | None:
    """As :meth:`apply`, and says in the same transaction that the model is on that controller;
    one that went outside leaves the registry."""
    changed = await apply(session, held, step)
    if changed is not None:
        await _arrived(session, changed, controller_id)
    return changed


async def decide(
    session: WriteSession, migration_id: str, step: Step, *, controller_id: int | None = None
) -> Migration:
    """An administrator's word over a migration's: whoever works on it loses the lease.

    With ``controller_id`` the model is on that controller from now on, as in
    :func:`apply_moved`.

    Raises:
        NotFound: there is no such migration, or it is over.
    """
    statement = (
        update(MigrationRow)
        .where(MigrationRow.id == migration_id, MigrationRow.ended.is_(None))
        .values(fence=MigrationRow.fence + 1, lease_owner=None, lease_expires=None)
        .returning(*_columns())
    )
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        raise NotFound(f'no migration "{migration_id}" is under way')
    changed = await _change(session, record(Migration, row), step)
    if controller_id is not None:
        await _arrived(session, changed, controller_id)
    return changed


async def wake(session: WriteSession, migration_id: str) -> None:
    """Has a migration looked at at once: something was heard about it."""
    await session.execute(
        update(MigrationRow)
        .where(MigrationRow.id == migration_id, MigrationRow.ended.is_(None))
        .values(next_at=func.clock_timestamp())
    )
    await notify(session, MIGRATIONS, migration_id)


async def events(
    session: ReadSession, migration_id: str, *, after: int = 0, limit: int = 1000
) -> list[MigrationEvent]:
    """A migration's history after a seq, oldest first."""
    statement = (
        select(*columns(MigrationEventRow, MigrationEvent))
        .where(MigrationEventRow.migration_id == migration_id, MigrationEventRow.seq > after)
        .order_by(MigrationEventRow.seq)
        .limit(limit)
    )
    return [record(MigrationEvent, row) for row in await session.execute(statement)]


async def _change(session: WriteSession, before: Migration, step: Step) -> Migration:
    values = _values(before, step)
    statement = (
        update(MigrationRow)
        .where(MigrationRow.id == before.id)
        .values(values)
        .returning(*_columns())
        .execution_options(synchronize_session=False)
    )
    after = record(Migration, (await session.execute(statement)).one())
    if _shown(before) != _shown(after):
        await _append(session, after)
    if after.ended is not None and after.target_id is None:
        await destinations.forget(session, after.id)
    return after


async def _arrived(session: WriteSession, moved: Migration, controller_id: int) -> None:
    if controller_id != OUTSIDE:
        await models.set_controller(session, moved.model_uuid, controller_id)
        return
    for model in await models.known(session, [moved.model_uuid]):
        await models.remove(session, model.id)


def _values(before: Migration, step: Step) -> Mapping[str, Any]:
    names = {field.name for field in fields(Step)} - {"next_in", "initiate_in"}
    values: dict[str, Any] = {
        name: getattr(step, name) for name in names if getattr(step, name) is not None
    }
    if step.next_in is not None:
        values["next_at"] = func.clock_timestamp() + leases.seconds(step.next_in)
    if step.initiate_in is not None:
        values["initiate_deadline"] = func.clock_timestamp() + leases.seconds(step.initiate_in)
    if step.state in ENDED:
        values |= {"ended": func.clock_timestamp(), "lease_owner": None, "lease_expires": None}
    moved = values.get("state", before.state), values.get("phase", before.phase)
    if moved != (before.state, before.phase):
        values["phase_since"] = func.clock_timestamp()
    return values or {"fence": before.fence}


async def _append(session: WriteSession, migration: Migration) -> None:
    """Writes history. The row is locked by this transaction, so the next seq is ours."""
    last = select(func.coalesce(func.max(MigrationEventRow.seq), 0)).where(
        MigrationEventRow.migration_id == migration.id
    )
    await session.execute(
        insert(MigrationEventRow).values(
            migration_id=migration.id,
            seq=last.scalar_subquery() + 1,
            at=func.clock_timestamp(),
            state=migration.state,
            phase=migration.phase,
            message=migration.message,
        )
    )
    await notify(session, MIGRATIONS, migration.id)


def _shown(migration: Migration) -> Sequence[str]:
    return migration.state, migration.phase, migration.message


def _columns() -> list[InstrumentedAttribute[Any]]:
    return columns(MigrationRow, Migration)
