"""What plans are made from: models and controllers as they stand, each in one statement."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Integer, Text, case, cast, func, select, true
from sqlalchemy.dialects.postgresql import JSONB

from jimm.registry.plan_records import PlannedController, PlannedModel
from jimm.registry.rows import record
from jimm.registry.session import ReadSession
from jimm.registry.tables import (
    ControllerRegionRow,
    ControllerRow,
    IdentityRow,
    MigrationRow,
    ModelRow,
    OfferRow,
    PlanItemRow,
    PlanRow,
)
from jimm.registry.words import GONE, ControllerStatus, ModelState, PlanItemState

_OPEN = (PlanItemState.WAITING, PlanItemState.MIGRATING, PlanItemState.UPGRADING)


async def models(
    session: ReadSession,
    *,
    controller: str = "",
    cloud: str = "",
    region: str = "",
    uuids: Collection[str] | None = None,
) -> list[PlannedModel]:
    """The models on a controller, on a cloud, in a region, of these uuids; by name of owner and
    model. Those that are being made are left out, and so are those that are being destroyed,
    unless they are named."""
    statement = _models()
    wanted = ((ControllerRow.name, controller), (ModelRow.cloud, cloud), (ModelRow.region, region))
    for column, value in wanted:
        if value:
            statement = statement.where(column == value)
    if uuids is None:
        statement = statement.where(ModelRow.state != ModelState.DESTROYING)
    else:
        statement = statement.where(ModelRow.uuid.in_(uuids))
    return [record(PlannedModel, row) for row in await session.execute(statement)]


async def controllers(session: ReadSession) -> list[PlannedController]:
    """Every controller by name, with what it carries and what is on its way to it."""
    coming = (
        select(func.count())
        .where(MigrationRow.ended.is_(None), MigrationRow.target_id == ControllerRow.id)
        .correlate(ControllerRow)
        .scalar_subquery()
    )
    statement = select(
        ControllerRow.name,
        ControllerRow.uuid,
        (ControllerRow.status == ControllerStatus.AVAILABLE).label("available"),
        ControllerRow.status_info,
        ControllerRow.deprecated,
        ControllerRow.agent_version,
        _reach().label("reach"),
        (_carried(func.count()) + coming).label("models"),
        _carried(func.coalesce(func.sum(_machines()), 0)).label("machines"),
    ).order_by(ControllerRow.name)
    found = []
    for row in await session.execute(statement):
        values = dict(row._mapping)
        reach: dict[str, dict[str, int]] = {}
        for cloud, region, priority in values.pop("reach") or ():
            reach.setdefault(cloud, {})[region] = priority
        found.append(PlannedController(**values, reach=reach))
    return found


async def offering(session: ReadSession, model_ids: Collection[int]) -> set[int]:
    """Those of these models that offer anything, as far as JIMM knows."""
    statement = select(OfferRow.model_id).where(OfferRow.model_id.in_(model_ids)).distinct()
    return set(await session.scalars(statement))


async def left_on(session: ReadSession, controller: str) -> int:
    """How many models a controller has."""
    statement = (
        select(func.count())
        .select_from(ModelRow)
        .join(ControllerRow, ControllerRow.id == ModelRow.controller_id)
        .where(ControllerRow.name == controller, ModelRow.life != GONE)
    )
    return (await session.execute(statement)).scalar_one()


def _models() -> Any:
    return (
        select(
            ModelRow.uuid,
            ModelRow.id,
            (IdentityRow.name + "/" + ModelRow.name).label("name"),
            IdentityRow.name.label("owner"),
            func.coalesce(ControllerRow.name, "").label("controller"),
            ModelRow.cloud,
            ModelRow.region,
            ModelRow.agent_version,
            ModelRow.state,
            ModelRow.life,
            _machines().label("machines"),
            ModelRow.created_at.label("created"),
            _migrating().label("migrating"),
            _in_plan().label("in_plan"),
        )
        .join(IdentityRow, IdentityRow.id == ModelRow.owner_id)
        .outerjoin(ControllerRow, ControllerRow.id == ModelRow.controller_id)
        .where(
            ModelRow.uuid.is_not(None),
            ModelRow.life != GONE,
            ModelRow.state != ModelState.CREATING,
        )
        .order_by(IdentityRow.name, ModelRow.name)
    )


def _machines() -> Any:
    told = ModelRow.counts["machines"]
    is_number = func.jsonb_typeof(told) == "number"
    return case((is_number, cast(told.astext, Integer)), else_=0)


def _carried(what: Any) -> Any:
    return (
        select(what)
        .where(ModelRow.controller_id == ControllerRow.id)
        .correlate(ControllerRow)
        .scalar_subquery()
    )


def _migrating() -> Any:
    return (
        select(true())
        .where(MigrationRow.model_uuid == ModelRow.uuid, MigrationRow.ended.is_(None))
        .correlate(ModelRow)
        .exists()
    )


def _in_plan() -> Any:
    """A plan that is not over and has the model before it; empty for none."""
    plan = (
        select(func.max(cast(PlanRow.id, Text)))
        .join(PlanItemRow, PlanItemRow.plan_id == PlanRow.id)
        .where(
            PlanItemRow.model_uuid == ModelRow.uuid,
            PlanItemRow.state.in_(_OPEN),
            PlanRow.ended.is_(None),
        )
        .correlate(ModelRow)
        .scalar_subquery()
    )
    return func.coalesce(plan, "")


def _reach() -> Any:
    pair = func.jsonb_build_array(
        ControllerRegionRow.cloud, ControllerRegionRow.region, ControllerRegionRow.priority
    )
    return (
        select(func.jsonb_agg(pair, type_=JSONB))
        .where(ControllerRegionRow.controller_id == ControllerRow.id)
        .correlate(ControllerRow)
        .scalar_subquery()
    )
