"""Service accounts: a client id, which is a name, and a random secret.

The secret has 256 random bits, so a plain SHA-256 of it is kept and compared: Terraform logs in
on every socket. A client id is no user's name, so that python-libjuju, which can't say a domain
together with a password, may log in with the bare one.
"""

import hashlib
import hmac
import secrets
from typing import Final

from jimm.access.names import SERVICE_ACCOUNT
from jimm.errors import AlreadyExists, NotValid, UserNotFound
from jimm.registry import identities, service_accounts, tokens
from jimm.registry.session import WriteSession
from jimm.wire.secret import Secret
from jimm.wire.tags import is_user_id

_DOMAIN: Final = f"@{SERVICE_ACCOUNT}"
_LONGEST_NAME: Final = 100
_RESERVED: Final = frozenset({"everyone"})
_TAG_PREFIX: Final = "user-"
"""In HTTP Basic it tells a user from a client id."""


def identity_of(client_id: str) -> str:
    """The full name of the account with that client id, given with or without its domain."""
    return f"{bare(client_id)}{_DOMAIN}"


def bare(client_id: str) -> str:
    """A client id without its domain."""
    return client_id.removesuffix(_DOMAIN)


def matches(secret: Secret, stored: bytes) -> bool:
    """Whether it is the secret whose hash is stored."""
    return hmac.compare_digest(_digest(secret), stored)


async def add(
    session: WriteSession, name: str, *, by: str, local_domain: str
) -> tuple[str, Secret]:
    """Makes an account; its client id, and the secret, which is not kept anywhere else.

    ``by`` is the identity that asks.

    Raises:
        NotValid: the name can't be one; the field is ``name``.
        AlreadyExists: there is such an account, or a user of that name.
    """
    client_id = _checked(bare(name))
    if await _is_user(session, f"{client_id}@{local_domain}"):
        raise AlreadyExists(
            f'there is a user "{client_id}"; give the service account another name', field="name"
        )
    secret = _new_secret()
    identity = await identities.ensure(session, identity_of(client_id))
    await service_accounts.add(session, identity.id, client_id, _digest(secret), by)
    return client_id, secret


async def replace_secret(session: WriteSession, name: str) -> tuple[str, Secret]:
    """Gives an account another secret and ends what it has open with the old one.

    Raises:
        NotFound: there is no such account.
    """
    client_id, secret = bare(name), _new_secret()
    await service_accounts.set_secret(session, client_id, _digest(secret))
    await _end_sessions(session, client_id)
    return client_id, secret


async def remove(session: WriteSession, name: str) -> str:
    """Ends an account and all that it has open; its client id.

    Its models and what it was granted stay, and are its own again if it is added again.

    Raises:
        NotFound: there is no such account.
    """
    client_id = bare(name)
    await service_accounts.remove(session, client_id)
    await _end_sessions(session, client_id)
    return client_id


async def _end_sessions(session: WriteSession, client_id: str) -> None:
    identity = await identities.by_name(session, identity_of(client_id))
    await tokens.revoke_all(session, identity)


async def _is_user(session: WriteSession, identity: str) -> bool:
    try:
        await identities.by_name(session, identity)
    except UserNotFound:
        return False
    return True


def _checked(name: str) -> str:
    if (
        not is_user_id(name)
        or "@" in name
        or name != name.lower()
        or len(name) > _LONGEST_NAME
        or name in _RESERVED
        or name.startswith(_TAG_PREFIX)
    ):
        raise NotValid(
            f'"{name[:_LONGEST_NAME]}" can\'t name a service account: it takes two to '
            f'{_LONGEST_NAME} lower-case letters, digits, dots and hyphens, not "{_TAG_PREFIX}" '
            "in front",
            field="name",
        )
    return name


def _new_secret() -> Secret:
    return Secret(secrets.token_urlsafe(32))


def _digest(secret: Secret) -> bytes:
    return hashlib.sha256(secret.reveal().encode(errors="surrogatepass")).digest()
