"""Models on their way: requests, the leases of those who work on them, and their history."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, insert, literal, select, tuple_, update
from sqlalchemy.orm import InstrumentedAttribute, aliased

from jimm.errors import MigrationUnderway, NotFound
from jimm.registry import leases, models
from jimm.registry.leases import Held
from jimm.registry.listen import MIGRATIONS
from jimm.registry.rows import columns, record, violations
from jimm.registry.session import ReadSession, WriteSession, lock, notify
from jimm.registry.tables import MigrationEventRow, MigrationRow
from jimm.registry.words import ENDED, MigrationState
from jimm.wire.tags import ModelUUID, is_uuid


@dataclass(frozen=True)
class NewMigration:
    """A model that is to be moved."""

    id: str
    model_uuid: ModelUUID
    model_name: str
    source_id: int
    source_name: str
    target_id: int | None
    target_name: str
    requested_by: str
    prepare: bool = False


@dataclass(frozen=True)
class Migration:
    """A migration. ``model_name`` is ``owner/name``. ``juju_id`` is the source's own id of the
    attempt; ``recorded_start`` what the source showed as ``migration.start`` before it, ``None``
    when nothing was recorded yet and empty when it showed none. The controllers' ids are
    ``None`` once they were removed. ``remedy`` is what to do about ``error``; ``debris`` what a
    controller kept though it should not have. ``prepare``: what can be made right on the target
    shall be; ``prepared`` is what was made there. ``machines`` and ``units`` are the model's size.
    """

    id: str
    model_uuid: ModelUUID
    model_name: str
    source_id: int | None
    target_id: int | None
    source_name: str
    target_name: str
    state: MigrationState
    phase: str
    message: str
    juju_id: str
    recorded_start: str | None
    initiate_deadline: datetime | None
    requested_by: str
    started: datetime
    phase_since: datetime
    ended: datetime | None
    error_code: str
    error: str
    remedy: str
    debris: str
    checks: tuple[dict[str, object], ...]
    prepare: bool
    prepared: tuple[dict[str, object], ...]
    machines: int
    units: int
    next_at: datetime
    fence: int

    @property
    def held(self) -> Held:
        """The lease of the claim that gave this record."""
        return Held(self.id, self.fence)

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", MigrationState(self.state))


@dataclass(frozen=True)
class Step:
    """A change of a migration. ``None`` keeps what was there.

    ``next_in`` is when to look again, ``initiate_in`` when the source's answer is due at the
    latest, both in seconds from now.
    """

    state: MigrationState | None = None
    phase: str | None = None
    message: str | None = None
    juju_id: str | None = None
    recorded_start: str | None = None
    error_code: str | None = None
    error: str | None = None
    remedy: str | None = None
    debris: str | None = None
    checks: tuple[dict[str, object], ...] | None = None
    prepared: tuple[dict[str, object], ...] | None = None
    machines: int | None = None
    units: int | None = None
    next_in: float | None = None
    initiate_in: float | None = None


@dataclass(frozen=True)
class MigrationEvent:
    """One line of a migration's history; ``seq`` counts from 1 without gaps."""

    seq: int
    at: datetime
    state: MigrationState
    phase: str
    message: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", MigrationState(self.state))


async def request(session: WriteSession, new: NewMigration) -> Migration:
    """Writes a migration down, with its first event, and calls the workers.

    Raises:
        MigrationUnderway: the model is being moved already.
    """
    underway = MigrationUnderway()
    statement = insert(MigrationRow).values(asdict(new)).returning(*_columns())
    async with violations(session, {"uq_migrations_one_active": underway}):
        asked = record(Migration, (await session.execute(statement)).one())
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


async def claim(
    session: WriteSession, owner: str, lease: float, *, per_controller: int = 10
) -> Migration | None:
    """Takes the lease of a migration that is due and that nobody works on, if there is one.

    One that was only requested is left while its source or its target has ``per_controller``
    under way. Call it in a transaction of its own: claims take turns.
    """
    await lock(session, MIGRATIONS)
    other = aliased(MigrationRow)
    busy = and_(
        other.ended.is_(None),
        other.state != MigrationState.REQUESTED,
    )
    from_there = select(func.count()).where(busy, other.source_id == MigrationRow.source_id)
    to_there = select(func.count()).where(busy, other.target_id == MigrationRow.target_id)
    fits = and_(
        from_there.correlate(MigrationRow).scalar_subquery() < per_controller,
        to_there.correlate(MigrationRow).scalar_subquery() < per_controller,
    )
    due = (
        select(MigrationRow.id)
        .where(
            MigrationRow.ended.is_(None),
            MigrationRow.next_at <= func.clock_timestamp(),
            leases.free(MigrationRow),
            (MigrationRow.state != MigrationState.REQUESTED) | fits,
        )
        .order_by(MigrationRow.next_at)
        .limit(1)
        .with_for_update(skip_locked=True, of=MigrationRow)
        .scalar_subquery()
    )
    statement = (
        update(MigrationRow)
        .where(MigrationRow.id == due)
        .values(leases.taken(MigrationRow, owner, lease))
        .returning(*_columns())
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else record(Migration, row)


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
    """As :meth:`apply`, and says in the same transaction that the model is on that controller."""
    changed = await apply(session, held, step)
    if changed is not None:
        await models.set_controller(session, changed.model_uuid, controller_id)
    return changed


async def decide(
    session: WriteSession, migration_id: str, step: Step, *, controller_id: int | None = None
) -> Migration:
    """An administrator's word over a migration's: whoever works on it loses the lease.

    With ``controller_id`` the model is on that controller from now on.

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
        await models.set_controller(session, changed.model_uuid, controller_id)
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


async def next_due(session: ReadSession) -> float | None:
    """Seconds until a free migration is due (0 when one is now); ``None`` with none under way."""
    at = func.greatest(
        MigrationRow.next_at, func.coalesce(MigrationRow.lease_expires, MigrationRow.next_at)
    )
    seconds = func.extract("epoch", func.min(at) - func.clock_timestamp())
    found = await session.scalar(select(seconds).where(MigrationRow.ended.is_(None)))
    return None if found is None else max(0.0, float(found))


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
    return after


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
