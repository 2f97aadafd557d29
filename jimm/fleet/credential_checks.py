"""What a credential would mean for the models that use it: their controllers are asked."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from jimm.controllers.calls import cloud as calls
from jimm.errors import JimmError, RemoteError
from jimm.fleet.fleet import Fleet
from jimm.registry import controllers
from jimm.registry.controllers import Controller
from jimm.registry.credentials import CredentialUse
from jimm.registry.words import Trust
from jimm.wire import codes
from jimm.wire.params.cloud import CloudCredential, CredentialModelResult, ErrorHolder
from jimm.wire.tags import CredentialId, ModelUUID

REDACTED: Final = "<redacted>"

_TOO_SHORT: Final = 4
"""Shorter attributes than this are no secrets, and are found in any text."""

log = logging.getLogger(__name__)


async def check(
    fleet: Fleet, key: CredentialId, content: CloudCredential, uses: Iterable[CredentialUse]
) -> list[CredentialModelResult]:
    """A row for each model, by uuid, with what its controller holds against the credential.

    Controllers are asked at once, each for as long as a call may take. One that is away, or
    does not know how to check, is passed over, and that is logged.
    """
    uses = sorted(uses, key=lambda use: use.uuid)
    on: dict[int, list[CredentialUse]] = defaultdict(list)
    for use in uses:
        if use.controller_id is not None:
            on[use.controller_id].append(use)
    async with fleet.registry.read() as session:
        asked = [await controllers.by_id(session, each) for each in on]
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(_ask(fleet, each, key, content)) for each in asked]
    found: dict[ModelUUID, list[ErrorHolder]] = {}
    for task in asking:
        found |= task.result()
    return [
        CredentialModelResult(uuid=use.uuid, name=use.name, errors=found.get(use.uuid, []))
        for use in uses
    ]


def without_secrets(text: str, attributes: Mapping[str, str]) -> str:
    """The text with the values of a credential's attributes taken out."""
    for value in sorted(attributes.values(), key=len, reverse=True):
        if len(value) >= _TOO_SHORT:
            text = text.replace(value, REDACTED)
    return text


async def user_there(fleet: Fleet, controller: Controller, owner: str) -> str:
    """The user id that an identity has on a controller, made there if need be.

    Raises:
        ControllerError: it must be made, and can't be.
    """
    if controller.trust is Trust.TOKEN:
        return owner
    return (await fleet.trust.local_user(controller, owner, fleet.link(controller))).username


async def _ask(
    fleet: Fleet, controller: Controller, key: CredentialId, content: CloudCredential
) -> dict[ModelUUID, list[ErrorHolder]]:
    try:
        link = fleet.link(controller)
        there = key._replace(owner=await user_there(fleet, controller, key.owner))
        rows = await calls.check_credential(link, there, content)
    except JimmError as error:
        # Before the owner's first login there, nothing there is theirs.
        if not (isinstance(error, RemoteError) and error.juju_code == codes.USER_NOT_FOUND):
            said = without_secrets(str(error), content.attrs)
            log.warning("%s did not check credential %s: %s", controller.name, key, said)
        return {}
    return {
        ModelUUID(row.uuid): [_cleaned(each, content.attrs) for each in row.errors]
        for row in rows
        if row.errors
    }


def _cleaned(row: ErrorHolder, attributes: Mapping[str, str]) -> ErrorHolder:
    if row.error is None:
        return row
    message = without_secrets(row.error.message, attributes)
    # What else the controller says of it is for people who see that controller.
    return ErrorHolder(error=msgspec.structs.replace(row.error, message=message, info=None))
