"""``Cloud`` on ``/api``: clouds added, changed, shared and removed; users' credentials."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.fix_dev import Dev
from tests.juju_client import Refused, Socket


def fresh(stem: str) -> str:
    """A name that no other test has."""
    return f"{stem}-{uuid.uuid4().hex[:8]}"


def k8s(**more: Any) -> dict[str, Any]:
    """A Kubernetes cloud's definition."""
    return {
        "type": "kubernetes",
        "auth-types": ["userpass"],
        "endpoint": "https://k8s.example.com",
        "host-cloud-region": "metro/north",
        **more,
    }


async def cloud(socket: Socket, method: str, params: dict[str, Any]) -> Any:
    """The answer of one call."""
    return await socket.call("Cloud", 7, method, params)


async def row(socket: Socket, method: str, params: dict[str, Any]) -> dict[str, Any]:
    """The only row of one call."""
    (found,) = (await cloud(socket, method, params))["results"]
    assert isinstance(found, dict)
    return found


async def access(socket: Socket, name: str, action: str, level: str, user: str) -> dict[str, Any]:
    """The row of a `ModifyCloudAccess`."""
    change = {
        "cloud-tag": f"cloud-{name}",
        "user-tag": f"user-{user}",
        "action": action,
        "access": level,
    }
    return await row(socket, "ModifyCloudAccess", {"changes": [change]})


async def info(socket: Socket, name: str) -> dict[str, Any]:
    """The row of a `CloudInfo`."""
    return await row(socket, "CloudInfo", {"entities": [{"tag": f"cloud-{name}"}]})


async def remove(socket: Socket, name: str) -> dict[str, Any]:
    """The row of a `RemoveClouds`."""
    return await row(socket, "RemoveClouds", {"entities": [{"tag": f"cloud-{name}"}]})


@asynccontextmanager
async def alices_cloud(dev: Dev) -> AsyncIterator[tuple[Socket, str]]:
    """alice's connection and a cloud of hers, removed at the end."""
    name = fresh("k8s")
    async with dev.socket("alice") as alice:
        assert await cloud(alice, "AddCloud", {"name": name, "cloud": k8s()}) == {}
        try:
            yield alice, name
        finally:
            async with dev.socket("admin") as admin:
                await remove(admin, name)


async def test_who_added_a_cloud_administers_it_alone(dev: Dev) -> None:
    async with alices_cloud(dev) as (alice, name), dev.socket("bob") as bob:
        told = (await info(alice, name))["result"]
        assert told["type"] == "kubernetes"
        assert told["regions"] == [{"name": "default", "endpoint": "https://k8s.example.com"}]
        assert [(u["user"], u["access"]) for u in told["users"]] == [("alice", "admin")]
        (definition,) = (await cloud(alice, "Cloud", {"entities": [{"tag": f"cloud-{name}"}]}))[
            "results"
        ]
        assert definition["cloud"]["host-cloud-region"] == "metro/north"
        assert f"cloud-{name}" not in (await cloud(bob, "Clouds", {}))["clouds"]
        assert (await info(bob, name))["error"]["code"] == "not found"
        refused = await access(bob, name, "grant", "admin", "bob")
        assert refused["error"]["message"] == f'cloud "{name}" not found'
        assert (await remove(bob, name))["error"]["code"] == "not found"


async def test_a_cloud_is_shared_step_by_step_in_juju_s_words(dev: Dev) -> None:
    async with alices_cloud(dev) as (alice, name), dev.socket("bob") as bob:
        assert await access(alice, name, "grant", "add-model", "bob") == {}
        assert [u["user"] for u in (await info(bob, name))["result"]["users"]] == ["bob"]
        again = (await access(alice, name, "grant", "add-model", "bob"))["error"]
        assert again["code"] == "already exists"
        assert again["message"] == (
            'could not grant cloud access: user already has "add-model" access or greater'
        )
        assert (await access(bob, name, "grant", "add-model", "admin"))["error"] == {
            "message": "permission denied",
            "code": "unauthorized access",
        }
        assert await access(alice, name, "grant", "admin", "bob") == {}
        own = (await access(bob, name, "revoke", "admin", "bob"))["error"]
        assert own["message"] == "cannot change your own cloud access"
        assert await access(alice, name, "revoke", "admin", "bob") == {}
        levels = {u["user"]: u["access"] for u in (await info(alice, name))["result"]["users"]}
        assert levels == {"alice": "admin", "bob": "add-model"}
        assert await access(alice, name, "revoke", "add-model", "bob") == {}
        gone = (await access(alice, name, "revoke", "add-model", "bob"))["error"]
        assert gone == {
            "message": "could not revoke cloud access: "
            f'user permission for "bob" on "{name}" not found',
            "code": "not found",
        }


async def test_grants_to_whom_and_of_what(dev: Dev) -> None:
    async with alices_cloud(dev) as (alice, name):
        unknown = (await access(alice, name, "grant", "add-model", "zoe"))["error"]
        assert unknown == {
            "message": 'could not grant cloud access: user "zoe" not found',
            "code": "user not found",
        }
        assert await access(alice, name, "grant", "add-model", "zoe@corp") == {}
        wrong = (await access(alice, name, "grant", "read", "bob"))["error"]
        assert wrong["message"] == '"read" cloud access not valid'
        wrong = (await access(alice, name, "eat", "admin", "bob"))["error"]
        assert wrong["message"] == 'unknown action "eat"'
        everyone = (await access(alice, name, "grant", "admin", "everyone@external"))["error"]
        assert everyone["code"] == "not supported"


@pytest.mark.parametrize(
    ("definition", "code"),
    [
        ({"host-cloud-region": ""}, "cloud region required"),
        ({"host-cloud-region": "metro"}, "incompatible clouds"),
        ({"host-cloud-region": "metro/nowhere"}, "incompatible clouds"),
        ({"host-cloud-region": "other/north"}, "incompatible clouds"),
        ({"type": "openstack"}, "unauthorized access"),
        ({"type": ""}, "not valid"),
    ],
)
async def test_clouds_that_a_user_can_t_add(
    dev: Dev, definition: dict[str, Any], code: str
) -> None:
    name = fresh("bad")
    async with dev.socket("alice") as alice:
        with pytest.raises(Refused) as refused:
            await cloud(alice, "AddCloud", {"name": name, "cloud": k8s(**definition)})
        assert refused.value.code == code
        assert f"cloud-{name}" not in (await cloud(alice, "Clouds", {}))["clouds"]


async def test_one_name_is_one_cloud(dev: Dev) -> None:
    async with alices_cloud(dev) as (alice, name), dev.socket("bob") as bob:
        for socket, definition, text, code in (
            (alice, k8s(), f'cloud "{name}" already exists', "already exists"),
            (alice, k8s(endpoint="https://x.example.com"), "endpoint is", "not valid"),
            (bob, k8s(endpoint="https://x.example.com"), "already exists", "already exists"),
            (alice, None, "well-known", "not valid"),
        ):
            params = {"name": name, "cloud": definition}
            if definition is None:
                params = {"name": "aws", "cloud": k8s()}
            with pytest.raises(Refused, match=text) as refused:
                await cloud(socket, "AddCloud", params)
            assert refused.value.code == code


async def test_a_cloud_goes_to_the_controllers_that_are_named(dev: Dev) -> None:
    name = fresh("many")
    async with dev.socket("admin") as admin:
        for controller in ("controller-1", "controller-2"):
            params = {"name": name, "cloud": k8s(), "controller-name": controller}
            await admin.call("JIMM", 4, "AddCloudToController", params)
        with pytest.raises(Refused, match="already exists"):
            await admin.call("JIMM", 4, "AddCloudToController", params)
        changed = {"clouds": [{"name": name, "cloud": k8s(regions=[{"name": "east"}])}]}
        assert await row(admin, "UpdateCloud", changed) == {}
        assert [r["name"] for r in (await info(admin, name))["result"]["regions"]] == ["east"]
        retyped = {"clouds": [{"name": name, "cloud": k8s(type="openstack")}]}
        assert (await row(admin, "UpdateCloud", retyped))["error"]["message"] == (
            f'cannot change cloud "{name}" type from "kubernetes" to "openstack"'
        )
        params = {"cloud-tag": f"cloud-{name}", "controller-name": "controller-1"}
        await admin.call("JIMM", 4, "RemoveCloudFromController", params)
        assert "result" in await info(admin, name)
        assert await remove(admin, name) == {}
        assert (await info(admin, name))["error"]["code"] == "not found"


async def test_a_cloud_in_use_stays(dev: Dev) -> None:
    async with dev.socket("admin") as admin:
        refused = (await remove(admin, "metro"))["error"]
    assert refused["message"].startswith("cloud is used by ")


async def test_the_clouds_of_users(dev: Dev) -> None:
    async with alices_cloud(dev) as (alice, name), dev.socket("admin") as admin:
        mine = await cloud(alice, "ListCloudInfo", {"user-tag": "user-alice"})
        levels = {each["result"]["user-access"] for each in mine["results"]}
        assert levels == {"admin", "add-model"}
        assert await cloud(alice, "ListCloudInfo", {"user-tag": None}) == mine
        assert await cloud(admin, "ListCloudInfo", {"user-tag": "user-alice"}) == mine
        everything = await cloud(admin, "ListCloudInfo", {"user-tag": "user-admin", "all": True})
        assert len(everything["results"]) >= len(mine["results"])
        with pytest.raises(Refused, match="permission denied"):
            await cloud(alice, "ListCloudInfo", {"user-tag": "user-bob"})
        assert name


async def test_a_credential_from_first_to_last(dev: Dev) -> None:
    name = fresh("key")
    tag = f"cloudcred-metro_alice_{name}"
    attrs = {"username": "alice", "password": "cloud-secret"}
    tagged = {"tag": tag, "credential": {"auth-type": "userpass", "attrs": attrs}}
    async with dev.socket("alice") as alice:
        added = await row(
            alice, "UpdateCredentialsCheckModels", {"credentials": [tagged], "force": False}
        )
        assert added == {"tag": tag}
        seen = await row(alice, "Credential", {"entities": [{"tag": tag}]})
        assert seen["result"] == {
            "auth-type": "userpass",
            "attrs": {"username": "alice"},
            "redacted": ["password"],
        }
        asked: dict[str, Any] = {
            "credentials": [{"cloud-name": "metro", "credential-name": name}],
            "include-secrets": False,
        }
        content = (await row(alice, "CredentialContents", asked))["result"]["content"]
        assert content == {
            "name": name,
            "cloud": "metro",
            "auth-type": "userpass",
            "valid": True,
            "attrs": {"username": "alice"},
        }
        asked["include-secrets"] = True
        content = (await row(alice, "CredentialContents", asked))["result"]["content"]
        assert content["attrs"] == attrs
        for user in ("user-alice", None, ""):
            wanted = {"user-clouds": [{"user-tag": user, "cloud-tag": "cloud-metro"}]}
            assert tag in (await row(alice, "UserCredentials", wanted))["result"]
        assert await row(alice, "CheckCredentialsModels", {"credentials": [tagged]}) == {"tag": tag}
        with pytest.raises(Refused) as refused:
            raise_row(
                await row(
                    alice, "UpdateCredentialsCheckModels", {"credentials": [tagged], "force": True}
                )
            )
        assert refused.value.code == "bad request"
        revoked = {"credentials": [{"tag": tag, "force": False}]}
        assert await row(alice, "RevokeCredentialsCheckModels", revoked) == {}
        gone = await row(alice, "RevokeCredentialsCheckModels", revoked)
        assert gone["error"]["message"] == f'credential "metro/alice/{name}" not found'


async def test_a_credential_that_a_model_uses(dev: Dev) -> None:
    name = fresh("key")
    tag = f"cloudcred-metro_alice_{name}"

    def tagged(**attrs: str) -> dict[str, Any]:
        credential = {"auth-type": "userpass", "attrs": {"username": "alice", **attrs}}
        return {"credentials": [{"tag": tag, "credential": credential}]}

    async with dev.socket("alice") as alice:
        await row(alice, "UpdateCredentialsCheckModels", tagged(password="first"))
        params = {"name": fresh("uses"), "owner-tag": "user-alice", "cloud-tag": "cloud-metro"}
        made = await alice.call("ModelManager", 10, "CreateModel", {**params, "credential": tag})
        bad = tagged(password="second", **{"simulated-error": "password"})
        said = await row(alice, "UpdateCredentialsCheckModels", bad)
        assert "error" not in said, "the client reads the models' errors then"
        (model,) = said["models"]
        assert (model["uuid"], model["name"]) == (made["uuid"], params["name"])
        text = 'the cloud does not know "<redacted>"'
        assert model["errors"] == [{"error": {"message": text, "code": ""}}]
        checked = await row(alice, "CheckCredentialsModels", bad)
        assert checked["error"]["message"] == "some models are no longer visible"
        added = await row(alice, "AddCredentials", bad)
        assert added["error"]["message"] == "some models are no longer visible"
        asked = {"credentials": [{"cloud-name": "metro", "credential-name": name}]}
        told = (await row(alice, "CredentialContents", {**asked, "include-secrets": True}))[
            "result"
        ]
        assert told["content"]["attrs"]["password"] == "first"
        assert told["models"] == [{"model": params["name"], "access": "admin"}]
        revoked = {"credentials": [{"tag": tag, "force": False}]}
        refused = (await row(alice, "RevokeCredentialsCheckModels", revoked))["error"]["message"]
        assert refused == f"cannot revoke credential {tag}: it is still used by 1 model"
        doomed = {"models": [{"model-tag": f"model-{made['uuid']}"}]}
        await alice.call("ModelManager", 10, "DestroyModels", doomed)
        revoked["credentials"][0]["force"] = True
        assert await row(alice, "RevokeCredentialsCheckModels", revoked) == {}


def raise_row(found: dict[str, Any]) -> None:
    """Raises a row's error.

    Raises:
        Refused: it has one.
    """
    if "error" in found:
        raise Refused(found["error"]["message"], found["error"]["code"], None)
