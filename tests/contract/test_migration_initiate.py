"""What ``Controller.InitiateMigration`` refuses over the wire, and in which order it asks."""

import time
import uuid
from typing import Any

import pytest
from msgspec.structs import replace

from jimm.simulator.state import ModelUser
from jimm.wire.tags import ModelUUID
from tests.eventually import eventually
from tests.fix_migration import Scene
from tests.juju_client import Refused, logged_in

Tags = dict[str, Any]


async def initiate_spec(scene: Scene, **changes: Any) -> tuple[str, str]:
    spec = {"model-tag": f"model-{uuid.uuid4()}", "target-info": scene.target_info(), **changes}
    async with scene.admin("a") as socket:
        params = {"specs": [spec], "dry-run": False}
        result = await socket.call("Controller", 12, "InitiateMigration", params)
    error = result["results"][0]["error"]
    return error["message"], error["code"]


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("x", 'model tag: "x" is not a valid tag'),
        ("machine-0", 'model tag: "machine-0" is not a valid model tag'),
    ],
)
async def test_a_tag_that_names_no_model(scene: Scene, tag: str, text: str) -> None:
    assert await initiate_spec(scene, **{"model-tag": tag}) == (text, "")


async def test_a_model_that_is_not_there(scene: Scene) -> None:
    assert await initiate_spec(scene) == ("model not found", "not found")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"controller-tag": "y"}, 'controller tag: "y" is not a valid tag'),
        ({"auth-tag": "machine-0"}, 'auth tag: "machine-0" is not a valid user tag'),
        ({"macaroons": "{"}, "invalid macaroons: "),
    ],
)
async def test_a_target_that_makes_no_sense(scene: Scene, change: Tags, text: str) -> None:
    model = await scene.create()
    message, code = await scene.refusal(model, **change)
    assert message.startswith(text)
    assert code == ""


async def test_only_superusers(scene: Scene) -> None:
    model = await scene.create()
    async with scene.admin("a") as admin:
        users = {"users": [{"username": "bob", "display-name": "", "password": "pw"}]}
        await admin.call("UserManager", 3, "AddUser", users)
    spec = {"model-tag": f"model-{model}", "target-info": scene.target_info()}
    async with logged_in(scene.registration("a"), user="bob", password="pw") as socket:
        with pytest.raises(Refused) as caught:
            await socket.call("Controller", 12, "InitiateMigration", {"specs": [spec]})
    assert (caught.value.message, caught.value.code) == (
        "permission denied",
        "unauthorized access",
    )


async def test_source_prechecks_come_first(scene: Scene) -> None:
    model = await scene.create()
    store = scene.controllers["a"].store
    store.put(replace(store.models[model], cleanups=True))
    # Nobody listens at this address; it is not even tried.
    refusal = await scene.refusal(model, addrs=["127.0.0.1:1"])
    assert refusal == ("source prechecks failed: cleanup needed", "")


async def test_a_wrong_password(scene: Scene) -> None:
    model = await scene.create()
    assert await scene.refusal(model, password="wrong") == (
        "connect to target controller: invalid entity name or password",
        "unauthorized access",
    )


async def test_a_session_token_fits_no_plain_controller(scene: Scene) -> None:
    model = await scene.create()
    message, code = await scene.refusal(model, token="t")
    assert message == (
        "connect to target controller: this version of Juju does not support login from old clients"
    )
    assert code == "not supported"


async def test_an_unreachable_target_is_tried_for_a_minute(scene: Scene) -> None:
    model = await scene.create()
    before = time.monotonic()
    message, code = await scene.refusal(model, addrs=["127.0.0.1:1"])
    assert 60 / 50 <= time.monotonic() - before < 10
    assert message.startswith("connect to target controller: unable to connect to API: ")
    assert code == ""


async def test_a_wrong_certificate_is_refused_at_once(scene: Scene) -> None:
    model = await scene.create()
    before = time.monotonic()
    message, _ = await scene.refusal(model, **{"ca-cert": scene.registration("a").ca})
    assert message.startswith("connect to target controller: unable to connect to API: ")
    assert time.monotonic() - before < 60 / 50


def add_user(scene: Scene, model: ModelUUID, name: str) -> None:
    store = scene.controllers["a"].store
    found = store.models[model]
    users = {**found.users, name: ModelUser(access="read")}
    store.put(replace(found, users=users))


async def test_users_are_checked_by_the_source(scene: Scene) -> None:
    model = await scene.create()
    add_user(scene, model, "bob")
    message, code = await scene.refusal(model)
    assert message.startswith("cannot initiate migration as the users granted access")
    assert message.endswith("\n  - bob")
    assert code == ""


async def test_external_users_need_the_same_identity_provider(scene: Scene) -> None:
    model = await scene.create()
    add_user(scene, model, "eve@corp")
    store = scene.controllers["b"].store
    config = {**store.controller.config, "identity-url": "https://id"}
    store.put(replace(store.controller, config=config))
    message, _ = await scene.refusal(model)
    assert message.startswith("cannot initiate migration as external users")
    store.put(replace(store.controller, config={}))
    assert (await scene.initiate(model))["migration-id"] == f"{model}:0"
    await scene.ended(model)


async def test_user_checks_can_be_skipped(scene: Scene) -> None:
    model = await scene.create()
    add_user(scene, model, "bob")
    skip: dict[str, Any] = {"skip-user-checks": True}
    row = await scene.initiate(model, **skip)
    assert row["migration-id"] == f"{model}:0"
    await scene.ended(model)
    assert scene.has_moved(model)


async def test_a_target_precheck_keeps_its_text_and_code(scene: Scene) -> None:
    model = await scene.create()
    scene.fault("b", "MigrationTarget.Prechecks", "refuse", message="no", code="not valid")
    assert await scene.refusal(model) == ("target prechecks failed: no", "not valid")


async def test_a_caller_who_is_no_superuser_on_the_target(scene: Scene) -> None:
    model = await scene.create()
    async with scene.admin("b") as admin:
        users = {"users": [{"username": "bob", "display-name": "", "password": "pw"}]}
        await admin.call("UserManager", 3, "AddUser", users)
    login = {"auth-tag": "user-bob", "password": "pw", "skip-user-checks": True}
    assert await scene.refusal(model, **login) == (
        "target prechecks failed: permission denied",
        "unauthorized access",
    )


async def test_the_same_controller(scene: Scene) -> None:
    model = await scene.create()
    message = f"target prechecks failed: model with same UUID already exists ({model})"
    assert await scene.refusal(model, to="a") == (message, "")


async def test_a_model_of_the_same_name(scene: Scene) -> None:
    model = await scene.create()
    await scene.create(on="b")
    message = 'target prechecks failed: model named "m" already exists'
    assert await scene.refusal(model) == (message, "")


async def test_an_older_target(scene: Scene) -> None:
    await scene.start("old", version="3.6.4")
    model = await scene.create()
    text = "model has higher version than target controller (3.6.9 > 3.6.4)"
    assert await scene.refusal(model, to="old") == (f"target prechecks failed: {text}", "")


async def test_nothing_is_left_of_a_refusal(scene: Scene) -> None:
    model = await scene.create()
    await scene.refusal(model, password="wrong")
    found = scene.model(model, "a")
    assert (found.mode, found.migration, found.migration_attempts) == ("", None, 0)
    assert "migration" not in await scene.info(model)


async def test_a_second_start_in_quiesce(scene: Scene) -> None:
    model = await scene.create()
    scene.fault("a", "message.performing source prechecks", "stall")
    await scene.initiate(model)
    assert await scene.refusal(model) == (
        "failed to create migration: already in progress",
        "",
    )
    scene.controllers["a"].faults.clear()
    await scene.ended(model)


async def test_a_second_start_after_the_import_began(scene: Scene) -> None:
    model = await scene.create()
    scene.fault("a", "message.uploading *", "stall")
    await scene.initiate(model)
    await eventually(lambda: scene.has(model, "b"))
    message = 'target prechecks failed: model named "m" already exists'
    assert await scene.refusal(model) == (message, "")
    scene.controllers["a"].faults.clear()
    await scene.ended(model)


async def test_a_dry_run_ends_before_the_creation(scene: Scene) -> None:
    await scene.revive("a", version="3.6.13")
    await scene.revive("b", version="3.6.13")
    model = await scene.create()
    row = await scene.initiate(model, dry_run=True)
    assert row == {"model-tag": f"model-{model}", "migration-id": ""}
    assert scene.model(model, "a").migration is None
    refused = await scene.refusal(model, dry_run=True, password="wrong")
    assert refused[0].startswith("connect to target controller: ")


async def test_an_older_controller_does_not_know_dry_runs(scene: Scene) -> None:
    model = await scene.create()
    row = await scene.initiate(model, dry_run=True)
    assert row["migration-id"] == f"{model}:0"
    await scene.ended(model)
    assert scene.has_moved(model)


async def test_a_controller_model_fails_only_at_the_creation(scene: Scene) -> None:
    for name in ("a", "b"):
        await scene.revive(name, version="3.6.13")
    model = scene.controllers["a"].store.controller.model_uuid
    assert (await scene.initiate(model, dry_run=True))["migration-id"] == ""
    assert await scene.refusal(model) == ("controllers can't be migrated", "")


async def test_missing_secrets(scene: Scene) -> None:
    model = await scene.create()
    message, _ = await scene.refusal(model, password="")
    # The target refuses a login without any before the spec is looked at.
    assert message.startswith("connect to target controller: ")
