"""Giving a model another cloud credential: on its controller first, then in the registry."""

from typing import Final

from jimm import audit
from jimm.controllers.calls import model_manager as calls
from jimm.errors import Conflict, NotValid, RemoteError, Unauthorized
from jimm.fleet import credentials as credential_cases
from jimm.fleet import models
from jimm.fleet.caller import Caller
from jimm.fleet.fleet import Fleet
from jimm.registry import credentials
from jimm.registry import models as registered
from jimm.registry.controllers import Controller
from jimm.registry.credentials import Credential
from jimm.registry.models import Model
from jimm.wire import tags
from jimm.wire.params.model_manager import ChangeModelCredential
from jimm.wire.tags import CredentialId

_HAS_IT: Final = "already uses credential"
"""In Juju's refusal of a change that changes nothing (``ModelManager.ChangeModelCredential``)."""


async def change(fleet: Fleet, caller: Caller, model: str, key: CredentialId) -> None:
    """Gives a model a credential of its owner's, or of the caller's.

    An answer that is lost leaves the registry as it was; asked again, it is put right.

    Raises:
        ModelNotFound, Unauthorized: the caller does not administer the model, or the
            credential is somebody else's.
        NotFound: no such credential.
        NotValid: it is for another cloud.
        Conflict: the model uses it already, or is being destroyed.
        MigrationUnderway: the model is being moved.
        ControllerError: its controller is away or refuses; nothing has changed.
    """
    found = (await models.administered(fleet, caller, model)).model
    credential = await _usable(fleet, caller, found, key)
    if found.credential_id == credential.id:
        raise Conflict(f"model {found.uuid} already uses credential {key}")
    await models.refuse_migrating(fleet, found)
    controller = await models.host(fleet, found)
    await _send(fleet, controller, found, credential)
    async with fleet.registry.write() as session:
        await registered.set_credential(session, found.uuid, credential.id)
        await audit.record(
            session,
            caller.did(
                "change-model-credential",
                model=found.uuid,
                controller=controller.name,
                params={"credential": str(key)},
            ),
        )


async def _usable(fleet: Fleet, caller: Caller, model: Model, key: CredentialId) -> Credential:
    if key.owner not in (caller.identity, model.owner):
        raise Unauthorized
    if key.cloud != model.cloud:
        raise NotValid(
            f'credential "{key}" is for cloud "{key.cloud}", the model is on "{model.cloud}"',
            field="credential-tag",
        )
    async with fleet.registry.read() as session:
        return await credentials.get(session, key)


async def _send(fleet: Fleet, controller: Controller, model: Model, credential: Credential) -> None:
    async with credential_cases.as_owner(fleet, controller, credential.owner) as (link, owner):
        await credential_cases.push_if_older(fleet, controller, credential, link, owner)
    request = ChangeModelCredential(
        model_tag=tags.model_tag(model.uuid),
        credential_tag=tags.credential_tag(credential.key._replace(owner=owner)),
    )
    async with models.as_owner(fleet, controller, model) as (link, _):
        try:
            await calls.change_model_credential(link, request)
        except RemoteError as error:
            if _HAS_IT not in str(error):
                raise
