"""Rights that change while a model moves, and a model that is destroyed as it is to be moved."""

import asyncio

import pytest

from jimm.access.devices import DeviceLogins
from jimm.access.logins import Logins
from jimm.access.passwords import Passwords
from jimm.access.tokens import SessionTokens
from jimm.controllers.calls import model_manager, user_manager
from jimm.errors import Conflict, MigrationUnderway
from jimm.fleet import models as fleet_models
from jimm.migration import requests
from jimm.migration.phases import State
from jimm.proxy.keeper import Keeper
from jimm.registry import identities, migrations, models, relations
from jimm.registry.migrations import NewMigration
from jimm.registry.relations import Object
from jimm.registry.words import ModelState, Relation
from jimm.wire import tags
from jimm.wire.params.model_manager import DestroyModel, ModifyModelAccess
from jimm.wire.secret import Secret
from jimm.wire.tags import ModelUUID
from tests.eventually import eventually
from tests.fix_fleet import ADMIN, ALICE
from tests.system.migration.conftest import Scene

LEVELS = (Relation.READER, Relation.WRITER, Relation.ADMINISTRATOR)
NO_ADDS = 'model "m1" is being migrated'


def keeper(scene: Scene) -> Keeper:
    fleet = scene.fleet
    tokens = SessionTokens(fleet.registry, fleet.now)
    logins = Logins(fleet.registry, fleet.local_domain, Passwords(), fleet.now)
    return Keeper(fleet, logins, [[]], DeviceLogins(fleet.registry, tokens, fleet.now, "https://j"))


async def relate(scene: Scene, model: ModelUUID, **levels: Relation | None) -> None:
    """People are that to the model from now on, and nothing else."""
    async with scene.fleet.registry.write() as session:
        for name, relation in levels.items():
            who = f"{name}@jimm"
            await identities.ensure(session, who)
            about = Object.model(model)
            wanted = [] if relation is None else [relation]
            await relations.replace(session, who, about, add=wanted, remove=list(LEVELS))


async def come(scene: Scene, model: ModelUUID, *names: str) -> None:
    """They log in to the model, and so have a user on its controller."""
    for name in names:
        await keeper(scene).admit_http(model, f"{name}@jimm", "read", changes=False)


def access(scene: Scene, model: ModelUUID, on: str) -> dict[str, str]:
    """Who may do what with the model on a controller, in Juju's eyes."""
    users = scene.peers[on].store.models[model].users
    return {name.removeprefix("jimm-"): each.access for name, each in users.items()}


async def shared(scene: Scene) -> ModelUUID:
    """A model that several people use, and one whom JIMM does not know."""
    model = await scene.model()
    await relate(
        scene, model, bob=Relation.READER, carol=Relation.ADMINISTRATOR, dave=Relation.WRITER
    )
    await come(scene, model, "bob", "carol", "dave")
    for name in ("a", "b"):
        await user_manager.add_user(
            scene.fleet.link(scene.controllers[name]), "stranger", Secret("pw")
        )
    change = ModifyModelAccess(
        user_tag="user-stranger", action="grant", access="read", model_tag=tags.model_tag(model)
    )
    await model_manager.modify_model_access(scene.fleet.link(scene.controllers["a"]), change)
    assert access(scene, model, "a") == {
        "alice": "admin",
        "bob": "read",
        "carol": "admin",
        "dave": "write",
        "stranger": "read",
    }
    return model


async def change_all(scene: Scene, model: ModelUUID) -> None:
    """Bob loses the model, carol is lowered, dave is disabled, erin comes."""
    await relate(scene, model, bob=None, carol=Relation.READER, erin=Relation.WRITER)
    async with scene.fleet.registry.write() as session:
        await identities.set_disabled(session, "dave@jimm", True)


CHANGED = {"alice": "admin", "carol": "read", "erin": "write", "stranger": "read"}


async def test_what_changed_meanwhile_counts_on_the_new_controller(scene: Scene) -> None:
    model = await shared(scene)
    stall = scene.fault("a", "message.exporting model", "stall")
    async with scene.working():
        asked = await scene.request(model)
        await scene.until(asked, "running")
        await eventually(lambda: not scene.peers["a"].faults.list())
        await change_all(scene, model)
        scene.fault("a", "ModelManager.ModifyModelAccess", "refuse", message=NO_ADDS)
        with pytest.raises(MigrationUnderway):
            await come(scene, model, "erin")
        scene.peers["a"].faults.clear(stall.id)
        await scene.until(asked, "done")
    assert access(scene, model, "b") == CHANGED


async def test_what_changed_meanwhile_counts_on_the_old_one_if_it_stays(scene: Scene) -> None:
    model = await shared(scene)
    scene.fault("b", "phase.target.IMPORT", "refuse", message="no room")
    stall = scene.fault("a", "message.exporting model", "stall")
    async with scene.working():
        asked = await scene.request(model)
        await scene.until(asked, "running")
        await eventually(lambda: not scene.peers["a"].faults.list())
        await change_all(scene, model)
        scene.peers["a"].faults.clear(stall.id)
        await scene.until(asked, "failed")
    assert access(scene, model, "a") == CHANGED


async def test_who_had_lost_the_model_before_is_no_hindrance(scene: Scene) -> None:
    model = await shared(scene)
    await change_all(scene, model)
    async with scene.working():
        await scene.until(await scene.request(model), "done")
    assert access(scene, model, "b") == CHANGED


async def test_a_model_being_destroyed_is_not_moved_and_the_other_way_round(scene: Scene) -> None:
    model = await scene.model()
    registry, new = scene.fleet.registry, await written(scene, model)
    async with registry.write() as destroying:
        await models.locked(destroying, model)
        moving = scene.fleet.tasks.spawn(ask_for(scene, new), name="ask for a migration")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(moving), 0.3)
        assert await models.set_destroying(destroying, model)
    with pytest.raises(Conflict, match="the model is being destroyed"):
        await moving
    async with registry.write() as session:
        await models.set_live(session, model)
        asked = await migrations.request(session, new)
        gone = scene.fleet.tasks.spawn(destroy(scene, model), name="destroy the model")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(gone), 0.3)
    with pytest.raises(MigrationUnderway):
        await gone
    assert (await scene.registered(model)).state is ModelState.LIVE
    assert (await scene.get(asked)).state is State.REQUESTED


async def test_of_both_at_once_one_wins(scene: Scene) -> None:
    for number in range(6):
        model = await scene.model(f"m{number}")
        calls = [requests.request(scene.fleet, ADMIN, model, "b"), destroy(scene, model)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        lost = [each for each in outcomes if isinstance(each, BaseException)]
        assert len(lost) == 1, outcomes
        assert isinstance(lost[0], Conflict)
        async with scene.fleet.registry.read() as session:
            moving = await migrations.active(session, [model])
        state = (await scene.registered(model)).state
        assert (state is ModelState.DESTROYING) is not bool(moving)


async def written(scene: Scene, model: ModelUUID) -> NewMigration:
    source, target = scene.controllers["a"], scene.controllers["b"]
    return NewMigration(
        id=str(model),
        model_uuid=model,
        model_name="alice@jimm/m1",
        source_id=source.id,
        source_name=source.name,
        target_id=target.id,
        target_name=target.name,
        requested_by="admin@jimm",
    )


async def ask_for(scene: Scene, new: NewMigration) -> None:
    async with scene.fleet.registry.write() as session:
        await migrations.request(session, new)


async def destroy(scene: Scene, model: ModelUUID) -> None:
    await fleet_models.destroy(scene.fleet, ALICE, DestroyModel(model_tag=tags.model_tag(model)))
