"""Session tokens: everybody their own, JIMM's administrators anybody's."""

from jimm import audit
from jimm.access.names import require_identity
from jimm.access.tokens import SessionTokens
from jimm.errors import NotFound
from jimm.fleet.caller import Caller
from jimm.fleet.controllers import require_administrator
from jimm.fleet.fleet import Fleet
from jimm.registry import tokens
from jimm.registry.tokens import TokenRecord


async def every(
    fleet: Fleet, caller: Caller, stored: SessionTokens, user: str
) -> list[TokenRecord]:
    """The usable tokens of a user, the newest first; the caller's own for an empty name.

    Raises:
        Unauthorized: somebody else's, and the caller does not administer JIMM.
        NotValid: the name can't be one; the field is ``user``.
        UserNotFound: there is no such user.
    """
    identity = require_identity(user, fleet.local_domain) if user else caller.identity
    if identity != caller.identity:
        require_administrator(caller)
    return await stored.of(identity)


async def revoke(fleet: Fleet, caller: Caller, token_id: str) -> None:
    """Ends a token, and whatever its owner has open.

    Raises:
        NotFound: no such token, or somebody else's, and the caller does not administer JIMM.
    """
    async with fleet.registry.write() as session:
        owner = await tokens.owner(session, token_id)
        if owner is None or (owner.name != caller.identity and not caller.admin):
            raise NotFound(f'token "{token_id}" not found')
        await tokens.revoke(session, token_id, owner)
        await audit.record(
            session,
            caller.did(
                "revoke-token",
                params={"id": token_id, "user": owner.name},
            ),
        )
