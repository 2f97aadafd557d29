"""Offers made and taken back: what their models' controllers record.

The controller comes first, the registry after it; what a caller was promised is in both.
"""

import asyncio
import re
from dataclasses import dataclass
from typing import Final

from jimm import audit
from jimm.access import grants
from jimm.access.names import shown
from jimm.controllers.calls import application_offers as calls
from jimm.errors import (
    ControllerError,
    LostAnswer,
    NotFound,
    NotValid,
    RemoteError,
    Unauthorized,
)
from jimm.fleet import levels, models, offer_hosts, offers
from jimm.fleet.caller import Caller
from jimm.fleet.fleet import Fleet, endpoint
from jimm.fleet.offers import Known
from jimm.registry import offers as rows
from jimm.registry import relations
from jimm.registry.controllers import Controller
from jimm.registry.models import Model
from jimm.registry.relations import Object
from jimm.registry.words import Relation
from jimm.wire import codes, tags
from jimm.wire.offer_urls import OfferURL
from jimm.wire.params.application_offers import AddOffer, OfferAdminDetails

ASK_AGAIN: Final = (0.0, 0.5, 2.0)
"""Pauses, in seconds, before each look for an offer whose answer was lost."""

_CONNECTED: Final = re.compile(r"cannot delete offer .+, it has (\d+) connections?")
"""How 4.0 refuses (``domain/removal/state/model/offer.go``)."""


@dataclass(frozen=True, slots=True)
class NewOffer:
    """What is to be offered, by whom. ``endpoints`` are from published names to the
    application's own; ``owner`` is a full identity."""

    model: str
    name: str
    application: str
    description: str
    endpoints: dict[str, str]
    owner: str


async def offer(fleet: Fleet, caller: Caller, new: NewOffer) -> None:
    """Offers an application's endpoints, or changes the model's offer of that name.

    Raises:
        ModelNotFound, Unauthorized: as Juju.
        NotValid: the owner does not administer the model.
        MigrationUnderway: the model is being moved.
        ControllerError: its controller is away or refuses.
    """
    model = (await models.administered(fleet, caller, new.model)).model
    await _require_owner(fleet, caller, new)
    await models.refuse_migrating(fleet, model)
    controller = await models.host(fleet, model)
    told = await _offered(fleet, caller, controller, model, new)
    async with fleet.registry.write() as session:
        if await rows.put(session, offer_hosts.as_row(model.id, told)):
            about = Object.offer(told.offer_uuid)
            await relations.add(session, new.owner, Relation.ADMINISTRATOR, about)
        await audit.record(
            session,
            caller.did(
                "offer",
                model=model.uuid,
                controller=controller.name,
                params={"offer": told.offer_name, "application": new.application},
            ),
        )


async def destroy(fleet: Fleet, caller: Caller, url: OfferURL, *, force: bool) -> None:
    """Takes an offer back; with ``force`` the relations to it go too.

    Raises:
        NotFound, Unauthorized: as Juju, but that an offer's administrators may do it as well.
        MigrationUnderway: the model is being moved.
        ControllerError: its controller is away, or refuses for the relations to it.
    """
    found = await offers.resolve(fleet, caller, url)
    if found.level != levels.ADMIN:
        raise Unauthorized
    model = await offers.model_of(fleet, found.offer)
    await models.refuse_migrating(fleet, model)
    controller = await models.host(fleet, model)
    await _destroyed(fleet, controller, model, found, force=force)
    async with fleet.registry.write() as session:
        await rows.remove(session, [found.offer.uuid])
        await audit.record(
            session,
            caller.did(
                "remove-offer",
                model=model.uuid,
                controller=controller.name,
                params={"offer": found.offer.name, "force": force},
            ),
        )


async def _require_owner(fleet: Fleet, caller: Caller, new: NewOffer) -> None:
    if new.owner == caller.identity:
        return
    try:
        async with fleet.registry.read() as session:
            await grants.require_administrator(session, new.owner, tags.ModelUUID(new.model))
    except (NotFound, Unauthorized) as error:
        who = shown(new.owner, fleet.local_domain)
        raise NotValid(f'user "{who}" does not administer the model', field="owner-tag") from error


async def _offered(
    fleet: Fleet, caller: Caller, controller: Controller, model: Model, new: NewOffer
) -> OfferAdminDetails:
    own = fleet.link(controller)
    where = await offer_hosts.place(own, model.uuid, deadline=offers.LOOK)
    access = levels.administration_claims(controller.uuid, model.uuid)
    login, user = await fleet.trust.user_login(controller, caller.identity, access, own)
    name = new.name or new.application
    wanted = AddOffer(
        model_tag=tags.model_tag(model.uuid),
        offer_name=name,
        application_name=new.application,
        application_description=new.description,
        endpoints=new.endpoints,
        owner_tag=tags.user_tag(user),
    )
    lost: LostAnswer | None = None
    try:
        async with fleet.pool.as_user(endpoint(controller), login) as link:
            await calls.offer(link, wanted)
    except LostAnswer as error:
        lost = error
    told = await _found(fleet, controller, where, name)
    if told is None:
        raise lost or LostAnswer(f"controller {controller.name} has not said what it recorded")
    return told


async def _found(
    fleet: Fleet, controller: Controller, where: offer_hosts.Place, name: str
) -> OfferAdminDetails | None:
    """The offer as the controller has it now; asked for more than once, for it may be late or
    the link just broken."""
    for pause in ASK_AGAIN:
        await asyncio.sleep(pause)
        try:
            told = await calls.offers_of(fleet.link(controller), *where)
        except ControllerError:
            continue
        for each in told:
            if each.offer_name == name:
                return each
    return None


async def _destroyed(
    fleet: Fleet, controller: Controller, model: Model, found: Known, *, force: bool
) -> None:
    """Takes the offer from its controller, in the name of the model's owner: an offer's
    administrator need not administer the model, as Juju demands here."""
    own = fleet.link(controller)
    where = await offer_hosts.place(own, model.uuid, deadline=offers.LOOK)
    access = levels.administration_claims(controller.uuid, model.uuid)
    login, _ = await fleet.trust.user_login(controller, model.owner, access, own)
    name = found.offer.name
    try:
        async with fleet.pool.as_user(endpoint(controller), login) as link:
            await calls.destroy_offer(link, where.url(name), force=force)
    except LostAnswer:
        if await _found(fleet, controller, where, name) is not None:
            raise
    except RemoteError as error:
        if error.juju_code != codes.NOT_FOUND:
            raise _as_three(error, name) from error


def _as_three(error: RemoteError, name: str) -> RemoteError:
    """A refusal in 3.6's words: clients tell by JIMM's version which words to look for."""
    refused = _CONNECTED.search(str(error))
    if refused is None:
        return error
    count = int(refused[1])
    plural = "" if count == 1 else "s"
    text = f'cannot delete application offer "{name}": offer has {count} relation{plural}'
    return RemoteError(text, error.juju_code, error.info)
