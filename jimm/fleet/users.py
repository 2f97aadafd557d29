"""People and service accounts: shown, made, given passwords, disabled, removed.

They take the registry and no more, for ``jimm user`` does the same without a server.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from jimm import audit
from jimm.access import accounts, rules
from jimm.access.administration import keep_an_administrator
from jimm.access.names import new_local_identity, require_identity
from jimm.access.passwords import hashed
from jimm.errors import AlreadyExists, BadRequest, NotSupported, Unauthorized
from jimm.fleet import levels, models
from jimm.fleet.caller import Caller
from jimm.fleet.controllers import require_administrator
from jimm.fleet.fleet import Fleet
from jimm.registry import model_connections, relations, users
from jimm.registry.relations import Object
from jimm.registry.session import Registry, WriteSession
from jimm.registry.users import User
from jimm.registry.words import EVERYONE, ObjectKind
from jimm.wire.secret import Secret
from jimm.wire.tags import ModelUUID


@dataclass(frozen=True, slots=True)
class Accounts:
    """Where users are kept, and the domain of those made in JIMM."""

    registry: Registry
    local_domain: str

    @classmethod
    def of(cls, fleet: Fleet) -> "Accounts":
        """A fleet's."""
        return cls(fleet.registry, fleet.local_domain)


@dataclass(frozen=True, slots=True)
class ModelUser:
    """Somebody who may use a model; ``level`` is Juju's."""

    identity: str
    display_name: str
    level: str
    last_connection: datetime | None


async def listed(kept: Accounts, caller: Caller, *, disabled: bool) -> list[User]:
    """Everybody for an administrator of JIMM, oneself for others; by name."""
    async with kept.registry.read() as session:
        if caller.admin:
            return await users.every(session, disabled=disabled)
        return list((await users.named(session, [caller.identity])).values())


async def show(kept: Accounts, caller: Caller, identity: str) -> User | None:
    """Somebody: everybody for an administrator of JIMM, oneself for others; ``None`` for those
    of other domains who never came.

    Raises:
        Unauthorized: it is somebody else, or no such user of the local domain. Juju answers
            both alike, and python-libjuju takes just this text for "no such user".
    """
    if identity != caller.identity and not caller.admin:
        raise Unauthorized
    async with kept.registry.read() as session:
        found = (await users.named(session, [identity])).get(identity)
    if found is None and identity.endswith(f"@{kept.local_domain}"):
        raise Unauthorized
    return found


async def of_model(fleet: Fleet, caller: Caller, model: ModelUUID) -> list[ModelUser]:
    """Who may use a model: all of them for those who administer it, oneself for others.

    Raises:
        ModelNotFound: there is none, or none that the caller may know of.
    """
    seen = await models.find(fleet, caller, model)
    level = levels.on_model(seen, caller)
    async with fleet.registry.read() as session:
        held = await relations.about(session, [Object.model(model)])
        access = {seen.model.owner: levels.ADMIN}
        for subject in sorted({each.subject for each in held} - {seen.model.owner, EVERYONE}):
            theirs = [each.relation for each in held if each.subject == subject]
            access[subject] = rules.level(ObjectKind.MODEL, theirs)
        if level != levels.ADMIN:
            access = {caller.identity: access.get(caller.identity) or level}
        names = await users.named(session, access.keys())
        connections = (await model_connections.of_models(session, [model])).get(model, {})
    return [
        ModelUser(identity, _display_name(names, identity), has, connections.get(identity))
        for identity, has in access.items()
        if has
    ]


async def add(
    kept: Accounts,
    caller: Caller,
    name: str,
    password: Secret,
    *,
    admin: bool = False,
    display_name: str = "",
) -> str:
    """Makes a user of the local domain; the identity.

    Raises:
        Unauthorized: the caller does not administer JIMM.
        NotValid: the name or the password can't be one.
        AlreadyExists: there is such a user, in Juju's words.
    """
    require_administrator(caller)
    identity = new_local_identity(name, kept.local_domain)
    password_hash = await asyncio.to_thread(hashed, password)
    async with kept.registry.write() as session:
        try:
            await accounts.add(
                session,
                identity,
                password_hash,
                admin=admin,
                display_name=display_name,
                by=caller.identity,
            )
        except AlreadyExists as error:
            raise AlreadyExists(
                f'failed to create user: user "{name}" already exists', field="name"
            ) from error
        await _record(session, caller, "add-user", identity, admin=admin)
    return identity


async def set_password(kept: Accounts, caller: Caller, name: str, password: Secret) -> None:
    """Gives a user of the local domain another password, and ends all their sessions: anybody
    to oneself, an administrator of JIMM to all.

    Raises:
        Unauthorized: it is somebody else, and the caller does not administer JIMM.
        BadRequest: the password is empty.
        NotValid: the password can't be one.
        NotSupported: a user of another domain.
        UserNotFound: there is no such user.
    """
    identity = require_identity(name, kept.local_domain)
    if identity != caller.identity:
        require_administrator(caller)
    if not password:
        raise BadRequest("cannot use an empty password")
    accounts.require_password_user(identity, kept.local_domain)
    password_hash = await asyncio.to_thread(hashed, password)
    async with kept.registry.write() as session:
        await accounts.change_password(session, identity, password_hash, kept.local_domain)
        await _record(session, caller, "change-user-password", identity)


async def enable(kept: Accounts, caller: Caller, name: str) -> None:
    """Lets somebody log in again.

    Raises:
        Unauthorized: the caller does not administer JIMM.
        UserNotFound: there is no such user.
    """
    require_administrator(caller)
    identity = require_identity(name, kept.local_domain)
    async with kept.registry.write() as session:
        await accounts.set_disabled(session, identity, False, kept.local_domain)
        await _record(session, caller, "enable-user", identity)


async def disable(
    kept: Accounts, caller: Caller, name: str, *, even_the_last: bool = False
) -> None:
    """Keeps somebody from logging in, and ends all their sessions.

    ``even_the_last`` is for whoever can make administrators without logging in.

    Raises:
        Unauthorized: the caller does not administer JIMM.
        UserNotFound: there is no such user.
        Conflict: they are the last administrator.
    """
    require_administrator(caller)
    identity = require_identity(name, kept.local_domain)
    async with kept.registry.write() as session:
        if not even_the_last:
            await keep_an_administrator(session, identity, kept.local_domain)
        await accounts.set_disabled(session, identity, True, kept.local_domain)
        await _record(session, caller, "disable-user", identity)


async def remove(kept: Accounts, caller: Caller, name: str) -> None:
    """Forgets somebody, with their access and credentials, and ends all their sessions. Who is
    of another domain may come again.

    Raises:
        Unauthorized: the caller does not administer JIMM.
        UserNotFound: there is no such user.
        Conflict: they are the last administrator, or own models.
    """
    require_administrator(caller)
    identity = require_identity(name, kept.local_domain)
    async with kept.registry.write() as session:
        await keep_an_administrator(session, identity, kept.local_domain)
        await accounts.remove(session, identity, kept.local_domain)
        await _record(session, caller, "remove-user", identity)


def require_no_key(password: str) -> None:
    """Refuses what Juju answers with a key for ``juju register``.

    Raises:
        NotSupported: there is no password.
    """
    if not password:
        raise NotSupported(
            "JIMM gives no registration keys, and the juju client adds no user with a password: "
            "use `jimm user add NAME`, or add_user of python-libjuju with a password",
            field="password",
        )


def _display_name(known: Mapping[str, User], identity: str) -> str:
    found = known.get(identity)
    return found.display_name if found is not None else ""


async def _record(
    session: WriteSession, caller: Caller, action: str, identity: str, *, admin: bool = False
) -> None:
    params = {"user": identity, **({"administrator": True} if admin else {})}
    await audit.record(session, caller.did(action, params=params))
