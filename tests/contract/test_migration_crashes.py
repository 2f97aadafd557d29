"""A source or a target that dies at any moment, and what the next life makes of it."""

import pytest

from jimm.simulator.migration import phases
from jimm.simulator.migration.phases import Phase
from jimm.simulator.state import Model
from jimm.simulator.store import Change
from tests.eventually import eventually
from tests.fix_migration import Scene

APPLICATIONS = {"simulated-applications": "ubuntu:1"}
WAY = [phase for phase in Phase if phase not in (Phase.ABORT, Phase.ABORTDONE)][:7]
STEPS = sorted({text for phase in WAY for text in phases.messages(phase)} - {phases.transferred(0)})
IMPORTED = "model data transfer failed, failed to import model into target controller: "


async def crashed(scene: Scene, name: str) -> None:
    """Waits until the fault has struck and the controller has gone, then starts it again."""
    await eventually(lambda: not scene.controllers[name].faults.list(), deadline=60)
    await scene.revive(name)


@pytest.mark.parametrize("phase", WAY)
async def test_a_source_that_dies_in_a_phase_goes_on_in_it(scene: Scene, phase: Phase) -> None:
    model = await scene.create(config=APPLICATIONS)
    scene.fault("a", f"phase.source.{phase}", "crash")
    await scene.initiate(model)
    await crashed(scene, "a")
    await scene.ended(model)
    assert scene.has_moved(model)


@pytest.mark.parametrize("step", STEPS)
async def test_a_source_that_dies_after_a_message(scene: Scene, step: str) -> None:
    model = await scene.create(config=APPLICATIONS)
    scene.fault("a", f"message.{step}", "crash")
    await scene.initiate(model)
    await crashed(scene, "a")
    await scene.ended(model)
    if step == phases.UPLOADING:
        # Import is repeated and finds what it brought there before; that is then removed.
        assert scene.reason(model) == f"{IMPORTED}model {model} already exists"
        assert scene.is_back(model)
        assert await scene.migrate(model) == f"{model}:1"
    assert scene.has_moved(model)


async def test_a_source_that_dies_in_abort_forgets_the_reason(scene: Scene) -> None:
    model = await scene.create()
    scene.fault("b", "MigrationTarget.Import", "refuse", message="no")
    scene.fault("a", "phase.source.ABORT", "crash")
    await scene.initiate(model)
    await crashed(scene, "a")
    await scene.ended(model)
    assert phases.aborted(f"{IMPORTED}no") in scene.messages
    assert scene.reason(model) == ""
    assert scene.is_back(model)


async def test_a_login_survives_on_disk_and_nowhere_else(scene: Scene) -> None:
    model = await scene.create()
    scene.fault("a", "message.exporting model", "crash")
    await scene.initiate(model)
    await eventually(lambda: not scene.controllers["a"].faults.list())
    password = scene.registration("b").password
    again = await scene.revive("a")
    found = again.store.models[model]
    assert password not in repr(found)
    await scene.ended(model)
    former = again.store.former[model].migration
    assert former is not None
    assert not former.target.password


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        ("MigrationTarget.Import", IMPORTED),
        ("MigrationTarget.Activate", "model activation failed, "),
    ],
)
async def test_a_target_that_dies_under_a_call_fails_the_attempt(
    scene: Scene, point: str, reason: str
) -> None:
    model = await scene.create()
    scene.fault("b", point, "crash")
    await scene.initiate(model)
    await crashed(scene, "b")
    await scene.ended(model)
    assert scene.reason(model).startswith(reason)
    assert scene.is_back(model)


@pytest.mark.parametrize(
    "point",
    [
        "MigrationTarget.CheckMachines",
        "MigrationTarget.AdoptResources",
        "MigrationTarget.LatestLogTime",
        "phase.target.LOGTRANSFER",
    ],
)
async def test_a_target_that_dies_where_errors_repeat(scene: Scene, point: str) -> None:
    model = await scene.create()
    scene.fault("b", point, "crash")
    await scene.initiate(model)
    await crashed(scene, "b")
    await scene.ended(model)
    assert scene.has_moved(model)


async def test_a_target_that_dies_for_good_after_the_import_keeps_a_leftover(
    scene: Scene,
) -> None:
    model = await scene.create(config=APPLICATIONS)
    scene.fault("a", "message.uploading *", "stall")
    await scene.initiate(model)
    await eventually(lambda: scene.has(model, "b"))
    await scene.controllers["b"].kill()
    scene.controllers["a"].faults.clear()
    await scene.ended(model)
    reason = scene.reason(model)
    assert reason.startswith("model data transfer failed, failed to migrate binaries: ")
    again = await scene.revive("b")
    assert again.store.models[model].mode == "importing"
    refusal = await scene.refusal(model)
    assert refusal == ('target prechecks failed: model named "m" already exists', "")


async def test_agents_that_have_reported_do_not_report_again(scene: Scene) -> None:
    model = await scene.create(config=APPLICATIONS)
    scene.fault("a", "message.validating, all agents reported success", "crash")
    reports: list[int] = []

    def hear(change: Change) -> None:
        if isinstance(change.after, Model) and change.after.migration is not None:
            reports.append(len(change.after.migration.reports_on(Phase.VALIDATION)))

    await scene.initiate(model)
    await eventually(lambda: not scene.controllers["a"].faults.list(), deadline=60)
    again = await scene.revive("a")
    again.store.listen(hear)
    await scene.ended(model)
    assert set(reports) == {2}
