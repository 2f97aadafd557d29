"""What a controller, source or target, tells of itself."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from jimm.controllers.calls import cloud as cloud_calls
from jimm.controllers.calls import controller as controller_calls
from jimm.controllers.link import Link
from jimm.errors import JimmError, RemoteError
from jimm.fleet.fleet import Fleet
from jimm.migration import outside
from jimm.migration.facts import links, readings
from jimm.migration.facts.asking import WITHIN, Asking
from jimm.migration.facts.gathered import SourceFacts
from jimm.migration.prechecks import ControllerFacts
from jimm.migration.prechecks.status import Status
from jimm.migration.prechecks.values import Cloud, Pace
from jimm.registry import clouds
from jimm.registry.controllers import Controller
from jimm.wire import codes
from jimm.wire.tags import ModelUUID


@dataclass(frozen=True, slots=True)
class Own:
    """A controller's own facts. ``cloud`` is the model's as it has it (``False``: not at all);
    ``blocks`` is what is disabled, by model."""

    blocks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pace: Pace | None = None
    identity_url: str | None = None
    cloud: Cloud | bool | None = None
    status: Status | None = None


async def registered(fleet: Fleet, controller: Controller) -> ControllerFacts:
    """What the registry knows."""
    return ControllerFacts(
        name=controller.name,
        healthy=controller.available,
        status_info=controller.status_info,
        agent_version=controller.agent_version,
        deprecated=controller.deprecated,
        clouds=await _reach(fleet, controller),
    )


async def ask(fleet: Fleet, controller: Controller, told: SourceFacts, asking: Asking) -> Own:
    """Asks for all of it at once; ``told`` is the model that is to move."""
    try:
        link = fleet.link(controller)
    except JimmError as error:
        asking.note("anything of itself", str(error))
        return Own()
    async with asyncio.TaskGroup() as group:
        blocks = group.create_task(asking.ask("what is disabled on it", lambda: _blocks(link)))
        config = group.create_task(
            asking.ask(
                "its settings", lambda: controller_calls.controller_config(link, deadline=WITHIN)
            )
        )
        identity = group.create_task(_identity(link, told, asking))
        cloud = group.create_task(
            asking.ask(f"cloud {told.model.cloud}", lambda: _cloud(link, told.model.cloud))
        )
        status = group.create_task(_status(fleet, controller, asking))
    settings = config.result()
    return Own(
        blocks=blocks.result() or {},
        pace=None if settings is None else readings.pace(settings),
        identity_url=identity.result(),
        cloud=cloud.result(),
        status=status.result(),
    )


def onto(facts: ControllerFacts, controller: Controller, found: Own, model: str) -> ControllerFacts:
    """A controller's facts with what it told; ``model`` is the name of the model's cloud."""
    facts = replace(
        facts,
        pace=found.pace,
        identity_url=found.identity_url,
        status=found.status,
        blocks=found.blocks.get(controller.controller_model_uuid or "", ()),
    )
    known = dict(facts.clouds or {})
    if found.cloud is False:
        known.pop(model, None)
        return replace(facts, clouds=known)
    if isinstance(found.cloud, Cloud):
        known[model] = frozenset(found.cloud.regions)
        return replace(facts, clouds=known, cloud=found.cloud)
    return facts


async def _reach(fleet: Fleet, controller: Controller) -> Mapping[str, frozenset[str]] | None:
    if controller.is_outside:
        return await outside.reach(fleet, controller)
    async with fleet.registry.read() as session:
        return await clouds.regions_of(session, controller.id)


async def _blocks(link: Link) -> Mapping[str, tuple[str, ...]]:
    rows = await controller_calls.list_blocked_models(link, deadline=WITHIN)
    return {row.model_uuid: tuple(row.blocks) for row in rows}


async def _identity(link: Link, told: SourceFacts, asking: Asking) -> str | None:
    if not any("@" in each for each in told.users):
        return None
    return await asking.ask(
        "its identity provider",
        lambda: controller_calls.identity_provider_url(link, deadline=WITHIN),
    )


async def _cloud(link: Link, name: str) -> Cloud | bool:
    try:
        return readings.cloud(await cloud_calls.cloud(link, name, deadline=WITHIN))
    except RemoteError as error:
        if error.juju_code == codes.NOT_FOUND:
            return False
        raise


async def _status(fleet: Fleet, controller: Controller, asking: Asking) -> Status | None:
    uuid = controller.controller_model_uuid
    if uuid is None:
        return None

    async def look() -> Status:
        plain = await links.status_of(fleet, controller, ModelUUID(uuid), deadline=WITHIN)
        return readings.inside(plain).status

    return await asking.ask("the state of its own machines", look, within=2 * WITHIN)
