"""Gathers what the prechecks decide on: from the registry, and from both controllers now."""

from dataclasses import dataclass, replace

from jimm.controllers.calls import controller as controller_calls
from jimm.controllers.calls import model_manager
from jimm.errors import JimmError, RemoteError
from jimm.fleet.fleet import Fleet
from jimm.migration import views
from jimm.migration.prechecks import ControllerFacts, ModelFacts
from jimm.migration.reasons import redact_reason
from jimm.migration.verdict import Absent, Present, Silent, View, is_exporting
from jimm.registry import clouds
from jimm.registry.controllers import Controller
from jimm.registry.models import Model
from jimm.wire.fold import convert
from jimm.wire.params.common import Params
from jimm.wire.params.model_manager import MigrationStatus
from jimm.wire.tags import ModelUUID


class _User(Params, kw_only=True):
    user: str


class _Told(Params, kw_only=True):
    """The part of ``ModelInfo`` that the checks are made of."""

    name: str
    is_controller: bool
    owner_tag: str
    cloud_tag: str
    cloud_region: str = ""
    life: str
    users: list[_User] | None = None
    agent_version: str | None = None
    migration: MigrationStatus | None = None


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """The model, and the controller that it is on.

    ``start`` is the start of the last attempt as the source shows it, empty for none;
    ``users`` are the users with access, by their names there.
    """

    model: ModelFacts
    controller: ControllerFacts
    view: View
    start: str = ""
    users: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """A target. ``leftover``: it holds a half import of the model that nobody works on, which
    may be cleared."""

    controller: ControllerFacts
    leftover: bool = False


async def of_source(
    fleet: Fleet, model: Model, controller: Controller, *, migrating: bool
) -> SourceFacts:
    """The model and its source; ``migrating`` is what the registry says."""
    registered = await _registered(fleet, controller)
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
        info = await model_manager.model_info_plain(link, model.uuid)
        told, view = convert(info, _Told), views.read(info)
    except RemoteError as error:
        return _refused(known, registered, views.refused(controller, error))
    except JimmError as error:
        return _refused(known, registered, Silent(redact_reason(str(error))))
    version = link.login_result.server_version or registered.agent_version
    return SourceFacts(
        model=_model(known, told, view),
        controller=replace(registered, healthy=True, agent_version=version),
        view=view,
        start=_start(told),
        users=frozenset(each.user.removesuffix("@local") for each in told.users or ()),
    )


async def of_target(fleet: Fleet, source: SourceFacts, controller: Controller) -> TargetFacts:
    """A controller as the target of that model."""
    registered = await _registered(fleet, controller)
    if controller.name == source.controller.name:
        return TargetFacts(registered)
    try:
        link = fleet.link(controller)
        rows = await controller_calls.all_models(link)
    except JimmError as error:
        return TargetFacts(
            replace(registered, healthy=False, status_info=redact_reason(str(error)))
        )
    has = frozenset(
        (row.model.uuid, row.model.owner_tag.removeprefix("user-"), row.model.name) for row in rows
    )
    version = link.login_result.server_version or registered.agent_version
    facts = replace(registered, healthy=True, agent_version=version, has=has)
    if all(uuid != source.model.uuid for uuid, _, _ in has):
        return TargetFacts(facts)
    return await _with_leftover(fleet, source, controller, facts)


async def _with_leftover(
    fleet: Fleet, source: SourceFacts, controller: Controller, facts: ControllerFacts
) -> TargetFacts:
    """Leaves a half import out of what the target has, where nobody works on it any more."""
    idle = isinstance(source.view, Present) and not is_exporting(source.view)
    there = await views.look(fleet, controller, ModelUUID(source.model.uuid))
    importing = isinstance(there, Present) and there.importing
    if not (idle and importing):
        return TargetFacts(facts)
    others = frozenset(each for each in facts.has or () if each[0] != source.model.uuid)
    return TargetFacts(replace(facts, has=others), leftover=True)


async def _registered(fleet: Fleet, controller: Controller) -> ControllerFacts:
    async with fleet.registry.read() as session:
        reach = await clouds.reach_of(session, controller.id)
    regions: dict[str, frozenset[str]] = {}
    for each in reach:
        regions[each.cloud] = regions.get(each.cloud, frozenset()) | {each.region}
    return ControllerFacts(
        name=controller.name,
        healthy=controller.available,
        status_info=controller.status_info,
        agent_version=controller.agent_version,
        deprecated=controller.deprecated,
        clouds=regions,
    )


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
