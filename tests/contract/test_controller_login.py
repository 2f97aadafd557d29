"""What a Juju controller says to somebody who logs in, in 3.6's words."""

import uuid

import pytest

from tests.fix_simulator import SimulatorFactory
from tests.juju_client import Refused, Registration, dialled, logged_in


async def refusal(call: object) -> tuple[str, str]:
    """Text and code of the error that a call ends with."""
    with pytest.raises(Refused) as caught:
        await call  # type: ignore[misc]
    return caught.value.message, caught.value.code


async def test_a_login_tells_who_where_and_what(controller: Registration) -> None:
    async with dialled(controller) as socket:
        result = await socket.login(controller.user, controller.password)
    assert result["controller-tag"] == f"controller-{controller.uuid}"
    assert "model-tag" not in result
    assert result["server-version"].startswith("3.")
    assert result["user-info"]["identity"] == f"user-{controller.user}"
    assert result["user-info"]["controller-access"] == "superuser"
    facades = {each["name"]: each["versions"] for each in result["facades"]}
    assert facades["Pinger"] == [1]
    assert {9, 10} <= set(facades["ModelManager"])
    assert {11, 12} <= set(facades["Controller"])
    assert {4, 5, 6} <= set(facades["MigrationTarget"])
    assert "Admin" not in facades
    assert "Client" not in facades


async def test_the_root_path_is_the_api_as_well(controller: Registration) -> None:
    async with logged_in(controller, "/") as socket:
        assert await socket.call("Pinger", 1, "Ping") == {}


async def test_a_wrong_password_leaves_the_socket_open(controller: Registration) -> None:
    async with dialled(controller) as socket:
        for user in (controller.user, "nobody-by-that-name"):
            assert await refusal(socket.login(user, "wrong")) == (
                "invalid entity name or password",
                "unauthorized access",
            )
        assert await socket.login(controller.user, controller.password)


async def test_admin_4_is_not_supported(controller: Registration) -> None:
    async with dialled(controller) as socket:
        for method in ("LoginWithSessionToken", "LoginDevice", "Login"):
            assert await refusal(socket.call("Admin", 4, method)) == (
                "this version of Juju does not support login from old clients",
                "not supported",
            )


async def test_nothing_but_admin_answers_before_the_login(controller: Registration) -> None:
    async with dialled(controller) as socket:
        text, code = await refusal(socket.call("Pinger", 1, "Ping"))
    assert (text, code) == ('unknown version (1) of interface "Pinger"', "not implemented")


async def test_a_second_login_is_refused(controller: Registration) -> None:
    async with logged_in(controller) as socket:
        again = socket.login(controller.user, controller.password)
        assert await refusal(again) == (
            'facade "Admin" not supported for controller API connection',
            "not supported",
        )


async def test_a_second_login_on_a_model_is_refused(controller: Registration) -> None:
    async with logged_in(controller) as socket:
        listed = await socket.call("Controller", 12, "AllModels")
    model = listed["user-models"][0]["model"]["uuid"]
    async with logged_in(controller, f"/model/{model}/api") as socket:
        again = socket.login(controller.user, controller.password)
        assert await refusal(again) == (
            'unknown version (3) of interface "Admin"',
            "not implemented",
        )


async def test_a_models_login_tells_its_tag(controller: Registration) -> None:
    async with logged_in(controller) as socket:
        listed = await socket.call("Controller", 12, "AllModels")
    model = listed["user-models"][0]["model"]["uuid"]
    async with dialled(controller, f"/model/{model}/api") as socket:
        result = await socket.login(controller.user, controller.password)
    assert result["model-tag"] == f"model-{model}"
    assert result["user-info"]["model-access"] == "admin"
    facades = {each["name"] for each in result["facades"]}
    assert {"Client", "AllWatcher", "ModelConfig", "Application", "Charms", "Pinger"} <= facades
    assert "ModelManager" not in facades


async def test_an_unknown_model_answers_on_every_request(controller: Registration) -> None:
    unknown = str(uuid.uuid4())
    async with dialled(controller, f"/model/{unknown}/api") as socket:
        for call in (
            socket.login(controller.user, controller.password),
            socket.call("Pinger", 1, "Ping"),
            socket.call("Nothing", 7, "Nowhere"),
        ):
            assert await refusal(call) == (f'unknown model: "{unknown}"', "model not found")


async def test_a_disabled_user_cannot_log_in(controller: Registration) -> None:
    name = f"user-{uuid.uuid4().hex[:8]}"
    async with logged_in(controller) as admin:
        added = {"users": [{"username": name, "display-name": "", "password": "secret"}]}
        result = await admin.call("UserManager", 3, "AddUser", added)
        assert result["results"] == [{"tag": f"user-{name}"}]
        entity = {"entities": [{"tag": f"user-{name}"}]}
        async with dialled(controller) as socket:
            info = (await socket.login(name, "secret"))["user-info"]
            assert info["controller-access"] == "login"
        assert await admin.call("UserManager", 3, "DisableUser", entity) == {"results": [{}]}
        async with dialled(controller) as socket:
            assert (await refusal(socket.login(name, "secret")))[1] == "unauthorized access"
        await admin.call("UserManager", 3, "RemoveUser", entity)


async def test_tokens_are_refused_where_no_keys_are_configured(controller: Registration) -> None:
    async with dialled(controller) as socket:
        assert await refusal(socket.login_with("a.b.c")) == (
            "failed to authenticate request: unauthorized",
            "unauthorized access",
        )


async def test_a_name_with_a_domain_has_no_password(simulator: SimulatorFactory) -> None:
    made = Registration.of((await simulator()).registration())
    async with dialled(made) as socket:
        assert await refusal(socket.login("alice@jimm", "any")) == (
            "failed to authenticate request: unauthorized",
            "unauthorized access",
        )
