"""The items of all plans as one list of jobs."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, select

from jimm.errors import NotFound
from jimm.registry.plan_records import Item, Job
from jimm.registry.rows import columns
from jimm.registry.session import ReadSession
from jimm.registry.tables import PlanItemRow, PlanRow
from jimm.registry.words import PlanItemState, PlanKind, PlanState


async def by_number(session: ReadSession, number: int) -> Job:
    """The job with that number.

    Raises:
        NotFound: there is none.
    """
    found = await _read(session, _select().where(PlanItemRow.job == number))
    if not found:
        raise NotFound(f'job "{number}" not found')
    return found[0]


async def page(
    session: ReadSession,
    *,
    kinds: Collection[str] = (),
    states: Collection[PlanItemState] | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Job]:
    """Jobs, those with the highest numbers first, below the number ``before``."""
    statement = _select().order_by(PlanItemRow.job.desc()).limit(limit)
    if kinds:
        statement = statement.where(PlanRow.kind.in_(sorted(kinds)))
    if states is not None:
        statement = statement.where(PlanItemRow.state.in_(sorted(states)))
    if before is not None:
        statement = statement.where(PlanItemRow.job < before)
    return await _read(session, statement)


async def latest(session: ReadSession, kind: PlanKind, uuids: Collection[str]) -> dict[str, Job]:
    """The newest job of that kind of each of these models, by uuid."""
    statement = (
        _select()
        .where(PlanRow.kind == kind, PlanItemRow.model_uuid.in_(uuids))
        .distinct(PlanItemRow.model_uuid)
        .order_by(PlanItemRow.model_uuid, PlanItemRow.job.desc())
    )
    return {str(each.item.model_uuid): each for each in await _read(session, statement)}


def _select() -> Select[Any]:
    return select(
        *columns(PlanItemRow, Item),
        PlanRow.kind.label("plan_kind"),
        (PlanRow.state == PlanState.PAUSED).label("plan_paused"),
    ).join(PlanRow, PlanRow.id == PlanItemRow.plan_id)


async def _read(session: ReadSession, statement: Select[Any]) -> list[Job]:
    found = []
    for row in await session.execute(statement):
        values = dict(row._mapping)
        kind, paused = PlanKind(values.pop("plan_kind")), bool(values.pop("plan_paused"))
        found.append(Job(Item(**values), kind, paused))
    return found
