"""A model that moves without trouble, and what is seen of it on the way."""

import json
from typing import Any

from jimm.simulator.migration import phases
from jimm.simulator.migration.phases import Phase
from jimm.simulator.migration.record import MigrationRecord
from jimm.simulator.state import Model
from jimm.simulator.store import Change
from tests.eventually import eventually
from tests.fix_migration import Scene
from tests.juju_client import logged_in

WAY = [
    Phase.QUIESCE,
    Phase.IMPORT,
    Phase.PROCESSRELATIONS,
    Phase.VALIDATION,
    Phase.SUCCESS,
    Phase.LOGTRANSFER,
    Phase.REAP,
]
APPLICATIONS = {"simulated-applications": "ubuntu:2, haproxy:1"}
MOVED = (
    "name",
    "owner",
    "type",
    "cloud",
    "region",
    "config",
    "constraints",
    "users",
    "machines",
    "applications",
    "relations",
    "charms",
    "resources",
    "annotations",
    "blocks",
    "storage",
    "pools",
    "secrets",
    "operations",
    "spaces",
    "offers",
    "sequences",
)
AGENTS = ["0", "1", "2", "haproxy/0", "ubuntu/0", "ubuntu/1"]


async def test_an_empty_model_says_all_of_jujus_messages_in_order(scene: Scene) -> None:
    model = await scene.create()
    assert await scene.migrate(model) == f"{model}:0"
    expected = [text for phase in WAY for text in phases.messages(phase)]
    assert scene.messages == ["starting", *expected]
    assert scene.has_moved(model)


async def test_the_phases_in_order(scene: Scene) -> None:
    walked: list[Phase] = []

    def hear(change: Change) -> None:
        record = change.after.migration if isinstance(change.after, Model) else None
        if record is not None and record.phase not in walked:
            walked.append(record.phase)

    scene.controllers["a"].store.listen(hear)
    model = await scene.create()
    await scene.migrate(model)
    assert walked == WAY
    former = scene.controllers["a"].store.former[model].migration
    assert former is not None
    assert former.phase is Phase.DONE


async def test_a_model_with_machines_and_units(scene: Scene) -> None:
    model = await scene.create(config=APPLICATIONS)
    before = scene.model(model, "a")
    reaped: list[MigrationRecord] = []

    def hear(change: Change) -> None:
        if change.after is None and isinstance(change.before, Model) and change.before.migration:
            reaped.append(change.before.migration)

    scene.controllers["a"].store.listen(hear)
    await scene.migrate(model)
    for phase in (Phase.QUIESCE, Phase.VALIDATION, Phase.SUCCESS):
        reports = reaped[0].reports_on(phase)
        assert sorted(each.agent for each in reports) == AGENTS
        assert all(each.success for each in reports)
    after = scene.model(model, "b")
    assert after.applications == before.applications
    assert after.machines == before.machines
    assert after.users == before.users
    assert phases.transferred(len(AGENTS)) in scene.messages
    await eventually(lambda: scene.model(model, "b").log_sent == len(AGENTS))


async def test_a_model_with_something_of_everything(scene: Scene) -> None:
    model = await scene.create(config={"simulated-scenario": "busy"})
    await eventually(lambda: _is_settled(scene.model(model, "a")))
    before = scene.model(model, "a")
    await scene.migrate(model)
    assert scene.has_moved(model)
    after = scene.model(model, "b")
    for name in MOVED:
        assert getattr(after, name) == getattr(before, name), name


def _is_settled(model: Model) -> bool:
    units = [unit for each in model.applications.values() for unit in each.units.values()]
    return len(units) > 0 and all(unit.workload.status == "active" for unit in units)


async def test_it_comes_back_and_attempts_go_on_counting(scene: Scene) -> None:
    model = await scene.create()
    assert await scene.migrate(model) == f"{model}:0"
    assert await scene.migrate(model, on="b", to="a") == f"{model}:1"
    assert scene.has(model, "a")
    assert not scene.has(model, "b")
    assert "migration" not in await scene.info(model, on="a")
    async with scene.admin("a") as socket:
        asked = {"user-tag": "user-admin", "all": True}
        rows = (await socket.call("ModelManager", 10, "ListModelSummaries", asked))["results"]
    row = next(each["result"] for each in rows if each["result"]["uuid"] == model)
    assert row["migration"]["status"] == phases.REMOVING
    assert "end" in row["migration"]


async def test_each_message_is_seen_by_a_client_that_polls(scene: Scene) -> None:
    model = await scene.create()
    for text in (phases.EXPORTING, phases.ADOPTING):
        scene.fault("a", f"message.{text}", "stall")
    await scene.initiate(model)
    await scene.said(phases.EXPORTING)
    seen = await scene.info(model)
    assert seen["migration"] == {
        "status": "exporting model",
        "start": seen["migration"]["start"],
    }
    assert seen["status"]["status"] == "busy"
    assert seen["status"]["info"] == "migrating: exporting model"
    assert seen["life"] == "alive"
    scene.controllers["a"].faults.clear()
    await scene.ended(model)
    assert scene.has_moved(model)


async def test_it_is_pushed_to_those_who_watch(scene: Scene) -> None:
    model = await scene.create()
    seen: list[tuple[str, str]] = []
    async with scene.admin("a") as socket:
        watcher = (await socket.call("Controller", 12, "WatchAllModels"))["watcher-id"]

        async def next_deltas() -> Any:
            found = await socket.call("AllModelWatcher", 4, "Next", object_id=watcher)
            return [each for each in found["deltas"] if each[2].get("model-uuid") == model]

        await next_deltas()
        await scene.initiate(model)
        while not any(kind == "remove" for kind, _ in seen):
            for entity, kind, body in await next_deltas():
                if entity == "model":
                    seen.append((kind, body.get("status", {}).get("message", "")))
    said = [message for kind, message in seen if kind == "change"]
    assert said
    assert all(message.startswith("migrating: ") for message in said)
    assert seen[-1][0] == "remove"


async def test_an_empty_ca_in_the_spec_needs_the_systems_roots(scene: Scene) -> None:
    model = await scene.create()
    message, code = await scene.refusal(model, **{"ca-cert": ""})
    assert message.startswith("connect to target controller: unable to connect to API: ")
    assert "certificate" in message
    assert code == ""


async def test_the_callers_lost_socket_stops_nothing(scene: Scene) -> None:
    model = await scene.create()
    held = scene.fault("b", "MigrationTarget.Prechecks", "stall")
    spec = {"model-tag": f"model-{model}", "target-info": scene.target_info()}
    params = {"specs": [spec], "dry-run": False}
    async with logged_in(scene.registration("a")) as socket:
        message = {"type": "Controller", "version": 12, "request": "InitiateMigration"}
        await socket.connection.send(json.dumps({"request-id": 90, "params": params, **message}))
        await eventually(lambda: not scene.controllers["b"].faults.list())
    scene.controllers["b"].faults.clear(held.id)
    await eventually(lambda: scene.has_moved(model))
