"""What the controllers say of the offers of their models.

They have the last word: applications are removed on them, and their offers with them, without
JIMM; and models were adopted with offers of their own. So whatever one of them tells of a model
is stored, on the occasions when it is asked at all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import NamedTuple

import msgspec

from jimm.controllers.calls import application_offers as calls
from jimm.controllers.calls import model_manager
from jimm.controllers.link import Link
from jimm.errors import JimmError
from jimm.fleet import models
from jimm.fleet.fleet import Fleet
from jimm.registry import offers
from jimm.registry.controllers import Controller
from jimm.registry.models import Model
from jimm.registry.offers import NewOffer, Offer
from jimm.wire import tags
from jimm.wire.offer_urls import OfferURL
from jimm.wire.params.application_offers import OfferAdminDetails, OfferConnection
from jimm.wire.tags import ModelUUID


class Place(NamedTuple):
    """A model's owner and name as its controller has them."""

    owner: str
    model: str

    def url(self, offer: str) -> str:
        """The url of one of its offers there."""
        return str(OfferURL(self.owner, self.model, offer))


async def place(link: Link, model: ModelUUID, *, deadline: float) -> Place:
    """Where a model's offers are found: with password trust its owner is a local user.

    Raises:
        ControllerError: the controller can't say.
        NotValid: the owner that it tells is none.
    """
    info = await model_manager.model_info(link, model, deadline=deadline)
    return Place(tags.parse_user_tag(info.owner_tag), info.name)


async def ask(
    fleet: Fleet, model: Model, *, deadline: float
) -> dict[str, OfferAdminDetails] | None:
    """A model's offers by uuid as its controller tells them now, and the registry with them;
    ``None`` if that can't be had in ``deadline`` seconds."""
    async with fleet.registry.read() as session:
        before = await offers.of_model(session, model.id)
    try:
        controller = await models.host(fleet, model)
        link = fleet.link(controller)
        where = await place(link, model.uuid, deadline=deadline / 2)
        told = await calls.offers_of(link, *where, deadline=deadline / 2)
    except JimmError:
        return None
    await _remember(fleet, model, before, told)
    return {each.offer_uuid: await _named(fleet, controller, each) for each in told}


def as_row(model_id: int, told: OfferAdminDetails) -> NewOffer:
    """An offer as the registry keeps it."""
    return NewOffer(
        uuid=told.offer_uuid,
        model_id=model_id,
        name=told.offer_name,
        application=told.application_name,
        description=told.application_description.replace("\0", ""),  # no text for Postgres
        charm_url=told.charm_url,
        endpoints=tuple(_plain(each) for each in told.endpoints),
    )


async def _remember(
    fleet: Fleet, model: Model, before: Iterable[Offer], told: Iterable[OfferAdminDetails]
) -> None:
    """Only what was known before the controller was asked can be found missing there."""
    known = {each.uuid: each for each in before}
    rows = [as_row(model.id, each) for each in told]
    changed = [each for each in rows if not _same(known.get(each.uuid), each)]
    gone = known.keys() - {each.uuid for each in rows}
    if not changed and not gone:
        return
    async with fleet.registry.write() as session:
        await offers.remove(session, gone)
        for each in changed:
            await offers.put(session, each)


def _same(known: Offer | None, row: NewOffer) -> bool:
    if known is None:
        return False
    return all(getattr(known, key) == value for key, value in asdict(row).items())


async def _named(
    fleet: Fleet, controller: Controller, told: OfferAdminDetails
) -> OfferAdminDetails:
    """The record with identities for the users of its connections."""
    local = {each.username for each in told.connections if "@" not in each.username}
    if not local:
        return told
    async with fleet.registry.read() as session:
        names = await offers.identities_of(session, controller.id, local)
    return msgspec.structs.replace(
        told, connections=[_renamed(each, names) for each in told.connections]
    )


def _renamed(connection: OfferConnection, names: Mapping[str, str]) -> OfferConnection:
    user = names.get(connection.username, connection.username)
    return msgspec.structs.replace(connection, username=user)


def _plain(value: msgspec.Struct) -> dict[str, object]:
    plain: dict[str, object] = msgspec.to_builtins(value)
    return plain
