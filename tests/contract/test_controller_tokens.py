"""Logins with JWTs, as a broker makes them."""

import base64
from typing import Any

import pytest

from tests.eventually import eventually
from tests.fix_simulator import SimulatorFactory
from tests.juju_client import Refused, Registration, dialled, logged_in
from tests.key_server import KeyServer


def levels(controller: Registration, level: str = "login", **more: str) -> dict[str, str]:
    """Access by tag; keywords such as ``cloud_metro="add-model"``."""
    tags = {key.replace("_", "-"): value for key, value in more.items()}
    return {f"controller-{controller.uuid}": level, **tags}


async def create(registration: Registration, name: str = "m1") -> str:
    async with logged_in(registration) as admin:
        params = {"name": name, "owner-tag": "user-alice@jimm"}
        return str((await admin.call("ModelManager", 10, "CreateModel", params))["uuid"])


async def test_a_token_is_enough(trusting: Registration, key_server: KeyServer) -> None:
    token = key_server.token("alice@jimm", levels(trusting), aud="someone-else", iss="anybody")
    async with dialled(trusting) as socket:
        info = (await socket.login_with(token))["user-info"]
        assert info["identity"] == "user-alice@jimm"
        assert info["controller-access"] == "login"


async def test_keys_are_fetched_once(trusting: Registration, key_server: KeyServer) -> None:
    assert key_server.fetches == 0
    for _ in range(3):
        async with dialled(trusting) as socket:
            await socket.login_with(key_server.token("alice@jimm", levels(trusting)))
    assert key_server.fetches == 1


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ({"lifetime": -60}, 'parsing login access token: "exp" not satisfied'),
        ({"nbf": 4102444800}, 'parsing login access token: "nbf" not satisfied'),
        ({"key_id": "unknown"}, "parsing login access token: failed to find key"),
        ({"forged": True}, "parsing login access token: could not verify message"),
        ({"sub": "alice"}, "invalid user tag in authToken"),
    ],
)
async def test_tokens_that_are_no_good(
    trusting: Registration, key_server: KeyServer, fault: dict[str, Any], text: str
) -> None:
    claims = dict(fault)
    if claims.pop("forged", False) or claims.get("key_id") == "unknown":
        claims["key"] = key_server.new_key()
    token = key_server.token("alice@jimm", levels(trusting), **claims)
    async with dialled(trusting) as socket:
        with pytest.raises(Refused) as caught:
            await socket.login_with(token)
        assert caught.value.message.startswith(text)
        assert caught.value.code == ""
        await socket.login_with(key_server.token("alice@jimm", levels(trusting)))


async def test_nonsense_in_place_of_a_token(trusting: Registration) -> None:
    async with dialled(trusting) as socket:
        for nonsense in ("%%%", "bm90IGEgdG9rZW4="):
            with pytest.raises(Refused, match="parsing login access token") as caught:
                await socket.call("Admin", 3, "Login", {"token": nonsense})
            assert caught.value.code == ""


async def test_a_level_on_the_controller_is_needed(
    trusting: Registration, key_server: KeyServer
) -> None:
    model = await create(trusting)
    token = key_server.token("alice@jimm", {f"model-{model}": "admin"})
    for path in ("/api", f"/model/{model}/api"):
        async with dialled(trusting, path) as socket:
            with pytest.raises(Refused, match="permission denied") as caught:
                await socket.login_with(token)
            assert caught.value.code == "unauthorized access"


async def test_a_model_needs_no_level_until_it_is_called(
    trusting: Registration, key_server: KeyServer
) -> None:
    model = await create(trusting)
    async with dialled(trusting, f"/model/{model}/api") as socket:
        await socket.login_with(key_server.token("alice@jimm", levels(trusting)))
        with pytest.raises(Refused) as caught:
            await socket.call("Client", 8, "FullStatus")
    assert caught.value.message == f"access permissions required: map[model-{model}:read]"
    assert (caught.value.code, caught.value.info) == (
        "access required",
        {f"model-{model}": "read"},
    )


async def test_creating_asks_for_the_cloud(trusting: Registration, key_server: KeyServer) -> None:
    params = {"name": "m1", "owner-tag": "user-alice@jimm"}
    async with dialled(trusting) as socket:
        await socket.login_with(key_server.token("alice@jimm", levels(trusting)))
        with pytest.raises(Refused) as caught:
            await socket.call("ModelManager", 10, "CreateModel", params)
        assert caught.value.info == {"cloud-metro": "add-model"}
    wider = levels(trusting, cloud_metro="add-model")
    async with dialled(trusting) as socket:
        await socket.login_with(key_server.token("alice@jimm", wider))
        made = await socket.call("ModelManager", 10, "CreateModel", params)
        assert made["owner-tag"] == "user-alice@jimm"


async def test_some_methods_just_deny(trusting: Registration, key_server: KeyServer) -> None:
    model = await create(trusting)
    entities = {"entities": [{"tag": f"model-{model}"}]}
    change = {
        "user-tag": "user-bob@jimm",
        "action": "grant",
        "access": "read",
        "model-tag": f"model-{model}",
    }
    async with dialled(trusting) as socket:
        await socket.login_with(key_server.token("bob@jimm", levels(trusting)))
        info = await socket.call("ModelManager", 10, "ModelInfo", entities)
        status = await socket.call("ModelManager", 10, "ModelStatus", entities)
        granted = await socket.call("ModelManager", 10, "ModifyModelAccess", {"changes": [change]})
        for row in (info["results"][0], status["models"][0], granted["results"][0]):
            assert row["error"] == {"message": "permission denied", "code": "unauthorized access"}
        destroy = {"models": [{"model-tag": f"model-{model}"}]}
        result = await socket.call("ModelManager", 10, "DestroyModels", destroy)
        assert result["results"][0]["error"]["code"] == "access required"
        assert result["results"][0]["error"]["info"] == {f"model-{model}": "admin"}


async def test_a_user_exists_from_the_first_login_on(
    trusting: Registration, key_server: KeyServer
) -> None:
    row = {
        "tag": "cloudcred-metro_alice@jimm_one",
        "credential": {"auth-type": "userpass", "attrs": {}},
    }
    params = {"credentials": [row], "force": False}
    async with logged_in(trusting) as admin:
        before = await admin.call("Cloud", 7, "UpdateCredentialsCheckModels", params)
        assert before["results"][0]["error"]["code"] == "user not found"
        async with dialled(trusting) as socket:
            await socket.login_with(key_server.token("alice@jimm", levels(trusting)))
        after = await admin.call("Cloud", 7, "UpdateCredentialsCheckModels", params)
        assert "error" not in after["results"][0]


async def test_a_superusers_token_may_do_all(trusting: Registration, key_server: KeyServer) -> None:
    model = await create(trusting)
    async with dialled(trusting) as socket:
        await socket.login_with(key_server.token("root@jimm", levels(trusting, "superuser")))
        listed = await socket.call("Controller", 12, "AllModels")
        assert model in [each["model"]["uuid"] for each in listed["user-models"]]


async def test_new_keys_are_fetched_but_seldom(
    simulator: SimulatorFactory, key_server: KeyServer
) -> None:
    made = await simulator(jwks_url=key_server.url, jwks_ca=key_server.ca_file, speed=3600 * 20.0)
    registration = Registration.of(made.registration())
    async with dialled(registration) as socket:
        await socket.login_with(key_server.token("alice@jimm", levels(registration)))
    key_server.publish("second")
    token = key_server.token("alice@jimm", levels(registration), key_id="second")

    async def is_known() -> bool:
        async with dialled(registration) as socket:
            reply = await socket.send("Admin", 3, "Login", {"token": _encoded(token)})
        return "error" not in reply

    known: bool = await eventually(is_known)
    assert known
    assert key_server.fetches == 2


def _encoded(token: str) -> str:
    return base64.b64encode(token.encode()).decode()
