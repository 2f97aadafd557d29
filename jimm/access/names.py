"""The names of people: ``name@domain`` inside JIMM, bare outside for the local domain.

``alice`` and ``alice@corp`` are two people; a bare name always means the local domain. Juju
writes its own local users ``alice@local``, and takes that for ``alice`` (``names.UserTag``), so
here too it is the bare name and never a domain.
"""

from typing import Final

from jimm.errors import NotValid
from jimm.wire.tags import is_user_id

SERVICE_ACCOUNT: Final = "serviceaccount"
"""The domain of service accounts."""

_JUJU_LOCAL: Final = "@local"
_RESERVED: Final = frozenset({"everyone"})


def qualify(user_id: str, local_domain: str) -> str:
    """The identity that a user id means: a bare name is of the local domain."""
    bare = user_id.removesuffix(_JUJU_LOCAL)
    return bare if "@" in bare else f"{bare}@{local_domain}"


def shown(identity: str, local_domain: str) -> str:
    """An identity as clients know it: bare for the local domain, in full for any other."""
    return identity.removesuffix(f"@{local_domain}")


def is_local(identity: str, local_domain: str) -> bool:
    """Whether the identity is a user made in JIMM."""
    return identity.endswith(f"@{local_domain}")


def is_service_account(identity: str) -> bool:
    """Whether the identity is a service account."""
    return identity.endswith(f"@{SERVICE_ACCOUNT}")


def alias(login_name: str, identity: str) -> str:
    """The bare client id with which a service account logged in; empty for anybody else.

    python-libjuju, which can't say a domain together with a password, then names itself so in
    each of its calls.
    """
    return login_name if identity == f"{login_name}@{SERVICE_ACCOUNT}" else ""


def require_identity(user_id: str, local_domain: str) -> str:
    """The identity that a user id from outside means.

    Raises:
        NotValid: Juju would not take it for a user (at least two characters, letters, digits,
            ``.`` and ``-``).
    """
    if not is_user_id(user_id):
        raise NotValid(f'"{user_id}" is not a valid user name')
    return qualify(user_id, local_domain)


def new_local_identity(user_id: str, local_domain: str) -> str:
    """The identity of a user who is to be made in JIMM.

    Names are in lower case: Juju keeps access under the lower-cased name, so that two people
    whose names differ in case only would have each other's models.

    Raises:
        NotValid: no user name, upper case, another domain, or reserved; the field is ``name``.
    """
    try:
        identity = require_identity(user_id, local_domain)
    except NotValid as error:
        raise NotValid(
            f"{error}: it takes two or more letters, digits, dots and hyphens", field="name"
        ) from error
    name = shown(identity, local_domain)
    if "@" in name:
        raise NotValid(
            f'"{user_id}" is of another domain: users with a password are of '
            f'"{local_domain}", so leave the domain off',
            field="name",
        )
    if name != name.lower():
        raise NotValid(f'"{user_id}" has upper-case letters; use "{name.lower()}"', field="name")
    if name in _RESERVED:
        raise NotValid(
            f'"{name}" is a name with a meaning of its own; choose another', field="name"
        )
    return identity
