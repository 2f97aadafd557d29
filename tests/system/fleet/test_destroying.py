"""Destroying models, and models that go missing: nothing is forgotten before it is certain."""

import pytest

from jimm.controllers.calls import model_manager
from jimm.errors import Conflict, ControllerUnavailable, ModelNotFound, RemoteError, Unauthorized
from jimm.fleet import controllers, infos, models, watch
from jimm.fleet.caller import Caller
from jimm.registry import intents, relations
from jimm.registry.relations import Object
from jimm.registry.words import ModelState, Relation
from jimm.simulator.faults import Action
from jimm.wire import tags
from jimm.wire.params.model_manager import CreateModel, DestroyModel
from jimm.wire.tags import ModelUUID
from tests.eventually import eventually
from tests.fix_fleet import ADMIN, ALICE, BOB, connected, register
from tests.system.fleet.conftest import Scene

DESTROY = "ModelManager.DestroyModels"


async def destroy(scene: Scene, model: ModelUUID, caller: Caller = ALICE) -> None:
    """Destroys a model through the use case."""
    await models.destroy(scene.fleet, caller, DestroyModel(model_tag=tags.model_tag(model)))


async def forgotten(scene: Scene, model: ModelUUID) -> None:
    """Waits until the registry has the model no more."""

    async def is_gone() -> bool:
        try:
            await scene.registered(model)
        except ModelNotFound:
            return True
        return False

    assert await eventually(is_gone)


async def vanish(scene: Scene, on: str, model: ModelUUID) -> None:
    """The model goes from its controller without JIMM."""
    link = scene.fleet.link(scene.controllers[on])
    request = DestroyModel(model_tag=tags.model_tag(model), destroy_storage=True)
    await model_manager.destroy_model(link, request)
    await eventually(lambda: model not in scene.peers[on].store.models)


async def look(scene: Scene, *names: str) -> None:
    """The watch looks at these controllers once."""
    for name in names:
        await watch.look_at(scene.fleet, scene.controllers[name])


async def test_a_destroyed_model_goes_everywhere(scene: Scene) -> None:
    model = (await scene.create(on="a")).model.uuid
    await destroy(scene, model)
    assert (await scene.registered(model)).state is ModelState.DESTROYING
    async with scene.reconciling():
        await forgotten(scene, model)
    assert scene.there("a") == {}
    async with scene.fleet.registry.read() as session:
        assert await relations.about(session, [Object.model(model)]) == []
    assert await scene.open_intents() == 0
    assert (await scene.create(on="a")).model.uuid != model, "its name is free"


async def test_it_is_listed_until_its_controller_has_it_no_more(scene: Scene) -> None:
    model = (await scene.create(on="a")).model.uuid
    scene.fault("a", DESTROY, "stall", seconds=0.3)
    await destroy(scene, model)
    assert "m1" in await scene.listed()
    async with scene.reconciling():

        async def is_unlisted() -> bool:
            return "m1" not in await scene.listed()

        assert await eventually(is_unlisted)
        assert (await scene.registered(model)).life == "gone", "until it is certain"


async def test_a_lost_answer_is_not_a_refusal(scene: Scene) -> None:
    cuts: tuple[Action, ...] = ("drop-before", "drop-after")
    for cut in cuts:
        model = (await scene.create(on="a")).model.uuid
        scene.fault("a", DESTROY, cut)
        await destroy(scene, model)
        async with scene.reconciling():
            await forgotten(scene, model)
        assert scene.there("a") == {}


async def test_a_refusal_leaves_the_model_as_it_was(scene: Scene) -> None:
    model = (await scene.create(on="a")).model.uuid
    scene.fault("a", DESTROY, "refuse", message="the model is blocked", code="operation is blocked")
    with pytest.raises(RemoteError, match="the model is blocked"):
        await destroy(scene, model)
    assert (await scene.registered(model)).state is ModelState.LIVE
    assert await scene.open_intents() == 0
    await destroy(scene, model)


async def test_while_its_controller_is_away_nothing_is_destroyed(scene: Scene) -> None:
    model = (await scene.create(on="a")).model.uuid
    await scene.peers["a"].stop()
    with pytest.raises(ControllerUnavailable):
        await destroy(scene, model)
    assert (await scene.registered(model)).state is ModelState.LIVE
    await scene.restart("a")
    await destroy(scene, model)
    async with scene.reconciling():
        await forgotten(scene, model)


async def test_a_controller_that_goes_away_after_it_was_told_is_waited_for(scene: Scene) -> None:
    model = (await scene.create(on="a")).model.uuid
    scene.fault("a", DESTROY, "drop-before")
    await destroy(scene, model)
    await scene.peers["a"].stop()
    async with scene.reconciling():
        assert (await scene.registered(model)).state is ModelState.DESTROYING
        await scene.restart("a")
        await forgotten(scene, model)


async def test_told_twice_it_goes_once(scene: Scene) -> None:
    model = (await scene.create(on="a")).model.uuid
    await destroy(scene, model)
    await destroy(scene, model)
    assert await scene.open_intents() == 1
    async with scene.reconciling():
        await forgotten(scene, model)
    with pytest.raises(ModelNotFound):
        await destroy(scene, model)


async def test_a_crash_between_intent_and_call_destroys_it_all_the_same(scene: Scene) -> None:
    made = await scene.create(on="a")
    request = DestroyModel(model_tag=tags.model_tag(made.model.uuid))
    intent = await models._intend_destroy(scene.fleet, ALICE, made.model, request)
    assert intent is not None
    async with scene.fleet.registry.write() as session:
        await intents.release_all(session, scene.fleet.worker)
    async with scene.reconciling():
        await forgotten(scene, made.model.uuid)
    assert scene.there("a") == {}


async def test_others_may_not_and_the_moving_are_left(scene: Scene) -> None:
    model = (await scene.create(on="a")).model.uuid
    with pytest.raises(ModelNotFound):
        await destroy(scene, model, BOB)
    async with scene.fleet.registry.write() as session:
        await relations.add(session, BOB.identity, Relation.READER, Object.model(model))
    with pytest.raises(Unauthorized):
        await destroy(scene, model, BOB)
    with pytest.raises(ModelNotFound):
        await destroy(scene, ModelUUID("00000000-0000-4000-8000-000000000000"))
    assert (await scene.registered(model)).state is ModelState.LIVE


async def test_a_model_that_vanished_is_missing_and_never_forgotten(scene: Scene) -> None:
    model = (await scene.create(on="a")).model.uuid
    await look(scene, "a")
    assert (await scene.registered(model)).state is ModelState.LIVE
    await vanish(scene, "a", model)
    await look(scene, "a", "a", "b")
    lost = await scene.registered(model)
    assert lost.state is ModelState.MISSING
    assert lost.missing_since is not None
    assert "m1" in await scene.listed()


async def test_a_missing_model_that_is_seen_again_is_live(scene: Scene) -> None:
    model = (await scene.create(on="a")).model.uuid
    kept = scene.peers["a"].store.models[model]
    await vanish(scene, "a", model)
    await look(scene, "a")
    assert (await scene.registered(model)).state is ModelState.MISSING
    scene.peers["a"].store.put(kept)
    await look(scene, "a")
    assert (await scene.registered(model)).state is ModelState.LIVE


async def test_only_what_is_missing_or_unmanaged_can_be_forgotten(scene: Scene) -> None:
    model = (await scene.create(on="a")).model.uuid
    with pytest.raises(Conflict):
        await models.forget(scene.fleet, ADMIN, model)
    await vanish(scene, "a", model)
    await look(scene, "a")
    with pytest.raises(Unauthorized):
        await models.forget(scene.fleet, ALICE, model)
    await models.forget(scene.fleet, ADMIN, model)
    assert await scene.listed() == {}


async def test_a_model_that_was_moved_by_hand_is_found_where_it_is(scene: Scene) -> None:
    model = (await scene.create(on="a")).model.uuid
    moved = scene.peers["a"].store.models[model]
    await vanish(scene, "a", model)
    scene.peers["b"].store.put(moved)
    await look(scene, "a", "b")
    found = await scene.registered(model)
    assert (found.controller_name, found.state) == ("b", ModelState.LIVE)


async def test_a_model_of_somebody_s_own_on_the_controller_is_not_taken_over(scene: Scene) -> None:
    await scene.create(on="a")
    link = scene.fleet.link(scene.controllers["a"])
    asked = CreateModel(name="theirs", owner_tag="user-admin", config={}, cloud_tag="cloud-metro")
    theirs = await model_manager.create_model(link, asked)
    async with scene.reconciling():
        await look(scene, "a", "b")
    assert sorted(await scene.listed()) == ["m1"]
    assert scene.there("a")["theirs"] == theirs.uuid


async def test_one_look_keeps_counts_status_and_life(scene: Scene) -> None:
    model = (await scene.create(on="a")).model.uuid
    await look(scene, "a")
    seen = await scene.registered(model)
    assert (seen.life, seen.status, seen.agent_version) == ("alive", "available", "3.6.9")
    assert seen.facts_at is not None


async def test_a_model_being_destroyed_outlives_the_removal_of_its_controller(
    scene: Scene,
) -> None:
    model = (await scene.create(on="a")).model.uuid
    await destroy(scene, model)
    await controllers.remove(scene.fleet, ADMIN, "a", force=True)
    async with scene.reconciling():

        async def is_settled() -> bool:
            return await scene.open_intents() == 0

        assert await eventually(is_settled)
    assert (await scene.registered(model)).state is ModelState.UNMANAGED


async def test_a_removed_controller_leaves_its_models_known(scene: Scene) -> None:
    model = (await scene.create(on="a")).model.uuid
    with pytest.raises(Conflict, match="still has 1 model"):
        await controllers.remove(scene.fleet, ADMIN, "a", force=False)
    left = await controllers.remove(scene.fleet, ADMIN, "a", force=True)
    assert [(each.owner, each.name, each.uuid) for each in left] == [("alice@jimm", "m1", model)]
    assert (await scene.listed())["m1"].state is ModelState.UNMANAGED
    shown = await infos.show(scene.fleet, ALICE, model)
    assert shown.info is None
    assert shown.absence is not None
    assert "not registered" in shown.absence.why
    await models.forget(scene.fleet, ADMIN, model)
    assert await scene.listed() == {}


async def test_registered_again_it_has_its_models_again(scene: Scene) -> None:
    model = (await scene.create(on="a")).model.uuid
    await controllers.remove(scene.fleet, ADMIN, "a", force=True)
    scene.controllers["a"] = await register(scene.fleet, scene.peers["a"])
    await connected(scene.fleet, scene.controllers["a"])
    await look(scene, "a")
    found = await scene.registered(model)
    assert (found.controller_name, found.state) == ("a", ModelState.LIVE)
