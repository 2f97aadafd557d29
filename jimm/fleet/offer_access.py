"""Who may see, consume and administer an offer (Juju ``ApplicationOffers.ModifyOfferAccess``)."""

from jimm import audit
from jimm.access import rules
from jimm.access.names import is_local, require_identity, shown
from jimm.errors import (
    AlreadyExists,
    Conflict,
    NotFound,
    NotSupported,
    NotValid,
    Unauthorized,
    UserNotFound,
)
from jimm.fleet import levels, offer_consuming, offers
from jimm.fleet.caller import Caller
from jimm.fleet.fleet import Fleet
from jimm.fleet.offers import Known
from jimm.registry import identities, relations
from jimm.registry.relations import Object
from jimm.registry.session import WriteSession
from jimm.registry.words import EVERYONE, ObjectKind
from jimm.wire.offer_urls import OfferURL


async def modify(
    fleet: Fleet, caller: Caller, url: OfferURL, *, identity: str, action: str, access: str
) -> None:
    """Grants or revokes ``read``, ``consume`` or ``admin``, for the administrators of an offer
    or of its model; in Juju 3.6's words.

    A revoke leaves the level below the revoked one, or less if less was held. (In Juju it may
    leave more than was held.)

    Raises:
        NotFound: no such offer, or none that the caller may know of; the user has none of it.
        Unauthorized: the caller doesn't administer it.
        NotValid, BadRequest: no such level, user's name, or action.
        UserNotFound: no such local user.
        NotSupported: everyone.
        Conflict: the user has as much or more.
    """
    found = await offers.resolve(fleet, caller, url)
    levels.require_action(action)
    _require_level(access)
    if found.level != levels.ADMIN:
        raise Unauthorized
    identity = require_identity(identity, fleet.local_domain)
    async with fleet.registry.write() as session:
        change = _grant if action == "grant" else _revoke
        left = await change(session, fleet, found, identity, access)
        await audit.record(
            session,
            caller.did(
                f"{action}-offer",
                model=found.offer.model_uuid,
                params={"offer": found.offer.name, "user": identity, "access": access},
            ),
        )
    if action == "revoke":
        await offer_consuming.withdraw(fleet, found, identity, left)


def _require_level(access: str) -> None:
    try:
        rules.covers(ObjectKind.OFFER, "", access)
    except NotValid as error:
        raise NotValid(f"could not modify offer access: {error}") from error


async def _grant(
    session: WriteSession, fleet: Fleet, found: Known, identity: str, access: str
) -> str:
    await _require_user(session, fleet, identity)
    about = Object.offer(found.offer.uuid)
    held = await relations.locked(session, identity, about)
    try:
        change = rules.granted(ObjectKind.OFFER, held, access)
    except AlreadyExists as error:
        raise Conflict(f'user already has "{access}" access or greater') from error
    await relations.replace(session, identity, about, add=change.add, remove=change.remove)
    return access


async def _revoke(
    session: WriteSession, fleet: Fleet, found: Known, identity: str, access: str
) -> str:
    """What is left."""
    about = Object.offer(found.offer.uuid)
    held = await relations.locked(session, identity, about)
    if not rules.level(ObjectKind.OFFER, held):
        who = shown(identity, fleet.local_domain)
        raise NotFound(f'could not revoke offer access: offer user "{who}" does not exist')
    change = rules.revoked(ObjectKind.OFFER, held, access)
    await relations.replace(session, identity, about, add=change.add, remove=change.remove)
    return rules.level(ObjectKind.OFFER, (held | change.add) - change.remove)


async def _require_user(session: WriteSession, fleet: Fleet, identity: str) -> None:
    """Nothing for somebody who is known, or of another domain: such users come when they log
    in."""
    if identity.partition("@")[0] == EVERYONE:
        raise NotSupported("an offer can't be shared with everyone; name the users")
    if not is_local(identity, fleet.local_domain):
        await identities.ensure(session, identity)
        return
    try:
        await identities.by_name(session, identity)
    except UserNotFound as error:
        who = shown(identity, fleet.local_domain)
        raise UserNotFound(
            f'could not grant offer access: user "{who}" does not exist locally: '
            f'user "{who}" not found'
        ) from error
