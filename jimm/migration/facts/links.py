"""JIMM's own short-lived links: into a model, and in the name of a credential's owner."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from jimm.controllers.calls import client
from jimm.controllers.link import Link
from jimm.fleet import levels
from jimm.fleet.fleet import Fleet, endpoint
from jimm.registry import offers
from jimm.registry.controllers import Controller
from jimm.registry.words import Trust
from jimm.wire import tags
from jimm.wire.params.admin import LoginRequest
from jimm.wire.tags import ModelUUID


@asynccontextmanager
async def into(fleet: Fleet, controller: Controller, model: ModelUUID) -> AsyncIterator[Link]:
    """A link to a model, in JIMM's own name.

    Raises:
        ControllerError: the controller is away, or refuses the login.
    """
    login = await _own_login(fleet, controller, model)
    async with fleet.pool.as_user(endpoint(controller), login, model=model) as link:
        yield link


async def status_of(
    fleet: Fleet, controller: Controller, model: ModelUUID, *, deadline: float
) -> dict[str, object]:
    """A model's ``FullStatus``.

    Raises:
        ControllerError, NotSupported: as :func:`into`, and what it refuses.
    """
    async with into(fleet, controller, model) as link:
        return await client.full_status(link, deadline=deadline)


async def login_as(fleet: Fleet, controller: Controller, user: str) -> LoginRequest | None:
    """A login as somebody that the controller knows by that name; nobody is made for it.
    ``None`` where JIMM has none."""
    if controller.trust is Trust.TOKEN:
        if "@" not in user:
            return None
        access = {tags.controller_tag(controller.uuid): levels.LOGIN}
        return await fleet.trust.token_login(controller.uuid, user, access)
    if user == controller.admin_username:
        return await fleet.trust.admin_login(controller)
    async with fleet.registry.read() as session:
        known = await offers.identities_of(session, controller.id, [user])
    if user not in known:
        return None
    login, _ = await fleet.trust.user_login(controller, known[user], {}, None)
    return login


async def _own_login(fleet: Fleet, controller: Controller, model: ModelUUID) -> LoginRequest:
    if controller.trust is Trust.PASSWORD:
        return await fleet.trust.admin_login(controller)
    access = {
        tags.controller_tag(controller.uuid): "superuser",
        tags.model_tag(model): levels.ADMIN,
    }
    return await fleet.trust.token_login(controller.uuid, fleet.trust.own_identity, access)
