"""What migrations took in the past, stage by stage."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import CTE, ColumnElement, Integer, Select, case, cast, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from jimm.registry.rows import record
from jimm.registry.session import ReadSession
from jimm.registry.tables import MigrationEventRow, MigrationRow
from jimm.registry.words import MigrationState

RECENT: Final = 500
"""How many migrations are looked at: the last ones that moved their model."""


@dataclass(frozen=True)
class StageTime:
    """What one stage (a phase, or a state without one) took in ``count`` migrations of one size
    class, in seconds: its median, its ninetieth percentile, and the median of what came after
    it. A class is the number of ``sizes`` that its models reach."""

    stage: str
    size_class: int
    median: float
    ninetieth: float
    after: float
    count: int


async def pastimes(
    session: ReadSession, sizes: Sequence[int], *, recent: int = RECENT
) -> list[StageTime]:
    """What the stages of the last migrations took; ``sizes`` are the bounds of the classes, in
    machines and units together, ascending.

    Waiting for a turn, and being stuck, is left out: neither says how long the work takes.
    """
    return [record(StageTime, row) for row in await session.execute(statement(sizes, recent))]


async def lengths(session: ReadSession, migrations: Collection[str]) -> dict[str, int]:
    """The last ``seq`` of each of these migrations' histories."""
    event = MigrationEventRow
    found = await session.execute(
        select(event.migration_id, func.max(event.seq).label("last"))
        .where(event.migration_id.in_(migrations))
        .group_by(event.migration_id)
    )
    return {row.migration_id: row.last for row in found}


def statement(sizes: Sequence[int], recent: int) -> Select[Any]:
    """The one statement behind it. It walks ``ix_migrations_started_id`` backwards and reads
    the events by their primary key."""
    took = _took(_lines(_recent(sizes, recent)))
    later = func.sum(took.c.took).over(
        partition_by=took.c.migration_id, order_by=took.c.last.desc(), rows=(None, -1)
    )
    whole = select(took, func.coalesce(later, 0).label("after")).cte("whole")
    return select(
        whole.c.stage,
        whole.c.size_class,
        _percentile(0.5, whole.c.took).label("median"),
        _percentile(0.9, whole.c.took).label("ninetieth"),
        _percentile(0.5, whole.c.after).label("after"),
        func.count().label("count"),
    ).group_by(whole.c.stage, whole.c.size_class)


def _recent(sizes: Sequence[int], count: int) -> CTE:
    """The last migrations that moved their model, and their size classes."""
    size = MigrationRow.machines + MigrationRow.units
    bounds = cast(literal(list(sizes), ARRAY(Integer)), ARRAY(Integer))
    return (
        select(MigrationRow.id, func.width_bucket(size, bounds).label("size_class"))
        .where(MigrationRow.state == MigrationState.DONE)
        .order_by(MigrationRow.started.desc(), MigrationRow.id.desc())
        .limit(count)
        .cte("recent")
    )


def _lines(recent: CTE) -> CTE:
    """Each line of their histories, and the seconds until the next one."""
    event = MigrationEventRow
    ends = func.lead(event.at).over(partition_by=event.migration_id, order_by=event.seq)
    return (
        select(
            event.migration_id,
            recent.c.size_class,
            event.state,
            case((event.phase == "", event.state), else_=event.phase).label("stage"),
            event.seq,
            func.extract("epoch", ends - event.at).label("lasted"),
        )
        .join_from(recent, event, event.migration_id == recent.c.id)
        .cte("lines")
    )


def _took(lines: CTE) -> CTE:
    """What each stage of each migration took, and the line with which it ended."""
    one = (lines.c.migration_id, lines.c.size_class, lines.c.stage)
    return (
        select(*one, func.max(lines.c.seq).label("last"), func.sum(lines.c.lasted).label("took"))
        .where(
            lines.c.state.not_in([MigrationState.REQUESTED, MigrationState.STUCK]),
            lines.c.lasted.is_not(None),
        )
        .group_by(*one)
        .cte("took")
    )


def _percentile(share: float, column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.percentile_cont(share).within_group(column)
