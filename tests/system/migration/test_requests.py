"""Asking, looking, deciding: who may, what is refused, and in which words."""

import pytest

from jimm.errors import (
    ChecksFailed,
    Conflict,
    ControllerUnavailable,
    MigrationUnderway,
    ModelNotFound,
    NotFound,
    NotValid,
    Unauthorized,
)
from jimm.fleet.caller import Caller
from jimm.migration import by_hand, requests
from jimm.migration.pace import Pace
from jimm.registry import audit, placements
from jimm.registry.migrations import Migration
from jimm.wire import tags
from jimm.wire.tags import ModelUUID
from tests.eventually import eventually
from tests.fix_fleet import ADMIN, ALICE, BOB
from tests.juju_client import Refused, Registration, logged_in
from tests.system.migration.conftest import Scene

UNKNOWN = "aaaaaaaa-2222-4333-8444-555555555555"


async def moved_behind(scene: Scene, model: str) -> None:
    """An administrator of Juju moves a model from a to b behind JIMM's back."""
    await scene.fleet.trust.local_user(
        scene.controllers["b"], "alice@jimm", scene.fleet.link(scene.controllers["b"])
    )
    target = Registration.of(scene.peers["b"].registration())
    info = {
        "controller-tag": tags.controller_tag(target.uuid),
        "addrs": [target.address],
        "ca-cert": target.ca,
        "auth-tag": tags.user_tag(target.user),
        "password": target.password,
    }
    spec = {"model-tag": tags.model_tag(model), "target-info": info}
    async with logged_in(Registration.of(scene.peers["a"].registration())) as socket:
        answer = await socket.call("Controller", 11, "InitiateMigration", {"specs": [spec]})
    row = answer["results"][0]
    if "error" in row:
        raise Refused(row["error"]["message"], row["error"]["code"], None)


async def test_all_that_stands_in_the_way_is_told_at_once(scene: Scene) -> None:
    model = await scene.model()
    await scene.start("c", version="3.6.1", cloud="other")
    with pytest.raises(ChecksFailed) as refused:
        await scene.request(model, "c")
    codes = [each["code"] for each in refused.value.checks]
    assert codes == ["cloud-missing", "version-model", "description-too-new"]
    found = await requests.dry_run(scene.fleet, ADMIN, model, "c")
    assert [each.code for each in found] == codes
    assert await requests.page(scene.fleet, ADMIN) == []


async def test_bad_input_has_its_own_error(scene: Scene) -> None:
    model = await scene.model()
    with pytest.raises(NotFound, match="controller"):
        await scene.request(model, "nowhere")
    with pytest.raises(ModelNotFound):
        await requests.request(scene.fleet, ADMIN, UNKNOWN, "b")
    with pytest.raises(ModelNotFound):
        await requests.request(scene.fleet, ADMIN, "alice@jimm/nothing", "b")
    with pytest.raises(ChecksFailed) as refused:
        await scene.request(model, "a")
    assert [each["code"] for each in refused.value.checks] == ["target-is-source"]


async def test_a_model_is_moved_once_at_a_time(scene: Scene) -> None:
    model = await scene.model()
    await requests.request(scene.fleet, ADMIN, "alice@jimm/m1", "b")
    with pytest.raises(MigrationUnderway):
        await scene.request(model)
    found = await requests.dry_run(scene.fleet, ADMIN, model, "b")
    assert [each.code for each in found] == ["already-migrating"]


async def test_a_target_that_is_away_is_listed_with_the_reason(scene: Scene) -> None:
    model = await scene.model()
    await scene.peers["b"].kill()
    listed = dict(await _targets(scene, ADMIN, model))
    assert listed == {"b": ["target-unavailable"]}


async def _targets(scene: Scene, caller: Caller, model: str) -> list[tuple[str, list[str]]]:
    found = await requests.targets(scene.fleet, caller, model)
    return [(controller.name, [each.code for each in checks]) for controller, checks in found]


async def test_who_may(scene: Scene) -> None:
    model = await scene.model()
    assert await _targets(scene, ALICE, model) == [("b", [])]
    assert await requests.dry_run(scene.fleet, ALICE, model, "b") == []
    with pytest.raises(Unauthorized):
        await requests.request(scene.fleet, ALICE, model, "b")
    with pytest.raises(ModelNotFound):
        await requests.request(scene.fleet, BOB, model, "b")
    asked = await scene.request(model)
    assert (await requests.get(scene.fleet, ALICE, asked.id)).id == asked.id
    with pytest.raises(NotFound):
        await requests.get(scene.fleet, BOB, asked.id)
    assert await requests.page(scene.fleet, BOB) == []
    assert [m.id for m in await requests.page(scene.fleet, ALICE, reference=model)] == [asked.id]
    with pytest.raises(Unauthorized):
        await by_hand.resolve(scene.fleet, ALICE, asked.id, on="a", reason="x")
    with pytest.raises(Unauthorized):
        await by_hand.update_migrated(scene.fleet, ALICE, model, "b")


async def _stuck(scene: Scene, model: ModelUUID, impatient: Pace) -> Migration:
    asked = await requests.request(scene.fleet, ADMIN, model, "b")
    async with scene.working():
        await eventually(lambda: scene.hosts(model) == ["a", "b"], deadline=60)
    async with scene.working(pace=impatient):
        return await scene.until(asked, "stuck")


async def test_an_administrators_word_ends_what_never_ends(scene: Scene) -> None:
    model = await scene.model()
    scene.fault("a", "phase.source.VALIDATION", "stall")
    impatient = Pace(poll=0.005, away=0.05, stuck=0.05, beat=0.1, unchanged=0.2)
    stuck = await _stuck(scene, model, impatient)
    with pytest.raises(NotValid, match="on a or on b"):
        await by_hand.resolve(scene.fleet, ADMIN, stuck.id, on="c", reason="x")
    with pytest.raises(Conflict, match="still importing"):
        await by_hand.resolve(scene.fleet, ADMIN, stuck.id, on="b", reason="x")
    ended = await by_hand.resolve(scene.fleet, ADMIN, stuck.id, on="a", reason="no patience")
    assert (ended.state.value, ended.error_code) == ("failed", "resolved")
    assert "no patience" in ended.error
    with pytest.raises(Conflict, match="over"):
        await by_hand.resolve(scene.fleet, ADMIN, stuck.id, on="a", reason="x")
    async with scene.fleet.registry.read() as session:
        actions = [each.action for each in await audit.page(session)]
    assert {"migrate-model", "resolve-migration"} <= set(actions)


async def test_what_has_not_begun_has_nothing_to_resolve(scene: Scene) -> None:
    asked = await scene.request(await scene.model())
    with pytest.raises(Conflict, match="nothing to resolve"):
        await by_hand.resolve(scene.fleet, ADMIN, asked.id, on="a", reason="x")


async def test_a_model_moved_by_hand_is_followed(scene: Scene) -> None:
    model = await scene.model()
    same = await by_hand.update_migrated(scene.fleet, ADMIN, model, "a")
    assert not same.changed
    assert "already" in same.message
    with pytest.raises(Conflict, match="does not have"):
        await by_hand.update_migrated(scene.fleet, ADMIN, model, "b")
    await moved_behind(scene, model)
    await eventually(lambda: scene.hosts(model) == ["b"], deadline=60)
    changed = await by_hand.update_migrated(scene.fleet, ADMIN, model, "b")
    assert changed.changed
    assert (await scene.registered(model)).controller_name == "b"
    assert not (await by_hand.update_migrated(scene.fleet, ADMIN, model, "b")).changed
    async with scene.fleet.registry.read() as session:
        assert [each.chosen for each in await placements.page(session)] == ["b"]
    with pytest.raises(NotFound):
        await by_hand.update_migrated(scene.fleet, ADMIN, model, "nowhere")
    with pytest.raises(ModelNotFound):
        await by_hand.update_migrated(scene.fleet, ADMIN, UNKNOWN, "b")


async def test_a_model_on_its_way_or_on_both_is_not_followed(scene: Scene) -> None:
    model = await scene.model()
    stall = scene.fault("a", "phase.source.VALIDATION", "stall")
    scene.fault("a", "phase.source.REAP", "refuse", message="no space")
    await moved_behind(scene, model)
    await eventually(lambda: scene.hosts(model) == ["a", "b"], deadline=60)
    with pytest.raises(Conflict, match="still importing"):
        await by_hand.update_migrated(scene.fleet, ADMIN, model, "b")
    with pytest.raises(ChecksFailed) as refused:
        await scene.request(model)
    assert [each["code"] for each in refused.value.checks] == [
        "already-migrating",
        "leftover-import",
    ]
    scene.peers["a"].faults.clear(stall.id)
    await eventually(lambda: not scene.peers["b"].store.models[model].mode, deadline=60)
    with pytest.raises(Conflict, match="both a and b"):
        await by_hand.update_migrated(scene.fleet, ADMIN, model, "b")


async def test_an_old_controller_that_is_away_can_not_be_ruled_out(scene: Scene) -> None:
    model = await scene.model()
    await moved_behind(scene, model)
    await eventually(lambda: scene.hosts(model) == ["b"], deadline=60)
    link = scene.fleet.link(scene.controllers["a"])
    await scene.peers["a"].kill()
    await eventually(link.closed.is_set)
    with pytest.raises(ControllerUnavailable, match="remove-controller"):
        await by_hand.update_migrated(scene.fleet, ADMIN, model, "b")


async def test_jimm_does_not_follow_what_it_moves_itself(scene: Scene) -> None:
    model = await scene.model()
    await scene.request(model)
    with pytest.raises(MigrationUnderway):
        await by_hand.update_migrated(scene.fleet, ADMIN, model, "b")
