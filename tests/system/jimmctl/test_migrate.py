"""Migrations with jimmctl: many at once, waited for, looked at, decided."""

import asyncio

from tests.system.jimmctl.conftest import Ctl
from tests.system.rest.scene import Stage

UNKNOWN = "11111111-1111-4111-8111-111111111111"
KEYS = [
    "migration-id",
    "model-uuid",
    "source",
    "target",
    "state",
    "phase",
    "message",
    "started",
]


async def test_all_rows_are_tried(stage: Stage, ctl: Ctl) -> None:
    there = await stage.model("there", on="controller-2")
    moving = [await stage.model("moving", on="controller-1") for _ in range(3)]
    one, two, three = moving
    names = [one.uuid, there.uuid, f"model-{two.uuid}", UNKNOWN, "bob/none", three.reference]
    done = await ctl("migrate", "controller-2", *names, "--format", "json")
    assert done.status == 1
    rows = done.json["results"]
    uuids = (one.uuid, there.uuid, two.uuid, UNKNOWN, None, three.uuid)
    tags = [f"model-{each}" if each else "bob/none" for each in uuids]
    assert [each["model-tag"] for each in rows] == tags
    assert [bool(each["migration-id"]) for each in rows] == [True, False, True, False, False, True]
    assert ["error" in each for each in rows] == [False, True, False, True, True, False]
    assert [each["code"] for each in rows[1]["error"]["checks"]] == ["target-is-source"]
    assert rows[3]["error"]["message"] == f'model "{UNKNOWN}" not found'
    complaints = [line for line in done.err.splitlines() if line.startswith("ERROR ")]
    assert len(complaints) == 3
    assert "controller-2 already" in done.err
    for each in moving:
        await stage.over(each.uuid)
        assert (await ctl("show-model", each.uuid)).yaml["controller-name"] == "controller-2"


async def test_waiting_shows_each_of_juju_s_messages(stage: Stage, ctl: Ctl) -> None:
    model = await stage.model("moving", on="controller-1")
    # Or the shortest would pass between two looks.
    await stage.fault("controller-1", "message.*", "delay", seconds=0.3, times=0)
    done = await ctl("migrate", "controller-3", model.uuid, "--wait")
    assert done.status == 0, done.err
    assert [each["state"] for each in done.yaml["results"]] == ["done"]
    for message in ("requested", "running ", "successful, ", "done DONE: "):
        assert message in done.err, done.err
    assert done.err.count(": running ") >= 3, done.err
    assert "ERROR" not in done.err
    (migration,) = [each["migration-id"] for each in done.yaml["results"]]
    shown = await ctl("show-migration", migration, "--format", "json")
    assert list(shown.json)[: len(KEYS) + 1] == [*KEYS, "ended"]
    assert "error" not in shown.json
    assert (shown.json["source"], shown.json["target"]) == ("controller-1", "controller-3")
    assert (await ctl("show-migration", migration)).yaml == shown.json
    watched = await ctl("show-migration", migration, "--watch")
    assert (watched.status, watched.yaml) == (0, shown.json)
    assert "done" in watched.err
    listed = await ctl("migrations", "--format", "json")
    assert shown.json in listed.json["migrations"]
    table = await ctl("migrations", "--format", "tabular")
    line = next(each for each in table.out.splitlines() if migration in each)
    assert line.split()[1:5] == [model.reference, "controller-1", "controller-3", "done"]
    sheet = await ctl("show-migration", migration, "--format", "tabular")
    assert ["Owner", "alice"] in [each.split() for each in sheet.out.splitlines()]


async def test_waiting_for_one_that_fails_and_one_that_does_not(stage: Stage, ctl: Ctl) -> None:
    good = await stage.model("good", on="controller-1")
    bad = await stage.model("bad", on="controller-4")
    why = "simulated: no room for it"
    await stage.fault("controller-4", "phase.source.IMPORT", "refuse", message=why)
    names = (good.uuid, bad.uuid)
    done = await ctl("migrate", "controller-2", *names, "--wait", "--format", "json")
    assert done.status == 1
    rows = {each["model-tag"]: each for each in done.json["results"]}
    assert rows[f"model-{good.uuid}"]["state"] == "done"
    failed = rows[f"model-{bad.uuid}"]
    assert failed["state"] == "failed"
    assert failed["migration-id"]
    assert why in failed["error"]["message"]
    assert f"ERROR {bad.uuid}: " in done.err
    shown = await ctl("show-migration", failed["migration-id"], "--format", "json")
    assert why in shown.json["error"]["message"]
    watched = await ctl("show-migration", failed["migration-id"], "--watch")
    assert watched.status == 1
    assert why in watched.err
    assert (await ctl("show-model", bad.uuid)).yaml["controller-name"] == "controller-4"


async def test_a_dry_run_moves_nothing(stage: Stage, ctl: Ctl) -> None:
    model = await stage.model(on="controller-1")
    command = ("migrate", "--dry-run", "--format", "json")
    ready, refused = await asyncio.gather(
        ctl(*command, "controller-3", model.reference), ctl(*command, "controller-1", model.uuid)
    )
    assert ready.status == 0
    (row,) = ready.json["results"]
    advice = row.pop("checks", [])
    assert row == {"model-tag": f"model-{model.uuid}", "migration-id": "", "ready": True}
    for line, each in zip(ready.err.splitlines(), advice, strict=True):
        assert line.startswith(f"advice for {model.reference}: {each['found']}")
    assert refused.status == 1
    (told,) = refused.json["results"]
    assert (told["ready"], told["migration-id"]) == (False, "")
    assert [each["code"] for each in told["checks"]] == ["target-is-source"]
    assert "choose another controller" in refused.err
    nowhere = await ctl(*command, "none", model.uuid)
    assert nowhere.json["results"][0]["error"]["message"] == 'controller "none" not found'
    both = await ctl("migrate", "controller-3", model.uuid, "--dry-run", "--wait")
    assert "leave one of them out" in both.misuse
    rows = (await stage.admin.get("/migrations", params={"model": model.uuid})).json()
    assert rows == {"migrations": []}


async def test_a_migration_that_does_not_end(stage: Stage, ctl: Ctl) -> None:
    model = await stage.model("moving", on="controller-1")
    await stage.fault("controller-1", "phase.source.LOGTRANSFER", "stall")
    command = ("migrate", "controller-2", model.uuid, "--format", "json")
    late = await ctl(*command, "--wait", "--timeout", "2s")
    assert late.status == 1
    (row,) = late.json["results"]
    migration = row["migration-id"]
    assert "goes on" in row["error"]["message"]
    again = await ctl(*command)
    assert again.status == 1
    assert again.json["results"][0]["error"]["message"] == "model migration in progress"
    await stage.until(migration, phase="LOGTRANSFER")
    moving = (await ctl("show-model", model.uuid)).yaml
    assert moving["migration"]["migration-id"] == migration
    assert moving["migration"]["state"] == "running"
    word = ("resolve-migration", migration, "--reason", "I looked", "--model-is-on")
    wrong = await ctl(*word, "controller-4")
    assert wrong.error == "the model is on controller-1 or on controller-2"
    decided = await ctl(*word, "controller-2", "--format", "json")
    assert decided.json["state"] == "done"
    assert decided.err == f"migration {migration} is resolved: the model is on controller-2\n"
    assert "is over" in (await ctl(*word, "controller-2")).error
    unknown = await ctl("resolve-migration", UNKNOWN, *word[2:], "controller-2")
    assert unknown.error == f'migration "{UNKNOWN}" not found'


async def test_who_may_not_migrate(stage: Stage, ctl: Ctl) -> None:
    model = await stage.model(on="controller-1")
    for user, message in (
        ("alice", "permission denied"),
        ("bob", f'model "{model.reference}" not found'),
    ):
        command = ("migrate", "controller-3", model.reference, "--format", "json")
        done = await ctl(*command, user=user)
        assert done.status == 1
        assert done.json["results"][0]["error"]["message"] == message
    mine = await ctl("migrate", "controller-3", model.uuid, "--dry-run", user="alice")
    assert mine.yaml["results"][0]["ready"] is True
