"""A controller that does not know JIMM's keys, used by alice through every door of JIMM."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import pytest

from jimm.simulator.core import Options
from jimm.simulator.server import Simulator
from tests.eventually import eventually
from tests.fix_dev import Dev
from tests.juju_client import Refused


@pytest.fixture
async def adopted(dev: Dev) -> AsyncIterator[Simulator]:
    """One more controller of the shared fleet, the only one that takes new models; JIMM knows
    it by its administrator's password."""
    peer = Simulator(Options(name=f"adopted-{uuid.uuid4().hex[:6]}", speed=50.0))
    await peer.start()
    others = [each["name"] for each in dev.described["controllers"]]
    with closing(await asyncio.to_thread(dev.rest)) as admin:
        added = await asyncio.to_thread(admin.post, "/controllers", json=peer.registration())
        assert added.status_code == 201, added.text
        assert added.json()["trust"] == "password"
        for name in others:
            await asyncio.to_thread(admin.patch, f"/controllers/{name}", json={"deprecated": True})
        try:
            yield peer
        finally:
            for name in others:
                change = {"deprecated": False}
                await asyncio.to_thread(admin.patch, f"/controllers/{name}", json=change)
            path = f"/controllers/{peer.options.name}"
            await asyncio.to_thread(admin.delete, path, params={"force": "true"})
            rows = (await asyncio.to_thread(admin.get, "/models")).json()["models"]
            for row in rows:
                if row["status"] == "unavailable":
                    await asyncio.to_thread(admin.post, f"/models/{row['model-uuid']}:forget")
            await peer.stop()


async def test_alice_s_round(dev: Dev, adopted: Simulator) -> None:
    name = f"m-{uuid.uuid4().hex[:6]}"
    async with dev.libjuju() as controller:
        model = await controller.add_model(name, config={"simulated-applications": "app:1"})
        try:
            assert sorted((await model.get_status()).applications) == ["app"]
            uuid_ = model.info.uuid
            assert adopted.store.models[uuid_].owner == "jimm-alice", "a local user there"
        finally:
            await model.disconnect()
        info = await controller.get_model_info(model_name=name)
        assert info.owner_tag == "user-alice"
        assert [each.user for each in info.users] == ["alice"]
        assert info.cloud_credential_tag == "cloudcred-metro_alice_alice"
        assert name in await controller.list_models()
        await controller.destroy_model(name)
        assert await eventually(lambda: uuid_ not in adopted.store.models)


async def test_the_pipe_shows_alice_by_her_own_name(dev: Dev, adopted: Simulator) -> None:
    async with dev.socket() as alice:
        params = {"name": f"m-{uuid.uuid4().hex[:6]}", "owner-tag": "user-alice"}
        made = await alice.call("ModelManager", 10, "CreateModel", params)
    assert made["owner-tag"] == "user-alice"
    async with dev.socket("alice", f"/model/{made['uuid']}/api") as pipe:
        told: Any = await pipe.call("Client", 6, "FullStatus", {"patterns": []})
        assert told["model"]["name"] == params["name"]


async def test_a_grant_is_kept_in_step_with_the_controller(dev: Dev, adopted: Simulator) -> None:
    async with dev.socket() as alice:
        params = {"name": f"m-{uuid.uuid4().hex[:6]}", "owner-tag": "user-alice"}
        model = (await alice.call("ModelManager", 10, "CreateModel", params))["uuid"]

        async def modify(action: str, access: str) -> None:
            asked = {"user-tag": "user-bob", "action": action, "access": access}
            told = await alice.call(
                "ModelManager",
                10,
                "ModifyModelAccess",
                {"changes": [{**asked, "model-tag": f"model-{model}"}]},
            )
            assert told["results"] == [{}]

        await modify("grant", "admin")
        async with dev.socket("bob", f"/model/{model}/api") as bob:
            assert adopted.store.models[model].users["jimm-bob"].access == "admin"
            await modify("revoke", "write")
            assert await bob.closed() == 1001
        async with dev.socket("bob", f"/model/{model}/api"):
            assert adopted.store.models[model].users["jimm-bob"].access == "read"
        await modify("revoke", "read")
        with pytest.raises(Refused, match="unknown model"):
            async with dev.socket("bob", f"/model/{model}/api"):
                pass
