"""Many look at one controller, and it is asked once for all who wait."""

import asyncio

from jimm.migration import views
from jimm.migration.looks import Looks
from jimm.migration.verdict import Absent, Present, Silent
from jimm.wire.tags import ModelUUID
from tests.eventually import eventually
from tests.system.migration.conftest import Scene

GONE = {"message": "model not found", "code": "not found"}
UNKNOWN = ModelUUID("aaaaaaaa-2222-4333-8444-555555555555")


async def test_those_who_wait_are_answered_by_one_call(scene: Scene) -> None:
    models = [*[await scene.model(f"m{number}") for number in range(3)], UNKNOWN]
    alone = [await views.look(scene.fleet, scene.controllers["a"], model) for model in models]
    held = scene.fault("a", "ModelManager.ModelInfo", "delay", seconds=0.2, times=3)
    looks = Looks(scene.fleet)
    found = await asyncio.gather(*(looks.look(scene.controllers["a"], each) for each in models))
    assert found == alone
    assert [isinstance(each, Present) for each in found] == [True, True, True, False]
    # the first call is for whoever came first, the second for all the others
    assert [(each.id, each.times) for each in scene.peers["a"].faults.list()] == [(held.id, 1)]


async def test_whoever_stops_waiting_stops_nobody_else(scene: Scene) -> None:
    model, other = await scene.model("m1"), await scene.model("m2")
    stall = scene.fault("a", "ModelManager.ModelInfo", "stall")
    looks = Looks(scene.fleet)
    async with asyncio.TaskGroup() as group:
        first = group.create_task(looks.look(scene.controllers["a"], model))
        second = group.create_task(looks.look(scene.controllers["a"], other))
        await eventually(lambda: not scene.peers["a"].faults.list())
        first.cancel()
    assert isinstance(second.result(), Present)
    scene.peers["a"].faults.clear(stall.id)


async def test_a_row_that_makes_no_sense_spares_the_others(scene: Scene) -> None:
    model, other = await scene.model("m1"), await scene.model("m2")
    good = await views.look(scene.fleet, scene.controllers["a"], model)
    answer = {"results": [{"result": {"controller-uuid": 7}}, {"error": GONE}]}
    scene.fault("a", "ModelManager.ModelInfo", "lie", answer=answer)
    found = await views.look_at_all(scene.fleet, scene.controllers["a"], [model, other])
    assert isinstance(found[0], Silent)
    assert found[1] == Absent("not found")
    assert await views.look(scene.fleet, scene.controllers["a"], model) == good
