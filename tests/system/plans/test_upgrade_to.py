"""Models that are moved to a newer controller, and upgraded there."""

import msgspec
import pytest

from jimm.migration.plans import making, requests
from jimm.migration.plans.making import Wanted
from jimm.registry.words import PlanItemState, PlanKind
from jimm.wire.tags import ModelUUID
from tests.fix_fleet import ADMIN
from tests.system.plans.conftest import PlanScene


@pytest.fixture
async def newer(scene: PlanScene) -> PlanScene:
    """A fourth controller ``d`` that runs a newer patch version."""
    await scene.start("d", speed=200.0, version="3.6.12")
    return scene


def version(scene: PlanScene, model: ModelUUID) -> str:
    """The version that the newer controller says the model has."""
    return scene.peers["d"].store.models[model].agent_version


async def test_models_are_moved_and_upgraded(newer: PlanScene) -> None:
    models = await newer.some(3)
    made = await newer.make(PlanKind.UPGRADE_TO, "d", models=tuple(models))
    async with newer.working(), newer.driving():
        done = await newer.until_plan(made.plan.id, "done")
    assert done.counts.done == 3
    assert [version(newer, model) for model in models] == ["3.6.12"] * 3
    assert {each.item.message for each in await newer.items(made.plan.id)} == {"it runs 3.6.12"}
    actions = [(each.action, each.identity, each.door) for each in await newer.trail()]
    assert actions.count(("upgrade-model", "admin@jimm", "jimm")) == 3
    assert actions.count(("migrate-model", "admin@jimm", "jimm")) == 3


async def test_one_that_is_there_already_is_only_upgraded(newer: PlanScene) -> None:
    model = await newer.model(on="d")
    store = newer.peers["d"].store
    store.put(msgspec.structs.replace(store.models[model], agent_version="3.6.9"))
    made = await newer.make(PlanKind.UPGRADE_TO, "d", models=(model,))
    async with newer.driving():
        await newer.until_plan(made.plan.id, "done")
        assert version(newer, model) == "3.6.12"
        again = await newer.make(PlanKind.UPGRADE_TO, "d", models=(model,))
        await newer.until_plan(again.plan.id, "done")


async def test_an_upgrade_that_is_refused_is_tried_again_without_moving(newer: PlanScene) -> None:
    model = await newer.model()
    refusal = newer.fault(
        "d", "ModelUpgrader.UpgradeModel", "refuse", message="unit is broken", times=100
    )
    made = await newer.make(PlanKind.UPGRADE_TO, "d", models=(model,))
    async with newer.working(), newer.driving():
        await newer.until_plan(made.plan.id, "failed")
        (failed,) = await newer.items(made.plan.id, PlanItemState.FAILED)
        assert failed.item.error_code == "upgrade-refused"
        assert "unit is broken" in failed.item.error
        assert newer.hosts(model) == ["d"]
        newer.peers["d"].faults.clear(refusal.id)
        await requests.retry(newer.fleet, ADMIN, made.plan.id)
        await newer.until_plan(made.plan.id, "done")
    assert version(newer, model) == "3.6.12"


async def test_a_target_that_is_older_is_told_beforehand(newer: PlanScene) -> None:
    model = await newer.model(on="d")
    wanted = Wanted(PlanKind.UPGRADE_TO, "a", models=(model,))
    (item,) = await making.preview(newer.fleet, ADMIN, wanted)
    assert (item.target_name, item.error_code) == ("", "version-source")
    assert "d runs 3.6.12, newer than 3.6.9 on a" in item.error
