"""Who lets whom use a cloud (Juju ``Cloud.ModifyCloudAccess``). Who may ask is not checked here."""

from jimm.access.names import require_identity, shown
from jimm.access.rules import granted, level, revoked
from jimm.access.subjects import known
from jimm.errors import NotFound
from jimm.registry import relations
from jimm.registry.relations import Object
from jimm.registry.session import WriteSession
from jimm.registry.words import ObjectKind


async def grant(
    session: WriteSession, cloud: str, user_id: str, wanted: str, *, local_domain: str
) -> str:
    """Gives somebody a level (``add-model``, ``admin``) on a cloud; who it was, in full.

    Raises:
        NotValid: no such level, or no such name.
        UserNotFound: no such local user.
        NotSupported: everyone.
        AlreadyExists: they have as much or more.
    """
    subject = await known(session, user_id, local_domain)
    about = Object.cloud(cloud)
    held = await relations.locked(session, subject, about)
    change = granted(ObjectKind.CLOUD, held, wanted)
    await relations.replace(session, subject, about, add=change.add, remove=change.remove)
    return subject


async def revoke(
    session: WriteSession, cloud: str, user_id: str, unwanted: str, *, local_domain: str
) -> str:
    """Takes a level; ``admin`` leaves ``add-model``. Gives who it was, in full.

    Raises:
        NotValid: no such level, or no such name.
        NotFound: they have nothing on this cloud.
    """
    subject = require_identity(user_id, local_domain)
    about = Object.cloud(cloud)
    held = await relations.locked(session, subject, about)
    change = revoked(ObjectKind.CLOUD, held, unwanted)
    if not level(ObjectKind.CLOUD, held):
        name = shown(subject, local_domain)
        raise NotFound(
            f'could not revoke cloud access: user permission for "{name}" on "{cloud}" not found'
        )
    await relations.replace(session, subject, about, add=change.add, remove=change.remove)
    return subject
