"""Clouds added while controllers are away, refuse or lose their answers, and removed."""

import msgspec
import pytest

from jimm.errors import (
    AlreadyExists,
    Conflict,
    ControllerUnavailable,
    LostAnswer,
    NotFound,
    NotValid,
    RemoteError,
    Unauthorized,
)
from jimm.fleet import administration, cloud_changes, clouds, controllers, credentials, models
from jimm.fleet.caller import Caller
from jimm.fleet.cloud_changes import NewCloud
from jimm.registry import relations
from jimm.registry.relations import Object
from jimm.registry.words import EVERYONE, Relation
from jimm.wire import tags
from jimm.wire.params.cloud import Cloud, CloudCredential
from jimm.wire.params.model_manager import DestroyModel
from jimm.wire.tags import CredentialId
from tests.eventually import eventually
from tests.fix_fleet import ADMIN, ALICE, BOB, connected
from tests.system.fleet.conftest import Scene

K8S = Cloud(
    type="kubernetes",
    auth_types=["userpass"],
    endpoint="https://k8s.example.com",
    host_cloud_region="metro/north",
)


async def add(
    scene: Scene, caller: Caller = ALICE, *, on: str = "", definition: Cloud = K8S
) -> str:
    """Adds the cloud k8s; gives the name of the controller that has it."""
    new = NewCloud("k8s", definition, controller=on)
    return (await cloud_changes.add(scene.fleet, caller, new)).name


def there(scene: Scene, on: str) -> bool:
    """Whether a controller has it."""
    return "k8s" in scene.peers[on].store.controller.clouds


async def test_a_controller_that_is_away_is_passed_over(scene: Scene) -> None:
    await scene.peers["a"].stop()
    assert await add(scene) == "b"
    await scene.peers["b"].stop()
    with pytest.raises((ControllerUnavailable, AlreadyExists)):
        await add(scene, on="a")


async def test_with_all_away_the_name_stays_free(scene: Scene) -> None:
    for each in "ab":
        await scene.peers[each].stop()

    async def is_refused() -> bool:
        with pytest.raises(ControllerUnavailable):
            await add(scene)
        return True

    assert await eventually(is_refused)
    with pytest.raises(NotFound):
        await clouds.require_administrator(scene.fleet, ADMIN, "k8s")


async def test_a_refusal_frees_the_name(scene: Scene) -> None:
    scene.fault("a", "Cloud.AddCloud", "refuse", message="not that one")
    with pytest.raises(RemoteError, match="not that one"):
        await add(scene, on="a")
    assert await add(scene, BOB, on="a") == "a"
    _, (user,) = await clouds.with_users(scene.fleet, BOB, "k8s")
    assert (user.identity, user.level) == ("bob@jimm", "admin")


async def test_after_a_lost_answer_the_same_request_finds_the_cloud(scene: Scene) -> None:
    scene.fault("a", "Cloud.AddCloud", "drop-after")
    scene.fault("b", "Cloud.AddCloud", "drop-after")
    with pytest.raises(LostAnswer):
        await add(scene)
    (has_it,) = [each for each in "ab" if there(scene, each)]
    await connected(scene.fleet, scene.controllers[has_it])
    scene.peers[has_it].faults.clear()
    assert await add(scene, on=has_it) == has_it


async def test_a_cloud_that_a_controller_has_already_is_taken_if_it_is_the_same(
    scene: Scene,
) -> None:
    await add(scene, on="a")
    async with scene.fleet.registry.write() as session:
        await relations.remove(session, ALICE.identity, Relation.ADMINISTRATOR, Object.cloud("k8s"))
    with pytest.raises(AlreadyExists):
        await add(scene, on="b")
    assert await add(scene, ADMIN, on="b") == "b"
    other = msgspec.structs.replace(K8S, endpoint="https://other.example.com")
    with pytest.raises(NotValid, match="endpoint"):
        await add(scene, ADMIN, definition=other)


async def test_who_may_add_no_models_may_add_no_clouds(scene: Scene) -> None:
    async with scene.fleet.registry.write() as session:
        for each in scene.controllers.values():
            about = Object.controller(each.uuid)
            await relations.remove(session, EVERYONE, Relation.CAN_ADDMODEL, about)
    for on in ("", "a"):
        with pytest.raises(Unauthorized, match="may not add models on any controller"):
            await add(scene, on=on)
    await administration.modify_one(scene.fleet, ADMIN, "a", "alice", action="grant")
    assert await add(scene) == "a"
    with pytest.raises(AlreadyExists):
        await administration.modify_one(scene.fleet, ADMIN, "a", "alice", action="grant")
    assert [each.name for each in await controllers.list_controllers(scene.fleet, ALICE)] == ["a"]
    await administration.modify_one(scene.fleet, ADMIN, "a", "alice", action="revoke")
    with pytest.raises(NotFound, match='user "alice" does not have "add-model" access'):
        await administration.modify_one(scene.fleet, ADMIN, "a", "alice", action="revoke")
    with pytest.raises(NotFound, match='controller "none" not found'):
        await administration.modify_one(scene.fleet, ADMIN, "none", "alice", action="grant")
    with pytest.raises(Unauthorized):
        await administration.modify_one(scene.fleet, ALICE, "a", "alice", action="grant")


async def test_a_cloud_in_use_stays_until_its_models_are_gone(scene: Scene) -> None:
    await add(scene, on="a")
    key = CredentialId("k8s", ALICE.identity, "key")
    content = CloudCredential(auth_type="userpass", attrs={"username": "a", "password": "b"})
    await credentials.update(scene.fleet, ALICE, key, content)
    made = await scene.create("m1", cloud="k8s")
    with pytest.raises(Conflict, match="cloud is used by 1 model"):
        await cloud_changes.remove(scene.fleet, ALICE, "k8s")
    doomed = DestroyModel(model_tag=tags.model_tag(made.model.uuid))
    await models.destroy(scene.fleet, ALICE, doomed)
    async with scene.reconciling():

        async def is_removed() -> bool:
            try:
                await cloud_changes.remove(scene.fleet, ALICE, "k8s")
            except Conflict:
                return False
            return True

        assert await eventually(is_removed)
    assert not there(scene, "a")
    assert await credentials.names(scene.fleet, ALICE, ALICE.identity, "k8s") == []
    with pytest.raises(NotFound):
        await clouds.show(scene.fleet, ALICE, "k8s")
    assert await add(scene, BOB) in "ab"


async def test_a_removal_needs_every_controller(scene: Scene) -> None:
    await add(scene, on="a")
    await add(scene, on="b")
    await scene.peers["b"].stop()

    async def is_refused() -> bool:
        with pytest.raises(ControllerUnavailable):
            await cloud_changes.remove(scene.fleet, ALICE, "k8s")
        return True

    assert await eventually(is_refused)
    await cloud_changes.remove(scene.fleet, ALICE, "k8s", controller="a")
    assert not there(scene, "a")
    assert (await clouds.show(scene.fleet, ALICE, "k8s")).name == "k8s"
    with pytest.raises(NotFound, match='controller "a" does not offer cloud "k8s"'):
        await cloud_changes.remove(scene.fleet, ALICE, "k8s", controller="a")
