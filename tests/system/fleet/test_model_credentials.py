"""Giving a model another credential: on its controller, in the registry, and in no other case."""

import pytest
from sqlalchemy import text

from jimm.errors import (
    Conflict,
    ControllerUnavailable,
    MigrationUnderway,
    ModelNotFound,
    NotFound,
    NotValid,
    Unauthorized,
)
from jimm.fleet import credentials, model_credentials, models
from jimm.fleet.caller import Caller
from jimm.registry import migrations
from jimm.registry.migrations import NewMigration
from jimm.wire.params.cloud import CloudCredential
from jimm.wire.tags import CredentialId, ModelUUID
from tests.eventually import eventually
from tests.fix_fleet import ADMIN, ALICE, BOB
from tests.system.fleet.conftest import Scene

SECRET = CloudCredential(auth_type="empty", attrs={})


async def add(scene: Scene, caller: Caller, name: str, cloud: str = "metro") -> CredentialId:
    """A credential of the caller's."""
    key = CredentialId(cloud, caller.identity, name)
    await credentials.update(scene.fleet, caller, key, SECRET)
    return key


async def change(scene: Scene, caller: Caller, model: str, key: CredentialId) -> None:
    """The use case."""
    await model_credentials.change(scene.fleet, caller, model, key)


def used_there(scene: Scene, on: str, model: ModelUUID) -> str:
    """The credential that the controller says the model uses."""
    return str(scene.peers[on].store.models[model].credential)


async def used_here(scene: Scene, model: ModelUUID) -> tuple[str | None, str | None]:
    """Owner and name of the one that JIMM says it uses."""
    found = await scene.registered(model)
    return found.credential_owner, found.credential_name


async def test_the_controller_gets_it_in_the_owner_s_name_then_uses_it(scene: Scene) -> None:
    model = (await scene.create(on="a", credential=await add(scene, ALICE, "one"))).model.uuid
    await change(scene, ALICE, model, await add(scene, ALICE, "two"))
    assert used_there(scene, "a", model) == "metro/jimm-alice/two"
    assert await used_here(scene, model) == ("alice@jimm", "two")
    event = (await scene.trail())[0]
    assert (event.action, event.identity, event.model_uuid) == (
        "change-model-credential",
        "alice@jimm",
        model,
    )
    assert event.params == {"credential": "metro/alice@jimm/two"}


async def test_the_same_one_again_is_refused_as_juju_does(scene: Scene) -> None:
    key = await add(scene, ALICE, "one")
    model = (await scene.create(on="a", credential=key)).model.uuid
    with pytest.raises(Conflict, match=f"model {model} already uses credential {key}"):
        await change(scene, ALICE, model, key)


async def test_a_change_whose_answer_was_lost_is_put_right_by_asking_again(scene: Scene) -> None:
    model = (await scene.create(on="a", credential=await add(scene, ALICE, "one"))).model.uuid
    two = await add(scene, ALICE, "two")
    await change(scene, ALICE, model, two)
    async with scene.fleet.registry.write() as session:
        await session.execute(text("UPDATE models SET credential_id = NULL"))
    await change(scene, ALICE, model, two)
    assert await used_here(scene, model) == ("alice@jimm", "two")


async def test_whose_credential_it_may_be(scene: Scene) -> None:
    model = (await scene.create(on="a", credential=await add(scene, ALICE, "one"))).model.uuid
    bobs = await add(scene, BOB, "his")
    with pytest.raises(ModelNotFound):
        await change(scene, BOB, model, bobs)
    with pytest.raises(Unauthorized):
        await change(scene, ALICE, model, bobs)
    with pytest.raises(NotFound, match="not found"):
        await change(scene, ALICE, model, CredentialId("metro", "alice@jimm", "none"))
    with pytest.raises(NotValid, match='is for cloud "other"'):
        await change(scene, ALICE, model, CredentialId("other", "alice@jimm", "one"))
    await grant(scene, model, "write")
    with pytest.raises(Unauthorized):
        await change(scene, BOB, model, bobs)
    await grant(scene, model, "admin")
    await change(scene, BOB, model, bobs)
    assert used_there(scene, "a", model) == "metro/jimm-bob/his"
    assert await used_here(scene, model) == ("bob@jimm", "his")


async def test_an_administrator_of_jimm_may_choose_among_the_owner_s(scene: Scene) -> None:
    model = (await scene.create(on="a", credential=await add(scene, ALICE, "one"))).model.uuid
    await change(scene, ADMIN, model, await add(scene, ALICE, "two"))
    assert used_there(scene, "a", model) == "metro/jimm-alice/two"


async def test_not_while_it_is_being_moved(scene: Scene) -> None:
    model = (await scene.create(on="a", credential=await add(scene, ALICE, "one"))).model.uuid
    two = await add(scene, ALICE, "two")
    await moving(scene, model)
    with pytest.raises(MigrationUnderway):
        await change(scene, ALICE, model, two)
    assert used_there(scene, "a", model) == "metro/jimm-alice/one"


async def test_not_while_its_controller_is_away(scene: Scene) -> None:
    model = (await scene.create(on="a", credential=await add(scene, ALICE, "one"))).model.uuid
    two = await add(scene, ALICE, "two")
    await scene.peers["a"].stop()
    await eventually(lambda: is_away(scene, "a"))
    with pytest.raises(ControllerUnavailable, match="has been away since"):
        await change(scene, ALICE, model, two)
    assert await used_here(scene, model) == ("alice@jimm", "one")


def is_away(scene: Scene, name: str) -> bool:
    """Whether JIMM's link has noticed."""
    try:
        scene.fleet.link(scene.controllers[name])
    except ControllerUnavailable:
        return True
    return False


async def grant(scene: Scene, model: ModelUUID, access: str) -> None:
    """Gives bob a level."""
    await models.modify_access(
        scene.fleet, ALICE, model, identity=BOB.identity, action="grant", access=access
    )


async def moving(scene: Scene, model: ModelUUID) -> None:
    """A migration of the model, under way."""
    a, b = scene.controllers["a"], scene.controllers["b"]
    async with scene.fleet.registry.write() as session:
        await migrations.request(
            session,
            NewMigration(
                id="11111111-1111-4111-8111-111111111111",
                model_uuid=model,
                model_name="alice@jimm/m1",
                source_id=a.id,
                source_name="a",
                target_id=b.id,
                target_name="b",
                requested_by="admin@jimm",
            ),
        )
