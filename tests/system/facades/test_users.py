"""``UserManager`` and the access to JIMM itself, by raw client and python-libjuju."""

import uuid
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.eventually import eventually
from tests.fix_dev import Dev
from tests.juju_client import Refused, Socket, dialled, logged_in

PASSWORD = "a good password"


async def users(socket: Socket, method: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of one call."""
    rows: list[dict[str, Any]] = (await socket.call("UserManager", 3, method, params))["results"]
    return rows


async def of(socket: Socket, method: str, user: str) -> dict[str, Any]:
    """The only row of a call about one user."""
    (row,) = await users(socket, method, {"entities": [{"tag": f"user-{user}"}]})
    return row


async def modify(socket: Socket, user: str, action: str, access: str) -> dict[str, Any]:
    """The row of a `ModifyControllerAccess`."""
    change = {"user-tag": f"user-{user}", "action": action, "access": access}
    told = await socket.call("Controller", 12, "ModifyControllerAccess", {"changes": [change]})
    row: dict[str, Any] = told["results"][0]
    return row


async def level(socket: Socket, user: str) -> dict[str, Any]:
    """The row of a `GetControllerAccess`."""
    asked = {"entities": [{"tag": f"user-{user}"}]}
    row: dict[str, Any] = (await socket.call("Controller", 12, "GetControllerAccess", asked))[
        "results"
    ][0]
    return row


@asynccontextmanager
async def somebody(dev: Dev, stem: str = "carol") -> AsyncIterator[tuple[Socket, str]]:
    """An administrator's connection, and the name of a new user, removed at the end."""
    name = f"{stem}-{uuid.uuid4().hex[:6]}"
    async with dev.socket("admin") as admin:
        asked = {"username": name, "display-name": "Carol C", "password": PASSWORD}
        assert await users(admin, "AddUser", {"users": [asked]}) == [{"tag": f"user-{name}"}]
        try:
            yield admin, name
        finally:
            await of(admin, "RemoveUser", name)


@asynccontextmanager
async def as_user(dev: Dev, name: str, password: str = PASSWORD) -> AsyncIterator[Socket]:
    """A connection of a user's with a password."""
    async with logged_in(dev.registration(), user=name, password=password) as socket:
        yield socket


async def test_administrators_see_everybody_and_others_themselves(dev: Dev) -> None:
    async with somebody(dev) as (admin, name), as_user(dev, name) as own:

        async def everybody() -> dict[str, Any] | None:
            asked = {"entities": None, "include-disabled": False}
            rows = [row["result"] for row in await users(admin, "UserInfo", asked)]
            listed = {row["username"]: row for row in rows}
            return listed if "last-connection" in listed[name] else None  # written a moment later

        found = await eventually(everybody)
        assert found is not None
        assert {"admin", "alice", "bob", name} <= found.keys()
        assert found["admin"]["access"] == "superuser"
        assert found[name] | {"date-created": "", "last-connection": ""} == {
            "username": name,
            "display-name": "Carol C",
            "access": "login",
            "created-by": "admin",
            "date-created": "",
            "last-connection": "",
            "disabled": False,
        }
        assert found[name]["date-created"].endswith("Z")
        assert found[name]["last-connection"].endswith("Z")
        assert found["alice"]["created-by"] == "operator"
        (alone,) = await users(own, "UserInfo", {"entities": [], "include-disabled": True})
        assert alone["result"] == found[name]
        assert (await of(own, "UserInfo", name))["result"] == found[name]
        assert (await of(own, "UserInfo", "alice"))["error"]["message"] == "permission denied"
        assert (await of(admin, "UserInfo", "alice"))["result"]["username"] == "alice"
        assert (await of(admin, "UserInfo", "nobody"))["error"]["message"] == "permission denied"
        stranger = (await of(admin, "UserInfo", "stranger@corp"))["result"]
        assert (stranger["username"], stranger["access"]) == ("stranger@corp", "")
        assert "date-created" not in stranger


async def test_the_users_of_a_model(dev: Dev) -> None:
    async with dev.socket("alice") as alice, dev.socket("bob") as bob:
        params = {
            "name": f"m-{uuid.uuid4().hex[:8]}",
            "owner-tag": "user-alice",
            "cloud-tag": "cloud-metro",
        }
        model = (await alice.call("ModelManager", 10, "CreateModel", params))["uuid"]
        asked = {"entities": [{"tag": f"model-{model}"}]}
        with pytest.raises(Refused) as refused:
            await users(bob, "ModelUserInfo", asked)
        assert refused.value.code == "model not found"
        change = {
            "user-tag": "user-bob",
            "action": "grant",
            "access": "read",
            "model-tag": f"model-{model}",
        }
        await alice.call("ModelManager", 10, "ModifyModelAccess", {"changes": [change]})
        rows = [row["result"] for row in await users(alice, "ModelUserInfo", asked)]
        assert {row["user"]: row["access"] for row in rows} == {"alice": "admin", "bob": "read"}
        assert all(row["model-tag"] == f"model-{model}" for row in rows)
        assert all(row["last-connection"] is None for row in rows)
        (own,) = await users(bob, "ModelUserInfo", asked)
        assert own["result"]["user"] == "bob"
        doomed = {"models": [{"model-tag": f"model-{model}"}]}
        await alice.call("ModelManager", 10, "DestroyModels", doomed)


async def test_what_only_administrators_may_do_with_users(dev: Dev) -> None:
    async with dev.socket("bob") as bob:
        for method, params in (
            ("AddUser", {"users": [{"username": "zoe", "display-name": "", "password": PASSWORD}]}),
            ("RemoveUser", {"entities": [{"tag": "user-alice"}]}),
            ("EnableUser", {"entities": [{"tag": "user-alice"}]}),
            ("DisableUser", {"entities": [{"tag": "user-alice"}]}),
            ("ResetPassword", {"entities": [{"tag": "user-alice"}]}),
        ):
            with pytest.raises(Refused, match="permission denied"):
                await users(bob, method, params)
        change = {"tag": "user-alice", "password": PASSWORD}
        (row,) = await users(bob, "SetPassword", {"changes": [change]})
        assert row["error"]["code"] == "unauthorized access"


async def test_registration_keys_are_not_given_and_it_is_said_what_to_do(dev: Dev) -> None:
    async with dev.socket("admin") as admin:
        asked = {"users": [{"username": "zoe", "display-name": ""}]}
        (row,) = await users(admin, "AddUser", asked)
        assert row["error"]["code"] == "not supported"
        assert "jimm user add" in row["error"]["message"]
        reset = await of(admin, "ResetPassword", "alice")
        assert reset["tag"] == "user-alice"
        assert "jimm user passwd" in reset["error"]["message"]


async def test_names_and_passwords_that_can_t_be(dev: Dev) -> None:
    async with dev.socket("admin") as admin:
        for name, password, text in (
            ("alice", PASSWORD, 'failed to create user: user "alice" already exists'),
            ("a b", PASSWORD, "not a valid user name"),
            ("zoe@corp", PASSWORD, "another domain"),
            ("zoe", "short", "8 characters or more"),
        ):
            asked = {"users": [{"username": name, "display-name": "", "password": password}]}
            (row,) = await users(admin, "AddUser", asked)
            assert text in row["error"]["message"]
        for user, password, text in (
            ("nobody", PASSWORD, 'user "nobody" not found'),
            ("alice", "", "cannot use an empty password"),
            ("zoe@corp", PASSWORD, "they log in elsewhere"),
        ):
            changes = {"changes": [{"tag": f"user-{user}", "password": password}]}
            (row,) = await users(admin, "SetPassword", changes)
            assert text in row["error"]["message"]


async def test_one_s_own_password_is_changed_and_answered_before_the_session_ends(
    dev: Dev,
) -> None:
    async with somebody(dev) as (_, name):
        for number in range(5):
            old = PASSWORD if not number else f"{PASSWORD} {number - 1}"
            async with as_user(dev, name, old) as own:
                change = {"tag": f"user-{name}", "password": f"{PASSWORD} {number}"}
                assert await users(own, "SetPassword", {"changes": [change]}) == [{}]
                assert await own.closed() == 1001
            async with dialled(dev.registration()) as socket:
                with pytest.raises(Refused, match="invalid entity name or password"):
                    await socket.login(name, old)


async def test_a_disabled_user_is_out_until_enabled(dev: Dev) -> None:
    async with somebody(dev) as (admin, name):
        async with as_user(dev, name) as own:
            assert await of(admin, "DisableUser", name) == {}
            assert await own.closed() == 1001
        everybody = {"entities": [], "include-disabled": False}
        shown = [row["result"]["username"] for row in await users(admin, "UserInfo", everybody)]
        assert name not in shown
        row = (await of(admin, "UserInfo", name))["result"]
        assert (row["disabled"], row["access"]) == (True, "")
        async with dialled(dev.registration()) as socket:
            with pytest.raises(Refused):
                await socket.login(name, PASSWORD)
        assert await of(admin, "EnableUser", name) == {}
        async with as_user(dev, name):
            pass
        unknown = (await of(admin, "DisableUser", "nobody"))["error"]
        assert unknown == {"message": 'user "nobody" not found', "code": "user not found"}


async def test_a_user_with_models_is_not_removed(dev: Dev) -> None:
    async with somebody(dev) as (admin, name), as_user(dev, name) as own:
        assert await modify(admin, name, "grant", "add-model") == {}
        params = {"name": "mine", "owner-tag": f"user-{name}", "cloud-tag": "cloud-metro"}
        model = (await own.call("ModelManager", 10, "CreateModel", params))["uuid"]
        refused = (await of(admin, "RemoveUser", name))["error"]["message"]
        assert f'failed to delete user "{name}": they still own 1 model(s)' in refused
        doomed = {"models": [{"model-tag": f"model-{model}"}]}
        await own.call("ModelManager", 10, "DestroyModels", doomed)

        async def is_removed() -> bool:
            return "error" not in await of(admin, "RemoveUser", name)

        assert await eventually(is_removed, deadline=40, interval=0.5)
        assert await own.closed() == 1001
        assert (await of(admin, "RemoveUser", name))["error"]["code"] == "user not found"


async def test_a_superuser_is_an_administrator_of_jimm(dev: Dev) -> None:
    async with somebody(dev) as (admin, name):
        async with as_user(dev, name) as own:
            assert (await level(own, name))["result"]["access"] == "login"
            assert (await level(own, "admin"))["error"]["message"] == "permission denied"
            assert (await modify(own, name, "grant", "superuser"))["error"] == {
                "message": "permission denied",
                "code": "unauthorized access",
            }
        assert await modify(admin, name, "grant", "superuser") == {}
        again = (await modify(admin, name, "grant", "superuser"))["error"]
        assert again["message"] == (
            'could not grant controller access: user already has "superuser" access or greater'
        )
        assert (await level(admin, name))["result"] == {
            "user-tag": f"user-{name}",
            "access": "superuser",
        }
        async with as_user(dev, name) as own:
            assert await own.call("Controller", 13, "AllModels")
            assert await modify(admin, name, "revoke", "superuser") == {}
            assert await own.closed() == 1001
        assert (await level(admin, name))["result"]["access"] == "login"
        assert await modify(admin, name, "revoke", "superuser") == {}, "as Juju"


async def test_what_can_t_be_granted_or_revoked_on_jimm(dev: Dev) -> None:
    async with dev.socket("admin") as admin:
        for user, action, access, text, code in (
            ("admin", "revoke", "superuser", "last administrator", ""),
            ("alice", "grant", "login", 'already has "login" access', "already exists"),
            ("alice", "revoke", "login", "juju disable-user", "not supported"),
            ("nobody", "grant", "superuser", 'user "nobody" not found', "user not found"),
            ("nobody", "revoke", "superuser", 'user "nobody" not found', "user not found"),
            ("alice", "grant", "write", '"write" controller access not valid', "not valid"),
            ("alice", "eat", "superuser", 'unknown action "eat"', "bad request"),
            ("everyone@external", "grant", "superuser", "name the users", "not supported"),
        ):
            error = (await modify(admin, user, action, access))["error"]
            assert text in error["message"]
            assert error["code"] == code
        assert "last administrator" in (await of(admin, "DisableUser", "admin"))["error"]["message"]
        assert "last administrator" in (await of(admin, "RemoveUser", "admin"))["error"]["message"]


async def test_add_model_means_every_controller(dev: Dev) -> None:
    async with somebody(dev) as (admin, name):
        assert await modify(admin, name, "grant", "add-model") == {}
        again = (await modify(admin, name, "grant", "add-model"))["error"]["message"]
        assert 'already has "add-model" access' in again
        assert await modify(admin, name, "revoke", "add-model") == {}
        gone = (await modify(admin, name, "revoke", "add-model"))["error"]["message"]
        assert f'user "{name}" does not have "add-model" access' in gone


async def test_libjuju_keeps_users(dev: Dev) -> None:
    name = f"dora-{uuid.uuid4().hex[:6]}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        async with dev.libjuju("admin") as controller:
            added = await controller.add_user(name, password=PASSWORD, display_name="Dora")
            assert (added.username, added.display_name, added.access) == (name, "Dora", "login")
            assert await controller.get_user("no-such-user") is None
            assert name in [each.username for each in await controller.get_users()]
            await controller.grant(name, "superuser")
            assert (await controller.get_user(name)).access == "superuser"
            await controller.revoke(name, "superuser")
            await controller.change_user_password(name, "another password")
            await controller.disable_user(name)
            await controller.enable_user(name)
            async with as_user(dev, name, "another password"):
                pass
            await controller.remove_user(name)
            assert await controller.get_user(name) is None
