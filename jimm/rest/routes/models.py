"""Models and the controllers that host them."""

from collections.abc import Collection, Sequence

from fastapi import APIRouter

from jimm.access.names import qualify
from jimm.fleet import models
from jimm.registry import migrations
from jimm.registry.migrations import Migration
from jimm.registry.models import Visible
from jimm.registry.words import ModelState
from jimm.rest import paging, schemas
from jimm.rest.context import CallerParam, Services, ServicesParam
from jimm.rest.paging import CursorParam, LimitParam

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
    rows = await models.visible(
        given.fleet, caller, after=(owner, name), limit=limit + 1, controller=controller
    )
    page, more = paging.cut(rows, limit)
    last = page[-1].model if more else None
    return schemas.Models(
        models=await render(given, page),
        next=None if last is None else paging.encode(last.owner, last.name),
    )


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
    async with given.fleet.registry.read() as session:
        moving = await migrations.active(session, [each.model.uuid for each in found])
    return [_body(given, each, moving.get(each.model.uuid), away) for each in found]


def _body(
    given: Services, seen: Visible, moving: Migration | None, away: Collection[str]
) -> schemas.Model:
    model = seen.model
    return schemas.Model(
        model_name=model.name,
        model_uuid=model.uuid,
        owner=given.user_id(model.owner),
        controller_name=model.controller_name or "",
        controller_uuid=model.controller_uuid or "",
        cloud=model.cloud,
        region=model.region,
        status=_status(seen, away),
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


def _status(seen: Visible, away: Collection[str]) -> str:
    model = seen.model
    if model.state in (ModelState.MISSING, ModelState.UNMANAGED, ModelState.DESTROYING):
        return model.state.value
    if (model.controller_name or "") in away:
        return "unavailable"
    return model.status or "available"
