"""A model's cloud credential on both controllers.

A superuser sees which secret attributes a credential has, and not their values (Juju
``Cloud.Credential``); its owner sees all (``Cloud.CredentialContents``). So where JIMM can log in
as the owner on both, the two are compared; else what JIMM gave to both is.
"""

from dataclasses import replace

from jimm.controllers.calls import cloud as cloud_calls
from jimm.errors import JimmError, RemoteError
from jimm.fleet.fleet import Fleet, endpoint
from jimm.migration.facts import links
from jimm.migration.facts.asking import WITHIN
from jimm.migration.facts.gathered import Held
from jimm.migration.prechecks.values import Credential, CredentialThere
from jimm.registry import credentials, offers
from jimm.registry.controllers import Controller
from jimm.wire import codes
from jimm.wire.params.cloud import CloudCredential, CredentialContent
from jimm.wire.tags import CredentialId


async def held(fleet: Fleet, source: Controller, used: Held) -> Held:
    """The credential as its source shows it.

    Raises:
        JimmError: the source does not tell.
    """
    identity = await _identity(fleet, source, used.id.owner)
    content = await cloud_calls.credential(fleet.link(source), used.id, deadline=WITHIN)
    return replace(used, content=content, identity=identity)


async def described(fleet: Fleet, source: Controller, found: Held) -> Credential:
    """The same as a fact."""
    pushed = await _pushed(fleet, source, found)
    return Credential(
        owner=found.id.owner,
        name=found.id.name,
        auth_type=found.content.auth_type if found.content is not None else "",
        valid=found.valid,
        kept=pushed is not None and pushed[0] == pushed[1],
    )


async def there(
    fleet: Fleet, source: Controller, target: Controller, found: Held
) -> CredentialThere | bool:
    """The credential of that id on a target, compared; ``False`` if it is not there.

    Raises:
        JimmError: the target does not tell.
    """
    try:
        shown = await cloud_calls.credential(fleet.link(target), found.id, deadline=WITHIN)
    except RemoteError as error:
        if error.juju_code in (codes.NOT_FOUND, codes.USER_NOT_FOUND):
            return False
        raise
    here = found.content
    if here is None:
        return CredentialThere(shown.auth_type)
    if shown.auth_type != here.auth_type or not _alike(here, shown):
        return CredentialThere(shown.auth_type, same=False)
    if not here.redacted:
        return CredentialThere(shown.auth_type, same=True)
    return await _compared(fleet, source, target, found, shown)


async def _compared(
    fleet: Fleet, source: Controller, target: Controller, found: Held, shown: CloudCredential
) -> CredentialThere:
    inside = await _contents(fleet, source, found.id)
    other = await _contents(fleet, target, found.id) if inside is not None else None
    if inside is not None and other is not None:
        same = inside.attrs == other.attrs
        return CredentialThere(other.auth_type, same=same, valid=other.valid)
    here, at_target = await _pushed(fleet, source, found), await _pushed(fleet, target, found)
    both = here is not None and at_target is not None and here[0] == at_target[0]
    return CredentialThere(shown.auth_type, same=True if both else None)


async def _contents(
    fleet: Fleet, controller: Controller, used: CredentialId
) -> CredentialContent | None:
    """All of it, if JIMM can log in as its owner; ``None`` else."""
    try:
        login = await links.login_as(fleet, controller, used.owner)
        if login is None:
            return None
        async with fleet.pool.as_user(endpoint(controller), login) as link:
            found = await cloud_calls.credential_contents(
                link, used.cloud, used.name, include_secrets=True
            )
    except JimmError:
        return None
    return found.content


async def _identity(fleet: Fleet, controller: Controller, owner: str) -> str:
    async with fleet.registry.read() as session:
        known = await offers.identities_of(session, controller.id, [owner])
    return known.get(owner, owner if "@" in owner else "")


async def _pushed(fleet: Fleet, controller: Controller, found: Held) -> tuple[int, int] | None:
    """The revision that JIMM gave to a controller last, and the one that there is."""
    if not found.identity:
        return None
    async with fleet.registry.read() as session:
        kept = await credentials.find(session, found.id._replace(owner=found.identity))
        if kept is None:
            return None
        revision = await credentials.pushed_revision(session, controller.id, kept.id)
    return None if revision is None else (revision, kept.revision)


def _alike(here: CloudCredential, there: CloudCredential) -> bool:
    """Whether they are the same as far as a superuser is shown."""
    return here.attrs == there.attrs and set(here.redacted) == set(there.redacted)
