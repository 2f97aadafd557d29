"""Models that come into JIMM, or leave it."""

from fastapi import APIRouter, Response

from jimm.fleet import models as fleet_models
from jimm.migration import adopting, leaving, prechecks
from jimm.migration.adopting import Unmanaged
from jimm.rest import schemas
from jimm.rest.context import CallerParam, Services, ServicesParam
from jimm.rest.routes import controllers, migrations, models
from jimm.rest.schemas_unmanaged import (
    Departure,
    Imported,
    ImportRequest,
    UnmanagedModel,
    UnmanagedModels,
)

router = APIRouter(tags=["models"])


@router.get("/controllers/{name}/unmanaged-models", response_model_exclude_none=True)
async def unmanaged(name: str, caller: CallerParam, given: ServicesParam) -> UnmanagedModels:
    """The models on a controller that JIMM does not have, asked of it now."""
    found = await adopting.unmanaged(given.fleet, caller, name)
    return UnmanagedModels(models=[_body(given, each) for each in found])


@router.post("/controllers/{name}:import-model", response_model_exclude_none=True)
async def import_model(
    name: str, body: ImportRequest, caller: CallerParam, given: ServicesParam
) -> Imported:
    """Takes a model that lives on a controller into JIMM."""
    done = await adopting.adopt(given.fleet, caller, name, body.model_uuid, owner=body.owner)
    seen = await fleet_models.find(given.fleet, caller, done.model.uuid)
    (model,) = await models.render(given, [seen])
    return Imported(changed=done.changed, notes=list(done.notes), model=model)


@router.post(
    "/models/{uuid}:migrate-out",
    status_code=202,
    response_model=schemas.Migration | schemas.DryRun,
    response_model_exclude_none=True,
    responses={200: {"model": schemas.DryRun, "description": "With `dry-run`."}},
)
async def migrate_out(
    uuid: str, body: Departure, response: Response, caller: CallerParam, given: ServicesParam
) -> schemas.Migration | schemas.DryRun:
    """Has a model leave JIMM for a controller that is not registered, or asks whether it could."""
    target = controllers.registration(body)
    if not body.dry_run:
        asked = await leaving.request(given.fleet, caller, uuid, target, prepare=body.prepare)
        return await migrations.render(given, asked)
    findings = await leaving.dry_run(given.fleet, caller, uuid, target)
    response.status_code = 200
    return schemas.DryRun(
        ready=not prechecks.refusing(findings, prepare=body.prepare),
        checks=[migrations.check(each) for each in findings],
    )


def _body(given: Services, each: Unmanaged) -> UnmanagedModel:
    told = each.told
    return UnmanagedModel(
        model_name=told.name,
        model_uuid=told.uuid,
        owner=told.owner,
        import_as=given.user_id(each.identity) or None,
        cloud=told.cloud,
        region=told.cloud_region,
        life=told.life or "alive",
        status=told.status.status,
        status_info=told.status.info,
        agent_version=told.agent_version or "",
        units=each.units,
    )
