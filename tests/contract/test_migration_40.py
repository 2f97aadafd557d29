"""Migrations to and from controllers of Juju 4.0: what they say, and what they hide."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from jimm.simulator.migration.macaroons import mint
from jimm.simulator.migration.phases import Phase
from jimm.simulator.state import ModelUser
from jimm.wire.tags import ModelUUID
from tests.eventually import eventually
from tests.fix_migration import Scene
from tests.juju_client import Refused, dialled, logged_in

FORMAT = (
    "target controller does not support the model migration format; upgrade the target controller "
    "to Juju 4.1 or later"
)
IMPORT = "model data transfer failed, failed to import model into target controller: "


@asynccontextmanager
async def pair(folder: Path, a: str, b: str) -> AsyncIterator[Scene]:
    made = Scene(folder)
    await asyncio.gather(
        made.start("a", version=a, state=None), made.start("b", version=b, state=None)
    )
    yield made
    await asyncio.gather(*(each.stop() for each in made.controllers.values()))


@pytest.fixture
async def out(tmp_path: Path) -> AsyncIterator[Scene]:
    """a is a 4.0 source and b a 4.1 target."""
    async with pair(tmp_path, "4.0.13", "4.1.0") as made:
        yield made


@pytest.fixture
async def into(tmp_path: Path) -> AsyncIterator[Scene]:
    """a is a 3.6 source and b a 4.0 target."""
    async with pair(tmp_path, "3.6.9", "4.0.13") as made:
        yield made


def change(scene: Scene, model: ModelUUID, on: str, **changes: Any) -> None:
    store = scene.controllers[on].store
    store.put(replace(store.models[model], **changes))


async def summary(scene: Scene, model: str) -> dict[str, Any]:
    wanted = {"user-tag": "user-admin", "all": True}
    async with scene.admin("a") as admin:
        listed = await admin.call("ModelManager", 11, "ListModelSummaries", wanted)
    found: dict[str, Any]
    [found] = [row["result"] for row in listed["results"] if row["result"]["uuid"] == model]
    return found


async def test_a_source_shows_nothing(out: Scene) -> None:
    model = await out.create()
    out.fault("a", "message.exporting model", "stall")
    row = await out.initiate(model)
    assert len(row["migration-id"]) == 36
    assert row["migration-id"] != model
    await out.said("exporting model")
    for shown in (await out.info(model), await summary(out, model)):
        assert shown["status"]["status"] == "available"
        assert shown["status"]["info"] == ""
        assert "migration" not in shown
    assert await out.refusal(model) == (
        f'model "{model}" already has an active migration: model already has an active migration',
        "",
    )
    async with logged_in(out.registration("a"), f"/model/{model}/api") as socket:
        for call in (("Admin", 3, "RedirectInfo"), ("Application", 20, "Deploy")):
            with pytest.raises(Refused, match="model migration in progress") as caught:
                await socket.call(*call)
            assert caught.value.code == ""
        await socket.call("Client", 8, "FullStatus", {"patterns": []})
    out.controllers["a"].faults.clear()
    await out.ended(model)
    assert out.has_moved(model)
    assert "processing relations" not in out.messages


async def test_what_a_source_says_when_the_model_has_gone(out: Scene) -> None:
    model = await out.create()
    await out.migrate(model)
    with pytest.raises(Refused) as caught:
        await out.info(model)
    assert (caught.value.message, caught.value.code) == ("model not found", "not found")
    there = out.registration("a")
    for user in ("admin", "eve@corp"):
        async with dialled(there, f"/model/{model}/api") as socket:
            with pytest.raises(Refused) as caught:
                await socket.login(user, "whatever")
        assert caught.value.code == "redirection required"
        assert caught.value.info["controller-tag"] == f"controller-{out.registration('b').uuid}"
    async with dialled(there, f"/model/{model}/api") as socket:
        with pytest.raises(Refused) as caught:
            await socket.login("bob", "whatever")
    assert caught.value.code == "unauthorized access"


async def test_4_1_hides_what_it_takes_in(out: Scene) -> None:
    model = await out.create()
    out.fault("a", "message.uploading *", "stall")
    await out.initiate(model)
    await eventually(lambda: out.has(model, "b"))
    with pytest.raises(Refused, match="model not found"):
        await out.info(model, on="b")
    async with out.admin("b") as admin:
        every = await admin.call("Controller", 13, "AllModels")
    assert [row["model"]["name"] for row in every["user-models"]] == ["controller"]
    out.controllers["a"].faults.clear()
    await out.ended(model)


async def test_a_failure_leaves_no_trace(out: Scene) -> None:
    model = await out.create()
    out.fault("b", "MigrationTarget.Import", "refuse", message="no")
    await out.migrate(model)
    assert out.reason(model) == f"{IMPORT}no"
    shown = await out.info(model)
    assert (shown["status"]["status"], shown["status"]["info"]) == ("available", "")
    assert "migration" not in shown
    await out.migrate(model)
    assert out.has_moved(model)


async def test_a_password_is_swapped_for_a_macaroon(out: Scene) -> None:
    model = await out.create(config={"simulated-applications": "ubuntu:1"})
    out.fault("a", "message.performing source prechecks", "stall")
    await out.initiate(model)
    record = out.model(model, "a").migration
    assert record is not None
    assert not record.target.password
    assert "migration admin" in record.target.macaroons.reveal()
    async with out.admin("b") as admin:  # a new password closes nothing to a macaroon
        entry = {"tag": "user-admin", "password": "another"}
        await admin.call("UserManager", 3, "SetPassword", {"changes": [entry]})
    out.controllers["a"].faults.clear()
    await out.ended(model)
    assert out.has_moved(model)


async def test_only_4_1_takes_in_what_comes_from_4_0(out: Scene) -> None:
    old = await out.start("old", version="4.0.13", state=None)
    await out.start("older", version="3.6.26", state=None)
    model = await out.create()
    text = (
        "target controller is too old to support password-authenticated migration; upgrade "
        "the target to a version that exposes MigrationTarget v8 or later"
    )
    for name in ("old", "older"):
        assert await out.refusal(model, to=name) == (text, "")
    given = msgspec.json.encode(mint(old, "admin")).decode()
    refusal = await out.refusal(model, to="old", macaroons=given, password="")
    assert refusal == (f"target prechecks failed: {FORMAT}", "")


@pytest.mark.parametrize("dry_run", [True, False])
async def test_a_dry_run_does_not_ask_the_target(out: Scene, dry_run: bool) -> None:
    model = await out.create()
    taken = await out.create(on="b")
    row = await out.initiate(model, dry_run=dry_run)
    assert "error" not in row
    await out.ended(model)
    prefix = "target prechecks failed: migration target prechecks failed: "
    text = f'{prefix}model named "m" already exists'
    assert dry_run or out.reason(model) == text
    assert out.has(taken, "b")
    assert out.has(model, "a")


async def test_source_prechecks_are_in_other_words(out: Scene) -> None:
    model = await out.create(config={"simulated-applications": "ubuntu:1"})
    machine = replace(out.model(model, "a").machines["0"], status="down")
    change(out, model, "a", machines={"0": machine})
    text = "pre-checking machine statuses for migration: model machines(s) are not ready for"
    assert await out.refusal(model) == (
        f'source prechecks failed: {text} migration:\n- machine "0" status is not started',
        "",
    )


async def test_a_model_of_3_6_comes_in_and_gets_new_agents(into: Scene) -> None:
    model = await into.create(config={"simulated-applications": "ubuntu:1"})
    change(
        into,
        model,
        "a",
        users={**into.model(model, "a").users, "eve@corp": ModelUser(access="read")},
    )
    into.fault("a", "message.uploading *", "stall")
    await into.initiate(model)
    await eventually(lambda: into.has(model, "b"))
    shown = await into.info(model, on="b")
    assert shown["status"]["info"] == shown["migration"]["status"] == "the model is being migrated"
    async with into.admin("b") as admin:
        listed = await admin.call("ModelManager", 11, "ListModels", {"tag": "user-admin"})
    assert model in [row["model"]["uuid"] for row in listed["user-models"]]
    into.controllers["a"].faults.clear()
    await into.ended(model)
    assert into.has_moved(model)
    assert into.model(model, "b").agent_version == "4.0.13"
    assert "eve@corp" in into.controllers["b"].store.outsiders


async def test_a_leftover_passes_the_prechecks_and_trips_the_import(into: Scene) -> None:
    model = await into.create()
    into.fault("a", "phase.source.ABORT", "refuse", message="no")
    into.fault("a", "phase.source.VALIDATION", "refuse", message="no")
    await into.migrate(model)
    assert into.model(model, "b").mode == "importing"
    await into.migrate(model)
    text = f'importing model "m" with id "{model}" during migration: model already exists'
    assert into.reason(model) == f"{IMPORT}{text}"
    await eventually(lambda: not into.has(model, "b"))  # the abort of that took it away, in time
    await into.migrate(model)
    assert into.has_moved(model)


async def test_an_abort_takes_its_time(into: Scene) -> None:
    model = await into.create()
    tag = {"model-tag": f"model-{model}"}
    into.fault("a", "phase.source.ABORT", "refuse", message="no")
    into.fault("a", "phase.source.VALIDATION", "refuse", message="no")
    await into.migrate(model)
    async with into.admin("b") as admin:
        await admin.call("MigrationTarget", 7, "Abort", tag)
        assert into.model(model, "b").life == "dying"
        await eventually(lambda: not into.has(model, "b"))
        living = await into.create("n", on="b")
        with pytest.raises(Refused) as caught:
            await admin.call("MigrationTarget", 7, "Abort", {"model-tag": f"model-{living}"})
    assert (caught.value.message, caught.value.code) == (f'model "{living}" is not importing', "")


@pytest.mark.parametrize(
    ("changes", "prefix", "text"),
    [
        ({"cloud": "moon"}, "", 'model\'s cloud "moon" not found on target controller'),
        (
            {"agent_version": "4.0.14"},
            "",
            "model has higher version than target controller (4.0.14 > 4.0.13)",
        ),
        (
            {"config": {"fan-config": "10.0.0.0/8"}},
            "migration import prechecks: checking model config for fan config: ",
            (
                'fan networking not supported, remove fan-config "10.0.0.0/8" from migrating model '
                "config"
            ),
        ),
    ],
)
async def test_target_prechecks(
    into: Scene, changes: dict[str, Any], prefix: str, text: str
) -> None:
    model = await into.create()
    change(into, model, "a", **changes)
    before = prefix or "migration target prechecks failed: "
    assert await into.refusal(model) == (f"target prechecks failed: {before}{text}", "")


async def test_the_import_needs_the_owner(into: Scene) -> None:
    model = await into.create()
    change(into, model, "a", owner="bob")
    skip: dict[str, Any] = {"skip-user-checks": True}
    await into.initiate(model, **skip)
    await into.ended(model)
    text = f'importing model "m" with uuid "{model}", user not found for name "bob"'
    assert into.reason(model) == f"{IMPORT}{text}"


async def test_a_machine_that_the_cloud_lacks_is_looked_for_for_ever(into: Scene) -> None:
    model = await into.create(config={"simulated-applications": "ubuntu:1"})
    fault = into.fault("b", "instance.*", "refuse", times=0)
    await into.initiate(model)
    await eventually(lambda: into.messages.count("checking machines in migrated model") > 1)
    record = into.model(model, "a").migration
    assert record is not None
    assert record.phase is Phase.VALIDATION
    into.controllers["b"].faults.clear(fault.id)
    await into.ended(model)
    assert into.has_moved(model)


async def test_descriptions_of_newer_libraries_cannot_be_read(scene: Scene) -> None:
    await scene.revive("a", version="3.6.26")
    await scene.start("c", version="3.6.26")
    await scene.start("old", version="3.6.25")
    model = await scene.create()
    change(scene, model, "a", agent_version="3.6.25")
    await scene.migrate(model, to="old")
    assert scene.reason(model) == f"{IMPORT}deserializing model for import: version 12 not valid"
