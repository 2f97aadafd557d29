"""The life of a model on a Juju controller."""

import uuid
from typing import Any

import pytest

from tests.eventually import eventually
from tests.fix_simulator import SimulatorFactory
from tests.juju_client import Refused, Registration, Socket, dialled, logged_in


def fresh_name() -> str:
    return f"m-{uuid.uuid4().hex[:8]}"


async def create(socket: Socket, name: str, owner: str = "admin", **more: Any) -> Any:
    params = {"name": name, "owner-tag": f"user-{owner}", **more}
    return await socket.call("ModelManager", 10, "CreateModel", params)


def entities(*uuids: str) -> dict[str, Any]:
    return {"entities": [{"tag": f"model-{each}"} for each in uuids]}


async def add_user(socket: Socket, name: str, password: str) -> None:
    users = {"users": [{"username": name, "display-name": name, "password": password}]}
    result = await socket.call("UserManager", 3, "AddUser", users)
    assert result == {"results": [{"tag": f"user-{name}"}]}


async def grant(socket: Socket, user: str, level: str, model: str, action: str = "grant") -> Any:
    change = {
        "user-tag": f"user-{user}",
        "action": action,
        "access": level,
        "model-tag": f"model-{model}",
    }
    result = await socket.call("ModelManager", 10, "ModifyModelAccess", {"changes": [change]})
    return result["results"][0]


async def test_created_listed_shown_destroyed(controller: Registration) -> None:
    name = fresh_name()
    async with logged_in(controller) as socket:
        made = await create(socket, name)
        assert (made["name"], made["owner-tag"], made["life"]) == (name, "user-admin", "alive")
        assert made["controller-uuid"] == controller.uuid
        assert made["status"]["status"] == "available"
        tag = {"tag": "user-admin"}
        listed = await socket.call("ModelManager", 10, "ListModels", tag)
        assert made["uuid"] in [each["model"]["uuid"] for each in listed["user-models"]]
        asked = {"user-tag": "user-admin", "all": False}
        rows = await socket.call("ModelManager", 10, "ListModelSummaries", asked)
        row = next(each["result"] for each in rows["results"] if each["result"]["name"] == name)
        assert row["user-access"] == "admin"
        assert all("error" not in each for each in rows["results"])
        shown = await socket.call("ModelManager", 10, "ModelInfo", entities(made["uuid"]))
        assert shown["results"][0]["result"]["users"][0]["user"] == "admin"
        await destroyed(socket, made["uuid"])


async def destroyed(socket: Socket, model: str) -> None:
    wanted = {"models": [{"model-tag": f"model-{model}", "max-wait": None}]}
    assert await socket.call("ModelManager", 10, "DestroyModels", wanted) == {"results": [{}]}

    async def is_gone() -> bool:
        result = await socket.call("ModelManager", 10, "ModelStatus", entities(model))
        error = result["models"][0].get("error")
        return error is not None and error["code"] == "not found"

    gone: bool = await eventually(is_gone, deadline=60)
    assert gone


async def test_a_dying_model_is_still_there(simulator: SimulatorFactory) -> None:
    made = Registration.of((await simulator(speed=0.05)).registration())
    async with logged_in(made) as socket:
        model = (await create(socket, "slow"))["uuid"]
        wanted = {"models": [{"model-tag": f"model-{model}"}]}
        await socket.call("ModelManager", 10, "DestroyModels", wanted)
        shown = await socket.call("ModelManager", 10, "ModelInfo", entities(model))
        assert shown["results"][0]["result"]["life"] == "dying"
        assert await socket.call("ModelManager", 10, "DestroyModels", wanted) == {"results": [{}]}


async def test_a_model_that_goes_takes_its_sockets_along(controller: Registration) -> None:
    async with logged_in(controller) as socket:
        model = (await create(socket, fresh_name()))["uuid"]
        async with logged_in(controller, f"/model/{model}/api") as inside:
            await destroyed(socket, model)
            await inside.closed(deadline=30)


async def test_a_name_is_taken_once_per_owner(controller: Registration) -> None:
    name = fresh_name()
    async with logged_in(controller) as socket:
        made = await create(socket, name)
        with pytest.raises(Refused) as caught:
            await create(socket, name)
        assert caught.value.code == "already exists"
        assert f'model "{name}" for admin already exists' in caught.value.message
        await destroyed(socket, made["uuid"])


@pytest.mark.parametrize(
    ("params", "code", "text"),
    [
        ({"cloud-tag": "cloud-nowhere"}, "not found", 'cloud "nowhere" not found, expected one'),
        ({"region": "nowhere"}, "not found", 'region "nowhere" not found'),
        # Juju gives a bad tag no code; here it is "not valid" (jimm.wire.tags), so not judged.
        ({"owner-tag": "nobody"}, None, '"nobody" is not a valid tag'),
        ({"owner-tag": "user-nobody-here"}, "not found", 'user "nobody-here" not found'),
        ({"credential": "cloudcred-metro_admin_none"}, "not found", "getting credential"),
        ({"name": "No Name"}, "not valid", "is not a valid name"),
    ],
)
async def test_requests_that_cannot_be_met(
    simulator: SimulatorFactory, params: dict[str, Any], code: str | None, text: str
) -> None:
    made = Registration.of((await simulator()).registration())
    async with logged_in(made) as socket:
        full = {"name": "m1", "owner-tag": "user-admin", **params}
        with pytest.raises(Refused) as caught:
            await socket.call("ModelManager", 10, "CreateModel", full)
        assert text in caught.value.message
        assert code is None or caught.value.code == code


async def test_another_user_sees_what_they_were_granted(controller: Registration) -> None:
    user = f"u{uuid.uuid4().hex[:8]}"
    async with logged_in(controller) as admin:
        await add_user(admin, user, "secret")
        model = (await create(admin, fresh_name()))["uuid"]
        async with logged_in(controller, user=user, password="secret") as socket:
            shown = await socket.call("ModelManager", 10, "ModelInfo", entities(model))
            assert shown["results"][0]["error"]["message"] == "permission denied"
            assert shown["results"][0]["error"]["code"] == "unauthorized access"
            async with dialled(controller, f"/model/{model}/api") as inside:
                with pytest.raises(Refused, match="permission denied"):
                    await inside.login(user, "secret")
            assert await grant(admin, user, "read", model) == {}
            again = await grant(admin, user, "read", model)
            assert again["error"]["code"] == "already exists"
            shown = await socket.call("ModelManager", 10, "ModelInfo", entities(model))
            assert [each["user"] for each in shown["results"][0]["result"]["users"]] == [user]
            assert await grant(admin, user, "read", model, action="revoke") == {}
            shown = await socket.call("ModelManager", 10, "ModelInfo", entities(model))
            assert shown["results"][0]["error"]["code"] == "unauthorized access"
        await destroyed(admin, model)
        entity = {"entities": [{"tag": f"user-{user}"}]}
        await admin.call("UserManager", 3, "RemoveUser", entity)


async def test_bare_names_without_a_user_get_no_access(controller: Registration) -> None:
    async with logged_in(controller) as admin:
        model = (await create(admin, fresh_name()))["uuid"]
        refused = (await grant(admin, "nobody-here", "read", model))["error"]
        assert 'user "nobody-here" does not exist locally' in refused["message"]
        assert await grant(admin, "alice@jimm", "read", model) == {}
        await destroyed(admin, model)


async def test_a_plain_user_adds_models_once_the_cloud_lets_them(
    simulator: SimulatorFactory,
) -> None:
    made = Registration.of((await simulator()).registration())
    async with logged_in(made) as admin:
        await add_user(admin, "bob", "secret")
        async with logged_in(made, user="bob", password="secret") as bob:
            with pytest.raises(Refused, match="permission denied"):
                await create(bob, "m1", "bob")
            change = {
                "user-tag": "user-bob",
                "cloud-tag": "cloud-metro",
                "action": "grant",
                "access": "add-model",
            }
            result = await admin.call("Cloud", 7, "ModifyCloudAccess", {"changes": [change]})
            assert result == {"results": [{}]}
            assert (await create(bob, "m1", "bob"))["owner-tag"] == "user-bob"
            with pytest.raises(Refused, match="creation of models for different owners"):
                await create(bob, "m2", "admin")


async def test_the_controllers_own_model_stays(controller: Registration) -> None:
    async with logged_in(controller) as socket:
        listed = await socket.call("Controller", 12, "AllModels")
        own = next(
            each["model"] for each in listed["user-models"] if each["model"]["name"] == "controller"
        )
        assert own["owner-tag"] == "user-admin"
        wanted = {"models": [{"model-tag": f"model-{own['uuid']}"}]}
        result = await socket.call("ModelManager", 10, "DestroyModels", wanted)
        assert "error" in result["results"][0]
        where = await socket.call(
            "Controller", 12, "ControllerAPIInfoForModels", entities(own["uuid"])
        )
        assert where["results"][0]["addresses"]


async def test_applications_come_with_a_setting(simulator: SimulatorFactory) -> None:
    made = Registration.of((await simulator()).registration())
    config = {"simulated-applications": "ubuntu:2, haproxy"}
    async with logged_in(made) as socket:
        model = (await create(socket, "m1", config=config))["uuid"]
    async with logged_in(made, f"/model/{model}/api") as socket:
        status = await socket.call("Client", 8, "FullStatus", {"patterns": None})
        assert sorted(status["applications"]) == ["haproxy", "ubuntu"]
        assert sorted(status["applications"]["ubuntu"]["units"]) == ["ubuntu/0", "ubuntu/1"]
        assert len(status["machines"]) == 3
        some = await socket.call("Client", 8, "FullStatus", {"patterns": ["haproxy"]})
        assert (len(some["applications"]), len(some["machines"])) == (1, 1)


async def test_settings_and_constraints_are_kept(controller: Registration) -> None:
    async with logged_in(controller) as admin:
        model = (await create(admin, fresh_name()))["uuid"]
        async with logged_in(controller, f"/model/{model}/api") as socket:
            config = (await socket.call("ModelConfig", 3, "ModelGet"))["config"]
            assert config["uuid"]["value"] == model
            assert config["agent-version"]["value"]
            change = {"config": {"logging-config": "<root>=DEBUG"}}
            await socket.call("ModelConfig", 3, "ModelSet", change)
            config = (await socket.call("ModelConfig", 3, "ModelGet"))["config"]
            assert config["logging-config"]["source"] == "model"
            await socket.call("ModelConfig", 3, "ModelUnset", {"keys": ["logging-config"]})
            wanted = {"application": "", "constraints": {"cores": 4}}
            await socket.call("ModelConfig", 3, "SetModelConstraints", wanted)
            found = await socket.call("ModelConfig", 3, "GetModelConstraints")
            assert found["constraints"] == {"cores": 4}
        await destroyed(admin, model)
