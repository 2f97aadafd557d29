"""Upgrading a model on its controller, by whoever may write to it."""

from typing import Any

import msgspec
import pytest

from jimm.errors import BadRequest, MigrationUnderway, ModelNotFound, RemoteError, Unauthorized
from jimm.fleet import upgrades
from jimm.fleet.caller import Caller
from jimm.wire.params.model_upgrader import UpgradeModel, UpgradeModelResult
from jimm.wire.tags import ModelUUID, model_tag
from tests.fix_fleet import ADMIN, ALICE, BOB
from tests.system.fleet.conftest import Scene
from tests.system.fleet.test_model_credentials import grant, moving


async def older(scene: Scene) -> ModelUUID:
    """A model of alice's that is older than its controller."""
    uuid = (await scene.create(on="a")).model.uuid
    store = scene.peers["a"].store
    store.put(msgspec.structs.replace(store.models[uuid], agent_version="3.6.1"))
    return uuid


async def upgrade(
    scene: Scene, caller: Caller, model: str, version: str = "0.0.0", **more: Any
) -> UpgradeModelResult:
    """The use case."""
    request = UpgradeModel(model_tag=model_tag(model), target_version=version, **more)
    return await upgrades.upgrade(scene.fleet, caller, request)


def there(scene: Scene, model: ModelUUID) -> str:
    """The version that the controller says the model has."""
    return scene.peers["a"].store.models[model].agent_version


async def test_a_dry_run_tells_the_version_and_changes_nothing(scene: Scene) -> None:
    model = await older(scene)
    before = len(await scene.trail())
    result = await upgrade(scene, ALICE, model, dry_run=True)
    assert (result.chosen_version, result.error) == ("3.6.9", None)
    assert there(scene, model) == "3.6.1"
    assert len(await scene.trail()) == before


async def test_the_controller_upgrades_it(scene: Scene) -> None:
    model = await older(scene)
    assert (await upgrade(scene, ALICE, model, "3.6.5")).chosen_version == "3.6.5"
    assert there(scene, model) == "3.6.5"
    assert (await upgrade(scene, ADMIN, model)).chosen_version == "3.6.9"
    assert there(scene, model) == "3.6.9"
    event = (await scene.trail())[0]
    assert (event.action, event.identity, event.controller) == (
        "upgrade-model",
        "admin@jimm",
        "a",
    )
    assert event.params == {"version": "3.6.9"}


async def test_what_stands_against_it_is_in_the_result_with_a_version(scene: Scene) -> None:
    model = await older(scene)
    newer = await upgrade(scene, ALICE, model, "3.6.99")
    assert newer.error is not None
    assert (newer.chosen_version, newer.error.code) == ("3.6.99", "not found")
    await upgrade(scene, ALICE, model)
    again = await upgrade(scene, ALICE, model)
    assert again.error is not None
    assert (again.chosen_version, again.error.code) == ("3.6.9", "already exists")


async def test_a_version_left_out_by_the_controller_can_be_read_all_the_same(scene: Scene) -> None:
    model = await older(scene)
    for version in ("", "0.0.0"):
        assert (await upgrade(scene, ALICE, model, version, dry_run=True)).chosen_version == "3.6.9"
    with pytest.raises(BadRequest, match='"newest" is not a version'):
        await upgrade(scene, ALICE, model, "newest")


async def test_it_takes_the_right_to_write(scene: Scene) -> None:
    model = await older(scene)
    with pytest.raises(ModelNotFound):
        await upgrade(scene, BOB, model)
    await grant(scene, model, "read")
    with pytest.raises(Unauthorized):
        await upgrade(scene, BOB, model)
    with pytest.raises(Unauthorized):
        await upgrades.abort(scene.fleet, BOB, model_tag(model))
    await grant(scene, model, "write")
    assert (await upgrade(scene, BOB, model)).chosen_version == "3.6.9"
    assert there(scene, model) == "3.6.9"
    await upgrades.abort(scene.fleet, BOB, model_tag(model))
    assert (await scene.trail())[0].action == "abort-model-upgrade"


async def test_not_while_it_is_being_moved(scene: Scene) -> None:
    model = await older(scene)
    await moving(scene, model)
    with pytest.raises(MigrationUnderway):
        await upgrade(scene, ALICE, model)
    with pytest.raises(MigrationUnderway):
        await upgrades.abort(scene.fleet, ALICE, model_tag(model))
    assert there(scene, model) == "3.6.1"


async def test_a_refusal_to_look_keeps_the_controller_s_words(scene: Scene) -> None:
    model = await older(scene)
    scene.fault(
        "a", "ModelUpgrader.UpgradeModel", "refuse", message="upgrading", code="upgrade in progress"
    )
    with pytest.raises(RemoteError, match="upgrading") as refused:
        await upgrade(scene, ALICE, model)
    assert refused.value.juju_code == "upgrade in progress"
