"""Plans over many models, from making one to its report."""

from collections import Counter

import pytest

from jimm.errors import (
    Conflict,
    ControllerUnavailable,
    ModelNotFound,
    NotFound,
    NotValid,
    Unauthorized,
)
from jimm.migration.plans import making, requests
from jimm.migration.plans.making import Shown, Wanted
from jimm.registry import controllers
from jimm.registry.words import PlanItemState, PlanKind
from tests.eventually import eventually
from tests.fix_fleet import ADMIN, ALICE
from tests.system.plans.conftest import PlanScene


async def test_a_controller_is_drained_to_the_others(scene: PlanScene) -> None:
    models = await scene.some(12)
    made = await scene.drain(concurrency=4, order="name")
    assert (made.counts.waiting, made.counts.total) == (12, 12)
    seen = []

    async def ended() -> Shown | None:
        now = await scene.shown(made.plan.id)
        seen.append(now.counts.under_way)
        return now if now.plan.ended else None

    async with scene.working(), scene.driving():
        now = await eventually(ended, deadline=30)
    assert now is not None
    assert 0 < max(seen) <= 4
    assert (now.plan.state, now.counts.done) == ("done", 12)
    assert now.plan.message == "12 models: 12 done; a has no models any more"
    hosts = Counter(host for model in models for host in scene.hosts(model))
    assert hosts == {"b": 6, "c": 6}
    for each in await scene.items(made.plan.id):
        registered = await scene.registered(each.item.model_uuid)
        assert registered.controller_name == each.item.target_name
    names = [each.item.model_name for each in await scene.items(made.plan.id)]
    assert names == sorted(names)


async def test_a_drained_controller_takes_no_new_models(scene: PlanScene) -> None:
    await scene.drain()
    async with scene.fleet.registry.read() as session:
        assert (await controllers.by_name(session, "a")).deprecated
    assert [each.action for each in (await scene.trail())[:2]] == [
        "plan-drain",
        "deprecate-controller",
    ]


async def test_a_preview_changes_nothing_and_tells_what_the_plan_will_be(scene: PlanScene) -> None:
    await scene.some(5)
    trail = len(await scene.trail())
    items = await making.preview(scene.fleet, ADMIN, Wanted(PlanKind.DRAIN, "a"))
    assert Counter(each.target_name for each in items) in ({"b": 3, "c": 2}, {"b": 2, "c": 3})
    assert await requests.page(scene.fleet, ADMIN) == []
    assert len(await scene.trail()) == trail


async def test_a_run_of_failures_pauses_and_a_retry_finishes(scene: PlanScene) -> None:
    models = await scene.some(4)
    for target in "bc":
        scene.fault(target, "MigrationTarget.Import", "refuse", message="no room", times=100)
    made = await scene.drain(concurrency=1, stop_after=2)
    async with scene.working(), scene.driving():
        paused = await scene.until_plan(made.plan.id, "paused")
        assert (paused.counts.failed, paused.counts.waiting) == (2, 2)
        assert paused.plan.message.startswith("paused after 2 failures in a row, the last one: ")
        for each in await scene.items(made.plan.id, PlanItemState.FAILED):
            assert "no room" in each.item.error
            assert each.item.error_code
            assert "jimmctl plan retry" in each.item.remedy
        for target in "bc":
            scene.peers[target].faults.clear()
        await requests.retry(scene.fleet, ADMIN, made.plan.id)
        done = await scene.until_plan(made.plan.id, "done")
    assert (done.counts.done, done.plan.failures_in_row) == (4, 0)
    assert all(scene.hosts(model) in (["b"], ["c"]) for model in models)
    attempts = Counter(each.item.attempts for each in await scene.items(made.plan.id))
    assert attempts == {1: 2, 2: 2}


async def test_a_failure_that_stays_alone_is_reported_at_the_end(scene: PlanScene) -> None:
    await scene.some(3)
    scene.fault("b", "MigrationTarget.Import", "refuse", message="no room", times=1)
    made = await scene.make(
        PlanKind.MIGRATE, "b", models=("alice@jimm/m1", "alice@jimm/m2", "alice@jimm/m3")
    )
    async with scene.working(), scene.driving():
        failed = await scene.until_plan(made.plan.id, "failed")
        assert failed.plan.message == "3 models: 2 done, 1 failed"
        await requests.retry(scene.fleet, ADMIN, made.plan.id)
        assert (await scene.until_plan(made.plan.id, "done")).counts.done == 3
    with pytest.raises(Conflict, match="nothing of this plan has failed"):
        await requests.retry(scene.fleet, ADMIN, made.plan.id)


async def test_pause_lets_go_on_what_is_on_its_way(scene: PlanScene) -> None:
    await scene.some(4)
    stall = scene.fault("a", "phase.source.IMPORT", "stall")
    made = await scene.drain(concurrency=1)
    plan = made.plan.id
    async with scene.working(), scene.driving():
        await eventually(lambda: scene.shown_counts(plan, migrating=1))
        await requests.pause(scene.fleet, ADMIN, plan)
        with pytest.raises(Conflict, match="cannot become paused"):
            await requests.pause(scene.fleet, ADMIN, plan)
        scene.peers["a"].faults.clear(stall.id)
        paused = await scene.until_plan(plan, "paused")
        assert (paused.counts.done, paused.counts.waiting) == (1, 3)
        await requests.resume(scene.fleet, ADMIN, plan)
        with pytest.raises(Conflict, match="the plan is running, not paused"):
            await requests.resume(scene.fleet, ADMIN, plan)
        assert (await scene.until_plan(plan, "done")).counts.done == 4
    actions = [each.action for each in await scene.trail() if each.action.endswith("-plan")]
    assert actions == ["resume-plan", "pause-plan"]


async def test_cancel_takes_out_what_has_not_begun(scene: PlanScene) -> None:
    await scene.some(4)
    stall = scene.fault("a", "phase.source.IMPORT", "stall")
    made = await scene.drain(concurrency=1)
    plan = made.plan.id
    async with scene.working(), scene.driving():
        await eventually(lambda: scene.shown_counts(plan, migrating=1))
        cancelled = await requests.cancel(scene.fleet, ADMIN, plan)
        assert cancelled.plan.message == "cancelled; the models that are on their way go on"
        scene.peers["a"].faults.clear(stall.id)
        over = await scene.until_plan(plan, "cancelled")
    assert (over.counts.done, over.counts.cancelled) == (1, 3)
    assert over.plan.message == "4 models: 1 done, 3 cancelled; a still has 3 models"
    with pytest.raises(Conflict, match="the plan has ended: cancelled"):
        await requests.cancel(scene.fleet, ADMIN, plan)
    idle = await scene.drain()
    assert (await requests.cancel(scene.fleet, ADMIN, idle.plan.id)).plan.state == "cancelled"


async def test_a_plan_is_for_administrators(scene: PlanScene) -> None:
    made = await scene.drain()
    wanted = Wanted(PlanKind.DRAIN, "a")
    for asked in (
        making.preview(scene.fleet, ALICE, wanted),
        making.make(scene.fleet, ALICE, wanted),
        requests.show(scene.fleet, ALICE, made.plan.id),
        requests.page(scene.fleet, ALICE),
        requests.items(scene.fleet, ALICE, made.plan.id),
        requests.changes(scene.fleet, ALICE, made.plan.id, after=0),
        requests.under_way(scene.fleet, ALICE, made.plan.id),
        requests.pause(scene.fleet, ALICE, made.plan.id),
        requests.resume(scene.fleet, ALICE, made.plan.id),
        requests.cancel(scene.fleet, ALICE, made.plan.id),
        requests.retry(scene.fleet, ALICE, made.plan.id),
    ):
        with pytest.raises(Unauthorized):
            await asked


async def test_what_cannot_be_a_plan(scene: PlanScene) -> None:
    for wanted, field in (
        (Wanted(PlanKind.DRAIN, "a", order="newest"), "order"),
        (Wanted(PlanKind.DRAIN, "a", policy="best"), "policy"),
        (Wanted(PlanKind.REBALANCE, by="weight"), "by"),
        (Wanted(PlanKind.DRAIN, "a", concurrency=0), "concurrency"),
        (Wanted(PlanKind.DRAIN, "a", stop_after=-1), "stop-after"),
        (Wanted(PlanKind.DRAIN, "a", models=("alice@jimm/m1",)), "models"),
        (Wanted(PlanKind.UPGRADE_TO, "a"), "models"),
        (Wanted(PlanKind.REBALANCE, "a"), "controller"),
        (Wanted(PlanKind.DRAIN, "a", region="north"), "region"),
    ):
        with pytest.raises(NotValid) as refused:
            await making.preview(scene.fleet, ADMIN, wanted)
        assert refused.value.field == field
    with pytest.raises(NotFound, match='controller "z" not found'):
        await scene.drain("z")
    with pytest.raises(ModelNotFound):
        await scene.make(PlanKind.MIGRATE, "b", models=("alice@jimm/none",))
    with pytest.raises(NotFound, match='plan "none" not found'):
        await scene.shown("none")


async def test_a_controller_that_is_away_is_not_drained(scene: PlanScene) -> None:
    await scene.away("a")
    with pytest.raises(ControllerUnavailable, match="a is not available"):
        await scene.drain()


async def test_models_without_a_target_are_told_and_tried_again(scene: PlanScene) -> None:
    models = await scene.some(2)
    for name in "bc":
        await scene.deprecate(name)
    made = await scene.drain()
    async with scene.working(), scene.driving():
        failed = await scene.until_plan(made.plan.id, "failed")
        assert failed.counts.failed == 2
        for each in await scene.items(made.plan.id):
            assert (each.item.target_name, each.item.error_code) == ("", "no-target")
            assert "b is deprecated; c is deprecated" in each.item.error
        with pytest.raises(Conflict, match="has a target now"):
            await requests.retry(scene.fleet, ADMIN, made.plan.id)
        await scene.deprecate("c", undo=True)
        await requests.retry(scene.fleet, ADMIN, made.plan.id)
        await scene.until_plan(made.plan.id, "done")
    assert [scene.hosts(model) for model in models] == [["c"], ["c"]]


async def test_a_model_is_in_one_plan_at_a_time(scene: PlanScene) -> None:
    await scene.some(1)
    first = await scene.drain()
    second = await scene.make(PlanKind.MIGRATE, "b", models=("alice@jimm/m1",))
    (item,) = await scene.items(second.plan.id)
    assert item.item.error_code == "in-another-plan"
    assert item.item.error == f"plan {first.plan.id} is to move it"
    async with scene.working(), scene.driving():
        await scene.until_plan(first.plan.id, "done")


async def test_models_tied_by_offers_go_together(scene: PlanScene) -> None:
    models = await scene.some(4)
    await scene.tie(models[0], models[3])
    made = await scene.drain(order="name")
    items = {each.item.model_uuid: each.item for each in await scene.items(made.plan.id)}
    assert items[models[0]].together == items[models[3]].together
    assert items[models[0]].target_name == items[models[3]].target_name
    assert len({each.together for each in items.values()}) == 3
    assert [items[each].seq for each in (models[0], models[3])] == [1, 2]


async def test_a_rebalance_evens_out(scene: PlanScene) -> None:
    models = await scene.some(6)
    made = await scene.make(PlanKind.REBALANCE, by="models", cloud="metro", region="north")
    assert made.counts.total == 4
    async with scene.working(), scene.driving():
        await scene.until_plan(made.plan.id, "done")
    hosts = Counter(host for model in models for host in scene.hosts(model))
    assert hosts == {"a": 2, "b": 2, "c": 2}
    again = await making.preview(scene.fleet, ADMIN, Wanted(PlanKind.REBALANCE, by="models"))
    assert again == []


async def test_a_controller_that_is_gone_meanwhile_is_waited_for(scene: PlanScene) -> None:
    model = await scene.model()
    made = await scene.make(PlanKind.MIGRATE, "b", models=(model,))
    await scene.peers["b"].stop()

    async def waits() -> bool:
        (each,) = await scene.items(made.plan.id)
        return each.item.message.startswith("waiting: ")

    async with scene.working(), scene.driving():
        await eventually(waits)
        await scene.until_plan(made.plan.id, "failed")
    (failed,) = await scene.items(made.plan.id)
    assert failed.item.error_code == "target-unavailable"
    assert scene.hosts(model) == ["a"]


async def test_a_model_that_somebody_else_moves_is_left_to_them(scene: PlanScene) -> None:
    model = await scene.model()
    scene.fault("a", "phase.source.IMPORT", "stall")
    made = await scene.make(PlanKind.MIGRATE, "b", models=(model,))
    await scene.request(model, "c")
    async with scene.working(), scene.driving():
        await scene.until_plan(made.plan.id, "failed")
        (failed,) = await scene.items(made.plan.id)
        assert failed.item.error_code == "already-migrating"
