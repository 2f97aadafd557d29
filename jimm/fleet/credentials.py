"""Users' cloud credentials: kept sealed, and pushed to the controllers that need them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final

import msgspec

from jimm import audit
from jimm.access import rules
from jimm.access.names import shown
from jimm.controllers.calls import cloud as cloud_calls
from jimm.controllers.link import Link
from jimm.errors import BadRequest, Conflict, JimmError, NotFound, NotValid, Unauthorized
from jimm.fleet import clouds, levels
from jimm.fleet.caller import Caller
from jimm.fleet.credential_checks import check as ask_controllers
from jimm.fleet.credential_checks import without_secrets
from jimm.fleet.fleet import Fleet
from jimm.registry import controllers, credentials, relations
from jimm.registry.controllers import Controller
from jimm.registry.credentials import Credential, CredentialUse
from jimm.registry.relations import Held, Object
from jimm.registry.session import ReadSession
from jimm.registry.words import ObjectKind
from jimm.wire import tags
from jimm.wire.params.cloud import CloudCredential, CredentialModelResult, UpdateCredentialResult
from jimm.wire.secret import Secret
from jimm.wire.tags import CredentialId

EMPTY = "empty"
"""The auth type of clouds that need no credential."""

OPEN_ATTRIBUTES: Final = frozenset(
    {
        *("access-key", "client-email", "client-id", "domain-name", "instance-profile-name"),
        *("application-id", "application-object-id", "managed-identity-path"),
        *("managed-subscription-id", "project-domain-name", "project-id", "rbac-id"),
        *("service-account", "subscription-id", "tenant-id", "tenant-name"),
        *("user", "user-domain-name", "username", "version", "vmfolder"),
    }
)
"""The attributes that no provider hides (Juju ``CredentialSchemas``); all others are secret."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Use:
    """A model that uses a credential, and the access that the credential's owner has to it."""

    model: str
    access: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A credential with its attributes, and the models that use it."""

    credential: Credential
    attributes: dict[str, str]
    uses: tuple[Use, ...]

    @property
    def open_attributes(self) -> dict[str, str]:
        """Those that are no secrets."""
        return {k: v for k, v in self.attributes.items() if k in OPEN_ATTRIBUTES}

    def __repr__(self) -> str:
        return f"Opened({self.credential!r})"


async def check(
    fleet: Fleet, caller: Caller, key: CredentialId, content: CloudCredential
) -> list[CredentialModelResult]:
    """What a credential would mean for each model that uses the one of its name now; nothing
    is kept.

    Raises:
        Unauthorized: it is somebody else's, and the caller does not administer JIMM.
        NotFound: no such cloud, in Juju's words.
        NotValid: the cloud does not know the auth type.
    """
    require_owner(caller, key)
    await _check_content(fleet, caller, key, content)
    async with fleet.registry.read() as session:
        uses = await _uses(session, key)
    return await ask_controllers(fleet, key, content, uses)


async def update(
    fleet: Fleet,
    caller: Caller,
    key: CredentialId,
    content: CloudCredential,
    *,
    force: bool = False,
) -> list[CredentialModelResult]:
    """Keeps a credential, and gives it to the controllers that have an older one or have
    models that use it. Returns those models.

    Where one of them would lose its cloud, its row says why, and nothing is kept unless
    ``force`` is given. A controller that is away gets it when it is back.

    Raises:
        BadRequest: ``force``, and the caller does not administer JIMM.
        Unauthorized, NotFound, NotValid: as :func:`check`.
    """
    if force and not caller.admin:
        raise BadRequest("unexpected force specified")
    models = await check(fleet, caller, key, content)
    if not force and any(each.errors for each in models):
        return models
    async with fleet.registry.write() as session:
        sealed = fleet.sealer.seal(
            Secret(msgspec.json.encode(content.attrs).decode()), **_place(key)
        )
        stored = await credentials.put(session, key, content.auth_type, sealed)
        concerned = await _concerned(session, stored)
        params = {"credential": str(key), **({"force": True} if force else {})}
        await audit.record(
            session,
            caller.did("update-credential", params=params),
        )
    await _on_each(concerned, key, content.attrs, _pushing(fleet, stored))
    return models


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
        Unauthorized: one is somebody else's, whoever asks.
        NotFound: one is not there.
    """
    if any(key.owner != caller.identity for key in keys or ()):
        raise Unauthorized
    async with fleet.registry.read() as session:
        if keys is None:
            found = await credentials.of_owner(session, caller.identity)
        else:
            found = [await _get(fleet, session, key) for key in keys]
        return [await _open(fleet, session, each) for each in found]


async def redacted(fleet: Fleet, caller: Caller, key: CredentialId) -> Opened:
    """A credential of the caller's, or anybody's for an administrator of JIMM, of whose
    attributes the secret ones are empty.

    Raises:
        Unauthorized: it is somebody else's, and the caller does not administer JIMM.
        NotFound: it is not there.
    """
    require_owner(caller, key)
    async with fleet.registry.read() as session:
        found = await _open(fleet, session, await _get(fleet, session, key))
    return Opened(
        found.credential,
        {**dict.fromkeys(found.attributes, ""), **found.open_attributes},
        found.uses,
    )


async def revoke(fleet: Fleet, caller: Caller, key: CredentialId, *, force: bool) -> None:
    """Forgets a credential, on the controllers too; one that is away keeps it.

    Raises:
        Unauthorized: it is somebody else's, and the caller does not administer JIMM.
        NotFound: it is not there.
        Conflict: models use it, and it was not forced.
    """
    require_owner(caller, key)
    async with fleet.registry.write() as session:
        found = await _get(fleet, session, key)
        uses = await credentials.uses(session, found.id)
        if uses and not force:
            named = tags.credential_tag(_shown(fleet, key))
            count = f"{len(uses)} model{'' if len(uses) == 1 else 's'}"
            raise Conflict(f"cannot revoke credential {named}: it is still used by {count}")
        concerned = await _concerned(session, found)
        await credentials.remove(session, key, force=force)
        await audit.record(
            session,
            caller.did("revoke-credential", params={"credential": str(key)}),
        )

    async def forget(controller: Controller) -> None:
        async with as_owner(fleet, controller, key.owner) as (link, user):
            await cloud_calls.revoke_credential(link, key._replace(owner=user), force=force)

    await _on_each(concerned, key, {}, forget)


def require_owner(caller: Caller, key: CredentialId) -> None:
    """Nothing for the owner of a credential and for administrators of JIMM.

    Raises:
        Unauthorized: it is somebody else's.
    """
    if key.owner != caller.identity and not caller.admin:
        raise Unauthorized


async def push(
    fleet: Fleet, controller: Controller, credential: Credential, link: Link, owner: str
) -> UpdateCredentialResult:
    """Gives a controller the credential as it is now; ``link`` is in the owner's name there.

    What was checked, or forced, when it was kept is not asked for again: where the controller
    would not have it for the sake of a model, JIMM itself insists (Juju lets nobody else).
    ``owner`` is the owner's user id on that controller.

    Raises:
        RemoteError: it refuses it.
    """
    content = CloudCredential(auth_type=credential.auth_type, attrs=attributes(fleet, credential))
    key = credential.key._replace(owner=owner)
    result = await cloud_calls.update_credential(link, key, content)
    if any(model.errors for model in result.models):
        log.warning("%s takes credential %s by force", controller.name, credential.key)
        own = fleet.link(controller)
        result = await cloud_calls.update_credential(own, key, content, force=True)
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


def as_owner(
    fleet: Fleet, controller: Controller, owner: str
) -> AbstractAsyncContextManager[tuple[Link, str]]:
    """As :meth:`Fleet.as_user`, to do with the owner's own credentials."""
    return fleet.as_user(controller, owner, {tags.controller_tag(controller.uuid): levels.LOGIN})


async def push_as_owner(fleet: Fleet, controller: Controller, credential: Credential) -> None:
    """As :func:`push`, over a link of its own.

    Raises:
        ControllerError: the controller is away, or refuses it.
    """
    async with as_owner(fleet, controller, credential.owner) as (link, user):
        await push(fleet, controller, credential, link, user)


async def _check_content(
    fleet: Fleet, caller: Caller, key: CredentialId, content: CloudCredential
) -> None:
    try:
        cloud = await clouds.show(fleet, caller, key.cloud)
    except NotFound as error:
        raise NotFound(
            f'cannot update credential "{key.name}": controller does not manage cloud "{key.cloud}"'
        ) from error
    known = cloud.definition.get("auth-types")
    if isinstance(known, list) and known and content.auth_type not in known:
        raise NotValid(
            f'cloud "{key.cloud}" does not know auth type "{content.auth_type}"; '
            f"use one of: {', '.join(map(str, known))}",
            field="auth-type",
        )


async def _uses(session: ReadSession, key: CredentialId) -> list[CredentialUse]:
    found = await credentials.find(session, key)
    return [] if found is None else await credentials.uses(session, found.id)


async def _concerned(session: ReadSession, credential: Credential) -> list[Controller]:
    """The controllers that were given it, or have models that use it."""
    found = {each.id: each for each in await credentials.holders(session, credential.id)}
    for use in await credentials.uses(session, credential.id):
        if use.controller_id is not None and use.controller_id not in found:
            found[use.controller_id] = await controllers.by_id(session, use.controller_id)
    return list(found.values())


def _pushing(fleet: Fleet, credential: Credential) -> Callable[[Controller], Awaitable[None]]:
    async def one(controller: Controller) -> None:
        await push_as_owner(fleet, controller, credential)

    return one


async def _on_each(
    concerned: Iterable[Controller],
    key: CredentialId,
    secrets: Mapping[str, str],
    act: Callable[[Controller], Awaitable[None]],
) -> None:
    """Does it on all controllers at once; what fails is logged."""

    async def one(controller: Controller) -> None:
        try:
            await act(controller)
        except JimmError as error:
            said = without_secrets(str(error), secrets)
            log.warning("%s and credential %s: %s", controller.name, key, said)

    async with asyncio.TaskGroup() as group:
        for each in concerned:
            group.create_task(one(each))


async def _get(fleet: Fleet, session: ReadSession, key: CredentialId) -> Credential:
    found = await credentials.find(session, key)
    if found is None:
        raise NotFound(f'credential "{_shown(fleet, key)}" not found')
    return found


async def _open(fleet: Fleet, session: ReadSession, credential: Credential) -> Opened:
    uses = await credentials.uses(session, credential.id)
    held = await relations.held_by(
        session, credential.owner, [Object.model(use.uuid) for use in uses]
    )
    return Opened(
        credential,
        attributes(fleet, credential),
        tuple(Use(use.name, _access(credential.owner, use, held)) for use in uses),
    )


def _access(owner: str, use: CredentialUse, held: Sequence[Held]) -> str:
    if owner == use.owner or rules.administers_jimm(owner, held):
        return levels.ADMIN
    theirs = [each.relation for each in held if each.object_key == use.uuid]
    return rules.level(ObjectKind.MODEL, theirs)


def _shown(fleet: Fleet, key: CredentialId) -> CredentialId:
    return key._replace(owner=shown(key.owner, fleet.local_domain))


def _place(key: CredentialId) -> dict[str, str]:
    return {"table": "credentials", "column": "attributes_sealed", "row": str(key)}
