"""A model leaves the fleet, for a controller that nobody registered."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from jimm.errors import (
    ChecksFailed,
    ControllerUnavailable,
    MigrationUnderway,
    ModelNotFound,
    NotValid,
    RemoteError,
    Unauthorized,
    WrongController,
)
from jimm.fleet import infos
from jimm.fleet.controllers import Registration
from jimm.migration import by_hand, leaving, requests
from jimm.registry import audit, destinations, models, relations
from jimm.registry.crypto import Sealer
from jimm.registry.migrations import Migration
from jimm.registry.relations import Object
from jimm.simulator.core import Options
from jimm.simulator.server import Simulator
from jimm.wire.secret import Secret
from jimm.wire.tags import ModelUUID
from tests.eventually import eventually
from tests.fix_fleet import ADMIN, ALICE, register, running_fleet
from tests.juju_client import Registration as Place
from tests.juju_client import logged_in
from tests.system.migration.conftest import Scene

PASSWORD = "far-away-and-secret"


@pytest.fixture
async def far(scene: Scene) -> Simulator:
    """A controller outside the fleet, that knows alice by the name that she has on a."""
    peer = Simulator(Options(name="far", version="3.6.14", speed=50.0, password=PASSWORD))
    await peer.start()
    scene.peers["far"] = peer  # stopped by the scene
    async with logged_in(Place.of(peer.registration())) as socket:
        user = {"username": "jimm-alice", "display-name": "", "password": "unused"}
        await socket.call("UserManager", 3, "AddUser", {"users": [user]})
    return peer


def file_of(peer: Simulator, **changes: Any) -> Registration:
    """What an administrator says of a controller."""
    told: dict[str, Any] = peer.registration()
    asked = Registration(
        name=told["name"],
        uuid=told["uuid"],
        public_address="",
        tls_hostname="",
        addresses=tuple(told["api-addresses"]),
        ca_certificate=told["ca-certificate"],
        username=told["username"],
        password=Secret(told["password"]),
    )
    return replace(asked, **changes)


async def request(scene: Scene, model: ModelUUID, far: Simulator) -> Migration:
    """An administrator sends a model out."""
    return await leaving.request(scene.fleet, ADMIN, model, file_of(far))


async def kept(scene: Scene) -> list[str]:
    """The names of the destinations that are remembered."""
    async with scene.fleet.registry.read() as session:
        return [each.name for each in await destinations.every(session)]


async def everything(scene: Scene) -> str:
    """All that the database has on migrations, and the trail, as text."""
    found = ""
    async with scene.fleet.registry.read() as session:
        for table in ("migrations", "migration_events", "migration_destinations", "audit_events"):
            rows = await session.execute(text(f"SELECT t::text FROM {table} t"))
            found += "\n".join(str(row) for row in rows)
    return found


async def test_a_model_goes_and_nothing_of_it_is_left(scene: Scene, far: Simulator) -> None:
    model = await scene.model()
    findings = await leaving.dry_run(scene.fleet, ADMIN, model, file_of(far))
    assert [each.code for each in findings if not each.advice] == []
    assert await kept(scene) == []
    asked = await request(scene, model, far)
    assert (asked.target_id, asked.target_name) == (None, "far")
    assert await kept(scene) == ["far"]
    assert PASSWORD not in await everything(scene)
    async with scene.working():
        done = await scene.until(asked, "done")
    assert scene.hosts(model) == ["far"]
    assert scene.moved == [model]
    assert await kept(scene) == []
    with pytest.raises(ModelNotFound, match="not found"):
        await infos.show(scene.fleet, ALICE, model)
    async with scene.fleet.registry.read() as session:
        assert await models.known(session, [model]) == []
        assert await relations.about(session, [Object.model(model)]) == []
        trail = await audit.page(session, model_uuid=model)
    there = {"name": "far", "uuid": far.uuid, "addresses": [far.address]}
    told = {each.action: each.params.get("destination") for each in trail}
    assert told == {"migrate-out": there, "end-migration": None, "leave-fleet": there}
    assert PASSWORD not in await everything(scene)
    events, after = await requests.events(scene.fleet, ADMIN, done.id)
    assert [events[-1].state, after.state] == ["done", "done"]
    with pytest.raises(ControllerUnavailable):
        scene.fleet.pool.link(far.uuid)


async def test_what_can_t_be_is_told_at_once(scene: Scene, far: Simulator) -> None:
    model = await scene.model()
    for asked, field in (
        (file_of(scene.peers["b"], name="other"), "uuid"),
        (file_of(scene.peers["b"], name="other", uuid=""), "uuid"),
        (file_of(far, name="b"), "name"),
    ):
        with pytest.raises(NotValid, match="b is a registered controller: jimmctl migrate") as no:
            await leaving.request(scene.fleet, ADMIN, model, asked)
        assert no.value.field == field
    with pytest.raises(Unauthorized):
        await leaving.request(scene.fleet, ALICE, model, file_of(far))
    with pytest.raises(RemoteError, match="the controller says: invalid entity name") as wrong:
        await leaving.request(
            scene.fleet, ADMIN, model, file_of(far, password=Secret("wrong-and-secret"))
        )
    assert "wrong-and-secret" not in str(wrong.value)
    with pytest.raises(NotValid, match="not a superuser"):
        await leaving.request(
            scene.fleet,
            ADMIN,
            model,
            file_of(far, username="jimm-alice", password=Secret("unused")),
        )
    with pytest.raises(WrongController):
        await leaving.request(scene.fleet, ADMIN, model, file_of(far, uuid=scene.fleet.uuid))
    params = {"name": "m1", "owner-tag": "user-jimm-alice", "cloud-tag": "cloud-metro"}
    async with logged_in(Place.of(far.registration())) as socket:
        await socket.call("ModelManager", 10, "CreateModel", params)
    with pytest.raises(ChecksFailed, match="can't be migrated to far") as refused:
        await request(scene, model, far)
    assert "name-taken" in [each["code"] for each in refused.value.checks]
    assert await kept(scene) == []


async def test_one_that_fails_stays_and_may_try_again(scene: Scene, far: Simulator) -> None:
    model = await scene.model()
    scene.fault("far", "phase.target.IMPORT", "refuse", message="disk full")
    async with scene.working():
        asked = await request(scene, model, far)
        with pytest.raises(MigrationUnderway):
            await request(scene, model, far)
        failed = await scene.until(asked, "failed")
        assert "disk full" in failed.error + failed.message
        assert (scene.hosts(model), await kept(scene)) == (["a"], [])
        assert (await scene.registered(model)).controller_name == "a"
        await scene.until(await request(scene, model, far), "done")
    assert scene.hosts(model) == ["far"]


async def test_any_replica_carries_it_on(scene: Scene, far: Simulator, sealer: Sealer) -> None:
    """Though the destination was registered meanwhile."""
    model = await scene.model()
    scene.fault("a", "phase.source.VALIDATION", "stall")
    url = scene.fleet.settings.database_url.get_secret_value()
    async with scene.working():
        asked = await request(scene, model, far)
        await eventually(lambda: model in far.store.models, deadline=60)
    async with running_fleet(url, sealer, worker="w2") as second:
        await register(second, far)
        async with scene.working(second):
            scene.peers["a"].faults.clear()
            await scene.until(asked, "done")
    assert scene.hosts(model) == ["far"]
    async with scene.fleet.registry.read() as session:
        assert await models.known(session, [model]) == []


async def test_what_is_missing_there_is_made_on_request(scene: Scene, far: Simulator) -> None:
    await scene.start("new", version="3.6.14")
    model = await scene.model(on="new")
    far.store.remove(far.store.users["jimm-alice"])
    why = "connect to target controller: unable to connect to API: dial tcp: no route to host"
    scene.fault("new", "Controller.InitiateMigration", "refuse", message=why)
    found = await leaving.dry_run(scene.fleet, ADMIN, model, file_of(far))
    assert [each.code for each in found if not each.advice] == [
        "owner-missing",
        "target-unreachable",
    ]
    assert "jimm-migration" not in far.store.users
    with pytest.raises(ChecksFailed, match="jimm-alice is no user of far") as refused:
        await request(scene, model, far)
    assert [each["mendable"] for each in refused.value.checks if not each["advice"]] == [True]
    async with scene.working():
        asked = await leaving.request(scene.fleet, ADMIN, model, file_of(far), prepare=True)
        done = await scene.until(asked, "done")
    assert done.prepared == ({"kind": "user", "name": "jimm-alice"},)
    assert far.store.users["jimm-alice"].disabled


async def test_an_administrator_may_say_that_it_has_arrived(scene: Scene, far: Simulator) -> None:
    model = await scene.model()
    async with scene.working():
        scene.fault("a", "phase.source.LOGTRANSFER", "stall")
        asked = await request(scene, model, far)
        await eventually(lambda: _is_live(far, model), deadline=60)
    with pytest.raises(NotValid, match="the model is on a or on far"):
        await by_hand.resolve(scene.fleet, ADMIN, asked.id, on="b", reason="a guess")
    await by_hand.resolve(scene.fleet, ADMIN, asked.id, on="far", reason="seen there")
    async with scene.fleet.registry.read() as session:
        assert await models.known(session, [model]) == []
        trail = await audit.page(session, model_uuid=model)
    assert await kept(scene) == []
    assert {"leave-fleet", "resolve-migration"} <= {each.action for each in trail}


def _is_live(peer: Simulator, model: ModelUUID) -> bool:
    there = peer.store.models.get(model)
    return there is not None and there.mode == ""
