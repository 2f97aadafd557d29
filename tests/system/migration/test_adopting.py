"""Models that already live on a controller come into JIMM, once."""

from typing import Any

import msgspec
import pytest

from jimm.errors import (
    AlreadyExists,
    ChecksFailed,
    Conflict,
    ControllerUnavailable,
    JimmError,
    ModelNotFound,
    NotFound,
    NotValid,
    RemoteError,
    Unauthorized,
    UserNotFound,
)
from jimm.fleet import infos
from jimm.fleet import offers as fleet_offers
from jimm.fleet.offer_filters import Wanted
from jimm.migration import adopting
from jimm.migration.adopting import Adopted, Unmanaged
from jimm.registry import audit, credentials, identities, models, placements
from jimm.registry.words import ModelState
from jimm.simulator import offers as simulated
from jimm.simulator.state import Offer
from jimm.wire.tags import CredentialId, ModelUUID
from tests.eventually import eventually
from tests.fix_fleet import ADMIN, ALICE
from tests.juju_client import Registration, logged_in
from tests.system.migration.conftest import Scene


async def stranger(scene: Scene, name: str = "web", *, on: str = "a", **more: Any) -> ModelUUID:
    """A model of the controller's own administrator, made behind JIMM's back."""
    params = {"name": name, "owner-tag": "user-admin", "cloud-tag": "cloud-metro", **more}
    async with logged_in(Registration.of(scene.peers[on].registration())) as socket:
        made = await socket.call("ModelManager", 10, "CreateModel", params)
    return ModelUUID(made["uuid"])


async def people(scene: Scene, *names: str) -> None:
    """Users of JIMM's."""
    async with scene.fleet.registry.write() as session:
        for name in names:
            await identities.ensure(session, name)


async def unmanaged(scene: Scene, on: str = "a") -> list[Unmanaged]:
    """What an administrator sees of a controller."""
    return await adopting.unmanaged(scene.fleet, ADMIN, on)


async def adopt(scene: Scene, model: str, owner: str = "alice", on: str = "a") -> Adopted:
    """An administrator imports a model."""
    return await adopting.adopt(scene.fleet, ADMIN, on, model, owner=owner)


def change(scene: Scene, model: ModelUUID, on: str = "a", **values: Any) -> None:
    """Changes a model on its controller."""
    store = scene.peers[on].store
    store.put(msgspec.structs.replace(store.models[model], **values))


async def test_a_model_is_listed_and_comes_in(scene: Scene) -> None:
    await scene.model("m1")
    uuid = await stranger(scene, config={"simulated-applications": "ubuntu:2"})
    (row,) = await unmanaged(scene)
    told = row.told
    assert (told.uuid, told.owner, told.name) == (uuid, "admin", "web")
    assert (told.cloud, told.cloud_region, told.life) == ("metro", "north", "alive")
    assert (told.agent_version, row.units, row.identity) == ("3.6.9", 2, "")
    assert await unmanaged(scene, "b") == []
    adopted = await adopt(scene, uuid)
    assert adopted.changed
    model = adopted.model
    assert (model.owner, model.name, model.controller_name) == ("alice@jimm", "web", "a")
    assert (model.state, model.cloud, model.region) == (ModelState.LIVE, "metro", "north")
    assert scene.peers["a"].store.models[uuid].users["jimm-alice"].access == "admin"
    assert await unmanaged(scene) == []
    shown = await infos.show(scene.fleet, ALICE, uuid)
    assert (shown.level, shown.info is not None) == ("admin", True)
    async with scene.fleet.registry.read() as session:
        (placed,) = await placements.page(session)
        trail = await audit.page(session, model_uuid=uuid)
    assert (placed.policy, placed.chosen, placed.model_id) == ("import-model", "a", model.id)
    assert [(each.action, each.controller) for each in trail] == [("import-model", "a")]


async def test_what_broke_is_finished_and_a_second_time_changes_nothing(scene: Scene) -> None:
    await people(scene, "alice@jimm", "bob@jimm")
    uuid = await stranger(scene)
    for point in ("ModelManager.ModifyModelAccess", "ApplicationOffers.ListApplicationOffers"):
        scene.fault("a", point, "refuse", message="the disk is full")
        with pytest.raises(RemoteError, match="the disk is full"):
            await adopt(scene, uuid)
        assert [each.told.uuid for each in await unmanaged(scene)] == [uuid]
    first = await adopt(scene, uuid)
    assert first.changed
    for owner in ("", "alice", "alice@jimm"):
        again = await adopt(scene, uuid, owner)
        assert (again.changed, again.model.id) == (False, first.model.id)
    with pytest.raises(AlreadyExists, match="JIMM has the model already, as alice/web"):
        await adopt(scene, uuid, "bob")
    with pytest.raises(Conflict, match="live on a: jimmctl update-migrated-model b"):
        await adopt(scene, uuid, on="b")


async def test_its_offers_and_its_credential_are_told(scene: Scene) -> None:
    await people(scene, "alice@jimm")
    uuid = await stranger(scene, config={"simulated-applications": "postgresql:1"})
    store = scene.peers["a"].store
    offer = Offer(
        uuid="4d0c9a52-13aa-4c0e-8d5b-54a0cb3ee1f4",
        name="pg",
        application="postgresql",
        endpoints={"db": "db"},
        users={"admin": "admin"},
    )
    store.put(simulated.with_offer(store.models[uuid], offer))
    change(scene, uuid, credential=CredentialId("metro", "admin", "default"))
    adopted = await adopt(scene, uuid)
    assert adopted.model.credential_id is None
    (note,) = adopted.notes
    assert note.startswith("the model goes on with credential metro/admin/default, which only a")
    (known,) = await fleet_offers.find(scene.fleet, ALICE, [Wanted(model="web")])
    assert (known.offer.name, known.offer.uuid, known.level) == ("pg", offer.uuid, "admin")


async def test_an_owner_is_named_unless_jimm_made_the_user(scene: Scene) -> None:
    uuid = await scene.model("m1")
    forgotten = await scene.registered(uuid)
    async with scene.fleet.registry.write() as session:
        await models.remove(session, forgotten.id)
    other = await stranger(scene)
    rows = {each.told.name: each.identity for each in await unmanaged(scene)}
    assert rows == {"m1": "alice@jimm", "web": ""}
    change(scene, uuid, credential=CredentialId("metro", "jimm-alice", "own"))
    async with scene.fleet.registry.write() as session:
        mine = CredentialId("metro", "alice@jimm", "own")
        own = await credentials.put(session, mine, "userpass", b"sealed")
    mapped = await adopt(scene, uuid, "")
    assert (mapped.model.owner, mapped.model.credential_id) == ("alice@jimm", own.id)
    assert mapped.notes == ()
    with pytest.raises(NotValid, match='"admin", who owns the model on a, is none') as refused:
        await adopt(scene, other, "")
    assert refused.value.field == "owner"
    with pytest.raises(UserNotFound, match='"carol" not found') as unknown:
        await adopt(scene, other, "carol")
    assert unknown.value.field == "owner"
    assert (await adopt(scene, other, "dora@corp.example")).model.owner == "dora@corp.example"


async def test_every_reason_against_it_is_told(scene: Scene) -> None:
    await people(scene, "alice@jimm")
    await scene.model("web")
    uuid = await stranger(scene)
    change(scene, uuid, region="south")
    with pytest.raises(ChecksFailed) as refused:
        await adopt(scene, uuid)
    assert [each["code"] for each in refused.value.checks] == [
        "region-missing",
        "name-taken",
    ]
    own = scene.controllers["a"].controller_model_uuid or ""
    with pytest.raises(ChecksFailed, match="own model"):
        await adopt(scene, own)
    with pytest.raises(NotFound, match='"nowhere" not found'):
        await unmanaged(scene, "nowhere")
    with pytest.raises(ModelNotFound, match="a has no model"):
        await adopt(scene, "7d3e7b1e-2f0c-4a92-9a49-0df8b0b5a001", "dora@corp.example")
    with pytest.raises(NotValid, match="not a valid uuid"):
        await adopt(scene, "web")
    for asked in (
        adopting.unmanaged(scene.fleet, ALICE, "a"),
        adopting.adopt(scene.fleet, ALICE, "a", "web"),
    ):
        with pytest.raises(Unauthorized):
            await asked
    await scene.peers["a"].kill()

    async def is_away() -> bool:
        try:
            await unmanaged(scene)
        except ControllerUnavailable:
            return True
        except JimmError:
            return False
        return False

    await eventually(is_away)


async def test_a_model_on_its_way_stays_out(scene: Scene) -> None:
    await people(scene, "alice@jimm")
    uuid = await stranger(scene)
    target = scene.peers["b"].registration()
    scene.fault("a", "phase.source.VALIDATION", "stall")
    info = {
        "controller-tag": f"controller-{target['uuid']}",
        "addrs": target["api-addresses"],
        "ca-cert": target["ca-certificate"],
        "auth-tag": "user-admin",
        "password": target["password"],
    }
    spec = {"specs": [{"model-tag": f"model-{uuid}", "target-info": info}]}
    async with logged_in(Registration.of(scene.peers["a"].registration())) as socket:
        await socket.call("Controller", 12, "InitiateMigration", spec, deadline=30)
    await eventually(lambda: uuid in scene.peers["b"].store.models)
    assert await unmanaged(scene, "b") == []
    for on, reason in (("a", "migrating the model away"), ("b", "still importing the model")):
        with pytest.raises(Conflict, match=reason):
            await adopt(scene, uuid, on=on)
    scene.peers["a"].faults.clear()
    await eventually(lambda: scene.hosts(uuid) == ["b"], deadline=60)
    with pytest.raises(Conflict, match="was migrated away from a"):
        await adopt(scene, uuid)
    assert (await adopt(scene, uuid, on="b")).changed
