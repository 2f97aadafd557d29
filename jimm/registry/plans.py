"""Plans over many models: requests, the leases of those who work on them, and their items.

Every change raises the plan's revision and is notified. Whoever changes an item holds the plan's
row first, so that changes of one plan take turns.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, insert, literal, or_, select, tuple_
from sqlalchemy import update as update_
from sqlalchemy.orm import InstrumentedAttribute

from jimm.errors import NotFound
from jimm.registry import leases
from jimm.registry.held import Held
from jimm.registry.listen import PLANS
from jimm.registry.plan_records import (
    Counts,
    Followed,
    Item,
    ItemChange,
    NewItem,
    NewPlan,
    Plan,
    PlanChange,
)
from jimm.registry.prepared import Question
from jimm.registry.rows import columns, record
from jimm.registry.session import ReadSession, Registry, WriteSession, notify
from jimm.registry.tables import MigrationRow, PlanItemRow, PlanRow
from jimm.registry.words import PLAN_ENDED, PlanItemState, PlanState
from jimm.wire.tags import is_uuid

_UNDER_WAY = (PlanItemState.MIGRATING, PlanItemState.UPGRADING)
_OVER = (PlanItemState.DONE, PlanItemState.FAILED, PlanItemState.CANCELLED)


async def add(session: WriteSession, new: NewPlan, items: Sequence[NewItem]) -> Plan:
    """Writes a plan down with its items, in their order, and calls the drivers. Items without a
    target begin as failed."""
    values = {**asdict(new), "revision": 1}
    added = await session.execute(insert(PlanRow).values(values).returning(*_columns()))
    rows = [
        {
            **asdict(each),
            "plan_id": new.id,
            "seq": seq,
            "revision": 1,
            "state": PlanItemState.WAITING if each.target_name else PlanItemState.FAILED,
            "ended": None if each.target_name else func.now(),
        }
        for seq, each in enumerate(items, start=1)
    ]
    for waiting in (True, False):  # one shape of row for each statement
        part = [each for each in rows if (each["ended"] is None) is waiting]
        for at in range(0, len(part), 1000):
            await session.execute(insert(PlanItemRow).values(part[at : at + 1000]))
    await notify(session, PLANS, new.id)
    return record(Plan, added.one())


async def by_id(session: ReadSession, plan_id: str) -> Plan:
    """The plan with that id.

    Raises:
        NotFound: there is none.
    """
    statement = select(*_columns()).where(PlanRow.id == plan_id)
    row = (await session.execute(statement)).one_or_none() if is_uuid(plan_id) else None
    if row is None:
        raise NotFound(f'plan "{plan_id}" not found')
    return record(Plan, row)


async def page(
    session: ReadSession, *, before: tuple[datetime, str] | None = None, limit: int = 100
) -> list[Plan]:
    """Plans, the newest first, older than the time and id in ``before``."""
    statement = select(*_columns()).order_by(PlanRow.created.desc(), PlanRow.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(
            tuple_(PlanRow.created, PlanRow.id)
            < tuple_(literal(before[0]), literal(before[1], PlanRow.id.type))
        )
    return [record(Plan, row) for row in await session.execute(statement)]


async def items(
    session: ReadSession,
    plan_id: str,
    *,
    states: Collection[PlanItemState] = (),
    after: int = 0,
    limit: int = 100,
) -> list[Followed]:
    """A plan's items in its order, after a seq, each with its migration."""
    statement = _followed().where(PlanItemRow.plan_id == plan_id, PlanItemRow.seq > after)
    if states:
        statement = statement.where(PlanItemRow.state.in_(sorted(states)))
    return await _read(session, statement.order_by(PlanItemRow.seq).limit(limit))


async def changed(
    session: ReadSession, plan_id: str, *, after: int, limit: int = 200
) -> list[Followed]:
    """The items that changed after a revision of the plan, in the order of their last change;
    those of one revision are never cut apart."""
    last = (
        select(PlanItemRow.revision)
        .where(PlanItemRow.plan_id == plan_id, PlanItemRow.revision > after)
        .order_by(PlanItemRow.revision)
        .limit(limit)
        .subquery()
    )
    bound = select(func.max(last.c.revision)).scalar_subquery()
    statement = _followed().where(
        PlanItemRow.plan_id == plan_id,
        PlanItemRow.revision > after,
        PlanItemRow.revision <= bound,
    )
    return await _read(session, statement.order_by(PlanItemRow.revision, PlanItemRow.seq))


async def under_way(session: ReadSession, plan_id: str) -> list[Followed]:
    """The items whose turn has come, and their migrations; as many as the plan's concurrency."""
    statement = _followed().where(PlanItemRow.plan_id == plan_id, PlanItemRow.state.in_(_UNDER_WAY))
    return await _read(session, statement.order_by(PlanItemRow.seq))


async def counts(session: ReadSession, plan_ids: Collection[str]) -> dict[str, Counts]:
    """How many items each of these plans has in each state."""
    statement = (
        select(PlanItemRow.plan_id, PlanItemRow.state, func.count())
        .where(PlanItemRow.plan_id.in_(plan_ids))
        .group_by(PlanItemRow.plan_id, PlanItemRow.state)
    )
    found: dict[str, dict[str, int]] = {each: {} for each in plan_ids}
    for plan_id, state, number in await session.execute(statement):
        found[plan_id][state] = number
    return {plan_id: Counts(**each) for plan_id, each in found.items()}


async def are_due(registry: Registry) -> bool:
    """Whether there is one to claim."""
    return await leases.is_any(registry, _whether_due())


async def claim(session: WriteSession, owner: str, lease: float) -> Plan | None:
    """Takes the lease of a plan on which there is something to do and nobody works, if any.

    A paused plan is left alone once none of its models is on its way.
    """
    statement = leases.claimed(PlanRow, owner, lease, PlanRow.next_at, _has_work())
    row = (await session.execute(statement.returning(*_columns()))).one_or_none()
    return None if row is None else record(Plan, row)


async def renew(session: WriteSession, held: Held, lease: float) -> bool:
    """Holds it for ``lease`` seconds from now; ``False`` if it was lost."""
    return await leases.renew(session, PlanRow, held, lease) is not None


async def release(session: WriteSession, held: Held, *, again_in: float = 0.0) -> bool:
    """Hands it back, for somebody to look at in so many seconds; ``False`` if it was lost."""
    await session.execute(
        update_(PlanRow)
        .where(leases.guard(PlanRow, held))
        .values(next_at=func.clock_timestamp() + leases.seconds(again_in))
    )
    return await leases.release(session, PlanRow, held)


async def release_all(session: WriteSession, owner: str) -> int:
    """Hands back all leases of an owner, at a graceful stop; how many there were."""
    return await leases.release_all(session, PlanRow, owner)


async def still_held(session: ReadSession, held: Held) -> Plan | None:
    """The plan as it is now; ``None`` if the lease was lost."""
    statement = select(*_columns()).where(leases.guard(PlanRow, held))
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else record(Plan, row)


async def hold(session: WriteSession, held: Held) -> Plan | None:
    """Begins a change under the lease: the plan at its new revision, its row locked until the
    transaction ends; ``None`` if the lease was lost."""
    return await _next_revision(session, leases.guard(PlanRow, held))


async def locked(session: WriteSession, plan_id: str) -> Plan:
    """The same for somebody without the lease.

    Raises:
        NotFound: there is no such plan.
    """
    found = await _next_revision(session, PlanRow.id == plan_id) if is_uuid(plan_id) else None
    if found is None:
        raise NotFound(f'plan "{plan_id}" not found')
    return found


async def change(session: WriteSession, plan: Plan, wanted: PlanChange) -> Plan:
    """Changes a plan that is held or locked. One that goes on is due at once; one that ends
    gives its lease back."""
    values = _given(wanted)
    if wanted.state in PLAN_ENDED:
        values |= {"ended": func.clock_timestamp(), "lease_owner": None, "lease_expires": None}
    elif wanted.state is PlanState.RUNNING:
        values |= {"ended": None, "next_at": func.clock_timestamp()}
    if not values:
        return plan
    statement = update_(PlanRow).where(PlanRow.id == plan.id).values(values).returning(*_columns())
    return record(Plan, (await session.execute(statement)).one())


async def next_waiting(session: ReadSession, plan_id: str, most: int) -> list[int]:
    """The seqs of the items whose turn is next."""
    statement = (
        select(PlanItemRow.seq)
        .where(PlanItemRow.plan_id == plan_id, PlanItemRow.state == PlanItemState.WAITING)
        .order_by(PlanItemRow.seq)
        .limit(most)
    )
    return list(await session.scalars(statement))


async def take(session: WriteSession, plan: Plan, seqs: Sequence[int]) -> list[Item]:
    """Says that the turn of waiting items has come, with nothing left of an attempt before."""
    statement = (
        update_(PlanItemRow)
        .where(
            PlanItemRow.plan_id == plan.id,
            PlanItemRow.seq.in_(seqs),
            PlanItemRow.state == PlanItemState.WAITING,
        )
        .values(
            state=PlanItemState.MIGRATING,
            revision=plan.revision,
            attempts=PlanItemRow.attempts + 1,
            started=func.clock_timestamp(),
            migration_id=None,
            **_BLANK,
        )
        .returning(*_item_columns())
    )
    found = [record(Item, row) for row in await session.execute(statement)]
    return sorted(found, key=lambda item: item.seq)


async def change_item(
    session: WriteSession, plan: Plan, before: Item, wanted: ItemChange
) -> Item | None:
    """Changes an item of a plan that is held or locked; ``None`` if it has another state than
    ``before``, so that somebody else has changed it."""
    values: dict[str, Any] = {**_given(wanted), "revision": plan.revision}
    if wanted.state in _OVER:
        values["ended"] = func.clock_timestamp()
    statement = (
        update_(PlanItemRow)
        .where(
            PlanItemRow.plan_id == plan.id,
            PlanItemRow.seq == before.seq,
            PlanItemRow.state == before.state,
        )
        .values(values)
        .returning(*_item_columns())
    )
    row = (await session.execute(statement)).one_or_none()
    return None if row is None else record(Item, row)


async def cancel_waiting(session: WriteSession, plan: Plan) -> int:
    """Takes what has not begun out of a plan that is locked; how many there were."""
    values = {"state": PlanItemState.CANCELLED, "ended": func.clock_timestamp()}
    return await _all(session, plan, PlanItemState.WAITING, values)


async def retry_failed(session: WriteSession, plan: Plan) -> int:
    """Puts what failed, and has a target, back among those that wait; how many there were."""
    values = {"state": PlanItemState.WAITING, "ended": None, "migration_id": None, **_BLANK}
    return await _all(
        session, plan, PlanItemState.FAILED, values, PlanItemRow.target_name != literal("")
    )


async def _all(
    session: WriteSession,
    plan: Plan,
    state: PlanItemState,
    values: Mapping[str, Any],
    *conditions: ColumnElement[bool],
) -> int:
    statement = (
        update_(PlanItemRow)
        .where(PlanItemRow.plan_id == plan.id, PlanItemRow.state == state, *conditions)
        .values({**values, "revision": plan.revision})
        .returning(PlanItemRow.seq)
    )
    return len((await session.execute(statement)).all())


async def _next_revision(session: WriteSession, condition: ColumnElement[bool]) -> Plan | None:
    statement = (
        update_(PlanRow)
        .where(condition)
        .values(revision=PlanRow.revision + 1)
        .returning(*_columns())
    )
    row = (await session.execute(statement)).one_or_none()
    if row is None:
        return None
    found = record(Plan, row)
    await notify(session, PLANS, found.id)
    return found


_BLANK = {"ended": None, "message": "", "error_code": "", "error": "", "remedy": ""}

_MIGRATION = (
    "state",
    "phase",
    "message",
    "error_code",
    "error",
    "remedy",
    "phase_since",
    "machines",
    "units",
)


def _followed() -> Any:
    """Items with what their migrations say."""
    told = [getattr(MigrationRow, name).label(f"migration_{name}") for name in _MIGRATION]
    return (
        select(*_item_columns(), *told)
        .select_from(PlanItemRow)
        .outerjoin(MigrationRow, MigrationRow.id == PlanItemRow.migration_id)
    )


async def _read(session: ReadSession, statement: Any) -> list[Followed]:
    found = []
    for row in await session.execute(statement):
        values = dict(row._mapping)
        told = {name: values.pop(f"migration_{name}") for name in _MIGRATION}
        item = Item(**values)
        found.append(Followed(item, **told) if told["state"] else Followed(item))
    return found


def _given(wanted: PlanChange | ItemChange) -> dict[str, Any]:
    values = {field.name: getattr(wanted, field.name) for field in fields(wanted)}
    return {name: value for name, value in values.items() if value is not None}


def _has_work() -> ColumnElement[bool]:
    moving = exists().where(PlanItemRow.plan_id == PlanRow.id, PlanItemRow.state.in_(_UNDER_WAY))
    return and_(PlanRow.ended.is_(None), or_(PlanRow.state == PlanState.RUNNING, moving))


@cache
def _whether_due() -> Question:
    return leases.whether_any(PlanRow, PlanRow.next_at, _has_work())


def _columns() -> list[InstrumentedAttribute[Any]]:
    return columns(PlanRow, Plan)


def _item_columns() -> list[InstrumentedAttribute[Any]]:
    return columns(PlanItemRow, Item)
