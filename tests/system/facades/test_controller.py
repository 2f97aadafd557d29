"""``Controller`` on ``/api``: JIMM in a controller's place, and what it leaves to others."""

import uuid

import pytest

from tests.fix_dev import Dev
from tests.juju_client import Refused

MODEL = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("method", "text"),
    [
        ("ConfigSet", "docs/reference/settings.md"),
        ("DestroyController", "jimmctl remove-controller"),
        ("HostedModelConfigs", "jimmctl remove-controller"),
        ("RemoveBlocks", "juju enable-command all"),
        ("DashboardConnectionInfo", "Dashboard"),
        ("CloudSpec", "juju show-credential"),
        ("WatchAllModels", "WatchModelSummaries"),
    ],
)
async def test_what_jimm_does_not_do_says_what_to_do_instead(
    dev: Dev, method: str, text: str
) -> None:
    async with dev.socket("admin") as admin:
        for version in (11, 12, 13):
            with pytest.raises(Refused, match=text) as refused:
                await admin.call("Controller", version, method, {"anything": [1]})
            assert refused.value.code == "not supported"


async def test_a_migration_is_asked_of_jimmctl(dev: Dev) -> None:
    target = {"controller-tag": f"controller-{MODEL}", "addrs": [], "ca-cert": "", "auth-tag": ""}
    spec = {"model-tag": f"model-{MODEL}", "target-info": target}
    async with dev.socket("alice") as alice:
        told = await alice.call("Controller", 12, "InitiateMigration", {"specs": [spec]})
    (row,) = told["results"]
    assert row["model-tag"] == f"model-{MODEL}"
    assert row["error"]["code"] == "not supported"
    assert f"jimmctl migrate CONTROLLER {MODEL}" in row["error"]["message"]


async def test_what_show_controller_asks_is_answered_without_an_error(dev: Dev) -> None:
    async with dev.socket("admin") as admin:
        for version in (11, 12, 13):
            for method in ("ControllerVersion", "AllModels", "MongoVersion", "IdentityProviderURL"):
                assert await admin.call("Controller", version, method)
            asked = {"entities": [{"tag": "user-admin"}]}
            told = await admin.call("Controller", version, "GetControllerAccess", asked)
            assert told["results"] == [
                {"result": {"user-tag": "user-admin", "access": "superuser"}}
            ]
        assert (await admin.call("Controller", 12, "MongoVersion")) == {"result": ""}
        config = (await admin.call("Controller", 11, "ModelConfig"))["config"]
        assert config["agent-version"]["value"].startswith("3.")
        with pytest.raises(Refused, match="not implemented"):
            await admin.call("Controller", 12, "ModelConfig")


async def test_blocked_models_are_told_to_administrators(dev: Dev) -> None:
    name = f"blocked-{uuid.uuid4().hex[:8]}"
    params = {"name": name, "owner-tag": "user-alice", "cloud-tag": "cloud-metro"}
    async with dev.socket("alice") as alice, dev.socket("admin") as admin:
        model = (await alice.call("ModelManager", 10, "CreateModel", params))["uuid"]
        async with dev.socket("alice", f"/model/{model}/api") as inside:
            await inside.call("Block", 2, "SwitchBlockOn", {"type": "BlockDestroy"})
            for version in (12, 13):
                told = await admin.call("Controller", version, "ListBlockedModels")
                row = next(each for each in told["models"] if each["model-uuid"] == model)
                assert row == {
                    "name": name,
                    "model-uuid": model,
                    "owner-tag": "user-alice",
                    "qualifier": "alice",
                    "blocks": ["BlockDestroy"],
                }
            with pytest.raises(Refused, match="permission denied"):
                await alice.call("Controller", 12, "ListBlockedModels")
            await inside.call("Block", 2, "SwitchBlockOff", {"type": "BlockDestroy"})
        doomed = {"models": [{"model-tag": f"model-{model}"}]}
        await alice.call("ModelManager", 10, "DestroyModels", doomed)
