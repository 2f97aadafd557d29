"""Gathers what the prechecks decide on: from the registry, and from the controllers now.

A controller that does not answer the first question, for the model or for its models, is *away*;
any other question may go without an answer, and that is noted. All are asked at once, and
each has its deadline, so that a slow controller costs no more than that.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from jimm.fleet.fleet import Fleet
from jimm.migration.facts import source as source_facts
from jimm.migration.facts import target as target_facts
from jimm.migration.facts.gathered import Held, SourceFacts, TargetFacts
from jimm.migration.facts.source import of_model
from jimm.migration.facts.target import Reached
from jimm.registry.controllers import Controller
from jimm.registry.models import Model

__all__ = ["Held", "SourceFacts", "TargetFacts", "of_both", "of_every", "of_model"]

AT_ONCE: Final = 16
"""How many targets are asked at the same time."""


async def of_both(
    fleet: Fleet, model: Model, source: Controller, target: Controller, *, migrating: bool
) -> tuple[SourceFacts, TargetFacts]:
    """A model, its source and a target; ``migrating`` is what the registry says."""
    here, there = await of_every(fleet, model, source, [target], migrating=migrating)
    return here, there[0]


async def of_every(
    fleet: Fleet,
    model: Model,
    source: Controller,
    targets: Sequence[Controller],
    *,
    migrating: bool,
) -> tuple[SourceFacts, list[TargetFacts]]:
    """The same for many targets; the source is asked once."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def reach(target: Controller) -> Reached:
        async with turns:
            return await target_facts.reach(fleet, target)

    async def complete(reached: Reached) -> TargetFacts:
        async with turns:
            return await target_facts.complete(fleet, here, source, reached)

    async with asyncio.TaskGroup() as group:
        telling = group.create_task(of_model(fleet, model, source, migrating=migrating))
        reaching = [group.create_task(reach(each)) for each in targets]
    here = await source_facts.complete(fleet, model, source, telling.result())
    async with asyncio.TaskGroup() as group:
        completing = [group.create_task(complete(each.result())) for each in reaching]
    return here, [each.result() for each in completing]
