"""What a controller of Juju 4.0 answers otherwise than one of 3.6."""

from typing import Any

import pytest

from tests.fix_simulator import SimulatorFactory
from tests.juju_client import Refused, Registration, Socket, dialled, logged_in

LISTED = {
    "ApplicationOffers": [5, 6],
    "Bundle": [8],
    "Cloud": [7, 8],
    "Controller": [12, 13, 14],
    "CrossController": [1],
    "MigrationTarget": [4, 5, 6, 7],
    "ModelConfig": [3, 4],
    "ModelManager": [10, 11],
    "ModelSummaryWatcher": [1],
    "ModelUpgrader": [2],
    "NotifyWatcher": [1],
    "Pinger": [1],
    "SecretBackends": [1],
    "UserManager": [3],
}
"""As 4.0.13 listed them on ``/api``."""


@pytest.fixture
async def four(simulator: SimulatorFactory) -> Registration:
    """A controller of Juju 4.0.13."""
    return Registration.of((await simulator(name="four", version="4.0.13")).registration())


async def refusal(socket: Socket, *call: Any) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        await socket.call(*call)
    return caught.value.message, caught.value.code


def offered(result: Any) -> dict[str, list[int]]:
    return {each["name"]: each["versions"] for each in result["facades"]}


async def make(four: Registration, name: str = "m") -> str:
    async with logged_in(four) as admin:
        wanted = {"name": name, "qualifier": "admin"}
        uuid: str = (await admin.call("ModelManager", 11, "CreateModel", wanted))["uuid"]
    return uuid


@pytest.mark.parametrize(
    ("version", "targets"), [("4.0.13", [4, 5, 6, 7]), ("4.1.0", [4, 5, 6, 7, 8])]
)
async def test_the_facades_of_a_login(
    simulator: SimulatorFactory, version: str, targets: list[int]
) -> None:
    made = Registration.of((await simulator(name="four", version=version)).registration())
    async with dialled(made, "/api") as socket:
        result = await socket.login(made.user, made.password)
    assert offered(result) == {**LISTED, "MigrationTarget": targets}
    assert result["server-version"] == version


async def test_logins(four: Registration) -> None:
    old = ("this version of Juju does not support login from old clients", "not supported")
    async with dialled(four, "/api") as socket:
        assert await refusal(socket, "Controller", 11, "AllModels") == (
            'unknown version 11 for facade type "Controller"',
            "not implemented",
        )
        session = {"session-token": "x"}
        assert await refusal(socket, "Admin", 4, "LoginWithSessionToken", session) == old
        wrong = {"auth-tag": "user-admin", "credentials": "no"}
        message, code = await refusal(socket, "Admin", 3, "Login", wrong)
        assert (message, code) == ("invalid entity name or password", "unauthorized access")
        nobody = await refusal(socket, "Admin", 3, "Login", {"auth-tag": ""})
        assert nobody[1] == "unauthorized access"
        named = await socket.call("Admin", 3, "Login", {"auth-tag": "user-admin"})
        assert named["discharge-required"]
        await socket.login(four.user, four.password)
        again = await refusal(socket, "Admin", 3, "Login", wrong)
        assert again == (
            'facade "Admin" not supported for controller API connection',
            "not supported",
        )


@pytest.mark.parametrize(
    ("facade", "version", "method", "message", "code"),
    [
        (
            "Nope",
            1,
            "Do",
            'facade "Nope" not supported for controller API connection',
            "not supported",
        ),
        ("Pinger", 9, "Ping", 'unknown version 9 for facade type "Pinger"', "not implemented"),
        (
            "Pinger",
            1,
            "Pong",
            'unknown method "Pong" at version 1 for facade type "Pinger"',
            "not implemented",
        ),
        ("Controller", 14, "WatchAllModels", "WatchAllModels not implemented", "not implemented"),
        (
            "Controller",
            12,
            "WatchAllModelSummaries",
            "WatchAllModelSummaries not supported",
            "not supported",
        ),
        (
            "Controller",
            12,
            "AllModels",
            "runtime error: index out of range [0] with length 0",
            "",
        ),
        (
            "MigrationTarget",
            7,
            "CreateMigrationMacaroon",
            (
                'unknown method "CreateMigrationMacaroon" at version 7 for facade type '
                '"MigrationTarget"'
            ),
            "not implemented",
        ),
    ],
)
async def test_what_it_does_not_know(
    four: Registration, facade: str, version: int, method: str, message: str, code: str
) -> None:
    async with logged_in(four) as admin:
        assert await refusal(admin, facade, version, method) == (message, code)


async def test_what_a_model_does_not_know(four: Registration) -> None:
    async with logged_in(four, f"/model/{await make(four)}/api") as socket:
        for facade in ("Nope", "Admin", "AllWatcher"):
            assert await refusal(socket, facade, 3, "Next") == (
                f'unknown version 3 for facade type "{facade}"',
                "not implemented",
            )
        assert (await socket.call("Client", 8, "FullStatus", {"patterns": []}))["machines"] == {}


@pytest.mark.parametrize(
    ("version", "key", "owner"), [(10, "owner-tag", "user-admin"), (11, "qualifier", "admin")]
)
async def test_each_version_has_its_word_for_the_owner(
    four: Registration, version: int, key: str, owner: str
) -> None:
    other = {"owner-tag", "qualifier"} - {key}
    async with logged_in(four) as admin:
        made = await admin.call("ModelManager", version, "CreateModel", {"name": "m", key: owner})
        tag = {"entities": [{"tag": f"model-{made['uuid']}"}]}
        [info] = (await admin.call("ModelManager", version, "ModelInfo", tag))["results"]
        wanted = {"user-tag": "user-admin", "all": True}
        listed = await admin.call("ModelManager", version, "ListModelSummaries", wanted)
        models = await admin.call("ModelManager", version, "ListModels", {"tag": "user-admin"})
        rows = [made, info["result"], *(row["result"] for row in listed["results"])]
        rows += [row["model"] for row in models["user-models"]]
        assert {row[key] for row in rows} == {owner}
        assert not any({*other, "sla"} & row.keys() for row in rows)
        every = await admin.call("Controller", 13, "AllModels")
        assert {row["model"]["qualifier"] for row in every["user-models"]} == {"admin"}


async def test_who_makes_a_model_has_it(four: Registration) -> None:
    async with logged_in(four) as admin:
        bob = {"username": "bob", "display-name": "", "password": "pw"}
        await admin.call("UserManager", 3, "AddUser", {"users": [bob]})
        made = await admin.call(
            "ModelManager", 11, "CreateModel", {"name": "m", "qualifier": "some-team"}
        )
        assert [each["user"] for each in made["users"]] == ["admin"]
        access = {"user-tag": "user-bob", "cloud-tag": "cloud-metro"}
        change = {**access, "action": "grant", "access": "add-model"}
        await admin.call("Cloud", 7, "ModifyCloudAccess", {"changes": [change]})
    async with logged_in(four, user="bob", password="pw") as socket:
        wanted = {"name": "n", "qualifier": "alice"}
        message, code = await refusal(socket, "ModelManager", 11, "CreateModel", wanted)
        assert (message, code) == ('cannot create model with qualifier "alice"', "not valid")
        made = await socket.call(
            "ModelManager", 10, "CreateModel", {"name": "n", "owner-tag": "user-bob"}
        )
        assert made["owner-tag"] == "user-bob"


async def test_keys_in_a_models_settings_are_refused(four: Registration) -> None:
    async with logged_in(four) as admin:
        wanted = {"name": "m", "qualifier": "admin", "config": {"authorized-keys": ""}}
        message, code = await refusal(admin, "ModelManager", 11, "CreateModel", wanted)
    assert message.startswith('setting model config for model "m": validating model config')
    assert "config attributes [authorized-keys] not valid" in message
    assert code == "not valid"


async def test_a_model_that_is_not_there(four: Registration) -> None:
    async with logged_in(four) as admin:
        tag = {"entities": [{"tag": f"model-{four.uuid}"}]}
        [row] = (await admin.call("ModelManager", 11, "ModelInfo", tag))["results"]
    assert row["error"] == {"message": "model not found", "code": "not found"}
