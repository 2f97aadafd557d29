"""The clouds that somebody may use, and who else may."""

from dataclasses import dataclass
from typing import Final

from jimm import audit
from jimm.access import cloud_grants, rules
from jimm.access.names import qualify
from jimm.errors import Conflict, NotFound, Unauthorized, UserNotFound
from jimm.fleet import levels
from jimm.fleet.caller import Caller
from jimm.fleet.fleet import Fleet
from jimm.registry import clouds, relations, users
from jimm.registry.clouds import Cloud
from jimm.registry.relations import Held, Object
from jimm.registry.session import ReadSession
from jimm.registry.words import EVERYONE, ObjectKind

EVERYBODY: Final = "everyone@external"
"""How Juju names all users of other domains; here everybody."""


@dataclass(frozen=True, slots=True)
class CloudUser:
    """Somebody who may use a cloud; ``level`` is Juju's, ``add-model`` or ``admin``."""

    identity: str
    display_name: str
    level: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A cloud and a user's own level on it."""

    cloud: Cloud
    level: str


async def visible(fleet: Fleet, caller: Caller) -> list[Cloud]:
    """The clouds on which the caller may add models, by name."""
    async with fleet.registry.read() as session:
        return await clouds.visible(session, caller.identity, admin=caller.admin)


async def show(fleet: Fleet, caller: Caller, name: str) -> Cloud:
    """One of them.

    Raises:
        NotFound: no such cloud, or none that the caller may use; in Juju's words.
    """
    async with fleet.registry.read() as session:
        found = await clouds.visible(session, caller.identity, admin=caller.admin, name=name)
    if not found:
        raise NotFound(f'cloud "{name}" not found')
    return found[0]


async def of_user(
    fleet: Fleet, caller: Caller, identity: str, *, everything: bool = False
) -> list[Seen]:
    """The clouds that somebody may use, with their level; by name.

    An administrator of JIMM may ask of everybody, and ``everything`` shows them all clouds.

    Raises:
        Unauthorized: it is somebody else, and the caller does not administer JIMM.
    """
    if identity != caller.identity and not caller.admin:
        raise Unauthorized
    async with fleet.registry.read() as session:
        found = await clouds.visible(session, identity, admin=caller.admin and everything)
        held = await relations.held_by(session, identity, [Object.cloud(c.name) for c in found])
    return [Seen(each, _level(held, identity, each.name)) for each in found]


async def with_users(fleet: Fleet, caller: Caller, name: str) -> tuple[Cloud, list[CloudUser]]:
    """As :func:`show`, and who may use the cloud: all of them for those who administer it,
    oneself for others.

    Raises:
        NotFound: no such cloud, or none that the caller may use.
    """
    cloud = await show(fleet, caller, name)
    async with fleet.registry.read() as session:
        held = await relations.about(session, [Object.cloud(name)])
        own = levels.ADMIN if caller.admin else _level(held, caller.identity, name)
        if own != levels.ADMIN:
            access = {caller.identity: own}
        else:
            access = {each.subject: _own_level(held, each.subject) for each in held}
            access.setdefault(caller.identity, own)
        known = await users.named(session, access.keys())
    return cloud, [
        CloudUser(
            identity=EVERYBODY if who == EVERYONE else who,
            display_name=known[who].display_name if who in known else "",
            level=level,
        )
        for who, level in sorted(access.items())
        if level
    ]


async def modify_access(
    fleet: Fleet, caller: Caller, name: str, user_id: str, *, action: str, access: str
) -> None:
    """Grants or revokes a level, for those who administer the cloud.

    Raises:
        NotFound: no such cloud, or none that the caller may use; a revoke of what isn't there.
        Unauthorized: the caller does not administer it.
        BadRequest: neither grant nor revoke.
        Conflict: it is the caller's own access.
        NotValid, UserNotFound, AlreadyExists, NotSupported: as Juju's ``ModifyCloudAccess``.
    """
    await require_administrator(fleet, caller, name)
    levels.require_action(action)
    if qualify(user_id, fleet.local_domain) == caller.identity:
        raise Conflict("cannot change your own cloud access")
    change = cloud_grants.grant if action == "grant" else cloud_grants.revoke
    async with fleet.registry.write() as session:
        try:
            identity = await change(session, name, user_id, access, local_domain=fleet.local_domain)
        except UserNotFound as error:
            raise UserNotFound(f"could not {action} cloud access: {error}") from error
        await audit.record(
            session,
            caller.did(
                f"{action}-cloud",
                params={"cloud": name, "user": identity, "access": access},
            ),
        )


async def require_administrator(fleet: Fleet, caller: Caller, name: str) -> Cloud:
    """The cloud, for those who administer it or JIMM; whether a controller offers it or not.

    Raises:
        NotFound: no such cloud, or none that the caller may use.
        Unauthorized: the caller may only use it.
    """
    async with fleet.registry.read() as session:
        if caller.admin or await _administers(session, caller.identity, name):
            return await clouds.by_name(session, name)
    await show(fleet, caller, name)
    raise Unauthorized


async def providers(fleet: Fleet) -> dict[str, str]:
    """The provider type of every cloud, by the cloud's name."""
    async with fleet.registry.read() as session:
        return {cloud.name: cloud.type for cloud in await clouds.every(session)}


async def _administers(session: ReadSession, identity: str, name: str) -> bool:
    held = await relations.held_by(session, identity, [Object.cloud(name)])
    return _level(held, identity, name) == levels.ADMIN


def _level(held: list[Held], identity: str, name: str) -> str:
    """With what everyone has, and what follows from administering JIMM."""
    if rules.administers_jimm(identity, held):
        return levels.ADMIN
    return rules.level(
        ObjectKind.CLOUD,
        [
            each.relation
            for each in held
            if each.subject in (identity, EVERYONE)
            and (each.object_kind, each.object_key) == (ObjectKind.CLOUD, name)
        ],
    )


def _own_level(held: list[Held], subject: str) -> str:
    return rules.level(
        ObjectKind.CLOUD, [each.relation for each in held if each.subject == subject]
    )
