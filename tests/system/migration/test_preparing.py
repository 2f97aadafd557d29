"""What ``--prepare`` makes right on a target, and that nothing of it stays after a failure."""

import dataclasses
from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from jimm.controllers.calls import cloud as cloud_calls
from jimm.controllers.calls import model_manager, user_manager
from jimm.controllers.calls import secret_backends as backend_calls
from jimm.errors import ChecksFailed, RemoteError
from jimm.fleet import credentials as fleet_credentials
from jimm.migration import preparing, requests
from jimm.registry import credentials as credential_registry
from jimm.registry import identities, models
from jimm.registry.migrations import Migration
from jimm.registry.models import NewModel
from jimm.simulator.state import SecretBackend
from jimm.wire import tags
from jimm.wire.params.cloud import CloudCredential
from jimm.wire.params.model_manager import CreateModel, ModifyModelAccess
from jimm.wire.params.secret_backends import AddSecretBackend
from jimm.wire.params.user_manager import UserInfo
from jimm.wire.secret import Secret
from jimm.wire.tags import CredentialId, ModelUUID
from tests.eventually import eventually
from tests.fix_fleet import ADMIN, ALICE
from tests.system.migration.conftest import Scene
from tests.system.migration.test_takeover import die_at, expire

VAULT = AddSecretBackend(
    id="6f0102030405060708090a0b",
    name="myvault",
    backend_type="vault",
    config={"endpoint": "http://vault.test", "token": "s3cr3t"},
)


async def shared_with(scene: Scene, *users: str) -> ModelUUID:
    """A model on a, to which local users of a have access."""
    model = await scene.model()
    link = scene.fleet.link(scene.controllers["a"])
    for user in users:
        await user_manager.add_user(link, user, Secret("pw"))
        change = ModifyModelAccess(
            user_tag=tags.user_tag(user),
            action="grant",
            access="read",
            model_tag=tags.model_tag(model),
        )
        await model_manager.modify_model_access(link, change)
    return model


async def keeping_secrets_outside(scene: Scene) -> ModelUUID:
    """A model on a that keeps its secrets in :data:`VAULT`."""
    await backend_calls.add_backend(scene.fleet.link(scene.controllers["a"]), VAULT)
    uuid = await scene.model()
    store = scene.peers["a"].store
    found = store.models[uuid]
    store.put(replace(found, config={**found.config, "secret-backend": VAULT.name}))
    return uuid


def backends(scene: Scene, on: str) -> Mapping[str, SecretBackend]:
    """The secret backends of a controller, by name."""
    return scene.peers[on].store.controller.secret_backends


async def user(scene: Scene, name: str, on: str = "b") -> UserInfo | None:
    """A user of a controller, if there is one."""
    try:
        return await user_manager.user_info(scene.fleet.link(scene.controllers[on]), name)
    except RemoteError:
        return None


async def ask(scene: Scene, model: ModelUUID) -> Migration:
    return await requests.request(scene.fleet, ADMIN, model, "b", prepare=True)


def entries(migration: Migration) -> list[tuple[object, object, bool]]:
    """What was made: kind, name, and whether it was taken back."""
    return [(each["kind"], each["name"], bool(each.get("undone"))) for each in migration.prepared]


async def test_missing_users_become_placeholders_that_go_if_it_fails(scene: Scene) -> None:
    model = await shared_with(scene, "bob", "carol")
    with pytest.raises(ChecksFailed) as refused:
        await scene.request(model)
    assert [each["code"] for each in refused.value.checks] == ["users-missing"]
    assert "--prepare" in str(refused.value.checks[0]["remedy"])
    scene.fault("b", "phase.target.IMPORT", "refuse", message="disk full")
    async with scene.working():
        failed = await scene.until(await ask(scene, model), "failed")
        assert entries(failed) == [("user", "bob", True), ("user", "carol", True)]
        assert (await user(scene, "bob"), await user(scene, "carol")) == (None, None)
        done = await scene.until(await ask(scene, model), "done")
    assert entries(done) == [("user", "bob", False), ("user", "carol", False)]
    for name in ("bob", "carol"):
        made = await user(scene, name)
        assert made is not None
        assert made.disabled
        assert made.display_name == preparing.MARK
    assert {"bob", "carol"} <= scene.peers["b"].store.models[model].users.keys()


async def test_users_that_were_there_or_were_taken_over_are_left_alone(scene: Scene) -> None:
    model = await shared_with(scene, "bob", "carol", "dave")
    there = scene.fleet.link(scene.controllers["b"])
    await user_manager.add_user(there, "bob", Secret("pw"), display_name="Bob")
    stall = scene.fault("a", "phase.source.IMPORT", "stall")
    scene.fault("b", "phase.target.IMPORT", "refuse", message="disk full")
    async with scene.working():
        asked = await ask(scene, model)
        await eventually(lambda: stall not in scene.peers["a"].faults.list(), deadline=60)
        await user_manager.enable_user(there, "carol")
        scene.peers["a"].faults.clear(stall.id)
        failed = await scene.until(asked, "failed")
    assert sorted(entries(failed)) == [("user", "carol", False), ("user", "dave", True)]
    for name in ("bob", "carol"):
        left = await user(scene, name)
        assert left is not None
        assert not left.disabled
    assert await user(scene, "dave") is None


async def test_a_placeholder_that_another_migration_relies_on_stays(scene: Scene) -> None:
    first = await shared_with(scene, "bob")
    second = await scene.model("m2")
    change = ModifyModelAccess(
        user_tag="user-bob", action="grant", access="read", model_tag=tags.model_tag(second)
    )
    await model_manager.modify_model_access(scene.fleet.link(scene.controllers["a"]), change)
    stall = scene.fault("a", "phase.source.VALIDATION", "stall")
    async with scene.working():
        one = await ask(scene, first)
        await eventually(lambda: stall not in scene.peers["a"].faults.list(), deadline=60)
        other = await scene.until(await ask(scene, second), "done")
        assert entries(other) == [("user", "bob", False)]
        scene.fault("b", "MigrationTarget.Activate", "refuse", message="no")
        scene.peers["a"].faults.clear(stall.id)
        failed = await scene.until(one, "failed")
    assert entries(failed) == [("user", "bob", False)]
    assert await user(scene, "bob") is not None


async def test_a_secret_backend_goes_along_and_back_with_its_id_and_its_keys(
    scene: Scene,
) -> None:
    model = await keeping_secrets_outside(scene)
    scene.fault("b", "phase.target.IMPORT", "refuse", message="disk full")
    async with scene.working():
        failed = await scene.until(await ask(scene, model), "failed")
        assert entries(failed) == [("secret-backend", "myvault", True)]
        assert backends(scene, "b") == {}
        done = await scene.until(await ask(scene, model), "done")
    assert entries(done) == [("secret-backend", "myvault", False)]
    made = backends(scene, "b")["myvault"]
    assert made.id == VAULT.id
    assert made.config == VAULT.config
    assert "s3cr3t" not in repr(done) + repr(await scene.history(done))


async def test_a_backend_that_can_not_be_added_is_said_with_what_to_do(scene: Scene) -> None:
    model = await keeping_secrets_outside(scene)
    text = "no vault there for token=s3cr3t"
    scene.fault("b", "SecretBackends.AddSecretBackends", "refuse", message=text)
    other = AddSecretBackend(id="77", name="myvault", backend_type="vault", config={"token": "x"})
    store = scene.peers["a"].store
    async with scene.working():
        failed = await scene.until(await ask(scene, model), "failed")
        assert failed.error_code == "prepare-backend-failed"
        assert "no vault there" in failed.error
        assert "s3cr3t" not in repr(failed) + repr(await scene.history(failed))
        assert entries(failed) == [("secret-backend", "myvault", True)]
        await backend_calls.add_backend(scene.fleet.link(scene.controllers["b"]), other)
        failed = await scene.until(await ask(scene, model), "failed")
        assert failed.error_code == "prepare-backend-name-taken"
        assert [each.id for each in backends(scene, "b").values()] == ["77"]
        await backend_calls.remove_backend(scene.fleet.link(scene.controllers["b"]), "myvault")
        hidden = {each.name: replace(each, config={}) for each in backends(scene, "a").values()}
        store.put(replace(store.controller, secret_backends=hidden))
        failed = await scene.until(await ask(scene, model), "failed")
    assert failed.error_code == "prepare-backend-hidden"
    assert "juju add-secret-backend myvault" in failed.remedy
    assert entries(failed) == []
    assert scene.hosts(model) == ["a"]


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_a_worker_that_dies_at_any_write_leaves_nothing(
    scene: Scene, database_url: str
) -> None:
    model = await shared_with(scene, "bob")
    scene.fault("b", "phase.target.IMPORT", "refuse", message="disk full", times=0)
    scene.fault("b", "UserManager.DisableUser", "drop-before")  # between adding and disabling
    died = 0
    for number in range(3, 9):
        asked = await ask(scene, model)
        died += await die_at(scene, database_url, asked, number)
        await expire(scene)
        async with scene.working(dataclasses.replace(scene.fleet, worker="second")):
            failed = await scene.until(asked, "failed")
        assert entries(failed) == [("user", "bob", True)]
        assert await user(scene, "bob") is None
    assert died > 3


async def with_credential(scene: Scene, there: Mapping[str, str]) -> ModelUUID:
    """A model on a with a credential that JIMM keeps; b has one of its name with other values."""
    fleet, key = scene.fleet, CredentialId("metro", "alice@jimm", "c1")
    content = CloudCredential(auth_type="userpass", attrs={"username": "a", "password": "right"})
    async with fleet.registry.write() as session:
        who = await identities.ensure(session, "alice@jimm")
    await fleet_credentials.update(fleet, ALICE, key, content)
    async with fleet.registry.read() as session:
        kept = await credential_registry.get(session, key)
    source = scene.controllers["a"]
    await fleet_credentials.push_as_owner(fleet, source, kept)
    async with fleet_credentials.as_owner(fleet, scene.controllers["b"], who.name) as (link, name):
        other = CloudCredential(auth_type="userpass", attrs=dict(there))
        await cloud_calls.update_credential(link, key._replace(owner=name), other)
    local = await fleet.trust.local_user(source, who.name, fleet.link(source))
    asked = CreateModel(
        name="m1",
        owner_tag=tags.user_tag(local.username),
        config={},
        cloud_tag="cloud-metro",
        credential=tags.credential_tag(key._replace(owner=local.username)),
    )
    made = await model_manager.create_model(fleet.link(source), asked)
    async with fleet.registry.write() as session:
        row = await models.add(session, NewModel("m1", who.id, "metro", "north", kept.id))
        uuid = ModelUUID(made.uuid)
        await models.complete(
            session, row, uuid=uuid, controller_id=source.id, region=made.cloud_region
        )
    return uuid


async def test_the_credential_that_jimm_keeps_is_given_to_a_target_with_another(
    scene: Scene,
) -> None:
    model = await with_credential(scene, {"username": "a", "password": "wrong"})
    with pytest.raises(ChecksFailed) as refused:
        await scene.request(model)
    assert [each["code"] for each in refused.value.checks] == ["credential-differs"]
    async with scene.working():
        done = await scene.until(await ask(scene, model), "done")
    assert [kind for kind, _, _ in entries(done)] == ["credential"]
    assert "right" not in repr(done)
    given = scene.peers["b"].store.credentials.values()
    assert [each.attrs["password"] for each in given] == ["right"]
