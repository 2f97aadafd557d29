"""Models that already live on a registered controller, and how they come into JIMM.

The model stays where it is and as it is. The controller comes first and the registry after it,
in one transaction: a crash in between leaves nothing that the same request does not find done.
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from jimm import audit
from jimm.access import subjects
from jimm.controllers.calls import application_offers, model_manager
from jimm.controllers.link import Link
from jimm.errors import (
    AlreadyExists,
    ChecksFailed,
    Conflict,
    JimmError,
    ModelNotFound,
    NotSupported,
    NotValid,
    ProtocolError,
    RemoteError,
    UserNotFound,
)
from jimm.fleet import creation, levels, local_access, offer_hosts, watch
from jimm.fleet import facts as fleet_facts
from jimm.fleet.caller import Caller
from jimm.fleet.controllers import require_administrator
from jimm.fleet.fleet import Fleet
from jimm.migration import adoption, requests, views
from jimm.migration.adoption import Place, Told
from jimm.migration.verdict import Absent, Present, Silent
from jimm.registry import (
    clouds,
    controllers,
    credentials,
    identities,
    intents,
    models,
    offers,
    placements,
    relations,
)
from jimm.registry.controllers import Controller
from jimm.registry.credentials import Credential
from jimm.registry.models import Model, NewModel
from jimm.registry.relations import Object
from jimm.registry.words import ModelState, Relation, Trust
from jimm.wire import codes, tags
from jimm.wire.fold import convert
from jimm.wire.tags import CredentialId, ModelUUID

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unmanaged:
    """A model that a controller has and JIMM does not.

    ``identity`` is whom JIMM takes its owner there for, empty when an owner has to be named;
    ``units`` is ``None`` where the controller does not tell.
    """

    told: Told
    identity: str
    units: int | None


@dataclass(frozen=True, slots=True)
class Adopted:
    """A model that JIMM has now; ``changed`` is false if it had it before. ``notes`` are what
    an administrator has to know of it, a sentence each."""

    model: Model
    changed: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    """A model as its controller shows it. ``owner`` is the identity whose it shall be,
    ``credential`` the one of JIMM's that it uses there, if it is one of JIMM's."""

    controller: Controller
    link: Link
    info: Mapping[str, object]
    told: Told
    view: Present
    owner: str
    credential: Credential | None


async def unmanaged(fleet: Fleet, caller: Caller, controller_name: str) -> list[Unmanaged]:
    """The models on a controller that JIMM does not have, by owner and name, asked for now.

    Left out are controllers' own models, those half imported, and those that JIMM is making.

    Raises:
        Unauthorized: the caller does not administer JIMM.
        NotFound: no such controller.
        ControllerError: it is away, or does not answer in time.
    """
    require_administrator(caller)
    controller = await _controller(fleet, controller_name)
    listing = await model_manager.list_model_summaries(fleet.link(controller))
    seen = _possible(controller, listing.summaries)
    async with fleet.registry.read() as session:
        ours = {each.uuid for each in await models.known(session, [each.uuid for each in seen])}
        coming = await intents.being_made(session, controller.id)
    strangers = [
        each for each in seen if each.uuid not in ours and (each.owner, each.name) not in coming
    ]
    named = await _identities(fleet, controller, {each.owner for each in strangers})
    strangers.sort(key=lambda each: (each.owner, each.name))
    return [Unmanaged(each, named.get(each.owner, ""), _units(each)) for each in strangers]


async def adopt(
    fleet: Fleet, caller: Caller, controller_name: str, uuid: str, *, owner: str = ""
) -> Adopted:
    """Takes a model that lives on a controller into JIMM; a second time changes nothing.

    ``owner`` is a user id of JIMM's; without one the owner there must be one of JIMM's users.

    Raises:
        Unauthorized: the caller does not administer JIMM.
        NotValid, UserNotFound: no uuid; no such user, or one has to be named.
        NotFound, ModelNotFound: no such controller; it does not have the model.
        AlreadyExists: JIMM has the model, as another user's.
        Conflict: JIMM knows the model, and not there.
        ChecksFailed: with every reason why this model can't be taken in.
        ControllerError: the controller is away, or refuses.
    """
    require_administrator(caller)
    if not tags.is_uuid(uuid):
        raise NotValid(f'"{uuid}" is not a valid uuid', field="model-uuid")
    controller = await _controller(fleet, controller_name)
    given = await _given(fleet, owner)
    if (known := await _known(fleet, controller, uuid, given)) is not None:
        return Adopted(known, changed=False)
    found = await _look(fleet, controller, ModelUUID(uuid), given)
    await _check(fleet, found)
    await _let_in(fleet, found)
    try:
        model = await _write(fleet, caller, found)
    except AlreadyExists:  # perhaps by the same request, sent twice
        if (known := await _known(fleet, controller, uuid, found.owner)) is None:
            raise
        return Adopted(known, changed=False)
    return Adopted(model, changed=True, notes=_notes(fleet, found))


async def _controller(fleet: Fleet, name: str) -> Controller:
    async with fleet.registry.read() as session:
        return await controllers.by_name(session, name)


def _possible(controller: Controller, rows: list[dict[str, object]]) -> list[Told]:
    """The rows of a listing that tell of users' models; one that makes no sense is left out."""
    possible = watch.read_all(controller, rows)
    told = []
    for row in rows:
        try:
            told.append(convert(row, Told))
        except ProtocolError as error:
            log.warning("%s tells of a model that cannot be: %s", controller.name, error)
    return [each for each in told if each.uuid in possible and not each.is_half_imported]


def _units(told: Told) -> int | None:
    return next((each.count for each in told.counts or () if each.entity == "units"), None)


async def _identities(
    fleet: Fleet, controller: Controller, users: Collection[str]
) -> dict[str, str]:
    """Whom users of a controller are in JIMM, as far as that is certain: with token trust a
    full name is the same one here; otherwise a user is somebody's for whom JIMM made it."""
    async with fleet.registry.read() as session:
        if controller.trust is Trust.PASSWORD:
            return await offers.identities_of(session, controller.id, users)
        known = await identities.known(session, [each for each in users if "@" in each])
    return {each: each for each in known}


async def _given(fleet: Fleet, owner: str) -> str:
    """The identity that an administrator named; empty for none.

    Raises:
        NotValid, UserNotFound, NotSupported: nobody of JIMM's; the field is ``owner``.
    """
    if not owner:
        return ""
    try:
        async with fleet.registry.write() as session:
            return await subjects.known(session, owner, fleet.local_domain)
    except (NotValid, UserNotFound, NotSupported) as error:
        error.field = "owner"
        raise


async def _known(fleet: Fleet, controller: Controller, uuid: str, owner: str) -> Model | None:
    """The model, where JIMM has it there already and as that owner's (if one is named).

    Raises:
        AlreadyExists, Conflict: JIMM has it otherwise.
    """
    async with fleet.registry.read() as session:
        known = await models.known(session, [uuid])
    if not known:
        return None
    model, name = known[0], requests.shown_name(fleet, known[0])
    if model.controller_id != controller.id or model.state is not ModelState.LIVE:
        where = model.controller_name or "no controller"
        raise Conflict(
            f"JIMM knows the model as {name}, {model.state.value} on {where}: "
            f"jimmctl update-migrated-model {controller.name} {uuid}"
        )
    if owner and model.owner != owner:
        raise AlreadyExists(f"JIMM has the model already, as {name}", field="owner")
    return model


async def _look(fleet: Fleet, controller: Controller, uuid: ModelUUID, owner: str) -> _Found:
    """What the controller shows of the model now.

    Raises:
        ModelNotFound, Conflict: it does not have it, or only half.
        NotValid: an owner has to be named.
        ControllerError: it can't be asked.
    """
    link = fleet.link(controller)
    try:
        info = await model_manager.model_info_plain(link, uuid)
        told, view = convert(info, Told), views.read(info)
        fleet_facts.read(info)
    except RemoteError as error:
        raise _refused(controller, uuid, error) from error
    except ProtocolError as error:
        raise link.unreadable(str(error)) from error
    key = _credential_key(told)
    named = await _identities(fleet, controller, {told.owner, *([key.owner] if key else ())})
    owner = owner or named.get(told.owner, "")
    if not owner:
        raise NotValid(
            f'"{told.owner}", who owns the model on {controller.name}, is none of JIMM\'s users '
            "as far as JIMM knows: name the owner that it shall have in JIMM",
            field="owner",
        )
    credential = None
    if key is not None and key.owner in named:
        async with fleet.registry.read() as session:
            credential = await credentials.find(session, key._replace(owner=named[key.owner]))
    return _Found(controller, link, info, told, view, owner, credential)


def _refused(controller: Controller, uuid: ModelUUID, error: RemoteError) -> JimmError:
    match views.refused(controller, error):
        case Present():
            return Conflict(f"{controller.name} is still importing the model; wait until that ends")
        case Absent(codes.REDIRECT):
            return Conflict(f"the model was migrated away from {controller.name}")
        case Absent():
            return ModelNotFound(f'{controller.name} has no model "{uuid}"', field="model-uuid")
        case Silent(why):
            return RemoteError(why, error.juju_code)


def _credential_key(told: Told) -> CredentialId | None:
    """The name of the model's credential on its controller."""
    try:
        tag = told.cloud_credential_tag
        return tags.parse_credential_tag(tag) if tag else None
    except NotValid:
        return None


async def _check(fleet: Fleet, found: _Found) -> None:
    """Nothing, for a model that may be taken in.

    Raises:
        ChecksFailed: with every reason why it may not.
    """
    controller, told = found.controller, found.told
    async with fleet.registry.read() as session:
        regions = await clouds.regions_of(session, controller.id)
        coming = await intents.being_made(session, controller.id)
        taken = await models.is_taken(session, found.owner, told.name)
    place = Place(
        controller.name, controller.uuid, regions, taken, (told.owner, told.name) in coming
    )
    if findings := adoption.check(told, found.view, place):
        raise ChecksFailed(
            f"{told.owner}/{told.name} can't be imported from {controller.name}: "
            + "; ".join(each.found for each in findings),
            [{"code": each.code, "found": each.found, "remedy": each.remedy} for each in findings],
        )


async def _let_in(fleet: Fleet, found: _Found) -> None:
    """Makes the owner an administrator of the model on a controller that must know it; tokens
    say it themselves."""
    if found.controller.trust is not Trust.PASSWORD:
        return
    user = await fleet.trust.local_user(found.controller, found.owner, found.link)
    access = {tags.model_tag(found.told.uuid): levels.ADMIN}
    await local_access.match(found.link, user.username, access)


async def _write(fleet: Fleet, caller: Caller, found: _Found) -> Model:
    told, controller = found.told, found.controller
    offered = await application_offers.offers_of(found.link, told.owner, told.name)
    async with fleet.registry.write() as session:
        owner = await identities.by_name(session, found.owner)
        new = NewModel(
            name=told.name,
            owner_id=owner.id,
            cloud=told.cloud,
            region=told.cloud_region,
            credential_id=None if found.credential is None else found.credential.id,
        )
        model_id = await models.add(session, new)
        model = await creation.arrive(session, model_id, found.owner, controller, found.info)
        for each in offered:
            await offers.put(session, offer_hosts.as_row(model_id, each))
            about = Object.offer(each.offer_uuid)
            await relations.add(session, found.owner, Relation.ADMINISTRATOR, about)
        await placements.note(
            session,
            model,
            controller.name,
            policy="import-model",
            reason=f"lived there before JIMM knew it, as {told.owner}/{told.name}",
            by=caller.identity,
        )
        await audit.record(
            session,
            caller.did(
                "import-model",
                model=model.uuid,
                controller=controller.name,
                params={"owner": found.owner, "name": told.name, "owner-there": told.owner},
            ),
        )
    return model


def _notes(fleet: Fleet, found: _Found) -> tuple[str, ...]:
    controller, told = found.controller.name, found.told
    notes = []
    key = _credential_key(told)
    if key is not None and found.credential is None:
        notes.append(
            f"the model goes on with credential {key}, which only {controller} has: JIMM does not "
            "know its attributes, and can neither show nor change it; to use one of JIMM's: "
            "juju set-credential"
        )
    own = {told.owner, fleet.trust.local_name(found.owner), found.owner}
    others = sorted({each.user.removesuffix("@local") for each in told.users or ()} - own)
    if others:
        notes.append(
            f"{', '.join(others)} had access to it on {controller}; through JIMM nobody but its "
            "owner has, until it is granted: juju grant"
        )
    return tuple(notes)
