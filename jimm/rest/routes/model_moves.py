"""Where a model could go, and where one was moved by hand.

Include this router before that of the models: ``/{uuid}/migration-targets`` would there be read
as an owner and a name.
"""

from fastapi import APIRouter

from jimm.errors import ModelNotFound, NotFound
from jimm.migration import by_hand, prechecks, requests
from jimm.rest import problems, schemas
from jimm.rest.context import CallerParam, ServicesParam
from jimm.rest.routes import controllers
from jimm.rest.routes.migrations import check

router = APIRouter(prefix="/models", tags=["models"])


@router.get("/{uuid}/migration-targets", response_model_exclude_none=True)
async def targets(uuid: str, caller: CallerParam, given: ServicesParam) -> schemas.Targets:
    """Every other controller, with what speaks against a migration to it."""
    found = await requests.targets(given.fleet, caller, uuid)
    return schemas.Targets(
        controllers=[
            schemas.Target.model_validate(
                {
                    **controllers.fields(controller),
                    "ready": not prechecks.refusing(findings, prepare=False),
                    "checks": [check(each) for each in findings],
                }
            )
            for controller, findings in found
        ]
    )


@router.post("/{uuid}:update-migrated")
async def update_migrated(
    uuid: str, body: schemas.UpdateMigrated, caller: CallerParam, given: ServicesParam
) -> schemas.Updated:
    """Finds a model that was moved by hand where it is now."""
    with problems.naming({ModelNotFound: "", NotFound: "controller"}):
        updated = await by_hand.update_migrated(given.fleet, caller, uuid, body.controller)
    return schemas.Updated(changed=updated.changed, message=updated.message)
