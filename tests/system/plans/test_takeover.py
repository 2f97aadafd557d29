"""A driver dies at any line, and the next one carries on; nothing is asked for twice."""

from dataclasses import replace

import pytest

from jimm.registry import migrations
from jimm.registry.words import PlanKind
from tests.eventually import eventually
from tests.system.migration.test_takeover import MortalRegistry
from tests.system.plans.conftest import PlanScene


async def die_at(scene: PlanScene, database_url: str, plan: str, number: int) -> bool:
    """A driver that dies at its n-th write; whether it lived so long."""
    mortal = MortalRegistry(database_url, pool_size=2)
    mortal.left = number

    async def over() -> bool:
        return mortal.dead or (await scene.shown(plan)).plan.ended is not None

    async with scene.driving(replace(scene.fleet, registry=mortal, worker="first")):
        assert await eventually(over, deadline=60)
    await mortal.aclose()
    return mortal.dead


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_a_driver_that_dies_before_any_write_is_succeeded(
    scene: PlanScene, database_url: str
) -> None:
    """From the claim to the end, each write is the last one, once."""
    model = await scene.model()
    died, rounds = 0, range(1, 8)
    async with scene.working():
        for number in rounds:
            target = "b" if scene.hosts(model) == ["a"] else "a"
            made = await scene.make(PlanKind.MIGRATE, target, models=(model,))
            died += await die_at(scene, database_url, made.plan.id, number)
            await scene.expire()
            async with scene.driving(replace(scene.fleet, worker="second")):
                done = await scene.until_plan(made.plan.id, "done")
            assert done.counts.done == 1
            assert scene.hosts(model) == [target]
            assert [each.item.attempts for each in await scene.items(made.plan.id)] == [1]
    assert died > 5
    async with scene.fleet.registry.read() as session:
        asked = await migrations.page(session, model_uuid=model)
    assert len(asked) == len(rounds)


async def test_a_driver_that_lost_its_lease_leaves_the_plan_to_the_next(scene: PlanScene) -> None:
    models = await scene.some(3)
    stall = scene.fault("a", "phase.source.IMPORT", "stall")
    made = await scene.drain(concurrency=1)
    async with scene.working(), scene.driving(replace(scene.fleet, worker="first")):
        await eventually(lambda: scene.shown_counts(made.plan.id, migrating=1))
        await scene.expire()
        async with scene.driving(replace(scene.fleet, worker="second")):
            await eventually(lambda: scene.is_driven_by(made.plan.id, "second"))
            scene.peers["a"].faults.clear(stall.id)
            done = await scene.until_plan(made.plan.id, "done")
    assert done.counts.done == 3
    async with scene.fleet.registry.read() as session:
        asked = await migrations.page(session)
    assert sorted(each.model_uuid for each in asked) == sorted(models)


async def test_a_driver_that_stops_hands_its_plans_back(scene: PlanScene) -> None:
    await scene.model()
    scene.fault("a", "phase.source.IMPORT", "stall")
    made = await scene.drain()
    async with scene.driving():
        await eventually(lambda: scene.shown_counts(made.plan.id, migrating=1))
        assert await scene.is_driven_by(made.plan.id, "w1")
    assert await scene.is_driven_by(made.plan.id, None)
