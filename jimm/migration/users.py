"""The people of a model on its new controller.

Juju moves a model only where each of its local users exists (``InitiateMigration`` asks), and
carries their access along. A controller trusted by password knows JIMM's people as local users
of JIMM's making, so these are made there first.
"""

import logging
from collections.abc import Collection
from typing import Final

from jimm.controllers.calls import model_manager
from jimm.controllers.link import Link
from jimm.errors import JimmError
from jimm.fleet import local_access
from jimm.fleet.fleet import Fleet
from jimm.registry import controllers, identities, relations
from jimm.registry.controllers import Controller
from jimm.registry.models import Model
from jimm.registry.relations import Object
from jimm.registry.words import EVERYONE, Relation, Trust
from jimm.wire.params.model_manager import ModifyModelAccess
from jimm.wire.tags import model_tag, user_tag

log = logging.getLogger(__name__)

_LEVELS: Final = {
    Relation.READER: "read",
    Relation.WRITER: "write",
    Relation.ADMINISTRATOR: "admin",
}


async def make(fleet: Fleet, model: Model, target: Controller, there: Collection[str]) -> None:
    """Makes those of the model's users on the source (``there``) that are of JIMM's making.

    Also those who may not use the model any more: Juju asks for every one, and their access is
    taken away once the model has arrived.

    Raises:
        ControllerError: the target is away, or refuses.
    """
    link = fleet.link(target)
    for username, identity in (await _made(fleet, model)).items():
        if username in there:
            await fleet.trust.local_user(target, identity, link)


async def made(fleet: Fleet, model: Model) -> frozenset[str]:
    """The names of those that :func:`make` makes, if they are on the source."""
    return frozenset(await _made(fleet, model))


async def admit(fleet: Fleet, model: Model, controller: Controller) -> None:
    """Makes the access of JIMM's people to a model what JIMM's relations say, on a controller
    trusted by password: the target on which it has arrived, or the source on which it stayed.

    What was granted, lowered or revoked during a move counts from then on; who is disabled has
    none. Users whom JIMM did not make keep what they have. What can't be done is logged: the
    model is where it is all the same, and a login puts right what concerns it.
    """
    if controller.trust is not Trust.PASSWORD:
        return
    people = await _people(fleet, model)
    wanted = {fleet.trust.local_name(identity): level for identity, level in people.items()}
    try:
        link = fleet.link(controller)
        there = await _access(link, model)
        async with fleet.registry.read() as session:
            ours = await controllers.local_users(session, controller.id)
    except JimmError as error:
        log.warning("the users of %s on %s are not known: %s", model.uuid, controller.name, error)
        return
    for identity, level in people.items():
        if there.get(fleet.trust.local_name(identity)) != level:
            await _give(fleet, controller, model, identity, level)
    for username in sorted((ours.keys() & there.keys()) - wanted.keys()):
        await _take(link, controller, model, username)


async def _made(fleet: Fleet, model: Model) -> dict[str, str]:
    """Whom JIMM keeps on the model's controller, and who has a relation to the model: the
    identity of each, by its name on a controller."""
    async with fleet.registry.read() as session:
        kept = await controllers.local_users(session, model.controller_id or 0)
    people = await _people(fleet, model)
    return kept | {fleet.trust.local_name(identity): identity for identity in people}


async def _access(link: Link, model: Model) -> dict[str, str]:
    """The users of a model on a controller, each with their level."""
    info = await model_manager.model_info(link, model.uuid)
    return {each.user: each.access for each in info.users}


async def _give(
    fleet: Fleet, controller: Controller, model: Model, identity: str, level: str
) -> None:
    try:
        link = fleet.link(controller)
        user = await fleet.trust.local_user(controller, identity, link)
        await local_access.match(link, user.username, {model_tag(model.uuid): level})
    except JimmError as error:
        log.warning("%s has no %s access on %s: %s", identity, level, controller.name, error)


async def _take(link: Link, controller: Controller, model: Model, username: str) -> None:
    change = ModifyModelAccess(
        user_tag=user_tag(username),
        action="revoke",
        access="read",
        model_tag=model_tag(model.uuid),
    )
    try:
        await model_manager.modify_model_access(link, change)
    except JimmError as error:
        log.warning("%s keeps access on %s: %s", username, controller.name, error)


async def _people(fleet: Fleet, model: Model) -> dict[str, str]:
    """Who has a relation to the model and may log in, each with the highest of Juju's levels;
    the owner in any case."""
    async with fleet.registry.read() as session:
        held = await relations.about(session, [Object.model(model.uuid)])
        disabled = await identities.disabled(session, {each.subject for each in held})
    people: dict[str, str] = {}
    for relation, level in _LEVELS.items():
        people |= {each.subject: level for each in held if each.relation is relation}
    away = disabled | {EVERYONE}
    people = {who: level for who, level in people.items() if "@" in who and who not in away}
    return people | {model.owner: "admin"}
