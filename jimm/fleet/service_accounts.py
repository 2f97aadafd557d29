"""Service accounts: made, listed, removed by JIMM's administrators."""

from jimm import audit
from jimm.access import service_accounts as accounts
from jimm.fleet.caller import Caller
from jimm.fleet.controllers import require_administrator
from jimm.fleet.fleet import Fleet
from jimm.registry import service_accounts
from jimm.registry.service_accounts import ServiceAccount
from jimm.wire.secret import Secret


async def add(
    fleet: Fleet, caller: Caller, name: str, *, replace: bool = False
) -> tuple[str, Secret]:
    """A new service account, or with ``replace`` a new secret for one that is there.

    Returns the client id and the secret, which is not kept anywhere else. What was opened with
    a replaced secret ends.

    Raises:
        Unauthorized: the caller does not administer JIMM.
        NotValid: the name can't be one.
        AlreadyExists: there is such an account, or a user of that name.
        NotFound: there is none whose secret could be replaced.
    """
    require_administrator(caller)
    async with fleet.registry.write() as session:
        if replace:
            client_id, secret = await accounts.replace_secret(session, name)
        else:
            client_id, secret = await accounts.add(
                session, name, by=caller.identity, local_domain=fleet.local_domain
            )
        action = "replace-service-account-key" if replace else "add-service-account"
        await audit.record(session, _action(caller, action, client_id))
    return client_id, secret


async def every(fleet: Fleet, caller: Caller) -> list[ServiceAccount]:
    """All service accounts by client id.

    Raises:
        Unauthorized: the caller does not administer JIMM.
    """
    require_administrator(caller)
    async with fleet.registry.read() as session:
        return await service_accounts.every(session)


async def remove(fleet: Fleet, caller: Caller, name: str) -> None:
    """Ends a service account, its tokens, and whatever it has open.

    Raises:
        Unauthorized: the caller does not administer JIMM.
        NotFound: there is no such account.
    """
    require_administrator(caller)
    async with fleet.registry.write() as session:
        client_id = await accounts.remove(session, name)
        await audit.record(session, _action(caller, "remove-service-account", client_id))


def _action(caller: Caller, action: str, client_id: str) -> audit.Action:
    return caller.did(action, params={"client-id": client_id})
