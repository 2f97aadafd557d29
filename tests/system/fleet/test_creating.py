"""Creating models: what crashes, refuses or loses an answer neither loses a model nor leaks one."""

import asyncio

import pytest

from jimm.controllers.calls import model_manager
from jimm.errors import AlreadyExists, ControllerUnavailable, NotValid, RemoteError
from jimm.fleet import creation, placing
from jimm.fleet.placing import Wanted
from jimm.registry import intents, models
from jimm.registry.words import ModelState
from jimm.wire import tags
from jimm.wire.params.model_manager import CreateModel
from tests.eventually import eventually
from tests.fix_fleet import ADMIN, ALICE, BOB, connected, running_fleet
from tests.system.fleet.conftest import Scene

CREATE = "ModelManager.CreateModel"


async def arrive(scene: Scene, on: str, name: str = "m1", owner: str = "alice@jimm") -> str:
    """A model comes to be on a controller without JIMM: a call that Juju carried out late."""
    link = scene.fleet.link(scene.controllers[on])
    user = await scene.fleet.trust.local_user(scene.controllers[on], owner, link)
    asked = CreateModel(
        name=name, owner_tag=tags.user_tag(user.username), config={}, cloud_tag="cloud-metro"
    )
    return (await model_manager.create_model(link, asked)).uuid


async def interrupted(scene: Scene, *, sent: bool, detached: bool = False, on: str = "a") -> int:
    """What a worker leaves that died before, or just after, it sent a CreateModel; or, detached,
    went on without an answer to another controller, which refused."""
    decision = await placing.decide_now(scene.fleet, ALICE, Wanted("metro", "", on))
    cloud = await placing.choose_cloud(scene.fleet, ALICE, "metro")
    new = creation.NewModel("m1", "alice@jimm", Wanted("metro", "", on), None, {})
    work = await creation._intend(scene.fleet, ALICE, new, cloud, None, decision)
    link = scene.fleet.link(scene.controllers[on])
    user = await scene.fleet.trust.local_user(scene.controllers[on], "alice@jimm", link)
    async with scene.fleet.registry.write() as session:
        if sent:
            request = {"owner": "alice@jimm", "name": "m1", "user": user.username}
            assert await intents.aim(
                session,
                work.intent.held,
                scene.controllers[on].id,
                absent_before=True,
                deadline=0.5,
                request=request,
            )
        if detached:
            assert await intents.detach(session, work.intent.held, 0.0)
            await models.remove(session, work.model_id)
        await intents.release_all(session, scene.fleet.worker)
    return work.model_id


async def test_a_model_is_made_on_one_controller_and_written_down(scene: Scene) -> None:
    made = await scene.create()
    name = made.model.controller_name
    assert name is not None
    assert scene.there(name) == {"m1": made.model.uuid}
    assert scene.there({"a": "b", "b": "a"}[name]) == {}
    assert (made.model.owner, made.model.state) == ("alice@jimm", ModelState.LIVE)
    (placement,) = await scene.placements()
    assert placement.chosen == name
    assert await scene.open_intents() == 0


async def test_the_next_controller_takes_what_the_first_refuses(scene: Scene) -> None:
    for name in "ab":
        scene.fault(name, CREATE, "refuse", message="no machines left")
        scene.fault(name, CREATE, "refuse", message="no machines left", times=1)
    scene.peers["b"].faults.clear()
    for number in range(4):
        scene.peers["a"].faults.clear()
        scene.fault("a", CREATE, "refuse", message="no machines left")
        made = await scene.create(f"m{number}")
        assert made.model.controller_name == "b"
    tried = [each for row in await scene.placements() for each in row.attempts]
    refusals = [each for each in tried if each["controller"] == "a"]
    assert {str(each["outcome"]) for each in refusals} <= {"no machines left"}
    assert scene.there("a") == {}


async def test_a_request_at_fault_is_tried_nowhere_else(scene: Scene) -> None:
    for name in "ab":
        scene.fault(name, CREATE, "refuse", message="bad config", code="not valid")
    with pytest.raises(RemoteError, match="bad config"):
        await scene.create()
    left = [each for name in "ab" for each in scene.peers[name].faults.list()]
    assert len(left) == 1, "one controller was asked"
    assert await scene.listed() == {}
    scene.peers["a"].faults.clear()
    scene.peers["b"].faults.clear()
    await scene.create()


async def test_refused_everywhere_tells_every_reason_and_frees_the_name(scene: Scene) -> None:
    for name in "ab":
        scene.fault(name, CREATE, "refuse", message=f"{name} is full")
    with pytest.raises(ControllerUnavailable) as refused:
        await scene.create()
    assert "a is full" in str(refused.value)
    assert "b is full" in str(refused.value)
    await scene.create()
    trail = [(each.action, each.outcome) for each in await scene.trail()]
    assert trail[:2] == [("create-model", "done"), ("create-model", "failed")]


async def test_a_name_taken_is_taken_wherever_the_model_is(scene: Scene) -> None:
    await scene.create()
    with pytest.raises(AlreadyExists, match='model "m1" already exists'):
        await scene.create()
    assert (await scene.create(caller=BOB)).model.owner == "bob@jimm"
    assert sum(len(scene.there(name)) for name in "ab") == 2


@pytest.mark.parametrize("name", ["", "M1", "a_b", "-a", "a b", "x" * 300 + "!"])
async def test_a_name_that_cannot_be(scene: Scene, name: str) -> None:
    with pytest.raises(NotValid):
        await scene.create(name)


async def test_a_lost_answer_is_adopted_and_answered(scene: Scene) -> None:
    scene.fault("a", CREATE, "drop-after")
    made = await scene.create(on="a")
    assert scene.there("a") == {"m1": made.model.uuid}
    assert made.info["uuid"] == made.model.uuid
    assert await scene.open_intents() == 0


async def test_a_call_that_never_arrived_goes_to_the_next_once_its_time_is_over(
    scene: Scene,
) -> None:
    scene.fault("a", CREATE, "drop-before", times=0)
    scene.fault("b", CREATE, "drop-before")
    scene.peers["b"].faults.clear()
    made = [await scene.create(f"m{number}") for number in range(2)]
    assert {each.model.controller_name for each in made} == {"b"}
    assert scene.there("a") == {}


async def test_lost_with_its_controller_it_is_made_elsewhere_and_a_late_one_removed(
    scene: Scene,
) -> None:
    scene.fault("a", CREATE, "crash")
    made = [await scene.create(f"m{number}") for number in range(4)]
    assert {each.model.controller_name for each in made} == {"b"}, "a died at the first"
    lost = [row.name for row in await scene.placements() if row.attempts[0]["controller"] == "a"]
    assert lost
    assert len(scene.there("b")) == 4
    await scene.restart("a")
    await arrive(scene, "a", lost[-1])
    async with scene.reconciling():
        await scene.until_gone("a", lost[-1])
        assert len(scene.there("b")) == 4
        assert len(await scene.listed()) == 4


async def test_a_model_that_was_there_before_is_left_alone(scene: Scene) -> None:
    theirs = await arrive(scene, "a")
    made = await scene.create()
    assert made.model.controller_name == "b"
    await arrive(scene, "a", "m2")
    with pytest.raises(ControllerUnavailable, match="already"):
        await scene.create("m2", on="a")
    assert scene.there("a")["m1"] == theirs
    assert len(scene.there("a")) == 2


async def test_models_of_other_owners_are_untouched(scene: Scene) -> None:
    theirs = await arrive(scene, "a", owner="bob@jimm")
    scene.fault("a", CREATE, "drop-after")
    made = await scene.create(on="a")
    assert made.model.uuid != theirs
    assert sorted(scene.peers["a"].store.models) == sorted(
        [theirs, made.model.uuid, scene.peers["a"].store.controller.model_uuid]
    )


async def test_a_crash_before_anything_was_sent_frees_the_name(scene: Scene) -> None:
    model = await interrupted(scene, sent=False)
    async with scene.reconciling():

        async def is_free() -> bool:
            async with scene.fleet.registry.read() as session:
                return await intents.of_model(session, model) is None

        assert await eventually(is_free)
    made = await scene.create(on="a")
    assert scene.there("a") == {"m1": made.model.uuid}


async def test_a_crash_after_the_call_left_finds_the_model_once(scene: Scene) -> None:
    await interrupted(scene, sent=True)
    uuid = await arrive(scene, "a")
    async with running_fleet(
        str(scene.fleet.settings.database_url.get_secret_value()),
        scene.fleet.sealer,
        worker="w2",
    ) as other:
        await connected(other, scene.controllers["a"])
        async with Scene(other, scene.folder).reconciling(), scene.reconciling():

            async def is_listed() -> bool:
                return "m1" in await scene.listed()

            assert await eventually(is_listed)
    assert (await scene.listed())["m1"].uuid == uuid
    assert (await scene.registered(tags.ModelUUID(uuid))).controller_name == "a"
    (placement,) = await scene.placements()
    assert placement.chosen == "a"
    assert scene.there("a") == {"m1": uuid}


async def test_a_crash_after_the_call_left_that_never_came_frees_the_name(scene: Scene) -> None:
    await interrupted(scene, sent=True)
    with pytest.raises(AlreadyExists):
        await scene.create()
    async with scene.reconciling():

        async def is_free() -> bool:
            try:
                await scene.create(on="b")
            except AlreadyExists:
                return False
            return True

        assert await eventually(is_free)
    assert scene.there("a") == {}


async def test_a_late_one_is_not_taken_for_a_model_that_is_being_made_there(scene: Scene) -> None:
    """A late m1 is watched for on a, while JIMM makes another m1 there."""
    await interrupted(scene, sent=True, detached=True)
    await interrupted(scene, sent=True)
    uuid = await arrive(scene, "a")
    async with scene.reconciling():

        async def is_settled() -> bool:
            return "m1" in await scene.listed() and not await scene.open_intents()

        assert await eventually(is_settled)
    assert scene.there("a") == {"m1": uuid}


async def test_a_caller_that_leaves_does_not_stop_it(scene: Scene) -> None:
    held = scene.fault("a", CREATE, "stall")
    creating = scene.fleet.tasks.spawn(scene.create(on="a"), name="create")
    await eventually(lambda: not scene.peers["a"].faults.list())  # the call has come to a
    creating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await creating
    scene.peers["a"].faults.clear(held.id)

    async def is_listed() -> bool:
        return "m1" in await scene.listed()

    assert await eventually(is_listed)


async def test_the_keys_of_a_model_on_juju_4_are_told_to_the_model(scene: Scene) -> None:
    """Juju 4 refuses a new model whose config has them, and every client puts them there."""
    await scene.start("four", version="4.0.13")
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEynpFRcqPKZrHdKWDwiJuoP4VnTYNrBm3qEhyKMw1kc alice"
    config = {"authorized-keys": f"{key}\n", "simulated-applications": "ubuntu:1"}
    new = creation.NewModel("m4", "alice@jimm", Wanted("metro", "", "four"), None, config)
    made = await creation.create(scene.fleet, ADMIN, new)
    kept = scene.peers["four"].store.models[made.model.uuid].config
    assert str(kept["authorized-keys"]).split("\n") == [key]
