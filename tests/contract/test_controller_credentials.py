"""Clouds and the credentials for them."""

from typing import Any

import pytest

from tests.fix_simulator import SimulatorFactory
from tests.juju_client import Registration, Socket, logged_in


@pytest.fixture
async def registration(simulator: SimulatorFactory) -> Registration:
    """A controller with cloud ``metro``."""
    return Registration.of((await simulator()).registration())


def credential(name: str, owner: str = "admin", password: str = "p") -> dict[str, Any]:
    attrs = {"username": "u", "password": password}
    return {
        "tag": f"cloudcred-metro_{owner}_{name}",
        "credential": {"auth-type": "userpass", "attrs": attrs},
    }


async def update(socket: Socket, *rows: dict[str, Any]) -> Any:
    params = {"credentials": list(rows), "force": False}
    return (await socket.call("Cloud", 7, "UpdateCredentialsCheckModels", params))["results"]


async def test_clouds_are_told_with_their_regions(registration: Registration) -> None:
    async with logged_in(registration) as socket:
        clouds = (await socket.call("Cloud", 7, "Clouds"))["clouds"]
        assert sorted(clouds["cloud-metro"]["auth-types"]) == ["empty", "userpass"]
        assert clouds["cloud-metro"]["regions"] == [{"name": "north"}]
        entities = {"entities": [{"tag": "cloud-metro"}, {"tag": "cloud-nowhere"}]}
        good, bad = (await socket.call("Cloud", 7, "Cloud", entities))["results"]
        assert good == {"cloud": clouds["cloud-metro"]}
        assert bad["error"] == {"message": 'cloud "nowhere" not found', "code": "not found"}
        info = (await socket.call("Cloud", 7, "CloudInfo", entities))["results"][0]["result"]
        assert info["users"] == [{"user": "admin", "display-name": "", "access": "admin"}]


async def test_a_credential_is_kept_used_and_revoked(registration: Registration) -> None:
    async with logged_in(registration) as socket:
        assert await update(socket, credential("one")) == [{"tag": "cloudcred-metro_admin_one"}]
        who = {"user-clouds": [{"user-tag": "user-admin", "cloud-tag": "cloud-metro"}]}
        tags = (await socket.call("Cloud", 7, "UserCredentials", who))["results"]
        assert tags == [{"result": ["cloudcred-metro_admin_one"]}]
        model = {
            "name": "m1",
            "owner-tag": "user-admin",
            "credential": "cloudcred-metro_admin_one",
        }
        made = await socket.call("ModelManager", 10, "CreateModel", model)
        assert made["cloud-credential-tag"] == "cloudcred-metro_admin_one"
        [row] = await update(socket, credential("one", password="other"))
        assert row["models"] == [{"uuid": made["uuid"], "name": "m1"}]
        revoke = {"credentials": [{"tag": "cloudcred-metro_admin_one", "force": False}]}
        result = await socket.call("Cloud", 7, "RevokeCredentialsCheckModels", revoke)
        assert "still used by 1 model" in result["results"][0]["error"]["message"]
        revoke["credentials"][0]["force"] = True
        result = await socket.call("Cloud", 7, "RevokeCredentialsCheckModels", revoke)
        assert result == {"results": [{}]}


async def test_secrets_are_shown_to_their_owner_on_request(registration: Registration) -> None:
    async with logged_in(registration) as socket:
        await update(socket, credential("one"))
        for secrets, attrs in (
            (True, {"username": "u", "password": "p"}),
            (False, {"username": "u"}),
        ):
            params = {"credentials": None, "include-secrets": secrets}
            found = await socket.call("Cloud", 7, "CredentialContents", params)
            content = found["results"][0]["result"]["content"]
            assert (content["name"], content["attrs"]) == ("one", attrs)
        entities = {"entities": [{"tag": "cloudcred-metro_admin_one"}]}
        [row] = (await socket.call("Cloud", 7, "Credential", entities))["results"]
        assert row["result"]["redacted"] == ["password"]


async def test_a_credential_of_an_unknown_user_is_refused(registration: Registration) -> None:
    async with logged_in(registration) as socket:
        [row] = await update(socket, credential("one", owner="alice@jimm"))
        assert row["error"] == {
            "message": 'user "alice@jimm" not found',
            "code": "user not found",
        }


async def test_credentials_that_the_cloud_does_not_take(registration: Registration) -> None:
    wrong = credential("one")
    wrong["credential"]["auth-type"] = "oauth1"
    async with logged_in(registration) as socket:
        [row] = await update(socket, wrong)
    assert row["error"]["code"] == "not valid"
    assert '"oauth1" not supported' in row["error"]["message"]
