"""Offers consumed by models on their own controllers.

With a token a consumer is known by what the token claims. On a controller of password trust the
local user who stands for them must be let in first, and is shut out again after a revoke.
"""

from jimm.access.names import shown
from jimm.controllers.calls import application_offers as calls
from jimm.controllers.link import Link
from jimm.errors import JimmError, NotSupported, RemoteError, Unauthorized
from jimm.fleet import levels, models, offer_hosts, offers
from jimm.fleet.caller import Caller
from jimm.fleet.fleet import Fleet, endpoint
from jimm.fleet.offer_filters import may_consume
from jimm.fleet.offers import Known
from jimm.registry import models as model_rows
from jimm.registry.controllers import Controller
from jimm.registry.words import Trust
from jimm.wire import tags
from jimm.wire.offer_urls import OfferURL
from jimm.wire.params.application_offers import ConsumeOfferDetailsResult, ModifyOfferAccess


async def details(
    fleet: Fleet, caller: Caller, url: OfferURL, *, bakery_version: int
) -> tuple[Known, ConsumeOfferDetailsResult]:
    """What a model on the offer's own controller needs to consume it.

    Raises:
        NotFound: no such offer, or none that the caller may know of.
        Unauthorized: the caller may see it, and no more.
        NotSupported: the caller has no model on that controller to consume it in.
        ControllerError: its controller is away, or refuses.
    """
    found = await offers.resolve(fleet, caller, url)
    if not may_consume(found.level):
        raise Unauthorized
    model = await offers.model_of(fleet, found.offer)
    controller = await models.host(fleet, model)
    await _require_neighbour(fleet, caller, controller, url)
    own = fleet.link(controller)
    where = await offer_hosts.place(own, model.uuid, deadline=offers.LOOK)
    access = {
        tags.controller_tag(controller.uuid): levels.LOGIN,
        tags.offer_tag(found.offer.uuid): "consume",
    }
    login, user = await fleet.trust.user_login(controller, caller.identity, access, own)
    there = where.url(found.offer.name)
    if controller.trust is Trust.PASSWORD:
        await _let_consume(own, user, there)
    async with fleet.pool.as_user(endpoint(controller), login) as link:
        return found, await calls.consume_details(link, there, bakery_version=bakery_version)


async def withdraw(fleet: Fleet, found: Known, identity: str, level: str) -> None:
    """Takes back on a controller of password trust what was granted there for a consumer, so
    that the relations of theirs are suspended. While it is away that is left undone: JIMM's own
    relations are what counts at the next request."""
    if may_consume(level):
        return
    try:
        model = await offers.model_of(fleet, found.offer)
        controller = await models.host(fleet, model)
        if controller.trust is not Trust.PASSWORD:
            return
        own = fleet.link(controller)
        where = await offer_hosts.place(own, model.uuid, deadline=offers.LOOK)
        change = ModifyOfferAccess(
            user_tag=tags.user_tag(fleet.trust.local_name(identity)),
            action="revoke",
            access="read",
            offer_url=where.url(found.offer.name),
        )
        await calls.modify_offer_access(own, change)
    except JimmError:
        return  # away, or nothing was ever granted there


async def _require_neighbour(
    fleet: Fleet, caller: Caller, controller: Controller, url: OfferURL
) -> None:
    """Nothing, if the caller may write to a model on that controller. (A request for details
    does not say which model they are for.)"""
    async with fleet.registry.read() as session:
        near = await model_rows.visible(
            session,
            caller.identity,
            admin=caller.admin,
            controller=controller.name,
        )
    if any(levels.on_model(each, caller) in ("write", levels.ADMIN) for each in near):
        return
    named = OfferURL(shown(url.owner, fleet.local_domain), url.model, url.offer)
    raise NotSupported(
        f'offer "{named}" lives on another controller than your models do: an offer can be '
        "consumed only by models on its own controller as yet; create one there, or have yours "
        "migrated there"
    )


async def _let_consume(own: Link, user: str, url: str) -> None:
    """The controller itself must know that the local user may."""
    change = ModifyOfferAccess(
        user_tag=tags.user_tag(user), action="grant", access="consume", offer_url=url
    )
    try:
        await calls.modify_offer_access(own, change)
    except RemoteError as error:
        if "already has" not in str(error):
            raise
