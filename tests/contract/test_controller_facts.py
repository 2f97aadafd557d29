"""What a broker asks a controller before it moves a model."""

from typing import Any

import pytest

from tests.fix_migration import Scene
from tests.fix_simulator import BusyModel
from tests.juju_client import Refused, Registration, logged_in

VAULT = {
    "name": "vault",
    "backend-type": "vault",
    "config": {"endpoint": "https://vault.test", "token": "sesame"},
    "id": "0123456789abcdef01234567",
}


async def add_backend(scene: Scene, on: str, **changes: Any) -> None:
    async with scene.admin(on) as admin:
        added = await admin.call(
            "SecretBackends", 1, "AddSecretBackends", {"args": [{**VAULT, **changes}]}
        )
    assert added == {"results": [{}]}


async def test_settings_are_told_and_changed(controller: Registration) -> None:
    async with logged_in(controller) as admin:
        before = (await admin.call("Controller", 12, "ControllerConfig"))["config"]
        assert before["migration-agent-wait-time"] == "15m"
        assert "agent-ratelimit-max" not in before
        wanted = {"migration-agent-wait-time": "30m", "agent-ratelimit-max": 50}
        await admin.call("Controller", 12, "ConfigSet", {"config": wanted})
        after = (await admin.call("Controller", 12, "ControllerConfig"))["config"]
        assert {**before, **wanted} == after
        with pytest.raises(Refused, match='can\'t change "controller-uuid" after bootstrap'):
            await admin.call("Controller", 12, "ConfigSet", {"config": {"controller-uuid": "x"}})
        assert await admin.call("Controller", 12, "IdentityProviderURL") == {"result": ""}


async def test_secret_backends_are_added_listed_and_removed(scene: Scene) -> None:
    await add_backend(scene, "a")
    async with scene.admin("a") as admin:
        listed = await admin.call("SecretBackends", 1, "ListSecretBackends", {"names": None})
        rows = {row["result"]["name"]: row for row in listed["results"]}
        assert rows["vault"]["id"] == VAULT["id"]
        assert rows["vault"]["result"]["config"] == {"endpoint": "https://vault.test"}
        assert rows["internal"]["id"] == scene.registration("a").uuid
        revealed = await admin.call(
            "SecretBackends", 1, "ListSecretBackends", {"names": ["vault"], "reveal": True}
        )
        assert revealed["results"][0]["result"]["config"] == VAULT["config"]
        for name, code in (("vault", None), ("vault", "not found")):
            gone = await admin.call(
                "SecretBackends", 1, "RemoveSecretBackends", {"args": [{"name": name}]}
            )
            assert gone["results"][0].get("error", {}).get("code") == code


async def test_a_models_backend_must_be_on_the_target_under_the_same_id(scene: Scene) -> None:
    await add_backend(scene, "a")
    await add_backend(scene, "b", name="other", id="76543210fedcba9876543210")
    model = await scene.create(config={"secret-backend": "vault"})
    await scene.migrate(model)
    assert scene.reason(model) == (
        "model data transfer failed, failed to import model into target controller: "
        f'secret backend: cannot load secret backend "{VAULT["id"]}": '
        f'secret backend "{VAULT["id"]}" not found'
    )
    await add_backend(scene, "b", name="safe")
    await scene.migrate(model)
    assert scene.model(model, "b").config["secret-backend"] == "safe"


async def test_a_consumed_offer_is_in_the_status_of_both_sides(busy: BusyModel) -> None:
    async with logged_in(busy.controller) as admin:
        wanted = {"owner-tag": "user-admin", "config": {"simulated-applications": "web:1"}}
        made = await admin.call("ModelManager", 10, "CreateModel", {"name": "c", **wanted})
        url = {"offer-urls": {"offer-urls": ["admin/busy.database"]}}
        [found] = (await admin.call("ApplicationOffers", 5, "GetConsumeDetails", url))["results"]
    async with logged_in(busy.controller, f"/model/{made['uuid']}/api") as socket:
        asked = {**found["offer"], "external-controller": found["external-controller"]}
        assert await socket.call("Application", 20, "Consume", {"args": [asked]}) == {
            "results": [{}]
        }
        await socket.call("Application", 20, "AddRelation", {"endpoints": ["web", "database"]})
        status = await socket.call("Client", 8, "FullStatus", {"patterns": []})
        remote = status["remote-applications"]["database"]
        assert remote["offer-url"] == "admin/busy.database"
        assert remote["relations"] == {"db": ["web"]}
    async with busy.socket() as there:
        offers = (await there.call("Client", 8, "FullStatus", {"patterns": []}))["offers"]
        assert offers["database"]["total-connected-count"] == 1
    async with logged_in(busy.controller, f"/model/{made['uuid']}/api") as socket:
        gone = {"applications": [{"application-tag": "application-database"}]}
        await socket.call("Application", 20, "DestroyConsumedApplications", gone)
        status = await socket.call("Client", 8, "FullStatus", {"patterns": []})
        assert status["remote-applications"] == {}
        assert status["relations"] == []
