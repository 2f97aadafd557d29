"""A controller that is there and does not answer holds up nobody but itself."""

from functools import partial

import pytest

from jimm.errors import ModelNotFound
from jimm.fleet import models, watch
from jimm.fleet.watch import Watch
from jimm.net.tasks import Tasks
from jimm.registry.words import ModelState
from jimm.wire import tags
from jimm.wire.params.model_manager import DestroyModel
from tests.eventually import eventually
from tests.fix_fleet import ALICE
from tests.system.fleet.conftest import Scene


async def test_intents_of_others_are_settled(scene: Scene) -> None:
    slow = [(await scene.create(f"s{number}", on="a")).model.uuid for number in range(2)]
    quick = (await scene.create("q", on="b")).model.uuid
    for model in (*slow, quick):
        await models.destroy(scene.fleet, ALICE, DestroyModel(model_tag=tags.model_tag(model)))
    scene.fault("a", "ModelManager.ModelInfo", "stall", times=0)

    async def is_gone() -> bool:
        try:
            await scene.registered(quick)
        except ModelNotFound:
            return True
        return False

    async with scene.reconciling():
        assert await eventually(is_gone, deadline=5)
    assert (await scene.registered(slow[0])).state is ModelState.DESTROYING


async def test_others_are_looked_at(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "EVERY", 0.02)
    model = (await scene.create(on="b")).model.uuid
    scene.fault("a", "ModelManager.ListModelSummaries", "stall", times=0)

    async def looked_at_again(before: object) -> bool:
        return (await scene.registered(model)).facts_at != before

    tasks = Tasks()
    tasks.spawn(Watch(scene.fleet).run(), name="watch")
    try:
        for _ in range(3):
            before = (await scene.registered(model)).facts_at
            assert await eventually(partial(looked_at_again, before), deadline=5)
    finally:
        await tasks.aclose()
