"""Offers: listing, finding, showing. Making and taking back is a file of its own.

Lists come from the registry, so that no controller that is away can spoil them.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from jimm.access import rules
from jimm.access.names import shown
from jimm.errors import BadRequest, ModelNotFound, NotFound, Unauthorized
from jimm.fleet import levels, models, offer_hosts
from jimm.fleet.caller import Caller
from jimm.fleet.fleet import Fleet
from jimm.fleet.offer_filters import Wanted
from jimm.registry import models as model_rows
from jimm.registry import offers, relations
from jimm.registry.models import Model, Visible
from jimm.registry.offers import Offer, Seen
from jimm.registry.relations import Held, Object
from jimm.registry.words import EVERYONE, ObjectKind
from jimm.wire.offer_urls import OfferURL
from jimm.wire.params.application_offers import OfferAdminDetails, OfferConnection

GLANCE: Final = 0.6
"""Seconds that a listing waits for the relations to offers, which only controllers know."""

LOOK: Final = 3.0
"""Seconds that one offer is waited for before the registry answers in its controller's place."""


@dataclass(frozen=True, slots=True)
class Known:
    """An offer as the caller may see it. ``level`` is the caller's, ``users`` are those with a
    relation to it, Juju's levels by identity; ``connections`` name identities."""

    offer: Offer
    level: str
    users: Mapping[str, str]
    connections: tuple[OfferConnection, ...] = ()


async def list_(fleet: Fleet, caller: Caller, wanted: Sequence[Wanted]) -> list[Known]:
    """What the caller's own models offer, with the relations to it where their controllers
    tell them quickly.

    Raises:
        BadRequest: no filter, or one without a model.
        NotFound: no such model, or none that the caller may know of.
        Unauthorized: the caller does not administer it.
    """
    _require_models(wanted)
    by_place = {(each.owner or caller.identity, each.model): each for each in wanted}
    own = [await _administered(fleet, caller, *place) for place in by_place]
    told = await _glances(fleet, own)
    found: list[Known] = []
    for owner, model in by_place:
        found += await known(fleet, caller, OfferURL(owner, model, ""))
    found = [_with_connections(each, told) for each in found]
    return _chosen(found, [replace(each, owner=each.owner or caller.identity) for each in wanted])


async def find(fleet: Fleet, caller: Caller, wanted: Sequence[Wanted]) -> list[Known]:
    """The offers that the caller may see, in all models where none is named.

    No controller is asked, unless the filter is about whose models are connected.

    Raises:
        BadRequest: no filter, or several of which one names no model.
        NotFound: no such model, or none that the caller may know of.
    """
    if len(wanted) != 1:
        _require_models(wanted)
    found: dict[str, Known] = {}
    filters: list[Wanted] = []
    for each in wanted:
        owner = each.owner or (caller.identity if each.model else "")
        rows = await known(fleet, caller, OfferURL(owner, each.model, ""))
        if not rows and each.model:
            await _referred(fleet, caller, owner, each.model)
        found |= {row.offer.uuid: row for row in rows}
        filters.append(replace(each, owner=owner))
    rows = list(found.values())
    if any(each.connected for each in wanted):
        rows = await _connected(fleet, rows)
    return _chosen(rows, filters)


async def show(fleet: Fleet, caller: Caller, url: OfferURL) -> Known:
    """One offer, from its controller, or from the registry while that is away.

    ``url.owner`` is a full identity, here and below.

    Raises:
        NotFound: there is none, or none that the caller may know of.
    """
    before = await resolve(fleet, caller, url)
    model = await model_of(fleet, before.offer)
    told = await offer_hosts.ask(fleet, model, deadline=LOOK)
    after = before if told is None else await _one(fleet, caller, url)
    if after is None:
        raise unknown(fleet, url)
    return _with_connections(after, told or {})


async def resolve(fleet: Fleet, caller: Caller, url: OfferURL) -> Known:
    """The offer of that url.

    A model's administrator may know one that JIMM does not: then the controller is asked.

    Raises:
        NotFound: there is none, or none that the caller may know of.
    """
    if (found := await _one(fleet, caller, url)) is not None:
        return found
    try:
        model = await _administered(fleet, caller, url.owner, url.model)
    except (NotFound, Unauthorized) as error:
        raise unknown(fleet, url) from error
    await offer_hosts.ask(fleet, model, deadline=LOOK)
    if (found := await _one(fleet, caller, url)) is None:
        raise unknown(fleet, url)
    return found


async def known(fleet: Fleet, caller: Caller, url: OfferURL) -> list[Known]:
    """The offers in the registry that the caller may see; empty parts of the url are any."""
    async with fleet.registry.read() as session:
        seen = await offers.visible(
            session,
            caller.identity,
            admin=caller.admin,
            owner=url.owner,
            model=url.model,
            name=url.offer,
        )
        held = await relations.about(session, [Object.offer(each.offer.uuid) for each in seen])
    return [_known(each, caller, held) for each in seen]


async def model_of(fleet: Fleet, offer: Offer) -> Model:
    """The model that offers it."""
    async with fleet.registry.read() as session:
        return await model_rows.by_id(session, offer.model_id)


def unknown(fleet: Fleet, url: OfferURL) -> NotFound:
    """The error for an offer that is not there, or not for the caller, in Juju's words."""
    named = replace(url, owner=shown(url.owner, fleet.local_domain))
    return NotFound(f'application offer "{named}" not found')


async def _one(fleet: Fleet, caller: Caller, url: OfferURL) -> Known | None:
    return next(iter(await known(fleet, caller, url)), None)


def _known(seen: Seen, caller: Caller, held: Collection[Held]) -> Known:
    own = [each for each in held if each.object_key == seen.offer.uuid]
    users = {
        subject: rules.level(
            ObjectKind.OFFER, [each.relation for each in own if each.subject == subject]
        )
        for subject in dict.fromkeys(each.subject for each in own)
    }
    relations_ = [each.relation for each in own if each.subject in (caller.identity, EVERYONE)]
    level = levels.ADMIN if seen.administered else rules.level(ObjectKind.OFFER, relations_)
    return Known(seen.offer, level, users)


async def _administered(fleet: Fleet, caller: Caller, owner: str, model: str) -> Model:
    seen = await _referred(fleet, caller, owner, model)
    if levels.on_model(seen, caller) != levels.ADMIN:
        raise Unauthorized
    return seen.model


async def _referred(fleet: Fleet, caller: Caller, owner: str, model: str) -> Visible:
    try:
        return await models.refer(fleet, caller, f"{owner}/{model}")
    except ModelNotFound as error:
        raise NotFound(str(error)) from error


def _require_models(wanted: Sequence[Wanted]) -> None:
    if not wanted:
        raise BadRequest("at least one offer filter is required")
    if not all(each.model for each in wanted):
        raise BadRequest("application offer filter must specify a model name")


async def _glances(fleet: Fleet, own: Sequence[Model]) -> dict[str, OfferAdminDetails]:
    """What the controllers of these models say of their offers, asked at once."""
    found: dict[str, OfferAdminDetails] = {}

    async def glance(model: Model) -> None:
        found.update(await offer_hosts.ask(fleet, model, deadline=GLANCE) or {})

    async with asyncio.TaskGroup() as group:
        for model in own:
            group.create_task(glance(model))
    return found


async def _connected(fleet: Fleet, found: Sequence[Known]) -> list[Known]:
    own = [each.offer for each in found if each.level == levels.ADMIN]
    async with fleet.registry.read() as session:
        rows = await model_rows.known(session, {each.model_uuid for each in own})
    told = await _glances(fleet, rows)
    return [_with_connections(each, told) for each in found]


def _with_connections(known_: Known, told: Mapping[str, OfferAdminDetails]) -> Known:
    """Relations are shown to an offer's administrators only, as Juju does."""
    record = told.get(known_.offer.uuid)
    if record is None or known_.level != levels.ADMIN:
        return known_
    return replace(known_, connections=tuple(record.connections))


def _chosen(found: Sequence[Known], wanted: Sequence[Wanted]) -> list[Known]:
    return [each for each in found if any(_fits(each, one) for one in wanted)]


def _fits(known_: Known, wanted: Wanted) -> bool:
    connected = {each.username for each in known_.connections}
    return wanted.fits(known_.offer, known_.users, connected)
