"""What a simulated model offers, and what is done with it, in Juju 3.6's words
(``state/applicationoffers.go``, ``state/applicationofferuser.go``)."""

from typing import Final

import msgspec

from jimm.errors import Conflict, NotFound, NotValid
from jimm.simulator import charm_store
from jimm.simulator.state import (
    Application,
    Endpoint,
    Model,
    Offer,
    OfferAccess,
    OfferConnection,
)
from jimm.wire.offer_urls import is_offer_name
from jimm.wire.params.application_offers import RemoteEndpoint

LEVELS: Final[tuple[OfferAccess, ...]] = ("", "read", "consume", "admin")

EVERYONE: Final = "everyone@external"

_ROLES: Final = (("provides", "provider"), ("requires", "requirer"), ("peers", "peer"))


def offered(model: Model, wanted: Offer) -> Model:
    """The model with one more offer, or with its offer of that name changed.

    Raises:
        NotValid: no name that Juju takes for an offer.
        NotFound: the application.
        Conflict: it has no such endpoint, or the model is dying.
    """
    before = model.offers.get(wanted.name)
    verb = "add" if before is None else "update"
    prefix = f'cannot {verb} application offer "{wanted.name}": '
    if not is_offer_name(wanted.name):
        raise NotValid(f'{prefix}offer name "{wanted.name}" not valid')
    application = model.applications.get(wanted.application)
    if application is None:
        raise NotFound(
            f"getting offered application {wanted.application}: "
            f'application "{wanted.application}" not found'
        )
    known = {each.name for each in endpoints_of(model, application)}
    for name in wanted.endpoints.values():
        if known and name not in known:
            raise Conflict(
                f'{prefix}getting relation endpoint for relation "{name}" and application '
                f'"{application.name}": application "{application.name}" has no "{name}" relation'
            )
    if model.life != "alive":
        raise Conflict(f"{prefix}model is no longer alive")
    if before is not None:
        wanted = msgspec.structs.replace(
            wanted, uuid=before.uuid, users=before.users, connections=before.connections
        )
    return with_offer(model, wanted)


def removed(model: Model, name: str, *, force: bool) -> Model:
    """The model without the offer.

    Raises:
        NotFound: there is none.
        Conflict: there are relations to it, and no force.
    """
    count = len(find(model, name).connections)
    if count and not force:
        plural = "" if count == 1 else "s"
        raise Conflict(
            f'cannot delete application offer "{name}": offer has {count} relation{plural}'
        )
    offers = {each: offer for each, offer in model.offers.items() if each != name}
    return msgspec.structs.replace(model, offers=offers)


def with_offer(model: Model, offer: Offer) -> Model:
    """The model with this offer under its name."""
    return msgspec.structs.replace(model, offers={**model.offers, offer.name: offer})


def connected(model: Model, offer_uuid: str, connection: OfferConnection, *, joined: bool) -> Model:
    """The model with a relation to its offer, or without it; as it is without such an offer."""
    offer = next((each for each in model.offers.values() if each.uuid == offer_uuid), None)
    if offer is None:
        return model
    where = (connection.model, connection.relation_id)
    others = [each for each in offer.connections if (each.model, each.relation_id) != where]
    left = (*others, connection) if joined else tuple(others)
    return with_offer(model, msgspec.structs.replace(offer, connections=left))


def find(model: Model, name: str) -> Offer:
    """The offer of that name.

    Raises:
        NotFound: there is none.
    """
    found = model.offers.get(name)
    if found is None:
        raise NotFound(f'offer "{name}" not found')
    return found


def granted(offer: Offer, user: str, access: str) -> Offer:
    """The offer with more access for a user.

    Raises:
        NotValid: no level of an offer.
        Conflict: they have as much or more.
    """
    wanted = level(access)
    if LEVELS.index(offer.users.get(user, "")) >= LEVELS.index(wanted):
        raise Conflict(f'user already has "{access}" access or greater')
    return msgspec.structs.replace(offer, users={**offer.users, user: wanted})


def revoked(offer: Offer, user: str, access: str) -> Offer:
    """The offer with the level below the revoked one for a user. As in Juju, that may be more
    than they had.

    Raises:
        NotValid: no level of an offer.
        NotFound: they have none.
    """
    unwanted = level(access)
    if user not in offer.users:
        what = {
            "read": "could not revoke offer access",
            "consume": "could not set offer access to read-only",
            "admin": "could not set offer access to read-consume",
        }[unwanted]
        place = f'user permission for "us#{user}" on "ao#{offer.uuid}"'
        raise NotFound(f"{what}: {place} not found")
    users = {name: each for name, each in offer.users.items() if name != user}
    if left := LEVELS[LEVELS.index(unwanted) - 1]:
        users[user] = left
    return msgspec.structs.replace(offer, users=users)


def level(access: str) -> OfferAccess:
    """One of the levels.

    Raises:
        NotValid: none of them.
    """
    found = next((each for each in LEVELS[1:] if each == access), None)
    if found is None:
        raise NotValid(f'could not modify offer access: "{access}" offer access not valid')
    return found


def endpoints_of(model: Model, application: Application) -> list[Endpoint]:
    """The endpoints in the metadata of an application's charm; none where that is unknown."""
    charm = charm_store.charm_of(model, application)
    found: list[Endpoint] = []
    for key, role in _ROLES:
        part = charm.meta.get(key)
        for name, given in (part if isinstance(part, dict) else {}).items():
            interface = given.get("interface", name) if isinstance(given, dict) else given
            found.append(
                Endpoint(
                    application=application.name,
                    name=str(name),
                    role=role,
                    interface=str(interface),
                )
            )
    return found


def published(model: Model, offer: Offer) -> list[RemoteEndpoint]:
    """An offer's endpoints as consumers see them, by name; where the charm is unknown, each is a
    provider of an interface of its own name."""
    application = model.applications.get(offer.application)
    known = {} if application is None else {e.name: e for e in endpoints_of(model, application)}
    return [
        RemoteEndpoint(
            name=alias,
            role=known[name].role if name in known else "provider",
            interface=known[name].interface if name in known else name,
            limit=0,
        )
        for alias, name in sorted(offer.endpoints.items())
    ]
