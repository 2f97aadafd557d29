"""What a provider says about a person (OpenID Connect Core 1.0, 5.1), as JIMM takes it."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from jimm.access.names import SERVICE_ACCOUNT
from jimm.errors import InvalidLogin
from jimm.wire.tags import is_user_id

_UNFIT: Final = re.compile(r"[^a-z0-9.-]+")
_MARKED: Final = re.compile(r".*-[0-9a-f]{16}")
_LONGEST: Final = 200
_GROUPS: Final = 1000
_JUJU_LOCAL: Final = "local"


@dataclass(frozen=True, slots=True)
class Person:
    """``identity`` is the full name, ``alice@corp.example``; ``groups`` are the provider's."""

    identity: str
    display_name: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """Where to look: ``domain`` is for people whose claim has none."""

    username: str
    groups: str
    domain: str
    local_domain: str


def person(claims: Mapping[str, object], names: ClaimNames) -> Person:
    """Whom the claims tell of.

    Raises:
        InvalidLogin: they name nobody that may come from a provider; the text says why.
    """
    claimed = claims.get(names.username)
    if not isinstance(claimed, str) or not claimed.strip():
        raise InvalidLogin(f'the identity provider told no "{names.username}" of you')
    if names.username == "email" and claims.get("email_verified") is False:
        raise InvalidLogin("your e-mail address is not verified at the identity provider")
    name, _, domain = claimed.strip().rpartition("@")
    if not name:
        name, domain = domain, names.domain
    display_name = claims.get("name")
    return Person(
        identity_of(name, domain, names.local_domain),
        display_name[:_LONGEST] if isinstance(display_name, str) else "",
        _groups(claims.get(names.groups)),
    )


def identity_of(name: str, domain: str, local_domain: str) -> str:
    """A name at a provider as a user id that Juju takes.

    Two different names never give the same id: one that had to be changed, or that looks as if
    it had been, ends in a digest of what it was.

    Raises:
        InvalidLogin: the domain is empty, not Juju's kind, or one whose users JIMM makes itself.
    """
    name, domain = name.lower(), domain.lower()
    if not domain:
        raise InvalidLogin("your name at the identity provider has no domain: set JIMM_OIDC_DOMAIN")
    if domain in {local_domain.lower(), SERVICE_ACCOUNT, _JUJU_LOCAL}:
        raise InvalidLogin(f'the domain "{domain}" is not the identity provider\'s to name')
    identity = f"{name}@{domain}"
    if not is_user_id(identity) or _MARKED.fullmatch(name):
        mark = hashlib.sha256(name.encode()).hexdigest()[:16]
        identity = f"{_fit(name)}-{mark}@{domain}"
    if not is_user_id(identity) or len(identity) > _LONGEST:
        raise InvalidLogin(f'Juju can\'t have a user of the domain "{domain}"')
    return identity


def client_identity(client_id: str) -> str:
    """The identity of a client of the provider that logs in with its secret.

    Raises:
        InvalidLogin: its id can't be one of Juju's.
    """
    identity = f"{client_id}@{SERVICE_ACCOUNT}"
    if not is_user_id(identity) or client_id != client_id.lower() or len(identity) > _LONGEST:
        raise InvalidLogin
    return identity


def _fit(name: str) -> str:
    return _UNFIT.sub("-", name)[:100].strip(".-") or "user"


def _groups(claimed: object) -> tuple[str, ...]:
    if isinstance(claimed, str):
        claimed = [claimed]
    if not isinstance(claimed, list):
        return ()
    found = {each for each in claimed if isinstance(each, str) and len(each) <= _LONGEST}
    return tuple(sorted(found)[:_GROUPS])
