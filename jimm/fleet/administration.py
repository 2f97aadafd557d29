"""Access to JIMM as a controller: who administers it, and who may add models where.

Juju's levels on a controller are ``login``, which whoever may log in to JIMM has, and
``superuser``, which is an administrator of JIMM. ``add-model``, which python-libjuju still
names, means all controllers that are registered now.
"""

from typing import Final

from jimm import audit
from jimm.access import administration
from jimm.access.names import require_identity, shown
from jimm.access.subjects import existing, known
from jimm.errors import NotSupported, NotValid, UserNotFound
from jimm.fleet import levels
from jimm.fleet.caller import Caller
from jimm.fleet.controllers import require_administrator
from jimm.fleet.fleet import Fleet
from jimm.registry import controllers, users
from jimm.registry.session import WriteSession

SUPERUSER: Final = "superuser"

LEVELS: Final = (levels.LOGIN, levels.ADD_MODEL, SUPERUSER)


async def level(fleet: Fleet, caller: Caller, identity: str) -> str:
    """The level that somebody has on JIMM: anybody may ask of oneself, an administrator of all.

    Raises:
        Unauthorized: it is somebody else, and the caller does not administer JIMM.
        UserNotFound: there is no such user.
    """
    if identity == caller.identity:
        return SUPERUSER if caller.admin else levels.LOGIN
    require_administrator(caller)
    async with fleet.registry.read() as session:
        found = (await users.named(session, [identity])).get(identity)
    if found is None:
        raise UserNotFound(f'user "{shown(identity, fleet.local_domain)}" not found')
    if found.disabled:
        return ""
    return SUPERUSER if found.admin else levels.LOGIN


async def modify(fleet: Fleet, caller: Caller, user_id: str, *, action: str, access: str) -> None:
    """Grants or revokes a level, for administrators of JIMM.

    Raises:
        Unauthorized: the caller does not administer JIMM.
        BadRequest: neither grant nor revoke.
        NotValid: no such level.
        UserNotFound: no such user.
        AlreadyExists: a grant of what they have.
        NotFound: a revoke of what they don't have.
        NotSupported: everyone; or login is to be revoked.
        Conflict: the last administrator is to go.
    """
    require_administrator(caller)
    if access not in LEVELS:
        raise NotValid(f'"{access}" controller access not valid')
    levels.require_action(action)
    async with fleet.registry.write() as session:
        if action == "grant":
            identity = await _grant(fleet, session, user_id, access)
        else:
            identity = await _revoke(fleet, session, user_id, access)
        await _record(session, caller, action, identity, access)


async def modify_one(
    fleet: Fleet, caller: Caller, controller: str, user_id: str, *, action: str
) -> None:
    """Lets somebody add models on one controller, given by name, or takes it back.

    Raises:
        Unauthorized: the caller does not administer JIMM.
        BadRequest: neither grant nor revoke.
        NotFound: no such controller; or a revoke of what they don't have.
        UserNotFound, AlreadyExists, NotSupported: as :func:`modify`.
    """
    require_administrator(caller)
    levels.require_action(action)
    async with fleet.registry.write() as session:
        found = await controllers.by_name(session, controller)
        identity = await _change_add_model(fleet, session, user_id, action, [found.uuid])
        await _record(session, caller, action, identity, levels.ADD_MODEL, controller=controller)


async def _grant(fleet: Fleet, session: WriteSession, user_id: str, access: str) -> str:
    try:
        if access == levels.ADD_MODEL:
            return await _change_add_model(
                fleet, session, user_id, "grant", await _everywhere(session)
            )
        identity = await known(session, user_id, fleet.local_domain)
    except UserNotFound as error:
        raise UserNotFound(f"could not grant controller access: {error}") from error
    if access == SUPERUSER:
        await administration.make_administrator(session, identity)
        return identity
    raise administration.has_it(access)


async def _revoke(fleet: Fleet, session: WriteSession, user_id: str, access: str) -> str:
    if access == levels.LOGIN:
        raise NotSupported(
            "whoever has an account may log in to JIMM: disable the user instead "
            "(juju disable-user)"
        )
    try:
        if access == levels.ADD_MODEL:
            return await _change_add_model(
                fleet, session, user_id, "revoke", await _everywhere(session)
            )
        identity = await _user(fleet, session, user_id)
    except UserNotFound as error:
        raise UserNotFound(f"could not look up controller access for user: {error}") from error
    await administration.unmake_administrator(session, identity, fleet.local_domain)
    return identity


async def _change_add_model(
    fleet: Fleet, session: WriteSession, user_id: str, action: str, uuids: list[str]
) -> str:
    if action == "grant":
        identity = await known(session, user_id, fleet.local_domain)
        await administration.let_add_models(session, identity, uuids)
        return identity
    identity = await _user(fleet, session, user_id)
    await administration.stop_adding_models(session, identity, uuids, fleet.local_domain)
    return identity


async def _user(fleet: Fleet, session: WriteSession, user_id: str) -> str:
    identity = require_identity(user_id, fleet.local_domain)
    return await existing(session, identity, fleet.local_domain)


async def _everywhere(session: WriteSession) -> list[str]:
    return [each.uuid for each in await controllers.every(session)]


async def _record(
    session: WriteSession,
    caller: Caller,
    action: str,
    identity: str,
    access: str,
    controller: str = "",
) -> None:
    await audit.record(
        session,
        caller.did(
            f"{action}-controller",
            controller=controller,
            params={"user": identity, "access": access},
        ),
    )
