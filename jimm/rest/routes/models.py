"""Models and the controllers that host them."""

from collections.abc import Collection, Mapping, Sequence

from fastapi import APIRouter

from jimm.access.names import qualify
from jimm.fleet import listings, models
from jimm.registry import migrations
from jimm.registry.listings import Listed
from jimm.registry.migrations import Migration
from jimm.registry.models import Model, Visible
from jimm.registry.words import ModelState
from jimm.rest import paging, schemas
from jimm.rest.context import CallerParam, Services, ServicesParam
from jimm.rest.paging import CursorParam, LimitParam
from jimm.wire.tags import ModelUUID

router = APIRouter(prefix="/models", tags=["models"])


@router.get("", response_model_exclude_none=True)
async def every(
    caller: CallerParam,
    given: ServicesParam,
    limit: LimitParam = 100,
    cursor: CursorParam = "",
    controller: str = "",
) -> schemas.Models:
    """The models that the caller may see, by owner and name."""
    owner, name = paging.decode(cursor, 2)
    rows = await listings.every(
        given.fleet, caller, after=(owner, name), limit=limit + 1, controller=controller
    )
    page, more = paging.cut(rows, limit)
    moving = await _moving(given, [each.uuid for each in page])
    bodies = [_body(given, each, listings.status(each), moving.get(each.uuid)) for each in page]
    last = paging.encode(page[-1].owner, page[-1].name) if more else None
    return schemas.Models(models=bodies, next=last)


@router.get("/{uuid}", response_model_exclude_none=True)
async def by_uuid(uuid: str, caller: CallerParam, given: ServicesParam) -> schemas.Model:
    """One model, by its uuid."""
    return (await render(given, [await models.find(given.fleet, caller, uuid)]))[0]


@router.get("/{owner}/{name}", response_model_exclude_none=True)
async def by_name(
    owner: str, name: str, caller: CallerParam, given: ServicesParam
) -> schemas.Model:
    """One model, by its owner and name; a bare owner is a user of JIMM's own."""
    reference = f"{qualify(owner, given.fleet.local_domain)}/{name}"
    return (await render(given, [await models.refer(given.fleet, caller, reference)]))[0]


@router.post("/{uuid}:forget")
async def forget(uuid: str, caller: CallerParam, given: ServicesParam) -> schemas.Nothing:
    """Takes a model that is missing or unmanaged out of the registry."""
    await models.forget(given.fleet, caller, uuid)
    return schemas.Nothing()


async def render(given: Services, found: Sequence[Visible]) -> list[schemas.Model]:
    """Models as bodies, each with the migration that it is in."""
    away = await models.away(given.fleet)
    moving = await _moving(given, [each.model.uuid for each in found])
    return [
        _body(given, each.model, _status(each.model, away), moving.get(each.model.uuid))
        for each in found
    ]


async def _moving(given: Services, uuids: Collection[str]) -> Mapping[ModelUUID, Migration]:
    async with given.fleet.registry.read() as session:
        return await migrations.active(session, uuids)


def _body(
    given: Services, model: Model | Listed, status: str, moving: Migration | None
) -> schemas.Model:
    return schemas.Model(
        model_name=model.name,
        model_uuid=model.uuid,
        owner=given.user_id(model.owner),
        controller_name=model.controller_name or "",
        controller_uuid=model.controller_uuid or "",
        cloud=model.cloud,
        region=model.region,
        status=status,
        life=model.life,
        migration=None
        if moving is None
        else schemas.ModelMigration(
            migration_id=moving.id,
            state=moving.state.value,
            phase=moving.phase,
            message=moving.message,
            started=moving.started,
        ),
    )


def _status(model: Model, away: Collection[str]) -> str:
    if model.state in (ModelState.MISSING, ModelState.UNMANAGED, ModelState.DESTROYING):
        return model.state.value
    if (model.controller_name or "") in away:
        return listings.UNAVAILABLE
    return model.status or "available"
