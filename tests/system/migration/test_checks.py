"""What two real controllers tell before a model moves: all of it at once, and never a hang."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from jimm.errors import ChecksFailed
from jimm.migration import requests, target_login
from jimm.migration.prechecks import Finding
from jimm.registry import audit
from jimm.simulator.state import (
    Block,
    Credential,
    LocalUser,
    Model,
    ModelUser,
    Offer,
    OfferConnection,
    RemoteApplication,
    SecretBackend,
    Status,
)
from jimm.wire.tags import CredentialId, ModelUUID
from tests.fix_fleet import ADMIN, ALICE
from tests.system.migration.conftest import Scene

OWN = CredentialId("metro", "jimm-alice", "c1")
ELSEWHERE = ModelUUID("bbbbbbbb-2222-4333-8444-555555555555")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def change(scene: Scene, model: ModelUUID, on: str = "a", **changes: object) -> None:
    """Makes the model other than it is."""
    store = scene.peers[on].store
    store.put(replace(store.models[model], **changes))


def there(scene: Scene, model: ModelUUID, on: str = "a") -> Model:
    """The model as a controller has it."""
    return scene.peers[on].store.models[model]


def own_model(scene: Scene, name: str) -> ModelUUID:
    """The model of the controller itself."""
    return scene.peers[name].store.controller.model_uuid


async def found(scene: Scene, model: str, to: str = "b") -> list[Finding]:
    """What a dry run finds."""
    return list(await requests.dry_run(scene.fleet, ADMIN, model, to))


def codes(findings: Sequence[Finding], *, advice: bool = False) -> list[str]:
    """The codes of those that refuse, or of those that advise."""
    return [each.code for each in findings if each.advice is advice]


async def test_what_of_a_model_juju_would_hold_against_it(scene: Scene) -> None:
    model = await scene.model()
    seen = there(scene, model)
    machine = replace(seen.machines["0"], status="down", agent_version="3.6.8")
    ubuntu = seen.applications["ubuntu"]
    unit = replace(ubuntu.units["ubuntu/0"], agent=Status(status="lost", since=NOW))
    ubuntu = replace(ubuntu, units={"ubuntu/0": unit})
    change(scene, model, machines={"0": machine}, applications={"ubuntu": ubuntu})
    assert codes(await found(scene, model)) == [
        "machine-agent-down",
        "machine-version",
        "unit-not-idle",
    ]
    ((controller, findings),) = await requests.targets(scene.fleet, ALICE, model)
    assert (controller.name, findings) == ("b", await found(scene, model))


async def test_what_of_the_controllers_keeps_them_out(scene: Scene) -> None:
    model = await scene.model()
    for name in ("a", "b"):
        own = own_model(scene, name)
        machine = replace(there(scene, own, name).machines["0"], instance_status="error")
        change(scene, own, name, machines={"0": machine})
    block = Block(id="0", type="BlockChange", message="keep out")
    change(scene, own_model(scene, "b"), "b", blocks=(block,))
    change(scene, model, blocks=(block,))
    store = scene.peers["b"].store
    config = {**store.controller.config, "identity-url": "https://elsewhere"}
    metro = replace(store.controller.clouds["metro"], endpoint="https://elsewhere")
    store.put(replace(store.controller, config=config, clouds={"metro": metro}))
    change(scene, model, users={**there(scene, model).users, "eve@x": ModelUser(access="read")})
    findings = await found(scene, model)
    assert codes(findings) == [
        "source-controller-machine-not-running",
        "target-controller-machine-not-running",
        "target-blocked",
        "users-external",
    ]
    assert codes(findings, advice=True) == ["cloud-endpoint-differs", "model-blocked"]


async def test_a_credential_is_compared_and_never_shown(scene: Scene) -> None:
    model = await scene.model()
    for name, password in (("a", "s3cret"), ("b", "0ther")):
        attrs = {"username": "alice", "password": password}
        scene.peers[name].store.put(Credential(id=OWN, auth_type="userpass", attrs=attrs))
    change(scene, model, credential=OWN)
    link = scene.fleet.link(scene.controllers["b"])
    # nobody can log in as the owner on b, so only a superuser's view is had
    assert codes(await found(scene, model), advice=True) == ["credential-not-compared"]
    await scene.fleet.trust.local_user(scene.controllers["b"], "alice@jimm", link)
    findings = await found(scene, model)
    assert codes(findings) == ["credential-differs"]
    assert "s3cret" not in repr(findings) + str(findings)
    assert "0ther" not in repr(findings) + str(findings)
    here = scene.peers["a"].store.credentials[str(OWN)]
    scene.peers["b"].store.put(here)
    assert await found(scene, model) == []
    scene.peers["a"].store.put(replace(here, valid=False))
    scene.peers["b"].store.put(replace(here, auth_type="empty", attrs={}))
    assert codes(await found(scene, model)) == ["credential-invalid", "credential-type-differs"]
    other = OWN._replace(owner="admin")
    scene.peers["a"].store.put(replace(here, id=other))
    change(scene, model, credential=other)
    findings = await found(scene, model)
    assert codes(findings) == ["credential-not-owners"]
    assert codes(findings, advice=True) == ["credential-missing"]


def add_carol(scene: Scene, model: ModelUUID, on: str = "a") -> None:
    """A user that JIMM knows nothing of has access to the model."""
    scene.peers[on].store.put(LocalUser(name="carol", created=NOW))
    users = {**there(scene, model, on).users, "carol": ModelUser(access="read")}
    change(scene, model, on, users=users)


async def test_what_a_model_has_and_the_target_may_not_know(scene: Scene) -> None:
    model = await scene.model()
    add_carol(scene, model)
    store = scene.peers["a"].store
    vault = SecretBackend(name="vault", id="63c8ad37c906eb278540e942", config={"token": "k3y"})
    store.put(replace(store.controller, secret_backends={"vault": vault}))
    joined = OfferConnection(
        relation_id=1, model=ELSEWHERE, user="carol", endpoint="db", status=_joined()
    )
    offer = Offer(uuid=ELSEWHERE, name="db", application="ubuntu", connections=(joined,))
    far = RemoteApplication(
        name="far",
        offer_uuid="u",
        offer_url="admin/m2.db",
        source_model=ELSEWHERE,
        status=_joined(),
    )
    config = {**there(scene, model).config, "secret-backend": "vault"}
    change(scene, model, offers={"db": offer}, remote_applications={"far": far}, config=config)
    findings = await found(scene, model)
    assert codes(findings) == ["users-missing", "secret-backend-missing"]
    assert codes(findings, advice=True) == ["offers-in-use", "offers-consumed"]
    assert ELSEWHERE in findings[2].remedy
    assert "k3y" not in str(findings)
    with pytest.raises(ChecksFailed) as refused:
        await requests.request(scene.fleet, ADMIN, model, "b")
    assert [each["code"] for each in refused.value.checks] == [each.code for each in findings]
    asked = await requests.request(scene.fleet, ADMIN, model, "b", prepare=True)
    assert asked.prepare


def _joined() -> Status:
    return Status(status="joined", since=NOW)


async def test_a_question_without_an_answer_is_advice_at_most(scene: Scene) -> None:
    model = await scene.model()
    for point in ("Cloud.*", "Client.FullStatus", "UserManager.UserInfo", "Secrets.*"):
        scene.fault("a", point, "refuse", message="not implemented", times=0)
        scene.fault("b", point, "refuse", message="not implemented", times=0)
    scene.fault("a", "Controller.ControllerConfig", "lie", times=0)
    findings = await found(scene, model)
    assert codes(findings) == []
    assert codes(findings, advice=True) == ["not-checked", "not-checked"]
    assert "a does not tell the model's status: not implemented" in findings[0].found
    scene.fault("b", "*", "drop-before", times=0)
    assert codes(await found(scene, model)) == ["target-unavailable"]
    scene.fault("a", "*", "drop-before", times=0)
    assert codes(await found(scene, model)) == ["source-unavailable", "target-unavailable"]


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_a_controller_that_never_answers_costs_seconds(scene: Scene) -> None:
    model = await scene.model()
    scene.fault("b", "*", "stall", times=0)
    async with asyncio.timeout(30):
        assert codes(await found(scene, model)) == ["target-unavailable"]
    scene.peers["b"].faults.clear()
    scene.fault("a", "Client.FullStatus", "stall", times=0)
    async with asyncio.timeout(60):
        assert codes(await found(scene, model), advice=True) == ["not-checked"]


async def test_advice_and_size_are_kept_with_the_migration(scene: Scene) -> None:
    model = await scene.model()
    change(scene, model, blocks=(Block(id="0", type="BlockDestroy"),))
    async with scene.working():
        done = await scene.until(await scene.request(model), "done")
    assert [(each["code"], each["advice"]) for each in done.checks] == [("model-blocked", True)]
    assert (done.machines, done.units) == (1, 1)


async def test_a_source_that_has_dry_runs_is_asked_for_one(scene: Scene) -> None:
    for name in ("c", "d"):
        await scene.start(name, version="3.6.13")
    model = await scene.model(on="c")
    assert await found(scene, model, "d") == []
    users = scene.peers["d"].store.users
    assert users[target_login.USER].disabled
    async with scene.fleet.registry.read() as session:
        actions = [each.action for each in await audit.page(session)]
    assert actions.count("dry-run-migration") == 1
    text = "connect to target controller: unable to connect to API: dial tcp: i/o timeout"
    scene.fault("c", "Controller.InitiateMigration", "refuse", message=text)
    assert codes(await found(scene, model, "d")) == ["target-unreachable"]
    change(scene, model, "c", cleanups=True)  # which only Juju itself can see
    assert codes(await found(scene, model, "d")) == ["cleanup-needed"]
    scene.fault("d", "UserManager.AddUser", "refuse", message="no", times=0)
    assert codes(await found(scene, model, "d")) == ["target-refused"]
    assert users[target_login.USER].disabled
    assert there(scene, model, "c").migration is None


async def test_an_old_source_is_never_asked_for_a_dry_run(scene: Scene) -> None:
    model = await scene.model()
    scene.fault("a", "Controller.InitiateMigration", "crash", times=0)
    assert await found(scene, model) == []
    assert there(scene, model).migration is None
    assert target_login.USER not in scene.peers["b"].store.users


async def test_a_dry_run_of_juju_4_is_told_to_be_half_of_one(scene: Scene) -> None:
    await scene.start("c", version="4.0.13")
    await scene.start("d", version="4.1.0")
    model = await scene.model(on="c")
    assert "target-below-4-1" in codes(await found(scene, model, "b"))
    findings = await found(scene, model, "d")
    assert (codes(findings), codes(findings, advice=True)) == ([], ["dry-run-partial"])
