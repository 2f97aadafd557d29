"""Registered controllers."""

from fastapi import APIRouter

from jimm.fleet import administration, controllers
from jimm.fleet.controllers import Registration
from jimm.registry.controllers import Controller
from jimm.registry.words import ControllerStatus
from jimm.rest import paging, schemas
from jimm.rest.context import CallerParam, ServicesParam
from jimm.rest.paging import CursorParam, LimitParam
from jimm.wire.secret import Secret
from jimm.wire.tags import cloud_tag

router = APIRouter(prefix="/controllers", tags=["controllers"])


@router.get("", response_model_exclude_none=True)
async def every(
    caller: CallerParam, given: ServicesParam, limit: LimitParam = 100, cursor: CursorParam = ""
) -> schemas.Controllers:
    """The controllers that the caller may know of, by name."""
    (after,) = paging.decode(cursor, 1)
    rows = await controllers.list_controllers(given.fleet, caller, after=after, limit=limit + 1)
    page, more = paging.cut(rows, limit)
    return schemas.Controllers(
        controllers=[render(each) for each in page],
        next=paging.encode(page[-1].name) if more else None,
    )


@router.get("/{name}", response_model_exclude_none=True)
async def show(name: str, caller: CallerParam, given: ServicesParam) -> schemas.Controller:
    """One controller."""
    return render(await controllers.show(given.fleet, caller, name))


@router.post("", status_code=201, response_model_exclude_none=True)
async def add(
    body: schemas.NewController, caller: CallerParam, given: ServicesParam
) -> schemas.Controller:
    """Registers a controller, after a look at it."""
    return render(await controllers.register(given.fleet, caller, registration(body)))


@router.patch("/{name}", response_model_exclude_none=True)
async def change(
    name: str, body: schemas.ControllerChange, caller: CallerParam, given: ServicesParam
) -> schemas.Controller:
    """Says whether it takes new models."""
    return render(await controllers.set_deprecated(given.fleet, caller, name, body.deprecated))


@router.delete("/{name}")
async def remove(
    name: str, caller: CallerParam, given: ServicesParam, force: bool = False
) -> schemas.Removed:
    """Forgets a controller; with `force` its models stay known as unmanaged."""
    unmanaged = await controllers.remove(given.fleet, caller, name, force=force)
    return schemas.Removed(
        unmanaged=[
            schemas.ModelName(
                model_name=each.name, model_uuid=each.uuid, owner=given.user_id(each.owner)
            )
            for each in unmanaged
        ]
    )


@router.put("/{name}/add-model/{user}")
async def let_add_models(
    name: str, user: str, caller: CallerParam, given: ServicesParam
) -> schemas.Nothing:
    """Lets somebody add models on a controller."""
    await administration.modify_one(given.fleet, caller, name, user, action="grant")
    return schemas.Nothing()


@router.delete("/{name}/add-model/{user}")
async def stop_adding_models(
    name: str, user: str, caller: CallerParam, given: ServicesParam
) -> schemas.Nothing:
    """Takes that back."""
    await administration.modify_one(given.fleet, caller, name, user, action="revoke")
    return schemas.Nothing()


def registration(body: schemas.NewController) -> Registration:
    """What an administrator says of a controller."""
    return Registration(
        name=body.name,
        uuid=body.uuid,
        public_address=body.public_address,
        tls_hostname=body.tls_hostname,
        addresses=tuple(body.api_addresses),
        ca_certificate=body.ca_certificate,
        username=body.username,
        password=Secret(body.password.get_secret_value()),
    )


def render(controller: Controller) -> schemas.Controller:
    """A controller as a body."""
    return schemas.Controller.model_validate(fields(controller))


def fields(controller: Controller) -> dict[str, object]:
    """The fields of a controller's body."""
    return {
        "name": controller.name,
        "uuid": controller.uuid,
        "public_address": controller.public_address,
        "api_addresses": list(controller.addresses),
        "ca_certificate": controller.ca_certificate,
        "cloud_tag": cloud_tag(controller.cloud),
        "cloud_region": controller.region,
        "agent_version": controller.agent_version,
        "status": status(controller),
        "deprecated": controller.deprecated,
        "trust": controller.trust.value,
    }


def status(controller: Controller) -> schemas.Status:
    """``available``, ``deprecated`` or ``unavailable``: the worst that holds."""
    if controller.status is not ControllerStatus.AVAILABLE:
        return schemas.Status(
            status="unavailable", info=controller.status_info, since=controller.status_since
        )
    return schemas.Status(status="deprecated" if controller.deprecated else "available")
