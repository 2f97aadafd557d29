"""Users' cloud credentials: kept sealed, and pushed to the controllers that need them."""

from dataclasses import dataclass

import msgspec

from jimm import audit
from jimm.controllers.calls import cloud as cloud_calls
from jimm.controllers.link import Link
from jimm.errors import ControllerError, NotValid, Unauthorized
from jimm.fleet import clouds
from jimm.fleet.caller import Caller
from jimm.fleet.fleet import Fleet, endpoint
from jimm.registry import credentials
from jimm.registry.controllers import Controller
from jimm.registry.credentials import Credential, CredentialUse
from jimm.wire import tags
from jimm.wire.params.cloud import CloudCredential, UpdateCredentialResult
from jimm.wire.secret import Secret
from jimm.wire.tags import CredentialId

EMPTY = "empty"
"""The auth type of clouds that need no credential."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A credential with its attributes, and the models that use it."""

    credential: Credential
    attributes: dict[str, str]
    uses: tuple[CredentialUse, ...]

    def __repr__(self) -> str:
        return f"Opened({self.credential!r})"


async def update(
    fleet: Fleet, caller: Caller, key: CredentialId, content: CloudCredential
) -> list[UpdateCredentialResult]:
    """Keeps a credential, then gives it to the controllers that have an older one.

    A controller that is away gets it before it is next needed there. Returns what controllers
    said of models that would lose their cloud.

    Raises:
        Unauthorized: it is somebody else's.
        NotFound: no such cloud.
        NotValid: the cloud does not know the auth type.
    """
    _require_owner(caller, key)
    cloud = await clouds.show(fleet, caller, key.cloud)
    known = cloud.definition.get("auth-types")
    if isinstance(known, list) and known and content.auth_type not in known:
        raise NotValid(
            f'cloud "{key.cloud}" does not know auth type "{content.auth_type}"; '
            f"use one of: {', '.join(map(str, known))}",
            field="auth-type",
        )
    async with fleet.registry.write() as session:
        sealed = fleet.sealer.seal(
            Secret(msgspec.json.encode(content.attrs).decode()), **_place(key)
        )
        stored = await credentials.put(session, key, content.auth_type, sealed)
        holders = await credentials.holders(session, stored.id)
        await audit.record(
            session,
            audit.Action(
                caller.identity, caller.door, "update-credential", params={"credential": str(key)}
            ),
        )
    said: list[UpdateCredentialResult] = []
    for controller in holders:
        try:
            said.append(await _push_as_owner(fleet, controller, stored))
        except ControllerError:
            continue
    return [each for each in said if each.models]


async def names(fleet: Fleet, caller: Caller, owner: str, cloud: str) -> list[CredentialId]:
    """The names of somebody's credentials for a cloud.

    Raises:
        Unauthorized: somebody else's, and the caller does not administer JIMM.
    """
    if owner != caller.identity and not caller.admin:
        raise Unauthorized
    async with fleet.registry.read() as session:
        return [each.key for each in await credentials.of_owner(session, owner, cloud)]


async def opened(
    fleet: Fleet, caller: Caller, keys: list[CredentialId] | None = None
) -> list[Opened]:
    """The caller's own credentials with their attributes; these, or all of them.

    Raises:
        Unauthorized: one is somebody else's.
        NotFound: one is not there.
    """
    for key in keys or ():
        _require_owner(caller, key)
    async with fleet.registry.read() as session:
        if keys is None:
            found = await credentials.of_owner(session, caller.identity)
        else:
            found = [await credentials.get(session, key) for key in keys]
        return [
            Opened(
                each,
                attributes(fleet, each),
                tuple(await credentials.uses(session, each.id)),
            )
            for each in found
        ]


async def revoke(fleet: Fleet, caller: Caller, key: CredentialId, *, force: bool) -> None:
    """Forgets a credential.

    Raises:
        Unauthorized: it is somebody else's.
        NotFound: it is not there.
        Conflict: models use it, and it was not forced.
    """
    _require_owner(caller, key)
    async with fleet.registry.write() as session:
        await credentials.remove(session, key, force=force)
        await audit.record(
            session,
            audit.Action(
                caller.identity, caller.door, "revoke-credential", params={"credential": str(key)}
            ),
        )


async def push(
    fleet: Fleet, controller: Controller, credential: Credential, link: Link, owner: str
) -> UpdateCredentialResult:
    """Gives a controller the credential as it is now; ``link`` is in the owner's name there.

    ``owner`` is the owner's user id on that controller.

    Raises:
        RemoteError: it refuses it.
    """
    content = CloudCredential(auth_type=credential.auth_type, attrs=attributes(fleet, credential))
    key = credential.key._replace(owner=owner)
    result = await cloud_calls.update_credential(link, key, content, force=True)
    async with fleet.registry.write() as session:
        await credentials.mark_pushed(session, controller.id, credential.id, credential.revision)
    return result


async def push_if_older(
    fleet: Fleet, controller: Controller, credential: Credential, link: Link, owner: str
) -> None:
    """As :func:`push`, unless the controller has this revision."""
    async with fleet.registry.read() as session:
        there = await credentials.pushed_revision(session, controller.id, credential.id)
    if there is None or there < credential.revision:
        await push(fleet, controller, credential, link, owner)


def attributes(fleet: Fleet, credential: Credential) -> dict[str, str]:
    """What a credential holds, in clear."""
    text = fleet.sealer.open(credential.attributes_sealed, **_place(credential.key))
    return msgspec.json.decode(text.reveal(), type=dict[str, str])


async def _push_as_owner(
    fleet: Fleet, controller: Controller, credential: Credential
) -> UpdateCredentialResult:
    link = fleet.link(controller)
    access = {tags.controller_tag(controller.uuid): "login"}
    login, user = await fleet.trust.user_login(controller, credential.owner, access, link)
    async with fleet.pool.as_user(endpoint(controller), login) as own:
        return await push(fleet, controller, credential, own, user)


def _require_owner(caller: Caller, key: CredentialId) -> None:
    if key.owner != caller.identity:
        raise Unauthorized


def _place(key: CredentialId) -> dict[str, str]:
    return {"table": "credentials", "column": "attributes_sealed", "row": str(key)}
