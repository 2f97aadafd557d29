"""The model and its source: from the registry, and from the source now."""

import asyncio
from dataclasses import replace

from jimm.controllers.calls import model_manager
from jimm.errors import JimmError, NotValid, RemoteError
from jimm.fleet.fleet import Fleet
from jimm.migration import users, views
from jimm.migration.facts import credentials, own, within
from jimm.migration.facts.asking import WITHIN, Asking
from jimm.migration.facts.gathered import Held, SourceFacts
from jimm.migration.prechecks import ControllerFacts, ModelFacts
from jimm.migration.prechecks.values import Credential
from jimm.migration.reasons import redact_reason
from jimm.migration.verdict import Absent, Present, Silent, View, is_exporting
from jimm.registry.controllers import Controller
from jimm.registry.models import Model
from jimm.wire import tags
from jimm.wire.fold import convert
from jimm.wire.params.common import Params
from jimm.wire.params.model_manager import MigrationStatus
from jimm.wire.tags import CredentialId


class _User(Params, kw_only=True):
    user: str


class _Told(Params, kw_only=True):
    """The part of ``ModelInfo`` that the checks are made of."""

    name: str
    is_controller: bool
    owner_tag: str
    cloud_tag: str
    cloud_region: str = ""
    cloud_credential_tag: str = ""
    cloud_credential_validity: bool | None = None
    life: str
    users: list[_User] | None = None
    agent_version: str | None = None
    migration: MigrationStatus | None = None


async def of_model(
    fleet: Fleet, model: Model, controller: Controller, *, migrating: bool
) -> SourceFacts:
    """What one ``ModelInfo`` tells: where the model is, its name, users and attempts.
    ``migrating`` is what the registry says."""
    registered = await own.registered(fleet, controller)
    known = ModelFacts(
        uuid=model.uuid,
        name=model.name,
        owner=model.owner,
        cloud=model.cloud,
        region=model.region,
        agent_version=model.agent_version,
        life=model.life or "alive",
        is_controller=model.uuid == controller.controller_model_uuid,
        migrating=migrating,
    )
    try:
        link = fleet.link(controller)
        info = await model_manager.model_info_plain(link, model.uuid, deadline=WITHIN)
        told, view = convert(info, _Told), views.read(info)
    except RemoteError as error:
        return _refused(known, registered, views.refused(controller, error))
    except JimmError as error:
        return _refused(known, registered, Silent(redact_reason(str(error))))
    version = link.login_result.server_version or registered.agent_version
    used = _credential(told)
    return SourceFacts(
        model=_model(known, told, view),
        controller=replace(registered, healthy=True, agent_version=version),
        view=view,
        start=_start(told),
        users=frozenset(each.user.removesuffix("@local") for each in told.users or ()),
        credential=None if used is None else Held(used, valid=told.cloud_credential_validity),
    )


async def complete(
    fleet: Fleet, model: Model, controller: Controller, told: SourceFacts
) -> SourceFacts:
    """The same with all the rest: asked at once, and any of it may go without an answer."""
    if not isinstance(told.view, Present) or told.model.migrating:
        return told
    asking = Asking(controller.name)
    async with asyncio.TaskGroup() as group:
        looking = group.create_task(within.look(fleet, controller, told, asking))
        itself = group.create_task(own.ask(fleet, controller, told, asking))
        holding = group.create_task(_held(fleet, controller, told, asking))
        making = group.create_task(users.made(fleet, model))
    seen, theirs, credential = looking.result(), itself.result(), holding.result()
    facts = replace(
        told.model,
        users=told.users,
        made=making.result() & (told.users | {told.model.owner}),
        credential=await _described(fleet, controller, credential),
        status=seen.status,
        blocks=theirs.blocks.get(model.uuid, ()),
        backends=seen.backends,
        offered=seen.offered,
        consumed=seen.consumed,
        fan=seen.fan,
    )
    here = own.onto(told.controller, controller, theirs, told.model.cloud)
    here = replace(here, upgrading=asking.upgrading, unasked=asking.unasked)
    return replace(told, model=facts, controller=here, credential=credential)


async def _held(
    fleet: Fleet, controller: Controller, told: SourceFacts, asking: Asking
) -> Held | None:
    if told.credential is None:
        return None
    used = told.credential
    found = await asking.ask(
        "the model's credential", lambda: credentials.held(fleet, controller, used)
    )
    return found or used


async def _described(
    fleet: Fleet, controller: Controller, credential: Held | None
) -> Credential | None:
    if credential is None:
        return None
    return await credentials.described(fleet, controller, credential)


def _refused(known: ModelFacts, registered: ControllerFacts, view: View) -> SourceFacts:
    match view:
        case Absent():
            known = replace(known, found=False)
            return SourceFacts(known, replace(registered, healthy=True), view)
        case Silent(why):
            return SourceFacts(known, replace(registered, healthy=False, status_info=why), view)
        case Present():
            known = replace(known, migrating=True)  # it is itself being imported there
            return SourceFacts(known, replace(registered, healthy=True), view)


def _model(known: ModelFacts, told: _Told, view: Present) -> ModelFacts:
    return replace(
        known,
        name=told.name,
        owner=told.owner_tag.removeprefix("user-"),
        cloud=told.cloud_tag.removeprefix("cloud-"),
        region=told.cloud_region,
        agent_version=told.agent_version or known.agent_version,
        life=told.life or known.life,
        is_controller=known.is_controller or told.is_controller,
        migrating=known.migrating or view.importing or is_exporting(view),
    )


def _start(told: _Told) -> str:
    return (told.migration.start or "") if told.migration is not None else ""


def _credential(told: _Told) -> CredentialId | None:
    try:
        return tags.parse_credential_tag(told.cloud_credential_tag)
    except NotValid:
        return None  # none, or one that this wire does not know how to name
