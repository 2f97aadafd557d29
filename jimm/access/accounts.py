"""Users made in JIMM: added, given another password, disabled, removed."""

import asyncio
import logging
from pathlib import Path
from typing import Final

from jimm.access.names import is_local, new_local_identity, require_identity, shown
from jimm.access.passwords import hashed
from jimm.access.subjects import existing
from jimm.errors import AlreadyExists, ConfigurationError, Conflict, NotSupported, NotValid
from jimm.registry import identities, relations, tokens, users
from jimm.registry.relations import Object
from jimm.registry.session import Registry, WriteSession
from jimm.registry.words import Relation
from jimm.wire.secret import Secret

FIRST_ADMINISTRATOR: Final = "admin"

log = logging.getLogger(__name__)


async def add_user(
    registry: Registry, name: str, password: Secret, *, admin: bool, local_domain: str
) -> str:
    """Makes a user, and an administrator of JIMM with ``admin``; the identity.

    Raises:
        NotValid: the name or the password can't be one.
        AlreadyExists: there is such a user.
    """
    identity = new_local_identity(name, local_domain)
    password_hash = await asyncio.to_thread(hashed, password)
    async with registry.write() as session:
        await add(session, identity, password_hash, admin=admin)
    return identity


async def set_password(
    registry: Registry, name: str, password: Secret, *, local_domain: str
) -> None:
    """Gives a user another password and ends all sessions.

    Raises:
        NotValid: the password can't be one, or the name.
        UserNotFound: there is no such user.
        NotSupported: they are of another domain.
    """
    identity = require_identity(name, local_domain)
    password_hash = await asyncio.to_thread(hashed, password)
    async with registry.write() as session:
        await change_password(session, identity, password_hash, local_domain)


async def disable_user(registry: Registry, name: str, *, local_domain: str) -> None:
    """Keeps somebody of any domain from logging in, and ends all sessions.

    Raises:
        NotValid: the name can't be one.
        UserNotFound: there is no such user.
    """
    identity = require_identity(name, local_domain)
    async with registry.write() as session:
        await set_disabled(session, identity, True, local_domain)


async def add(
    session: WriteSession,
    identity: str,
    password_hash: str,
    *,
    admin: bool,
    display_name: str = "",
    by: str = "",
) -> None:
    """Makes a user; ``by`` is the identity of who asked for it.

    Raises:
        AlreadyExists: there is such a user.
    """
    added = await identities.add(session, identity, display_name)
    await identities.set_password(session, added.id, password_hash)
    await users.set_created_by(session, added.id, by)
    if admin:
        await relations.add(session, identity, Relation.ADMINISTRATOR, Object.jimm())


async def change_password(
    session: WriteSession, identity: str, password_hash: str, local_domain: str
) -> None:
    """Another password, and the end of all sessions.

    Raises:
        UserNotFound: there is no such user.
        NotSupported: they are of another domain.
    """
    require_password_user(identity, local_domain)
    name = await existing(session, identity, local_domain)
    user = await identities.by_name(session, name)
    await identities.set_password(session, user.id, password_hash)
    await tokens.revoke_all(session, user)


async def set_disabled(
    session: WriteSession, identity: str, disabled: bool, local_domain: str
) -> None:
    """Says whether somebody of any domain may log in; who may not, has no session left.

    Raises:
        UserNotFound: there is no such user.
    """
    await existing(session, identity, local_domain)
    user = await identities.set_disabled(session, identity, disabled)
    if disabled:
        await tokens.revoke_all(session, user)


async def remove(session: WriteSession, identity: str, local_domain: str) -> None:
    """Forgets somebody, whose connections end.

    Raises:
        UserNotFound: there is no such user.
        Conflict: they own models.
    """
    await set_disabled(session, identity, True, local_domain)  # this is what others are told of
    try:
        await users.remove(session, identity)
    except Conflict as error:
        name = shown(identity, local_domain)
        raise Conflict(
            f'failed to delete user "{name}": {error}; destroy the models first, or disable the '
            "user instead"
        ) from error


def require_password_user(identity: str, local_domain: str) -> None:
    """Nothing, for somebody whose password JIMM keeps.

    Raises:
        NotSupported: they are of another domain.
    """
    if not is_local(identity, local_domain):
        raise NotSupported(f'JIMM keeps no password of "{identity}": they log in elsewhere')


async def bootstrap_admin(registry: Registry, password_file: Path, local_domain: str) -> bool:
    """Makes the user ``admin`` when nobody administers JIMM; whether it did.

    The password is the file's text without the line's end. The file is read only then.

    Raises:
        ConfigurationError: it can't be read, or holds no password, or the name is taken by
            somebody who does not administer JIMM.
    """
    if await _is_administered(registry):
        return False
    password = await asyncio.to_thread(_read, password_file)
    try:
        await add_user(
            registry, FIRST_ADMINISTRATOR, password, admin=True, local_domain=local_domain
        )
    except NotValid as error:
        raise ConfigurationError(f"{password_file}: {error}") from error
    except AlreadyExists as error:
        # Another replica may have been first.
        if await _is_administered(registry):
            return False
        raise ConfigurationError(
            f'nobody administers JIMM, and user "{FIRST_ADMINISTRATOR}" is there already; '
            "run `jimm user add NAME --admin`"
        ) from error
    log.warning("made user %s: nobody administered JIMM", FIRST_ADMINISTRATOR)
    return True


async def _is_administered(registry: Registry) -> bool:
    async with registry.read() as session:
        return bool(await relations.administrators(session))


def _read(file: Path) -> Secret:
    try:
        return Secret(file.read_text().rstrip("\r\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot read the password file {file}") from error
