"""Registering controllers, showing them, retiring them."""

import logging
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from jimm import audit
from jimm.controllers.probe import Probe, probe
from jimm.errors import (
    ControllerError,
    NotFound,
    NotValid,
    RemoteError,
    Unauthorized,
    WrongController,
)
from jimm.fleet.caller import Caller
from jimm.fleet.fleet import Fleet
from jimm.fleet.trust import password_login
from jimm.net.dial import Address
from jimm.registry import clouds, controllers, relations
from jimm.registry.clouds import OWN_REGION, REACHED_REGION, Cloud, Reach, Region
from jimm.registry.controllers import Controller, Health, NewController, UnmanagedModel
from jimm.registry.relations import Object
from jimm.registry.session import WriteSession
from jimm.registry.words import EVERYONE, ControllerStatus, Relation, Trust
from jimm.wire import tags
from jimm.wire.params.admin import LoginRequest
from jimm.wire.params.cloud import Cloud as CloudDefinition
from jimm.wire.secret import Secret

log = logging.getLogger(__name__)

NO_REGION: Final = "default"
"""The region of a cloud that has none."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What an administrator says of a controller. ``uuid`` may be empty: it is asked for.

    ``addresses`` are ``host:port``; with an empty user name only a token is tried.
    """

    name: str
    uuid: str
    public_address: str
    tls_hostname: str
    addresses: tuple[str, ...]
    ca_certificate: str
    username: str
    password: Secret


async def register(fleet: Fleet, caller: Caller, asked: Registration) -> Controller:
    """Looks at a controller, makes sure of it, and registers it.

    Raises:
        Unauthorized: the caller does not administer JIMM.
        NotValid: a field can't be; a cloud differs from the known one of its name.
        AlreadyExists: the name or the uuid is registered.
        WrongController: another uuid answers there.
        ControllerUnavailable, RemoteError: it can't be reached, or refuses the login.
    """
    require_administrator(caller)
    _check(asked)
    trust, found = await _look(fleet, asked)
    _require_uuid(asked, found)
    if found.uuid == fleet.uuid:
        field = "public-address" if asked.public_address else "api-addresses"
        raise NotValid("JIMM itself answers there: give a controller's address", field=field)
    async with fleet.registry.write() as session:
        await _check_clouds(session, found)
        added = await controllers.add(session, _row(fleet, asked, trust, found))
        await _add_clouds(session, added, found)
        if fleet.settings.open_controllers:
            await _open_to_everyone(session, added, found)
        health = Health(ControllerStatus.AVAILABLE, agent_version=found.agent_version)
        await controllers.record_health(session, added.uuid, health)
        await audit.record(
            session,
            caller.did("add-controller", controller=added.name),
        )
        added = await controllers.by_uuid(session, added.uuid)
    await fleet.connect_all()
    return added


async def look_outside(asked: Registration) -> Probe:
    """What a controller says of itself that is not to be registered, by the login alone.

    Raises:
        NotValid: a field can't be, or the login is no superuser's.
        WrongController: another uuid answers there.
        ControllerUnavailable, RemoteError: it can't be reached, or refuses the login.
    """
    _check(asked)
    if not asked.username:
        raise NotValid("give an admin's login", field="username")
    found = await _probe(asked, password_login(asked.username, asked.password))
    _require_uuid(asked, found)
    return found


async def list_controllers(
    fleet: Fleet, caller: Caller, *, after: str = "", limit: int = 500
) -> list[Controller]:
    """The controllers that the caller may know of, by name.

    Administrators see all of all; others those on which they may add models, without
    addresses, CA and user names.
    """
    may_add = None if caller.admin else caller.identity
    async with fleet.registry.read() as session:
        found = await controllers.page(session, after=after, limit=limit, may_add=may_add)
    return [_for(caller, each) for each in found]


async def show(fleet: Fleet, caller: Caller, name: str) -> Controller:
    """One controller.

    Raises:
        NotFound: no such controller, or none that the caller may know of.
    """
    async with fleet.registry.read() as session:
        if caller.admin:
            return await controllers.by_name(session, name)
        mine = await controllers.page(session, limit=100_000, may_add=caller.identity)
    for each in mine:
        if each.name == name:
            return _for(caller, each)
    raise NotFound(f'controller "{name}" not found')


async def set_deprecated(fleet: Fleet, caller: Caller, name: str, deprecated: bool) -> Controller:
    """Says whether it takes new models.

    Raises:
        Unauthorized: the caller does not administer JIMM.
        NotFound: no such controller.
    """
    require_administrator(caller)
    async with fleet.registry.write() as session:
        changed = await controllers.set_deprecated(session, name, deprecated)
        action = "deprecate-controller" if deprecated else "undeprecate-controller"
        await audit.record(session, caller.did(action, controller=name))
    return changed


async def remove(fleet: Fleet, caller: Caller, name: str, *, force: bool) -> list[UnmanagedModel]:
    """Forgets a controller, never its models: forced, they stay known as unmanaged.

    Raises:
        Unauthorized: the caller does not administer JIMM.
        NotFound: no such controller.
        StillAlive: models live there, and it was not forced.
        Conflict: a model moves from or to it.
    """
    require_administrator(caller)
    async with fleet.registry.write() as session:
        unmanaged = await controllers.remove(session, name, force=force)
        await audit.record(
            session,
            caller.did(
                "remove-controller",
                controller=name,
                params={"force": force, "unmanaged": [each.uuid for each in unmanaged]},
            ),
        )
    await fleet.connect_all()
    return unmanaged


def require_administrator(caller: Caller) -> None:
    """Nothing for an administrator of JIMM.

    Raises:
        Unauthorized: the caller is none.
    """
    if not caller.admin:
        raise Unauthorized


def _for(caller: Caller, controller: Controller) -> Controller:
    if caller.admin:
        return controller
    return replace(
        controller,
        addresses=(),
        public_address="",
        ca_certificate="",
        admin_username="",
        status_info="",
    )


def _check(asked: Registration) -> None:
    if not tags.is_controller_name(asked.name) or asked.name == "jimm":
        raise NotValid(f'"{asked.name}" is not a valid controller name', field="name")
    if asked.uuid and not tags.is_uuid(asked.uuid):
        raise NotValid(f'"{asked.uuid}" is not a valid uuid', field="uuid")
    if not asked.addresses and not asked.public_address:
        raise NotValid("give at least one address, as host:port", field="api-addresses")
    for field, addresses in (
        ("public-address", (asked.public_address,) if asked.public_address else ()),
        ("api-addresses", asked.addresses),
    ):
        for address in addresses:
            try:
                Address.parse(address)
            except NotValid as error:
                raise NotValid(str(error), field=field) from error


def _require_uuid(asked: Registration, found: Probe) -> None:
    if asked.uuid and found.uuid != asked.uuid:
        raise WrongController(
            f"wrong controller: {found.uuid} answers there, and not {asked.uuid}", field="uuid"
        )


async def _look(fleet: Fleet, asked: Registration) -> tuple[Trust, Probe]:
    """Tries a token first: a controller that trusts JIMM is better known by it."""
    if asked.uuid:
        try:
            return Trust.TOKEN, await _probe(asked, await _token(fleet, asked.uuid))
        except RemoteError:
            if not asked.username:
                raise
    if not asked.username:
        raise NotValid("give the controller's uuid, or an admin's login", field="uuid")
    found = await _probe(asked, password_login(asked.username, asked.password))
    try:
        await _probe(asked, await _token(fleet, found.uuid))
    except ControllerError:
        return Trust.PASSWORD, found
    return Trust.TOKEN, found


async def _token(fleet: Fleet, uuid: str) -> LoginRequest:
    controller = tags.ControllerUUID(uuid)
    access = {tags.controller_tag(uuid): "superuser"}
    return await fleet.trust.token_login(controller, fleet.trust.own_identity, access)


async def _probe(asked: Registration, login: LoginRequest) -> Probe:
    addresses = [asked.public_address] if asked.public_address else list(asked.addresses)
    try:
        return await probe(addresses, asked.ca_certificate, asked.tls_hostname, login)
    except RemoteError as error:
        # Else its "invalid entity name or password" would read as JIMM's own.
        raise RemoteError(f"the controller says: {error}", error.juju_code, error.info) from error


def _row(fleet: Fleet, asked: Registration, trust: Trust, found: Probe) -> NewController:
    sealed = None
    if asked.username:
        sealed = fleet.sealer.seal(
            asked.password, table="controllers", column="admin_password_sealed", row=found.uuid
        )
    return NewController(
        name=asked.name,
        uuid=found.uuid,
        public_address=asked.public_address,
        addresses=found.addresses or asked.addresses,
        tls_hostname=asked.tls_hostname,
        ca_certificate=asked.ca_certificate,
        trust=trust,
        admin_username=asked.username,
        admin_password_sealed=sealed,
        cloud=found.cloud,
        region=found.region,
        controller_model_uuid=found.controller_model_uuid,
        agent_version=found.agent_version,
    )


async def _check_clouds(session: WriteSession, found: Probe) -> None:
    """Users' credentials go by the cloud's name, so one name must be one cloud."""
    known = {cloud.name: cloud for cloud in await clouds.every(session)}
    for name, theirs in found.clouds.items():
        ours = known.get(name)
        if ours is None:
            continue
        for key, value in _identity(theirs).items():
            if (ours.definition.get(key) or "") != value:
                raise NotValid(
                    f'its cloud "{name}" is another cloud than the registered one of that name: '
                    f'{key} is "{value}" and not "{ours.definition.get(key) or ""}"',
                    field="name",
                )


def _identity(cloud: CloudDefinition) -> dict[str, str]:
    return {
        "type": cloud.type,
        "endpoint": cloud.endpoint,
        "identity-endpoint": cloud.identity_endpoint,
        "storage-endpoint": cloud.storage_endpoint,
    }


async def _add_clouds(session: WriteSession, added: Controller, found: Probe) -> None:
    reach: list[Reach] = []
    for name, cloud in found.clouds.items():
        regions = tuple(
            Region(region.name, msgspec.to_builtins(region)) for region in cloud.regions
        )
        await clouds.put(session, Cloud(name, cloud.type, msgspec.to_builtins(cloud), regions))
        for region in [each.name for each in cloud.regions] or [NO_REGION]:
            own = name == found.cloud and region == (found.region or NO_REGION)
            reach.append(Reach(name, region, OWN_REGION if own else REACHED_REGION))
    await clouds.set_reach(session, added.id, reach)


async def _open_to_everyone(session: WriteSession, added: Controller, found: Probe) -> None:
    objects = [Object.controller(added.uuid), *(Object.cloud(name) for name in found.clouds)]
    for each in objects:
        await relations.add(session, EVERYONE, Relation.CAN_ADDMODEL, each)
