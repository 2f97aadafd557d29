"""Who may do what on ``/api``: other people's models, and what only administrators may."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.fix_dev import Dev
from tests.juju_client import Refused, Socket

NOBODY = "00000000-0000-4000-8000-000000000000"


async def create(socket: Socket, **more: Any) -> dict[str, Any]:
    """A model of the caller's with a name of its own."""
    params = {"name": f"m-{uuid.uuid4().hex[:8]}", "owner-tag": "", **more}
    made: dict[str, Any] = await socket.call("ModelManager", 10, "CreateModel", params)
    return made


@asynccontextmanager
async def alices_model(dev: Dev) -> AsyncIterator[tuple[Socket, str]]:
    """alice's connection and a model of hers, destroyed at the end."""
    async with dev.socket() as alice:
        model = (await create(alice))["uuid"]
        try:
            yield alice, model
        finally:
            await destroy(alice, model)


async def destroy(socket: Socket, model: str) -> dict[str, Any]:
    """The row of a `DestroyModels`."""
    told = await socket.call(
        "ModelManager", 10, "DestroyModels", {"models": [{"model-tag": f"model-{model}"}]}
    )
    row: dict[str, Any] = told["results"][0]
    return row


async def info(socket: Socket, model: str) -> dict[str, Any]:
    """The row of a `ModelInfo`."""
    told = await socket.call(
        "ModelManager", 10, "ModelInfo", {"entities": [{"tag": f"model-{model}"}]}
    )
    row: dict[str, Any] = told["results"][0]
    return row


async def modify(socket: Socket, model: str, action: str, access: str, user: str) -> dict[str, Any]:
    """The row of a `ModifyModelAccess`."""
    change = {
        "user-tag": f"user-{user}",
        "action": action,
        "access": access,
        "model-tag": f"model-{model}",
    }
    told = await socket.call("ModelManager", 10, "ModifyModelAccess", {"changes": [change]})
    row: dict[str, Any] = told["results"][0]
    return row


async def test_somebody_else_s_model_answers_as_an_unknown_one(dev: Dev) -> None:
    async with alices_model(dev) as (_, model), dev.socket("bob") as bob:
        for uuid_ in (model, NOBODY):
            row = await info(bob, uuid_)
            assert row["error"]["message"] == f'model "{uuid_}" not found'
            assert row["error"]["code"] == "model not found"
            assert (await destroy(bob, uuid_))["error"]["code"] == "model not found"
            refused = await modify(bob, uuid_, "grant", "admin", "bob")
            assert refused["error"]["code"] == "model not found"
            status = await bob.call(
                "ModelManager", 10, "ModelStatus", {"entities": [{"tag": f"model-{uuid_}"}]}
            )
            assert status["models"][0]["error"]["code"] == "not found"
        listed = await bob.call("ModelManager", 10, "ListModels", {"tag": "user-bob"})
        assert model not in {each["model"]["uuid"] for each in listed["user-models"]}
        with pytest.raises(Refused, match="permission denied"):
            await bob.call("ModelManager", 10, "ListModels", {"tag": "user-alice"})


async def test_each_level_may_what_it_may_and_no_more(dev: Dev) -> None:
    async with alices_model(dev) as (alice, model), dev.socket("bob") as bob:
        for level in ("read", "write", "admin"):
            assert "error" not in await modify(alice, model, "grant", level, "bob")
            twice = await modify(alice, model, "grant", level, "bob")
            assert twice["error"]["code"] == "already exists"
            users = {
                each["user"]: each["access"] for each in (await info(bob, model))["result"]["users"]
            }
            assert users["bob"] == level
            assert ("alice" in users) == (level == "admin"), "others are for administrators"
            summaries = await bob.call(
                "ModelManager", 10, "ListModelSummaries", {"user-tag": "user-bob"}
            )
            row = next(
                each["result"] for each in summaries["results"] if each["result"]["uuid"] == model
            )
            assert (row["user-access"], row["owner-tag"]) == (level, "user-alice")
            if level != "admin":
                refused = await destroy(bob, model)
                assert refused["error"]["code"] == "unauthorized access"
                refused = await modify(bob, model, "grant", "read", "admin")
                assert refused["error"]["code"] == "unauthorized access"
        assert "error" not in await modify(bob, model, "revoke", "write", "bob")
        assert (await destroy(bob, model))["error"]["code"] == "unauthorized access"


async def test_an_administrator_of_jimm_administers_every_model(dev: Dev) -> None:
    async with alices_model(dev) as (_, model), dev.socket("admin") as admin:
        shown = (await info(admin, model))["result"]
        assert shown["owner-tag"] == "user-alice"
        assert "error" not in await modify(admin, model, "grant", "read", "bob")
        everything = await admin.call("Controller", 12, "AllModels")
        assert model in {each["model"]["uuid"] for each in everything["user-models"]}


async def test_a_level_a_user_or_an_action_that_cannot_be(dev: Dev) -> None:
    async with alices_model(dev) as (alice, model):
        for action, access, user, code in (
            ("grant", "everything", "bob", "not valid"),
            ("grant", "read", "nobody-here", "user not found"),
            ("revoke", "read", "bob", "not found"),
            ("eat", "read", "bob", "not valid"),
        ):
            row = await modify(alice, model, action, access, user)
            assert row["error"]["code"] == code, (action, row)


async def test_a_model_for_somebody_else_takes_an_administrator(dev: Dev) -> None:
    async with dev.socket("bob") as bob, dev.socket("admin") as admin, dev.socket() as alice:
        with pytest.raises(Refused) as refused:
            await create(bob, **{"owner-tag": "user-alice"})
        assert refused.value.code == "unauthorized access"
        made = await create(admin, **{"owner-tag": "user-alice"})
        assert made["owner-tag"] == "user-alice"
        assert "result" in await info(alice, made["uuid"])
        assert "error" not in await destroy(alice, made["uuid"])


async def test_somebody_else_s_credential_is_refused(dev: Dev) -> None:
    tag = "cloudcred-metro_alice_alice"
    async with dev.socket("bob") as bob:
        with pytest.raises(Refused) as refused:
            await create(bob, **{"cloud-tag": "cloud-metro", "credential": tag})
        assert refused.value.code == "unauthorized access"
        for method, params in (
            ("Credential", {"entities": [{"tag": tag}]}),
            ("RevokeCredentialsCheckModels", {"credentials": [{"tag": tag}]}),
            (
                "UpdateCredentialsCheckModels",
                {"credentials": [{"tag": tag, "credential": {"auth-type": "empty"}}]},
            ),
        ):
            told = await bob.call("Cloud", 7, method, params)
            assert told["results"][0]["error"]["code"] == "unauthorized access"


async def test_what_only_administrators_may(dev: Dev) -> None:
    name = dev.described["controllers"][0]["name"]
    async with alices_model(dev) as (alice, model):
        shown = (await alice.call("JIMM", 4, "ListControllers"))["controllers"]
        assert len(shown) == 4, "alice may add models on all of them"
        assert not any(each.get("api-addresses") or each.get("ca-certificate") for each in shown)
        calls: tuple[tuple[str, int, str, dict[str, Any]], ...] = (
            ("Controller", 12, "AllModels", {}),
            ("JIMM", 4, "AddController", {"name": "more", "api-addresses": ["127.0.0.1:1"]}),
            ("JIMM", 4, "RemoveController", {"name": name}),
            ("JIMM", 4, "RemoveController", {"name": "no-such-controller", "force": True}),
            (
                "JIMM",
                4,
                "UpdateMigratedModel",
                {"model-tag": f"model-{model}", "target-controller": name},
            ),
        )
        for facade, version, method, params in calls:
            with pytest.raises(Refused) as refused:
                await alice.call(facade, version, method, params)
            assert refused.value.code == "unauthorized access", method
        spec = {"model-tag": f"model-{model}", "target-controller": name}
        told = await alice.call("JIMM", 4, "MigrateModel", {"specs": [spec]})
        assert told["results"][0]["error"]["code"] == "unauthorized access"
        where = await alice.call("JIMM", 4, "ModelControllerInfo", {"model": model})
        assert where["model-uuid"] == model
    async with dev.socket("admin") as admin:
        shown = (await admin.call("JIMM", 4, "ListControllers"))["controllers"]
        assert all(each["api-addresses"] and each["ca-certificate"] for each in shown)
        with pytest.raises(Refused) as refused:
            await admin.call("JIMM", 4, "RemoveController", {"name": "no-such-controller"})
        assert refused.value.code == "not found"


async def test_a_row_that_fails_spares_the_others(dev: Dev) -> None:
    async with alices_model(dev) as (alice, model):
        tags = ["model-" + NOBODY, f"model-{model}", "model-x", "user-alice"]
        told = await alice.call(
            "ModelManager", 10, "ModelInfo", {"entities": [{"tag": tag} for tag in tags]}
        )
        assert ["result" in row for row in told["results"]] == [False, True, False, False]
        assert ["error" in row for row in told["results"]] == [True, False, True, True]


async def test_destroying_twice_is_no_error(dev: Dev) -> None:
    async with dev.socket() as alice:
        model = (await create(alice))["uuid"]
        assert "error" not in await destroy(alice, model)
        row = await destroy(alice, model)
        assert "error" not in row or row["error"]["code"] == "model not found"


async def test_clients_that_reconnect_come_back_to_jimm(dev: Dev) -> None:
    async with alices_model(dev) as (alice, model):
        told = await alice.call(
            "Controller",
            12,
            "ControllerAPIInfoForModels",
            {"entities": [{"tag": f"model-{model}"}, {"tag": "model-" + NOBODY}]},
        )
    assert told["results"][0] == {"addresses": [dev.address], "cacert": dev.ca}
    assert told["results"][1]["error"]["code"] == "model not found"
