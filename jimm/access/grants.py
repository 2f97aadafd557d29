"""Who lets whom at a model (Juju ``ModelManager.ModifyModelAccess``)."""

from jimm.access.names import require_identity, shown
from jimm.access.rules import covers, granted, level, level_on_model, revoked
from jimm.access.subjects import known
from jimm.errors import Conflict, ModelNotFound, NotFound, Unauthorized
from jimm.registry import entries, relations
from jimm.registry.models import Model
from jimm.registry.relations import Object
from jimm.registry.session import ReadSession, WriteSession
from jimm.registry.words import ObjectKind, Relation
from jimm.wire.tags import ModelUUID


async def grant(
    session: WriteSession,
    by: str,
    model: ModelUUID,
    subject: str,
    wanted: str,
    *,
    local_domain: str,
) -> None:
    """Gives an identity a level (``read``, ``write``, ``admin``) on a model.

    ``by`` is the identity that asks; ``subject`` need not have logged in yet, unless it is of
    the local domain.

    Raises:
        ModelNotFound: no such model, or none that the asker may know of.
        Unauthorized: the asker doesn't administer it.
        NotValid: no such level, or no such name.
        UserNotFound: no such local user.
        NotSupported: everyone.
        AlreadyExists: they have as much or more.
    """
    owner = (await require_administrator(session, by, model)).owner
    subject = await known(session, subject, local_domain)
    held = await relations.locked(session, subject, Object.model(model))
    if subject == owner:
        held |= {Relation.ADMINISTRATOR}
    change = granted(ObjectKind.MODEL, held, wanted)
    await relations.replace(
        session, subject, Object.model(model), add=change.add, remove=change.remove
    )


async def revoke(
    session: WriteSession,
    by: str,
    model: ModelUUID,
    subject: str,
    unwanted: str,
    *,
    local_domain: str,
) -> None:
    """Takes a level from an identity; the one below it stays.

    Raises:
        ModelNotFound: no such model, or none that the asker may know of.
        Unauthorized: the asker doesn't administer it.
        NotValid: no such level, or no such name.
        NotFound: they have none on this model.
        Conflict: they own it: an owner always administers.
    """
    owner = (await require_administrator(session, by, model)).owner
    subject = require_identity(subject, local_domain)
    if subject == owner:
        raise Conflict("the model's owner keeps administering it; nothing was revoked")
    held = await relations.locked(session, subject, Object.model(model))
    change = revoked(ObjectKind.MODEL, held, unwanted)
    if not level(ObjectKind.MODEL, held):
        name = shown(subject, local_domain)
        raise NotFound(
            f'could not look up model access for user: model user "{name}" does not exist'
        )
    await relations.replace(
        session, subject, Object.model(model), add=change.add, remove=change.remove
    )


async def require_administrator(session: ReadSession, by: str, model: ModelUUID) -> Model:
    """The model, for those who administer it.

    Raises:
        ModelNotFound: no such model, or none that they may read.
        Unauthorized: they may only use it.
    """
    entry = await entries.find(session, model, by)
    has = level_on_model(
        by,
        entry.held,
        model=entry.model.uuid,
        controller=entry.model.controller_uuid,
        owner=entry.model.owner,
    )
    if not has:
        raise ModelNotFound(f'model "{model}" not found')
    if not covers(ObjectKind.MODEL, has, "admin"):
        raise Unauthorized
    return entry.model
