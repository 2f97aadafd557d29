"""To whom something may be granted."""

from jimm.access.names import is_local, require_identity, shown
from jimm.errors import NotSupported, UserNotFound
from jimm.registry import identities
from jimm.registry.session import WriteSession
from jimm.registry.words import EVERYONE


async def known(session: WriteSession, user_id: str, local_domain: str) -> str:
    """The identity that a user id means, made if it is of another domain: such users come when
    they log in.

    Raises:
        NotValid: Juju would not take it for a user.
        UserNotFound: no such user of the local domain.
        NotSupported: everyone.
    """
    subject = require_identity(user_id, local_domain)
    if subject.partition("@")[0] == EVERYONE:
        raise NotSupported("nothing can be shared with everyone; name the users")
    if not is_local(subject, local_domain):
        return (await identities.ensure(session, subject)).name
    return await existing(session, subject, local_domain)


async def existing(session: WriteSession, subject: str, local_domain: str) -> str:
    """The identity, if there is one.

    Raises:
        UserNotFound: there is none; named as people know it.
    """
    try:
        return (await identities.by_name(session, subject)).name
    except UserNotFound as error:
        raise UserNotFound(f'user "{shown(subject, local_domain)}" not found') from error
