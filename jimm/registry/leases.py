"""Leases on rows: who works on one, until when, by the database's clock.

A claim raises the row's *fence*. Whoever works on a row gives the fence with each write, and
a write with an old fence changes nothing: the lease was lost, and the result is dropped.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Update, and_, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute

from jimm.registry.held import Held
from jimm.registry.prepared import Question
from jimm.registry.session import Registry, WriteSession
from jimm.registry.tables import IntentRow, MigrationRow, PlanRow

__all__ = [
    "Held",
    "Leased",
    "claimed",
    "guard",
    "is_any",
    "release",
    "release_all",
    "renew",
    "seconds",
    "whether_any",
]

Leased = type[IntentRow] | type[MigrationRow] | type[PlanRow]


def seconds(value: float) -> ColumnElement[Any]:
    """An interval."""
    return func.make_interval(0, 0, 0, 0, 0, 0, value)


def free(table: Leased) -> ColumnElement[bool]:
    """Whether nobody works on it."""
    return or_(table.lease_expires.is_(None), table.lease_expires < func.clock_timestamp())


def guard(table: Leased, held: Held) -> ColumnElement[bool]:
    """Whether the lease is still that one."""
    return and_(table.id == held.id, table.fence == held.fence, table.lease_owner.is_not(None))


def taken(table: Leased, owner: str, lease: float) -> dict[InstrumentedAttribute[Any], Any]:
    """The values of a claim for ``lease`` seconds."""
    return {
        table.lease_owner: owner,
        table.lease_expires: func.clock_timestamp() + seconds(lease),
        table.fence: table.fence + 1,
    }


def claimed(
    table: Leased, owner: str, lease: float, at: InstrumentedAttribute[Any], *which: Any
) -> Update:
    """The statement that takes the lease of the row that has been due longest, of those that are
    open (``which``), that nobody works on, and that no other claim holds. ``at`` is the column
    that says when a row is due.
    """
    due = (
        _due(table, at, *which)
        .order_by(at)
        .limit(1)
        .with_for_update(skip_locked=True, of=table)
        .scalar_subquery()
    )
    return update(table).where(table.id == due).values(taken(table, owner, lease))


def whether_any(table: Leased, at: InstrumentedAttribute[Any], *which: Any) -> Question:
    """Whether :func:`claimed` would find a row: what it costs to ask is a tenth of a claim, and
    nearly always there is none."""
    return Question(select(_due(table, at, *which).exists().label("due")))


async def is_any(registry: Registry, question: Question) -> bool:
    """The answer to it."""
    return bool((await registry.ask(question))[0]["due"])


async def renew(session: WriteSession, table: Leased, held: Held, lease: float) -> datetime | None:
    """Holds it for ``lease`` seconds from now; until when, or ``None`` if it was lost."""
    statement = (
        update(table)
        .where(guard(table, held))
        .values({table.lease_expires: func.clock_timestamp() + seconds(lease)})
        .returning(table.lease_expires)
    )
    return (await session.execute(statement)).scalar_one_or_none()


async def release(session: WriteSession, table: Leased, held: Held) -> bool:
    """Hands it back; ``False`` if it was lost before."""
    statement = (
        update(table)
        .where(guard(table, held))
        .values({table.lease_owner: None, table.lease_expires: None})
        .returning(table.id)
    )
    return (await session.execute(statement)).first() is not None


async def release_all(session: WriteSession, table: Leased, owner: str) -> int:
    """Hands back all leases of an owner, at a graceful stop; how many there were."""
    statement = (
        update(table)
        .where(table.lease_owner == owner)
        .values({table.lease_owner: None, table.lease_expires: None})
        .returning(table.id)
    )
    return len((await session.execute(statement)).all())


def _due(table: Leased, at: InstrumentedAttribute[Any], *which: Any) -> Select[Any]:
    return select(table.id).where(*which, at <= func.clock_timestamp(), free(table))
