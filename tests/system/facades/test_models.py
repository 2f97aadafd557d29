"""`ModelManager` in its three versions, and what an administrator sees of others."""

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.eventually import eventually
from tests.fix_dev import Dev
from tests.juju_client import Refused
from tests.system.facades.test_access import NOBODY, alices_model, create, destroy, info


@pytest.mark.parametrize("version", [9, 10, 11])
async def test_every_record_has_the_owner_in_both_spellings(dev: Dev, version: int) -> None:
    async with alices_model(dev) as (alice, model):
        infos = await alice.call(
            "ModelManager", version, "ModelInfo", {"entities": [{"tag": f"model-{model}"}]}
        )
        listed = await alice.call("ModelManager", version, "ListModels", {"tag": "user-alice"})
        summaries = await alice.call(
            "ModelManager", version, "ListModelSummaries", {"user-tag": "user-alice"}
        )
        status = await alice.call(
            "ModelManager", version, "ModelStatus", {"entities": [{"tag": f"model-{model}"}]}
        )
    rows = [
        infos["results"][0]["result"],
        next(x["model"] for x in listed["user-models"] if x["model"]["uuid"] == model),
        next(x["result"] for x in summaries["results"] if x["result"]["uuid"] == model),
        status["models"][0],
    ]
    assert [(row["owner-tag"], row["qualifier"]) for row in rows] == [("user-alice", "alice")] * 4


async def test_version_11_names_the_owner_without_a_tag(dev: Dev) -> None:
    async with dev.socket() as alice, dev.socket("admin") as admin:
        for socket, more in (
            (alice, {"qualifier": "alice"}),
            (alice, {"qualifier": "alice@jimm", "credential": None, "region": None}),
            (admin, {"qualifier": "alice", "owner-tag": None}),
            (alice, {"qualifier": "alice", "owner-tag": "user-alice"}),
        ):
            name = f"q-{id(more):x}"
            made = await socket.call("ModelManager", 11, "CreateModel", {"name": name, **more})
            assert (made["qualifier"], made["owner-tag"]) == ("alice", "user-alice")
            assert "error" not in await destroy(alice, made["uuid"])
        with pytest.raises(Refused) as refused:
            await alice.call("ModelManager", 11, "CreateModel", {"name": "x1", "qualifier": "bob"})
        assert refused.value.code == "unauthorized access"


async def test_a_request_may_name_the_controller(dev: Dev) -> None:
    names = [each["name"] for each in dev.described["controllers"]]
    async with dev.socket() as alice:
        for name in (names[1], names[3]):
            made = await create(alice, **{"target-controller": name})
            where = await alice.call("JIMM", 4, "ModelControllerInfo", {"model": made["uuid"]})
            assert where["controller-name"] == name
            await destroy(alice, made["uuid"])
        with pytest.raises(Refused, match="another controller was asked for: none-such"):
            await create(alice, **{"target-controller": "none-such"})


async def test_an_administrator_lists_what_somebody_has(dev: Dev) -> None:
    async with alices_model(dev) as (alice, model), dev.socket("admin") as admin:
        for user, has_it in (("alice", True), ("bob", False), ("admin", True)):
            listed = await admin.call("ModelManager", 10, "ListModels", {"tag": f"user-{user}"})
            uuids = {each["model"]["uuid"] for each in listed["user-models"]}
            assert (model in uuids) == has_it, user
        for user, everybody, access in (
            ("alice", False, "admin"),
            ("bob", False, None),
            ("admin", False, None),
            ("admin", True, "admin"),
            ("bob", True, "admin"),
        ):
            told = await admin.call(
                "ModelManager",
                10,
                "ListModelSummaries",
                {"user-tag": f"user-{user}", "all": everybody},
            )
            found = {each["result"]["uuid"]: each["result"] for each in told["results"]}
            assert found.get(model, {}).get("user-access") == access, (user, everybody)
        share = {
            "user-tag": "user-bob",
            "action": "grant",
            "access": "read",
            "model-tag": f"model-{model}",
        }
        await alice.call("ModelManager", 10, "ModifyModelAccess", {"changes": [share]})
        told = await admin.call(
            "ModelManager", 10, "ListModelSummaries", {"user-tag": "user-bob", "all": False}
        )
        found = {each["result"]["uuid"]: each["result"] for each in told["results"]}
        assert found[model]["user-access"] == "read"
        with pytest.raises(Refused, match="permission denied"):
            await alice.call(
                "ModelManager", 10, "ListModelSummaries", {"user-tag": "user-bob", "all": False}
            )


async def test_users_never_seen_have_a_null_for_their_last_connection(dev: Dev) -> None:
    async with alices_model(dev) as (alice, model):
        (user,) = (await info(alice, model))["result"]["users"]
    assert user == {
        "model-tag": f"model-{model}",
        "user": "alice",
        "display-name": "",
        "last-connection": None,
        "access": "admin",
    }


async def test_who_used_a_model_last_and_when(dev: Dev) -> None:
    async with alices_model(dev) as (alice, model):
        async with dev.socket("alice", f"/model/{model}/api") as socket:
            assert await socket.call("Client", 7, "FullStatus", {"patterns": []})

        async def seen() -> dict[str, Any] | None:  # it is written a moment later
            (found,) = (await info(alice, model))["result"]["users"]
            return found if found["last-connection"] else None

        user = await eventually(seen)
        assert user is not None
        when = datetime.fromisoformat(user["last-connection"])
        assert abs(datetime.now(UTC) - when) < timedelta(minutes=5)
        asked = {"entities": [{"tag": f"model-{model}"}]}
        (row,) = (await alice.call("UserManager", 3, "ModelUserInfo", asked))["results"]
        listed = await alice.call("ModelManager", 10, "ListModels", {"tag": "user-alice"})
        (mine,) = [each for each in listed["user-models"] if each["model"]["uuid"] == model]
        shown = {user["last-connection"], row["result"]["last-connection"], mine["last-connection"]}
        assert len(shown) == 1, "the same moment everywhere"


async def test_a_destroyed_model_s_credential_can_go_at_once(dev: Dev) -> None:
    name = f"key-{uuid.uuid4().hex[:8]}"
    tag = f"cloudcred-metro_alice_{name}"
    credential = {"tag": tag, "credential": {"auth-type": "empty", "attrs": {}}}
    async with dev.socket() as alice:
        await alice.call("Cloud", 7, "UpdateCredentialsCheckModels", {"credentials": [credential]})
        model = (await create(alice, credential=tag))["uuid"]
        await destroy(alice, model)

        async def is_gone() -> bool:
            asked = {"entities": [{"tag": f"model-{model}"}]}
            (row,) = (await alice.call("ModelManager", 10, "ModelStatus", asked))["models"]
            return "error" in row and row["error"]["code"] == "not found"

        assert await eventually(is_gone, deadline=40, interval=0.2)
        revoke = {"credentials": [{"tag": tag, "force": False}]}
        told = await alice.call("Cloud", 7, "RevokeCredentialsCheckModels", revoke)
        assert told["results"] == [{}]


async def test_many_at_once_come_in_the_order_of_asking(dev: Dev) -> None:
    async with dev.socket() as alice:
        names = [each["name"] for each in dev.described["controllers"]] * 2
        made = [(await create(alice, **{"target-controller": on}))["uuid"] for on in names]
        asked = [made[0], NOBODY, *made, made[0]]
        tags: list[dict[str, Any]] = [{"tag": f"model-{each}"} for each in asked]
        tags.insert(2, {"tag": "nothing"})
        for method, key in (("ModelInfo", "results"), ("ModelStatus", "models")):
            told = await alice.call("ModelManager", 10, method, {"entities": tags})
            rows = told[key]
            assert len(rows) == len(tags)
            assert [number for number, row in enumerate(rows) if "error" in row] == [1, 2]
            found = [row.get("result", row) for row in rows if "error" not in row]
            uuids = [row.get("uuid") or row["model-tag"].removeprefix("model-") for row in found]
            assert uuids == [made[0], *made, made[0]]
        for each in made:
            await destroy(alice, each)


@pytest.mark.parametrize(
    ("method", "params", "instead"),
    [
        ("DumpModels", {"entities": [], "simplified": True}, "jimmctl models"),
        ("DumpModelsDB", {"entities": []}, "jimmctl models"),
        ("ValidateModelUpgrades", {"model": [], "force": False}, "upgrade-model --dry-run"),
    ],
)
async def test_what_is_left_out_says_what_to_do_instead(
    dev: Dev, method: str, params: dict[str, Any], instead: str
) -> None:
    async with dev.socket() as alice:
        for version in (9, 10, 11):
            with pytest.raises(Refused, match=instead) as refused:
                await alice.call("ModelManager", version, method, params)
            assert refused.value.code == "not supported"


async def test_the_controller_s_own_model_is_no_model_of_anybody_s(dev: Dev) -> None:
    async with alices_model(dev) as (alice, model):
        config = (await alice.call("ModelConfig", 3, "ModelGet"))["config"]
        values = {key: each["value"] for key, each in config.items()}
        assert set(values) == {"agent-version", "name", "type", "uuid"}
        assert values["uuid"] not in ("", model)
        assert values["agent-version"].startswith("3.")
        for method, params in (("ModelSet", {"config": {"a": "b"}}), ("ModelUnset", {"keys": []})):
            with pytest.raises(Refused, match="juju model-config") as refused:
                await alice.call("ModelConfig", 3, method, params)
            assert refused.value.code == "not supported"


async def test_a_model_that_is_gone_is_not_found_by_its_status(dev: Dev) -> None:
    async with dev.socket() as alice:
        for version in (9, 10, 11):
            told = await alice.call(
                "ModelManager", version, "ModelStatus", {"entities": [{"tag": f"model-{NOBODY}"}]}
            )
            assert told["models"][0]["error"]["code"] == "not found"
            assert told["models"][0]["model-tag"] == f"model-{NOBODY}"


async def test_upgrading_goes_to_the_hosting_controller(dev: Dev) -> None:
    async with alices_model(dev) as (alice, model), dev.socket("bob") as bob:
        params = {"model-tag": f"model-{model}", "target-version": "0.0.0", "dry-run": True}
        for version in (1, 2):
            told = await alice.call("ModelUpgrader", version, "UpgradeModel", params)
            assert told["error"]["code"] == "already exists"
            assert told["chosen-version"].startswith("3.")
            abort = {"model-tag": f"model-{model}"}
            assert await alice.call("ModelUpgrader", version, "AbortModelUpgrade", abort) == {}
            for method in ("UpgradeModel", "AbortModelUpgrade"):
                with pytest.raises(Refused) as refused:
                    await bob.call("ModelUpgrader", version, method, params)
                assert refused.value.code == "model not found"


async def test_changing_a_model_s_credential(dev: Dev) -> None:
    async with dev.socket() as alice:
        (tag,) = (
            await alice.call(
                "Cloud",
                7,
                "UserCredentials",
                {"user-clouds": [{"user-tag": "user-alice", "cloud-tag": "cloud-metro"}]},
            )
        )["results"][0]["result"]
        other = "cloudcred-metro_alice_second"
        credential = {"auth-type": "empty", "attrs": {}}
        await alice.call(
            "Cloud",
            7,
            "UpdateCredentialsCheckModels",
            {"credentials": [{"tag": other, "credential": credential}]},
        )
        try:
            with pytest.raises(Refused, match="name one of them with --credential: ") as refused:
                await create(alice)
            assert refused.value.code == "bad request"
            model = (await create(alice, credential=tag))["uuid"]
            changes = [
                {"model-tag": f"model-{model}", "credential-tag": each}
                for each in (other, other, "cloudcred-metro_bob_bob", "cloudcred-metro_alice_none")
            ]
            for change in changes:
                change["model-tag"] = f"model-{model}"
            told = await alice.call(
                "ModelManager", 10, "ChangeModelCredential", {"model-credentials": changes}
            )
            errors = [row.get("error", {}).get("code") for row in told["results"]]
            assert errors == [None, "", "unauthorized access", "not found"]
            assert (await info(alice, model))["result"]["cloud-credential-tag"] == other
            await destroy(alice, model)
        finally:
            await alice.call(
                "Cloud",
                7,
                "RevokeCredentialsCheckModels",
                {"credentials": [{"tag": other, "force": True}]},
            )
