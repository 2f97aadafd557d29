"""Who may pass below a model's path, by the registry, and with which login for the controller."""

import base64
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from jimm.access.devices import DeviceLogins
from jimm.access.logins import Logins
from jimm.access.passwords import Passwords
from jimm.access.tokens import SessionTokens
from jimm.errors import (
    ControllerUnavailable,
    MigrationUnderway,
    ModelNotFound,
)
from jimm.fleet.fleet import Fleet
from jimm.proxy.keeper import Keeper
from jimm.proxy.passing import authorization
from jimm.proxy.paths import Forbidden
from jimm.registry import identities, migrations, relations
from jimm.registry.controllers import Controller
from jimm.registry.crypto import Sealer
from jimm.registry.migrations import NewMigration
from jimm.registry.relations import Object
from jimm.registry.words import ObjectKind, Relation
from jimm.simulator.migration import lifecycle
from jimm.simulator.migration.record import Target
from jimm.simulator.server import Simulator
from jimm.wire.secret import Secret
from jimm.wire.tags import ModelUUID
from tests.eventually import eventually
from tests.fix_fleet import add_model, register, running_fleet
from tests.fix_simulator import SimulatorFactory

NOBODY = ModelUUID("6bd9cd3b-0b6e-4f0c-8a25-8c0b0d8c9b34")


class Scene:
    """One controller with a model of alice's."""

    def __init__(
        self, fleet: Fleet, peer: Simulator, controller: Controller, model: ModelUUID
    ) -> None:
        self.fleet = fleet
        self.peer = peer
        self.controller = controller
        self.model = model
        tokens = SessionTokens(fleet.registry, fleet.now)
        logins = Logins(fleet.registry, fleet.local_domain, Passwords(), fleet.now)
        devices = DeviceLogins(fleet.registry, tokens, fleet.now, "https://jimm.test/login")
        self.keeper = Keeper(fleet, logins, [[]], devices)

    async def grant(self, relation: Relation) -> None:
        """Bob is that to the model."""
        async with self.fleet.registry.write() as session:
            await identities.ensure(session, "bob@jimm")
            model = Object(ObjectKind.MODEL, self.model)
            await relations.add(session, "bob@jimm", relation, model)

    async def trust_tokens(self, version: str) -> None:
        """The controller is one of that version that trusts JIMM's tokens."""
        statement = text("UPDATE controllers SET trust = 'token', agent_version = :version")
        async with self.fleet.registry.write() as session:
            await session.execute(statement, {"version": version})


@pytest.fixture
async def scene(
    database_url: str, sealer: Sealer, simulator: SimulatorFactory
) -> AsyncIterator[Scene]:
    peer = await simulator(name="a")
    async with running_fleet(database_url, sealer) as fleet:
        controller = await register(fleet, peer)
        yield Scene(fleet, peer, controller, await add_model(fleet, controller))


async def test_a_level_for_each_act(scene: Scene) -> None:
    await scene.grant(Relation.READER)
    found = await scene.keeper.admit_http(scene.model, "bob@jimm", "read", changes=False)
    assert (found.identity, found.model_uuid) == ("bob@jimm", scene.model)
    for level in ("write", "admin"):
        with pytest.raises(Forbidden, match="permission denied"):
            await scene.keeper.admit_http(scene.model, "bob@jimm", level, changes=True)
    await scene.keeper.admit_http(scene.model, "alice@jimm", "admin", changes=True)


async def test_a_model_that_one_may_not_see_is_unknown(scene: Scene) -> None:
    async with scene.fleet.registry.write() as session:
        await identities.ensure(session, "bob@jimm")
    for model in (scene.model, NOBODY):
        with pytest.raises(ModelNotFound, match=f'unknown model: "{model}"'):
            await scene.keeper.admit_http(model, "bob@jimm", "read", changes=False)


async def test_a_controller_by_password_gets_a_user_s_own(scene: Scene) -> None:
    await scene.grant(Relation.WRITER)
    found = await scene.keeper.admit_http(scene.model, "bob@jimm", "write", changes=True)
    scheme, _, value = authorization(found.login).partition(" ")
    user, _, password = base64.b64decode(value).decode().partition(":")
    assert (scheme, user) == ("Basic", "user-jimm-bob")
    assert password
    access = scene.peer.store.models[scene.model].users["jimm-bob"].access
    assert access == "write"
    assert scene.peer.store.users["jimm-bob"].access == "login"
    assert await scene.keeper.still_holds(found)


@pytest.mark.parametrize(
    ("version", "controller", "model"),
    [("3.6.9", "superuser", "admin"), ("3.6.26", "login", "write")],
)
async def test_a_token_holds_what_is_needed_and_no_more(
    scene: Scene, version: str, controller: str, model: str
) -> None:
    await scene.grant(Relation.WRITER)
    await scene.trust_tokens(version)
    found = await scene.keeper.admit_http(scene.model, "bob@jimm", "write", changes=True)
    claims = claims_of(authorization(found.login))
    assert claims["sub"] == "user-bob@jimm"
    tags = {
        f"controller-{scene.controller.uuid}": controller,
        f"model-{scene.model}": model,
    }
    assert {key: claims["access"][key] for key in tags} == tags
    assert found.access[f"model-{scene.model}"] == "write"
    assert await scene.keeper.still_holds(found)


def claims_of(header: str) -> dict[str, Any]:
    """What the token in a Bearer header says."""
    scheme, _, value = header.partition(" ")
    assert scheme == "Bearer"
    payload = base64.b64decode(value).decode().split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return found


async def test_a_model_that_jimm_moves_takes_no_changes(
    scene: Scene, simulator: SimulatorFactory
) -> None:
    other = await register(scene.fleet, await simulator(name="b"))
    new = NewMigration(
        id=str(uuid.uuid4()),
        model_uuid=scene.model,
        model_name="alice@jimm/m1",
        source_id=scene.controller.id,
        source_name="a",
        target_id=other.id,
        target_name="b",
        requested_by="admin@jimm",
    )
    async with scene.fleet.registry.write() as session:
        await migrations.request(session, new)
    with pytest.raises(MigrationUnderway, match="model migration in progress"):
        await scene.keeper.admit_http(scene.model, "alice@jimm", "write", changes=True)
    await scene.keeper.admit_http(scene.model, "alice@jimm", "read", changes=False)


async def test_a_model_that_somebody_else_moves_takes_no_changes(scene: Scene) -> None:
    target = Target(
        controller_uuid=NOBODY,
        addresses=("127.0.0.1:1",),
        ca_certificate="",
        user="admin",
        password=Secret("x"),
    )
    store = scene.peer.store
    now = scene.fleet.now()
    store.put(lifecycle.started(store.models[scene.model], target, now))
    with pytest.raises(MigrationUnderway, match="model migration in progress"):
        await scene.keeper.admit_http(scene.model, "alice@jimm", "write", changes=True)


async def test_a_controller_that_is_away_is_said_at_once(scene: Scene) -> None:
    await scene.peer.stop()

    async def is_away() -> bool:
        try:
            scene.fleet.link(scene.controller)
        except ControllerUnavailable:
            return True
        return False

    assert await eventually(is_away)
    with pytest.raises(ControllerUnavailable):
        await scene.keeper.admit_http(scene.model, "alice@jimm", "read", changes=False)
