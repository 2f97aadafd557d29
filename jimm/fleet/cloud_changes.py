"""Adding clouds to controllers, changing and removing them.

The registry comes first and last: a name is taken before a controller is told of the cloud, so
that one name is one cloud, and a cloud is offered from when a controller has it.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from jimm import audit
from jimm.controllers.calls import cloud as calls
from jimm.errors import (
    AlreadyExists,
    CloudRegionRequired,
    Conflict,
    ControllerError,
    ControllerUnavailable,
    IncompatibleClouds,
    LostAnswer,
    NotFound,
    NotValid,
    RemoteError,
    Unauthorized,
)
from jimm.fleet import clouds as cases
from jimm.fleet import placing
from jimm.fleet.caller import Caller
from jimm.fleet.controllers import NO_REGION
from jimm.fleet.fleet import Fleet
from jimm.fleet.placing import Wanted
from jimm.registry import clouds, controllers, relations
from jimm.registry.clouds import Cloud, Region
from jimm.registry.controllers import Controller
from jimm.registry.relations import Object
from jimm.registry.session import WriteSession
from jimm.registry.words import Relation
from jimm.wire import codes, tags
from jimm.wire.fold import convert
from jimm.wire.params.cloud import Cloud as Definition
from jimm.wire.params.cloud import CloudRegion

KUBERNETES: Final = "kubernetes"
"""The type of clouds that whoever may add models may add too."""

RESERVED: Final = frozenset(
    [
        "aws",
        "aws-china",
        "aws-gov",
        "azure",
        "azure-china",
        "equinix",
        "google",
        "localhost",
        "maas",
        "manual",
        "microk8s",
        "openstack",
        "oracle",
        "vsphere",
    ]
)
"""Names that stand for one cloud everywhere (``juju clouds --all``): only an administrator of
JIMM may give them to one."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NewCloud:
    """A cloud to add; to the controller of that name, if there is one."""

    name: str
    definition: Definition
    force: bool = False
    controller: str = ""


async def add(fleet: Fleet, caller: Caller, new: NewCloud) -> Controller:
    """Adds a cloud to the controller named, else to an eligible one; the caller administers it
    from then on. A cloud that is known is added to one more controller, where that is named.

    Whoever may add models may add Kubernetes clouds; other types are for administrators of JIMM.

    Raises:
        NotValid: the name can't be one; a known cloud of that name differs.
        AlreadyExists: the cloud is known.
        Unauthorized: the caller may not add such a cloud.
        CloudRegionRequired: a Kubernetes cloud that does not say where it runs.
        IncompatibleClouds: it can't run there.
        ControllerUnavailable: no eligible controller is there.
        LostAnswer: nobody knows whether the controller has it; asked again, JIMM finds out.
        RemoteError: the controller refuses it.
    """
    _check(caller, new)
    candidates = await _candidates(fleet, caller, new)
    made = await _reserve(fleet, caller, new)
    try:
        controller, told = await _add_to_one(fleet, candidates, new)
    except BaseException:
        if made:
            releasing = fleet.tasks.spawn(_release(fleet, new.name), name="release a cloud's name")
            await asyncio.shield(releasing)
        raise
    kept = _as_kept(new.name, told, new.definition.host_cloud_region)
    async with fleet.registry.write() as session:
        if not await clouds.offered_by(session, new.name):
            await clouds.redefine(session, kept)
        await clouds.offer(session, controller, kept)
        await _record(session, caller, "add-cloud", new.name, controller.name)
    return controller


async def update(fleet: Fleet, caller: Caller, name: str, definition: Definition) -> None:
    """Changes a cloud's definition on all controllers that offer it.

    All must be there. One that refuses in the middle leaves the others changed, and the
    registry not: the same change can be asked for again.

    Raises:
        NotFound: no such cloud, or none that the caller may use.
        Unauthorized: the caller does not administer it.
        Conflict: the type would change, in Juju's words.
        ControllerError: a controller is away, or refuses.
    """
    cloud = await cases.require_administrator(fleet, caller, name)
    if definition.type != cloud.type:
        raise Conflict(
            f'cannot change cloud "{name}" type from "{cloud.type}" to "{definition.type}"'
        )
    async with fleet.registry.read() as session:
        offering = await clouds.offered_by(session, name)
    links = [fleet.link(each) for each in offering]
    for link in links:
        await calls.update_cloud(link, name, definition)
    host = definition.host_cloud_region or str(cloud.definition.get("host-cloud-region", ""))
    kept = _as_kept(name, definition, host)
    async with fleet.registry.write() as session:
        await clouds.redefine(session, kept)
        for controller in offering:
            await clouds.offer(session, controller, kept)
        await _record(session, caller, "update-cloud", name)


async def remove(fleet: Fleet, caller: Caller, name: str, *, controller: str = "") -> None:
    """Removes a cloud from all controllers that offer it, with the credentials for it; or only
    from the controller named, and for good where that was the last.

    Raises:
        NotFound: no such cloud, or none that the caller may use; the controller has none.
        Unauthorized: the caller does not administer it.
        Conflict: models are on it, in Juju's words; a controller itself is.
        ControllerError: a controller is away, or refuses.
    """
    await cases.require_administrator(fleet, caller, name)
    async with fleet.registry.read() as session:
        everywhere = await clouds.offered_by(session, name)
        concerned = [each for each in everywhere if controller in ("", each.name)]
        if controller and not concerned:
            raise NotFound(f'controller "{controller}" does not offer cloud "{name}"')
        for_good = len(concerned) == len(everywhere)
        if for_good:
            await clouds.require_unused(session, name)
    _refuse_own(name, concerned)
    links = [(each, fleet.link(each)) for each in concerned]
    for each, link in links:
        try:
            await calls.remove_cloud(link, name)
        except RemoteError as error:
            if error.juju_code != codes.NOT_FOUND:
                raise
        async with fleet.registry.write() as session:
            await clouds.withdraw(session, each.id, name)
    async with fleet.registry.write() as session:
        if for_good:
            await clouds.remove(session, name)
        await _record(session, caller, "remove-cloud", name, controller)


def _refuse_own(name: str, concerned: Sequence[Controller]) -> None:
    for each in concerned:
        if each.cloud == name:
            raise Conflict(f'cloud is used by 1 model: controller "{each.name}" itself runs on it')


def _check(caller: Caller, new: NewCloud) -> None:
    if not tags.is_cloud_name(new.name):
        raise NotValid(f'"{new.name}" is not a valid cloud name', field="name")
    if not new.definition.type:
        raise NotValid("invalid cloud: empty Type not valid", field="cloud")
    if caller.admin:
        return
    if new.definition.type != KUBERNETES:
        raise Unauthorized(
            f'only administrators of JIMM may add a cloud of type "{new.definition.type}"; '
            "whoever may add models may add Kubernetes clouds"
        )
    if new.name in RESERVED:
        raise NotValid(
            f'"{new.name}" is the name of a well-known cloud; choose another', field="name"
        )


async def _candidates(fleet: Fleet, caller: Caller, new: NewCloud) -> list[str]:
    """The names of the controllers to try, in order."""
    wanted = Wanted(controller=new.controller)
    if new.controller and caller.admin:
        async with fleet.registry.read() as session:
            await controllers.by_name(session, new.controller)  # an unknown name is said so
    elif not new.controller and new.definition.type == KUBERNETES:
        cloud, region = await _host(fleet, caller, new.definition.host_cloud_region)
        wanted = Wanted(cloud=cloud, region=region)
    decision = await placing.decide_now(fleet, caller, wanted)
    if decision.ranked:
        return [each.candidate.name for each in decision.ranked]
    reasons = "; ".join(
        f"{each.candidate.name}: {', '.join(each.reasons)}" for each in decision.refused
    )
    if not caller.admin and not any(each.candidate.may_add for each in decision.refused):
        raise Unauthorized(
            "you may not add models on any controller, so no clouds either; an administrator "
            "of JIMM can grant that"
        )
    raise ControllerUnavailable(
        f"no controller can take the cloud ({reasons or 'none is registered'})"
    )


async def _host(fleet: Fleet, caller: Caller, place: str) -> tuple[str, str]:
    """The cloud and the region that a Kubernetes cloud says it runs in."""
    if not place:
        raise CloudRegionRequired(
            "cloud host region not specified: say in which cloud and region it runs",
            field="host-cloud-region",
        )
    cloud, slash, region = place.partition("/")
    if not slash or not cloud or not region:
        raise IncompatibleClouds(
            f'cloud host region "{place}" is not a cloud and a region (CLOUD/REGION)',
            field="host-cloud-region",
        )
    unknown = IncompatibleClouds(
        f'unable to find cloud/region "{place}"', field="host-cloud-region"
    )
    try:
        host = await cases.show(fleet, caller, cloud)
    except NotFound as error:
        raise unknown from error
    if host.regions and region not in {each.name for each in host.regions}:
        raise unknown
    if host.definition.get("host-cloud-region"):
        raise IncompatibleClouds(
            f'cloud "{cloud}" itself runs in another cloud', field="host-cloud-region"
        )
    return cloud, region


async def _reserve(fleet: Fleet, caller: Caller, new: NewCloud) -> bool:
    """Takes the name; whether it was free. Otherwise this very cloud is known, and is to be
    added to one more controller."""
    kept = _as_kept(new.name, new.definition, new.definition.host_cloud_region)
    async with fleet.registry.write() as session:
        try:
            await clouds.add(session, kept)
        except AlreadyExists as error:
            await _refuse_known(session, caller, new, error)
            return False
        await relations.add(
            session, caller.identity, Relation.ADMINISTRATOR, Object.cloud(new.name)
        )
    return True


async def _refuse_known(
    session: WriteSession, caller: Caller, new: NewCloud, taken: AlreadyExists
) -> None:
    cloud = await clouds.by_name(session, new.name)
    held = await relations.relations_of(session, caller.identity, Object.cloud(new.name))
    if not caller.admin and Relation.ADMINISTRATOR not in held:
        raise taken  # and not a word of what it is
    known = convert(cloud.definition, Definition)
    _require_same(new.name, known, new.definition)
    offering = {each.name for each in await clouds.offered_by(session, new.name)}
    # Nobody offers the cloud of a removed controller, or of an attempt that did not end.
    if offering and (not new.controller or new.controller in offering):
        raise taken


def _require_same(name: str, known: Definition, asked: Definition) -> None:
    for key in ("type", "endpoint", "identity_endpoint", "storage_endpoint"):
        ours, theirs = getattr(known, key), getattr(asked, key)
        if ours != theirs:
            raise NotValid(
                f'cloud "{name}" already exists and is another one: its '
                f'{key.replace("_", "-")} is "{ours}" and not "{theirs}"',
                field="cloud",
            )


async def _release(fleet: Fleet, name: str) -> None:
    async with fleet.registry.write() as session:
        if not await clouds.offered_by(session, name) and not await clouds.models_on(session, name):
            await clouds.remove(session, name)


async def _add_to_one(
    fleet: Fleet, candidates: Sequence[str], new: NewCloud
) -> tuple[Controller, Definition]:
    """The first controller that is there decides; those that are away are passed over."""
    away: ControllerUnavailable | None = None
    for name in candidates:
        async with fleet.registry.read() as session:
            controller = await controllers.by_name(session, name)
        try:
            return controller, await _add_to(fleet, controller, new)
        except ControllerUnavailable as error:
            log.info("cloud %s was not added to %s: %s", new.name, name, error)
            away = error
    raise away or ControllerUnavailable("no controller can take the cloud")


async def _add_to(fleet: Fleet, controller: Controller, new: NewCloud) -> Definition:
    """The definition as the controller has it then."""
    link = fleet.link(controller)
    try:
        await calls.add_cloud(link, new.name, new.definition, force=new.force)
    except LostAnswer as lost:
        try:
            return await calls.cloud(fleet.link(controller), new.name)
        except ControllerError as error:
            # Never on to the next controller; asked again, what is there is taken.
            raise lost from error
    except RemoteError as error:
        if error.juju_code != codes.ALREADY_EXISTS:
            raise
        found = await calls.cloud(link, new.name)
        _require_same(new.name, found, new.definition)
        return found
    try:
        return await calls.cloud(link, new.name)
    except ControllerError:
        return new.definition


def _as_kept(name: str, definition: Definition, host: str) -> Cloud:
    """A cloud without regions has one, as Juju gives it; the place that it runs in is told to
    no controller, so it is kept here."""
    regions = definition.regions or [CloudRegion(name=NO_REGION, endpoint=definition.endpoint)]
    kept = msgspec.structs.replace(definition, host_cloud_region=host, is_controller_cloud=False)
    return Cloud(
        name,
        definition.type,
        msgspec.to_builtins(kept),
        tuple(Region(each.name, msgspec.to_builtins(each)) for each in regions),
    )


async def _record(
    session: WriteSession, caller: Caller, action: str, cloud: str, controller: str = ""
) -> None:
    await audit.record(
        session,
        caller.did(
            action,
            controller=controller,
            params={"cloud": cloud},
        ),
    )
