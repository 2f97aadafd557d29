"""Attempts that fail: where, with which words, and what is left."""

from typing import Any

import pytest
from msgspec.structs import replace

from jimm.simulator.faults import Action
from jimm.simulator.migration import phases
from jimm.simulator.migration.phases import Phase
from jimm.simulator.state import Cloud, Credential
from jimm.wire.tags import CredentialId, ModelUUID
from tests.eventually import eventually
from tests.fix_migration import Scene

APPLICATIONS = {"simulated-applications": "ubuntu:1"}
IMPORT = "model data transfer failed, failed to import model into target controller: "
BINARIES = "model data transfer failed, failed to migrate binaries: "

FAILURES: list[tuple[str, str, str]] = [
    ("a", "phase.source.QUIESCE", "source prechecks failed: no"),
    ("a", "minion.QUIESCE.ubuntu/0", "quiescing, some agents reported failure"),
    ("a", "phase.source.IMPORT", "model data transfer failed, model export failed: no"),
    ("b", "MigrationTarget.Import", f"{IMPORT}no"),
    ("b", "phase.target.IMPORT", f"{IMPORT}no"),
    (
        "a",
        "phase.source.PROCESSRELATIONS",
        "processing relations failed, processing relations failed: no",
    ),
    ("a", "minion.VALIDATION.0", "validating, some agents reported failure"),
    ("b", "instance.*", "machine sanity check failed, 1 error found"),
    ("a", "phase.source.VALIDATION", "model activation failed, no"),
    ("b", "MigrationTarget.Activate", "model activation failed, no"),
]


@pytest.mark.parametrize(("on", "point", "reason"), FAILURES, ids=[each[1] for each in FAILURES])
async def test_a_failure_brings_the_model_back(
    scene: Scene, on: str, point: str, reason: str
) -> None:
    model = await scene.create(config=APPLICATIONS)
    scene.fault(on, point, "refuse", message="no")
    await scene.migrate(model)
    assert scene.reason(model) == reason
    assert scene.is_back(model)
    # The reason is visible by itself for a moment, then only inside the abort's text.
    assert scene.messages[-2:] == [reason, phases.aborted(reason)]
    assert await scene.migrate(model) == f"{model}:1"
    assert scene.has_moved(model)


async def prechecks_refused_in_the_worker(scene: Scene, message: str) -> ModelUUID:
    """The first Prechecks is InitiateMigration's own; the second is the worker's."""
    model = await scene.create()
    scene.fault("a", "message.performing source prechecks", "stall")
    await scene.initiate(model)
    await scene.said("performing source prechecks")
    scene.fault("b", "MigrationTarget.Prechecks", "refuse", message=message)
    scene.controllers["a"].faults.clear()
    await scene.ended(model)
    return model


async def test_target_prechecks_that_fail_in_the_worker(scene: Scene) -> None:
    model = await prechecks_refused_in_the_worker(scene, "upgrade in progress")
    assert scene.reason(model) == "target prechecks failed: upgrade in progress"


async def test_another_controller_than_the_one_expected(scene: Scene) -> None:
    model = await scene.create()
    stranger = "controller-6f3e8d4c-58a5-4a28-8b1a-3a2f0f6b9c11"
    changes: dict[str, Any] = {"controller-tag": stranger}
    await scene.initiate(model, **changes)
    await scene.ended(model)
    got = f"controller-{scene.controllers['b'].uuid}"
    assert scene.reason(model) == (
        f"unexpected target controller UUID (got {got}, expected {stranger})"
    )


async def test_a_target_that_dies_before_the_import(scene: Scene) -> None:
    model = await scene.create()
    scene.fault("a", "message.exporting model", "stall")
    await scene.initiate(model)
    await scene.said("exporting model")
    await scene.controllers["b"].kill()
    scene.controllers["a"].faults.clear()
    await scene.ended(model)
    assert scene.reason(model).startswith(
        "model data transfer failed, failed to connect to target controller: "
        "unable to connect to API: "
    )


@pytest.mark.parametrize("silent", ["QUIESCE", "VALIDATION"])
async def test_an_agent_that_stays_silent(scene: Scene, silent: str) -> None:
    model = await scene.create(config=APPLICATIONS)
    store = scene.controllers["a"].store
    config = {**store.controller.config, "migration-agent-wait-time": "50s"}
    store.put(replace(store.controller, config=config))
    scene.fault("a", f"minion.{silent}.0", "stall")
    await scene.migrate(model)
    word = phases.WAITS_FOR_AGENTS[Phase(silent)]
    assert scene.reason(model) == f"{word}, timed out waiting for agents to report"
    assert (
        f"{word}, waiting for agents to report back: 1 succeeded, 1 still to report"
        in scene.messages
    )


async def test_a_failure_in_success_is_only_noted(scene: Scene) -> None:
    model = await scene.create(config=APPLICATIONS)
    scene.fault("a", "minion.SUCCESS.0", "refuse")
    await scene.migrate(model)
    assert "successful, some agents reported failure" in scene.messages
    assert scene.has_moved(model)


def put_credential(scene: Scene, on: str, model: ModelUUID, password: str) -> None:
    """A credential on one side; the model uses it where it lives."""
    store = scene.controllers[on].store
    credential = Credential(
        id=CredentialId("metro", "admin", "key"),
        auth_type="userpass",
        attrs={"username": "u", "password": password},
    )
    store.put(credential)
    if model in store.models:
        store.put(replace(store.models[model], credential=credential.id))


async def test_a_different_credential_leaks_its_values_as_juju_does(scene: Scene) -> None:
    model = await scene.create()
    put_credential(scene, "a", model, "here")
    put_credential(scene, "b", model, "there")
    await scene.migrate(model)
    assert scene.reason(model) == (
        f"{IMPORT}credential attribute mismatch: "
        "map[password:there username:u] != map[password:here username:u]"
    )
    assert scene.is_back(model)


async def test_a_credential_that_is_absent_comes_along_and_stays(scene: Scene) -> None:
    model = await scene.create()
    put_credential(scene, "a", model, "here")
    scene.fault("b", "MigrationTarget.Activate", "refuse")
    await scene.migrate(model)
    assert scene.is_back(model)
    assert "metro/admin/key" in scene.controllers["b"].store.credentials
    await scene.migrate(model)
    assert scene.has_moved(model)


async def test_a_cloud_that_the_target_lacks(scene: Scene) -> None:
    model = await scene.create()
    store = scene.controllers["b"].store
    store.put(replace(store.controller, clouds={"other": Cloud(name="other")}))
    await scene.migrate(model)
    assert scene.reason(model) == f'{IMPORT}cloud "metro" not found'


async def test_a_newer_patch_release_can_pass_every_check_and_fail_the_import(
    scene: Scene,
) -> None:
    await scene.start("old", version="3.6.25")
    model = await scene.create()
    await scene.revive("a", version="3.6.26")
    assert scene.model(model, "a").agent_version == "3.6.9"
    await scene.initiate(model, to="old")
    await scene.ended(model)
    assert scene.reason(model) == (f"{IMPORT}deserializing model for import: version 12 not valid")


@pytest.mark.parametrize(
    ("point", "action"),
    [("MigrationTarget.Abort", "refuse"), ("phase.target.ABORT", "drop-before")],
)
async def test_a_failed_abort_leaves_an_importing_model_for_ever(
    scene: Scene, point: str, action: Action
) -> None:
    model = await scene.create()
    scene.fault("b", "MigrationTarget.Activate", "refuse", message="no")
    scene.fault("b", point, action)
    await scene.migrate(model)
    assert scene.model(model, "a").mode == ""
    assert scene.model(model, "b").mode == "importing"
    taken = 'target prechecks failed: model named "m" already exists'
    assert await scene.refusal(model) == (taken, "")
    async with scene.admin("b") as socket:
        await socket.call("MigrationTarget", 6, "Abort", {"model-tag": f"model-{model}"})
    await scene.migrate(model)
    assert scene.has_moved(model)


async def test_a_lost_answer_of_activate_leaves_the_model_on_both_sides(scene: Scene) -> None:
    model = await scene.create()
    scene.fault("b", "MigrationTarget.Activate", "drop-after")
    await scene.migrate(model)
    assert scene.reason(model).startswith("model activation failed, ")
    assert scene.model(model, "a").mode == ""
    assert scene.model(model, "b").mode == ""


async def test_a_reap_that_fails(scene: Scene) -> None:
    model = await scene.create()
    scene.fault("a", "phase.source.REAP", "refuse", message="no")
    await scene.migrate(model)
    left = await scene.info(model)
    assert left["migration"]["status"] == "removing exported model failed: no"
    assert "end" in left["migration"]
    assert scene.model(model, "a").mode == "exporting"
    assert (await scene.info(model, on="b"))["status"]["status"] == "available"
    same = f"target prechecks failed: model with same UUID already exists ({model})"
    assert await scene.refusal(model) == (same, "")
    await scene.start("c")
    assert await scene.refusal(model, to="c") == (
        "failed to create migration: state changing too quickly; try again soon",
        "",
    )


@pytest.mark.parametrize(
    ("point", "stays"),
    [
        ("MigrationTarget.CheckMachines", phases.CHECKING_MACHINES),
        ("MigrationTarget.AdoptResources", phases.ADOPTING),
        ("MigrationTarget.LatestLogTime", phases.transferring(0)),
    ],
)
async def test_what_is_repeated_for_ever(scene: Scene, point: str, stays: str) -> None:
    model = await scene.create()
    fault = scene.fault("b", point, "refuse", times=3)
    await scene.initiate(model)
    await eventually(lambda: scene.messages.count(stays) == 3)
    assert not scene.is_over(model)
    await scene.ended(model)
    assert fault.id not in {each.id for each in scene.controllers["b"].faults.list()}
    assert scene.messages.count(stays) == 4
    assert scene.has_moved(model)


async def test_an_unreachable_target_in_validation_is_waited_for(scene: Scene) -> None:
    model = await scene.create()
    scene.fault("a", "message.validating, all agents reported success", "stall")
    await scene.initiate(model)
    await scene.said("validating, all agents reported success")
    await scene.controllers["b"].kill()
    scene.controllers["a"].faults.clear()
    await eventually(lambda: scene.messages.count(phases.waiting(Phase.VALIDATION)) > 1)
    await scene.revive("b")
    await scene.ended(model)
    assert scene.has_moved(model)


async def test_agents_that_cannot_reach_the_target_fail_validation(scene: Scene) -> None:
    await scene.revive("a", speed=500.0)
    model = await scene.create(config=APPLICATIONS)
    scene.fault("a", "message.processing relations", "stall")
    await scene.initiate(model)
    await scene.said("processing relations")
    await scene.controllers["b"].kill()
    scene.controllers["a"].faults.clear()
    await scene.said("validating, some agents reported failure")
    await scene.ended(model)
    assert scene.model(model, "a").mode == ""


async def test_a_model_that_is_destroyed_meanwhile(scene: Scene) -> None:
    model = await scene.create()
    scene.fault("a", "message.exporting model", "stall")
    await scene.initiate(model)
    await scene.said("exporting model")
    async with scene.admin("a") as socket:
        wanted: dict[str, Any] = {"models": [{"model-tag": f"model-{model}"}]}
        assert await socket.call("ModelManager", 10, "DestroyModels", wanted) == {"results": [{}]}
    await eventually(lambda: not scene.has(model, "a"))
    scene.controllers["a"].faults.clear()
