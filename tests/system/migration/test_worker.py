"""A model moves, or stays, and what is shown of it is true."""

from jimm.controllers.calls import user_manager
from jimm.migration import by_hand, requests, target_login
from jimm.migration.pace import Pace
from jimm.registry import audit, placements, settings
from jimm.simulator.migration import phases as juju
from tests.eventually import eventually
from tests.fix_fleet import ADMIN
from tests.system.migration.conftest import Scene


async def test_a_model_moves_and_everything_follows_it(scene: Scene) -> None:
    model = await scene.model()
    async with scene.working():
        done = await scene.until(await scene.request(model), "done")
    assert done.error == ""
    assert scene.hosts(model) == ["b"]
    assert (await scene.registered(model)).controller_name == "b"
    assert scene.moved == [model]
    history = await scene.history(done)
    states = list(dict.fromkeys(event.state.value for event in history))
    assert states == ["requested", "checking", "starting", "running", "confirming", "done"]
    assert [event.seq for event in history] == list(range(1, len(history) + 1))
    seen = {event.phase for event in history}
    assert {juju.Phase.QUIESCE, juju.Phase.IMPORT, juju.Phase.VALIDATION} <= seen
    assert done.juju_id == f"{model}:0"


async def test_the_trail_and_the_placements_know_how_it_ended(scene: Scene) -> None:
    first, second = await scene.model("m1"), await scene.model("m2")
    async with scene.working():
        await scene.until(await scene.request(first), "done")
        scene.fault("a", "Controller.InitiateMigration", "refuse", message="no")
        await scene.until(await scene.request(second), "failed")
    async with scene.fleet.registry.read() as session:
        trail = [each for each in await audit.page(session) if each.action == "end-migration"]
        placed = await placements.page(session)
    told = {each.model_uuid: (each.identity, each.outcome, each.error_code) for each in trail}
    assert told == {
        first: ("admin@jimm", "done", ""),
        second: ("admin@jimm", "failed", "juju-refused"),
    }
    assert [(each.name, each.chosen, each.policy) for each in placed] == [
        ("m1", "b", "migrate-model")
    ]


async def test_it_moves_back_and_forth(scene: Scene) -> None:
    model = await scene.model()
    async with scene.working():
        for target in ("b", "a", "b"):
            await scene.until(await scene.request(model, target), "done")
            assert scene.hosts(model) == [target]


async def test_every_message_of_juju_is_kept_with_its_phase(scene: Scene) -> None:
    model = await scene.model()
    slow = [scene.fault("a", "message.*", "delay", seconds=0.25, times=0)]
    async with scene.working():
        done = await scene.until(await scene.request(model), "done")
    assert slow
    told = [(event.phase, event.message) for event in await scene.history(done)]
    for phase in (juju.Phase.IMPORT, juju.Phase.VALIDATION, juju.Phase.SUCCESS):
        for message in juju.messages(phase):
            assert (phase, message) in told
    assert (juju.Phase.REAP, juju.REMOVING) in told


async def test_a_target_that_fails_in_import_leaves_all_as_it_was(scene: Scene) -> None:
    model = await scene.model()
    scene.fault("b", "phase.target.IMPORT", "refuse", message="disk full")
    async with scene.working():
        failed = await scene.until(await scene.request(model), "failed")
        told = [each.message for each in await scene.history(failed)]
        assert any("import model into target controller: disk full" in each for each in told)
        assert failed.error_code
        assert failed.error
        assert failed.remedy
        assert scene.hosts(model) == ["a"]
        assert (await scene.registered(model)).controller_name == "a"
        assert scene.moved == []
        again = await scene.until(await scene.request(model), "done")
    assert scene.hosts(model) == ["b"]
    assert again.juju_id == f"{model}:1"


async def test_the_end_of_an_earlier_attempt_is_not_taken_for_ours(scene: Scene) -> None:
    model = await scene.model()
    scene.fault("b", "phase.target.IMPORT", "refuse", message="disk full")
    async with scene.working():
        await scene.until(await scene.request(model), "failed")
        scene.fault("a", "Controller.InitiateMigration", "delay", seconds=0.3)
        again = await scene.request(model)
        await scene.until(again, "starting")
        await scene.until(again, "done")
    assert "failed" not in {event.state.value for event in await scene.history(again)}


async def test_secrets_in_a_reason_are_not_told(scene: Scene) -> None:
    model = await scene.model()
    text = "credential attribute mismatch: map[password:s3cret] != map[password:0ther]"
    scene.fault("b", "phase.target.IMPORT", "refuse", message=text)
    async with scene.working():
        failed = await scene.until(await scene.request(model), "failed")
    told = failed.error + str(await scene.history(failed))
    assert "another credential of the same name" in failed.error
    assert "s3cret" not in told
    assert "0ther" not in told


async def test_a_reap_that_failed_is_a_move(scene: Scene) -> None:
    model = await scene.model()
    scene.fault("a", "phase.source.REAP", "refuse", message="no space")
    async with scene.working():
        done = await scene.until(await scene.request(model), "done")
    assert (await scene.registered(model)).controller_name == "b"
    assert any("removing exported model failed" in e.message for e in await scene.history(done))
    assert done.debris.startswith("a: removing exported model failed")
    assert "destroy-model on a" in done.remedy


async def test_a_half_import_that_the_source_left_is_cleared(scene: Scene) -> None:
    model = await scene.model()
    scene.fault("a", "phase.source.VALIDATION", "refuse", message="no")
    scene.fault("a", "phase.source.ABORT", "refuse")
    async with scene.working():
        failed = await scene.until(await scene.request(model), "failed")
        assert scene.hosts(model) == ["a"]
        assert failed.error.startswith("the target took the model in but could not")
        await scene.until(await scene.request(model), "done")
    assert scene.hosts(model) == ["b"]


async def test_a_half_import_that_will_not_go_is_stuck_until_it_does(scene: Scene) -> None:
    model = await scene.model()
    scene.fault("a", "phase.source.VALIDATION", "refuse", message="no")
    scene.fault("a", "phase.source.ABORT", "refuse")
    scene.fault("b", "MigrationTarget.Abort", "refuse", times=0)
    async with scene.working():
        first = await scene.request(model)
        await scene.until(first, "stuck")
        assert scene.hosts(model) == ["a", "b"]
        scene.peers["b"].faults.clear()
        await scene.until(first, "failed")
    assert scene.hosts(model) == ["a"]


async def test_a_half_import_of_old_is_cleared_before_the_next_attempt(scene: Scene) -> None:
    model = await scene.model()
    scene.fault("a", "phase.source.VALIDATION", "refuse", message="no")
    scene.fault("a", "phase.source.ABORT", "refuse")
    scene.fault("b", "MigrationTarget.Abort", "refuse", times=0)
    async with scene.working():
        first = await scene.request(model)
        await scene.until(first, "stuck")
        await by_hand.resolve(scene.fleet, ADMIN, first.id, on="a", reason="it never ends")
        scene.peers["b"].faults.clear()
        assert await requests.dry_run(scene.fleet, ADMIN, model, "b") == []
        await scene.until(await scene.request(model), "done")
    assert scene.hosts(model) == ["b"]


async def test_a_lost_answer_of_the_start_is_found_out(scene: Scene) -> None:
    model = await scene.model()
    scene.fault("a", "Controller.InitiateMigration", "drop-after")
    async with scene.working():
        done = await scene.until(await scene.request(model), "done")
    assert scene.hosts(model) == ["b"]
    assert done.juju_id == ""


async def test_a_request_that_was_lost_is_sent_again(scene: Scene) -> None:
    model = await scene.model()
    scene.fault("a", "Controller.InitiateMigration", "drop-before")
    async with scene.working():
        done = await scene.until(await scene.request(model), "done")
    assert done.juju_id == f"{model}:0"


async def test_what_the_source_refuses_is_told_at_once(scene: Scene) -> None:
    model = await scene.model()
    text = "source prechecks failed: no"
    scene.fault("a", "Controller.InitiateMigration", "refuse", message=text)
    async with scene.working():
        failed = await scene.until(await scene.request(model), "failed")
    assert failed.error_code == "source-check-failed"
    assert failed.message == text
    assert failed.remedy
    assert scene.hosts(model) == ["a"]


async def test_a_source_that_is_away_is_waited_for(scene: Scene) -> None:
    model = await scene.model()
    asked = await scene.request(model)
    await scene.peers["a"].kill()
    short = Pace(poll=0.005, away=0.05, patience=0.3)
    async with scene.working(pace=short):
        over = await scene.until(asked)
    assert over.state.value == "refused"
    assert [each["code"] for each in over.checks] == ["source-unavailable"]


async def test_the_login_for_the_source_is_not_the_admin_and_ends_with_the_last(
    scene: Scene,
) -> None:
    first, second = await scene.model("m1"), await scene.model("m2")
    stall = scene.fault("a", "phase.source.VALIDATION", "stall", times=1)
    target = scene.controllers["b"]
    async with scene.working():
        one = await scene.request(first)
        await scene.until(one, "running")
        await eventually(lambda: not scene.peers["a"].faults.list())
        two = await scene.until(await scene.request(second), "done")
        record = scene.peers["a"].store.models[first].migration
        assert record is not None
        assert record.target.user == target_login.USER
        link = scene.fleet.link(target)
        assert not (await user_manager.user_info(link, target_login.USER)).disabled
        scene.peers["a"].faults.clear(stall.id)
        await scene.until(one, "done")

        async def taken_back() -> bool:
            return (await user_manager.user_info(link, target_login.USER)).disabled

        async def forgotten() -> bool:
            async with scene.fleet.registry.read() as session:
                return not await settings.sealed(session, f"migration-login/{target.uuid}")

        assert await eventually(taken_back)
        assert await eventually(forgotten)
        assert two.error == ""


async def test_only_so_many_move_from_one_controller_at_once(scene: Scene) -> None:
    models = [await scene.model(f"m{number}") for number in range(3)]
    stall = scene.fault("a", "phase.source.IMPORT", "stall", times=2)
    async with scene.working():
        asked = [await scene.request(model) for model in models]
        for each in asked[:2]:
            await scene.until(each, "running")
        await eventually(lambda: not scene.peers["a"].faults.list())
        assert (await scene.get(asked[2])).state.value == "requested"
        scene.peers["a"].faults.clear(stall.id)
        for each in asked:
            await scene.until(each, "done")
    assert sorted(scene.moved) == sorted(models)


async def test_a_migration_that_stands_still_is_stuck_and_goes_on_by_itself(scene: Scene) -> None:
    model = await scene.model()
    stall = scene.fault("a", "phase.source.VALIDATION", "stall")
    impatient = Pace(poll=0.005, away=0.05, stuck=0.05, beat=0.1, unchanged=0.3)
    async with scene.working(pace=impatient):
        asked = await scene.request(model)
        stuck = await scene.until(asked, "stuck")
        assert "jimmctl resolve-migration" in stuck.message
        scene.peers["a"].faults.clear(stall.id)
        await scene.until(asked, "done")
    assert scene.hosts(model) == ["b"]
