"""The people of a model on its new controller.

Juju moves a model only where each of its local users exists (``InitiateMigration`` asks), and
carries their access along. A controller trusted by password knows JIMM's people as local users
of JIMM's making, so these are made there first.
"""

import logging
from collections.abc import Collection
from typing import Final

from jimm.controllers.calls import model_manager
from jimm.errors import JimmError, RemoteError
from jimm.fleet.fleet import Fleet
from jimm.registry import relations
from jimm.registry.controllers import Controller
from jimm.registry.models import Model
from jimm.registry.relations import Object
from jimm.registry.words import Relation, Trust
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

    Raises:
        ControllerError: the target is away, or refuses.
    """
    link = fleet.link(target)
    for identity in await _people(fleet, model):
        if fleet.trust.local_name(identity) in there:
            await fleet.trust.local_user(target, identity, link)


async def admit(fleet: Fleet, model: Model, target: Controller) -> None:
    """Gives everybody with a relation to the model their access on a target that is trusted by
    password. What can't be done is logged: the model has arrived all the same."""
    if target.trust is not Trust.PASSWORD:
        return
    for identity, level in (await _people(fleet, model)).items():
        try:
            link = fleet.link(target)
            user = await fleet.trust.local_user(target, identity, link)
            change = ModifyModelAccess(
                user_tag=user_tag(user.username),
                action="grant",
                access=level,
                model_tag=model_tag(model.uuid),
            )
            await model_manager.modify_model_access(link, change)
        except RemoteError as error:
            if "already has" not in str(error):
                log.warning("%s has no access on %s: %s", identity, target.name, error)
        except JimmError as error:
            log.warning("%s has no access on %s: %s", identity, target.name, error)


async def _people(fleet: Fleet, model: Model) -> dict[str, str]:
    """Who has a relation to the model, each with the highest of Juju's levels."""
    async with fleet.registry.read() as session:
        held = await relations.about(session, [Object.model(model.uuid)])
    people: dict[str, str] = {}
    for relation, level in _LEVELS.items():
        people |= {each.subject: level for each in held if each.relation is relation}
    people = {subject: level for subject, level in people.items() if "@" in subject}
    return people | {model.owner: "admin"}
