"""Gathers what a plan is made from: from the registry, and which models are tied by offers from
the controllers that have them."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from jimm.access.names import shown
from jimm.controllers import deadlines
from jimm.controllers.calls import application_offers, model_manager
from jimm.fleet.fleet import Fleet
from jimm.migration.plans.planning import ControllerFacts, ModelFacts, Reason
from jimm.registry import plan_facts
from jimm.registry.plan_records import PlannedController, PlannedModel
from jimm.registry.words import ModelState
from jimm.wire import tags
from jimm.wire.params.common import Error
from jimm.wire.tags import ControllerUUID


@dataclass(frozen=True, slots=True)
class Gathered:
    """``names`` are the models' full names, ``owner/name``, by uuid."""

    models: tuple[ModelFacts, ...]
    controllers: tuple[ControllerFacts, ...]
    ties: frozenset[tuple[str, str]]
    names: dict[str, str]


async def gather(
    fleet: Fleet,
    *,
    controller: str = "",
    cloud: str = "",
    region: str = "",
    uuids: Collection[str] | None = None,
) -> Gathered:
    """The models on a controller, on a cloud, in a region, or of these uuids, and all
    controllers.

    Raises:
        ControllerError: a controller that should answer does not say what its models offer.
    """
    async with fleet.registry.read() as session:
        rows = await plan_facts.models(
            session, controller=controller, cloud=cloud, region=region, uuids=uuids
        )
        known = await plan_facts.controllers(session)
        offering = await plan_facts.offering(session, [each.id for each in rows])
    away = {each.name for each in known if not each.available}
    return Gathered(
        models=tuple(_model(fleet, each, away) for each in rows),
        controllers=tuple(_controller(each) for each in known),
        ties=await _ties(fleet, [each for each in rows if each.id in offering], known),
        names={each.uuid: each.name for each in rows},
    )


async def _ties(
    fleet: Fleet, offering: Iterable[PlannedModel], known: Sequence[PlannedController]
) -> frozenset[tuple[str, str]]:
    """Pairs of models of which one consumes what the other offers. Each controller is asked
    once; one that is away has no model that could be moved."""
    by_controller: dict[str, list[PlannedModel]] = {}
    for each in offering:
        by_controller.setdefault(each.controller, []).append(each)
    asked = [
        _ties_on(fleet, ControllerUUID(each.uuid), by_controller[each.name])
        for each in known
        if each.available and each.name in by_controller
    ]
    return frozenset(tie for found in await asyncio.gather(*asked) for tie in found)


async def _ties_on(
    fleet: Fleet, controller: ControllerUUID, models: Sequence[PlannedModel]
) -> list[tuple[str, str]]:
    link = fleet.pool.link(controller)
    infos = await model_manager.model_infos(link, [each.uuid for each in models])
    places = [
        (tags.parse_user_tag(info.owner_tag), info.name)
        for info in infos
        if not isinstance(info, Error)
    ]
    if not places:
        return []
    told = await application_offers.offers_of_many(link, places, deadline=deadlines.READ)
    return [
        (
            offer.source_model_tag.removeprefix("model-"),
            used.source_model_tag.removeprefix("model-"),
        )
        for offer in told
        for used in offer.connections
    ]


def _model(fleet: Fleet, row: PlannedModel, away: Collection[str]) -> ModelFacts:
    owner, _, name = row.name.partition("/")
    return ModelFacts(
        uuid=row.uuid,
        name=f"{shown(owner, fleet.local_domain)}/{name}",
        source=row.controller,
        cloud=row.cloud,
        region=row.region,
        agent_version=row.agent_version,
        machines=row.machines,
        created=row.created.timestamp(),
        against=_against(row, away),
    )


def _against(row: PlannedModel, away: Collection[str]) -> Reason | None:
    if row.state in (ModelState.MISSING, ModelState.UNMANAGED):
        return Reason(
            "model-missing",
            "no registered controller has it any more",
            "find it: jimmctl update-migrated-model; or: jimmctl forget-model",
        )
    if row.life not in ("", "alive"):
        return Reason("model-dying", f"the model is {row.life}", "let it go")
    if row.migrating:
        return Reason(
            "already-migrating",
            "a migration of this model is under way",
            "wait until it ends: jimmctl migrations",
        )
    if row.in_plan:
        return Reason(
            "in-another-plan",
            f"plan {row.in_plan} is to move it",
            f"wait until that plan has ended, or: jimmctl plan cancel {row.in_plan}",
        )
    if row.controller in away:
        return Reason(
            "source-unavailable",
            f"{row.controller}, which has it, is not available",
            f"bring {row.controller} back",
        )
    return None


def _controller(row: PlannedController) -> ControllerFacts:
    return ControllerFacts(
        name=row.name,
        healthy=row.available,
        status_info=row.status_info,
        deprecated=row.deprecated,
        agent_version=row.agent_version,
        reach=row.reach,
        models=row.models,
        machines=row.machines,
    )
