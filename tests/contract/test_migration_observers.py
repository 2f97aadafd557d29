"""What everybody else sees of a model that moves: on the source, on the target, afterwards."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from jimm.simulator.migration import phases
from jimm.wire.tags import ModelUUID
from tests.fix_migration import Scene
from tests.juju_client import Refused, Socket, dialled, logged_in
from tests.key_server import KeyServer

REDIRECT = ("redirection to alternative server required", "redirection required")
NO_LOGIN = ("invalid entity name or password", "unauthorized access")


async def refusal(socket: Socket, facade: str, version: int, method: str) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        await socket.call(facade, version, method)
    return caught.value.message, caught.value.code


def path(model: str) -> str:
    return f"/model/{model}/api"


@asynccontextmanager
async def held(scene: Scene, message: str, **more: Any) -> AsyncIterator[ModelUUID]:
    """A model whose migration stands still at a message; it goes on at the end."""
    model = await scene.create(**more)
    scene.fault("a", f"message.{message}", "stall")
    await scene.initiate(model)
    await scene.said(message)
    yield model
    scene.controllers["a"].faults.clear()
    await scene.ended(model)
    assert scene.has_moved(model)


async def add_user(scene: Scene, name: str, *on: str) -> None:
    users = {"users": [{"username": name, "display-name": "", "password": "pw"}]}
    for each in on:
        async with scene.admin(each) as admin:
            await admin.call("UserManager", 3, "AddUser", users)


async def grant(scene: Scene, model: str, user: str) -> None:
    change = {
        "user-tag": f"user-{user}",
        "action": "grant",
        "access": "read",
        "model-tag": f"model-{model}",
    }
    async with scene.admin("a") as admin:
        params = {"changes": [change]}
        assert await admin.call("ModelManager", 10, "ModifyModelAccess", params) == {
            "results": [{}]
        }


async def listed(scene: Scene, on: str) -> dict[str, set[str]]:
    """The models that each listing holds."""
    async with scene.admin(on) as socket:
        mine = await socket.call("ModelManager", 10, "ListModels", {"tag": "user-admin"})
        asked = {"user-tag": "user-admin", "all": True}
        rows = await socket.call("ModelManager", 10, "ListModelSummaries", asked)
        everything = await socket.call("Controller", 12, "AllModels")
    return {
        "ListModels": {each["model"]["uuid"] for each in mine["user-models"]},
        "ListModelSummaries": {each["result"]["uuid"] for each in rows["results"]},
        "AllModels": {each["model"]["uuid"] for each in everything["user-models"]},
    }


async def test_an_exporting_model_is_listed_with_its_migration(scene: Scene) -> None:
    async with held(scene, phases.EXPORTING) as model:
        assert all(model in found for found in (await listed(scene, "a")).values())
        async with scene.admin("a") as socket:
            asked = {"user-tag": "user-admin", "all": True}
            rows = await socket.call("ModelManager", 10, "ListModelSummaries", asked)
            status = await socket.call(
                "ModelManager", 10, "ModelStatus", {"entities": [{"tag": f"model-{model}"}]}
            )
        row = next(each["result"] for each in rows["results"] if each["result"]["uuid"] == model)
        assert row["migration"]["status"] == "exporting model"
        assert row["status"]["info"] == "migrating: exporting model"
        assert "migration" not in status["models"][0]


async def test_an_importing_model_is_hidden_from_listings(scene: Scene) -> None:
    async with held(scene, phases.UPLOADING) as model:
        found = await listed(scene, "b")
        assert model not in found["ListModels"] | found["ListModelSummaries"]
        assert model in found["AllModels"]
        seen = await scene.info(model, on="b")
        assert (seen["status"]["status"], seen["status"]["info"]) == ("busy", "importing")
        assert "migration" not in seen


async def test_every_call_on_an_importing_model_is_refused(scene: Scene) -> None:
    calls = [("Client", 8, "FullStatus"), ("Pinger", 1, "Ping")]
    refused = ("migration in progress, model is importing", "")
    async with (
        held(scene, phases.UPLOADING) as model,
        logged_in(scene.registration("b"), path(model)) as socket,
    ):
        assert [await refusal(socket, *call) for call in calls] == [refused, refused]


async def test_a_login_during_an_export_is_restricted_for_good(scene: Scene) -> None:
    model = await scene.create()
    async with logged_in(scene.registration("a"), path(model)) as before:
        scene.fault("a", "message.exporting model", "stall")
        scene.fault("b", "MigrationTarget.Import", "refuse")
        await scene.initiate(model)
        await scene.said("exporting model")
        async with logged_in(scene.registration("a"), path(model)) as during:
            status = await during.call("Client", 8, "FullStatus")
            assert status["model"]["model-status"]["info"] == "migrating: exporting model"
            assert await during.call("Pinger", 1, "Ping") == {}
            assert await refusal(during, "ModelConfig", 3, "ModelGet") == (
                "model migration in progress",
                "",
            )
            assert "config" in await before.call("ModelConfig", 3, "ModelGet")
            scene.controllers["a"].faults.clear()
            await scene.ended(model)
            assert scene.is_back(model)
            refused = await refusal(during, "ModelConfig", 3, "ModelGet")
            assert refused == ("model migration in progress", "")
    async with logged_in(scene.registration("a"), path(model)) as after:
        assert "config" in await after.call("ModelConfig", 3, "ModelGet")


async def test_controller_calls_are_not_blocked(scene: Scene) -> None:
    await add_user(scene, "bob", "a", "b")
    async with held(scene, phases.EXPORTING) as model:
        await grant(scene, model, "bob")


async def test_model_connections_are_closed_when_it_is_done(scene: Scene) -> None:
    model = await scene.create()
    async with logged_in(scene.registration("a"), path(model)) as socket:
        await scene.migrate(model)
        assert await socket.closed() is not None


async def login_error(scene: Scene, model: str, user: str, password: str) -> Refused:
    async with dialled(scene.registration("a"), path(model)) as socket:
        with pytest.raises(Refused) as caught:
            await socket.login(user, password)
    return caught.value


async def test_who_had_access_is_redirected_at_login_whatever_the_password(scene: Scene) -> None:
    await add_user(scene, "bob", "a", "b")
    model = await scene.create()
    await grant(scene, model, "bob")
    await scene.migrate(model)
    target = scene.registration("b")
    for user in ("bob", "admin", "jujuanonymous"):
        error = await login_error(scene, model, user, "wrong")
        assert (error.message, error.code) == REDIRECT
    host, _, port = target.address.rpartition(":")
    (address,) = error.info["servers"][0]
    assert (address["value"], address["port"]) == (host, int(port))
    assert error.info["ca-cert"] == target.ca
    assert error.info["controller-tag"] == f"controller-{target.uuid}"
    assert error.info["controller-alias"] == "b"


async def test_an_alias_only_if_one_was_given(scene: Scene) -> None:
    model = await scene.create()
    changes: dict[str, Any] = {"controller-alias": ""}
    await scene.initiate(model, **changes)
    await scene.ended(model)
    error = await login_error(scene, model, "admin", "")
    assert "controller-alias" not in error.info


async def test_who_had_none_is_not(scene: Scene) -> None:
    await add_user(scene, "bob", "a", "b")
    model = await scene.create()
    await scene.migrate(model)
    error = await login_error(scene, model, "bob", "pw")
    assert (error.message, error.code) == NO_LOGIN
    async with dialled(scene.registration("a"), path(model)) as socket:
        assert await refusal(socket, "Admin", 3, "RedirectInfo") == ("not redirected", "")


async def model_info_error(scene: Scene, model: str, **login: str) -> Refused:
    params = {"entities": [{"tag": f"model-{model}"}]}
    async with logged_in(scene.registration("a"), **login) as socket:
        rows = await socket.call("ModelManager", 10, "ModelInfo", params)
    error = rows["results"][0]["error"]
    return Refused(error["message"], error["code"], error.get("info"))


async def test_calls_about_a_model_that_has_moved(scene: Scene) -> None:
    await add_user(scene, "bob", "a", "b")
    model = await scene.create()
    await scene.migrate(model)
    redirected = await model_info_error(scene, model)
    assert (redirected.message, redirected.code) == REDIRECT
    assert "controller-tag" not in redirected.info
    refused = await model_info_error(scene, model, user="bob", password="pw")
    assert (refused.message, refused.code) == ("permission denied", "unauthorized access")
    entities = {"entities": [{"tag": f"model-{model}"}]}
    async with scene.admin("a") as socket:
        found = await socket.call("Controller", 12, "ModelStatus", entities)
        assert found["models"][0]["error"]["code"] == "not found"
        found = await socket.call("ModelManager", 10, "ModelStatus", entities)
        assert found["models"][0]["error"]["code"] == "redirection required"
    assert all(model not in found for found in (await listed(scene, "a")).values())


async def test_a_superuser_without_an_entry_is_not_redirected(scene: Scene) -> None:
    await add_user(scene, "bob", "a", "b")
    model = await scene.create()
    await scene.migrate(model)
    change = {"user-tag": "user-bob", "action": "grant", "access": "superuser"}
    async with scene.admin("a") as admin:
        await admin.call("Controller", 12, "ModifyControllerAccess", {"changes": [change]})
    refused = await model_info_error(scene, model, user="bob", password="pw")
    assert (refused.message, refused.code) == ("permission denied", "unauthorized access")
    error = await login_error(scene, model, "bob", "pw")
    assert (error.message, error.code) == NO_LOGIN


async def test_between_the_activation_and_the_end_it_is_on_both(scene: Scene) -> None:
    async with held(scene, phases.ADOPTING) as model:
        assert (await scene.info(model))["status"]["status"] == "busy"
        assert (await scene.info(model, on="b"))["status"]["status"] == "available"
        assert model in (await listed(scene, "a"))["ListModels"]
        assert model in (await listed(scene, "b"))["ListModels"]
        async with logged_in(scene.registration("b"), path(model)) as socket:
            assert "config" in await socket.call("ModelConfig", 3, "ModelGet")


async def test_a_model_that_was_never_there(scene: Scene) -> None:
    unknown = "6f3e8d4c-58a5-4a28-8b1a-3a2f0f6b9c11"
    async with dialled(scene.registration("a"), path(unknown)) as socket:
        assert await refusal(socket, "Admin", 3, "Login") == (
            f'unknown model: "{unknown}"',
            "model not found",
        )


async def test_a_token_login_is_neither_restricted_nor_redirected(
    scene: Scene, key_server: KeyServer
) -> None:
    await scene.controllers["a"].stop()
    await scene.start("a", jwks_url=key_server.url, jwks_ca=key_server.ca_file)
    source = scene.registration("a")
    model = await scene.create(**{"owner-tag": "user-alice@jimm"})
    levels = {f"controller-{source.uuid}": "login", f"model-{model}": "admin"}
    scene.fault("a", "message.exporting model", "stall")
    await scene.initiate(model)
    await scene.said("exporting model")
    async with dialled(source, path(model)) as socket:
        await socket.login_with(key_server.token("alice@jimm", levels))
        assert "config" in await socket.call("ModelConfig", 3, "ModelGet")
    scene.controllers["a"].faults.clear()
    await scene.ended(model)
    async with dialled(source, path(model)) as socket:
        with pytest.raises(Refused) as caught:
            await socket.login_with(key_server.token("alice@jimm", levels))
    assert (caught.value.message, caught.value.code) == NO_LOGIN
