"""Credentials: checked against the models that use them, pushed, kept from every text."""

import logging

import pytest

from jimm.errors import BadRequest, Conflict, NotFound, Unauthorized
from jimm.fleet import credentials
from jimm.fleet.caller import Caller
from jimm.fleet.creation import Created
from jimm.fleet.credential_pushes import LatePushes
from jimm.wire.params.cloud import CloudCredential, CredentialModelResult
from jimm.wire.tags import CredentialId
from tests.eventually import eventually
from tests.fix_fleet import ADMIN, ALICE, BOB
from tests.system.fleet.conftest import Scene

KEY = CredentialId("metro", "alice@jimm", "key")

SECRET = "a-password-of-the-cloud"


async def update(
    scene: Scene,
    password: str = SECRET,
    *,
    caller: Caller = ALICE,
    force: bool = False,
    refused: bool = False,
) -> list[CredentialModelResult]:
    """Adds or changes alice's credential; with ``refused`` the cloud does not take it."""
    attrs = {"username": "alice", "password": password}
    if refused:
        attrs["simulated-error"] = "password"
    content = CloudCredential(auth_type="userpass", attrs=attrs)
    return await credentials.update(scene.fleet, caller, KEY, content, force=force)


async def used(scene: Scene, on: str = "a", name: str = "m1") -> Created:
    """A model of alice's that uses it."""
    return await scene.create(name, on=on, credential=KEY)


def there(scene: Scene, on: str) -> str:
    """The password that a controller has."""
    store = scene.peers[on].store
    found = {each.id.name: each.attrs["password"] for each in store.credentials.values()}
    return found.get("key", "")


async def test_a_change_reaches_the_controllers_of_the_models_that_use_it(scene: Scene) -> None:
    assert await update(scene) == []
    models = [await used(scene, on, f"on-{on}") for on in "ab"]
    rows = await update(scene, "another")
    assert {row.uuid for row in rows} == {each.model.uuid for each in models}
    assert [row.uuid for row in rows] == sorted(row.uuid for row in rows)
    assert not any(row.errors for row in rows)
    assert [there(scene, on) for on in "ab"] == ["another", "another"]


async def test_a_model_that_would_lose_its_cloud_stands_in_the_way(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    await update(scene)
    await used(scene)
    (row,) = await update(scene, "bad-password", refused=True)
    (holder,) = row.errors
    assert holder.error is not None
    assert holder.error.message == 'the cloud does not know "<redacted>"'
    (kept,) = await credentials.opened(scene.fleet, ALICE)
    assert kept.attributes["password"] == SECRET
    assert there(scene, "a") == SECRET
    with pytest.raises(BadRequest, match="unexpected force specified"):
        await update(scene, "bad-password", refused=True, force=True)
    (row,) = await update(scene, "bad-password", refused=True, force=True, caller=ADMIN)
    assert row.errors
    assert there(scene, "a") == "bad-password"
    assert "bad-password" not in caplog.text
    assert "bad-password" not in str(await scene.trail())


async def test_a_check_changes_nothing(scene: Scene) -> None:
    await update(scene)
    await used(scene)
    attrs = {"username": "alice", "password": "another"}
    content = CloudCredential(auth_type="userpass", attrs=attrs)
    (row,) = await credentials.check(scene.fleet, ALICE, KEY, content)
    assert (row.name, row.errors) == ("m1", [])
    assert there(scene, "a") == SECRET


async def test_a_controller_that_is_away_gets_it_when_it_is_back(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    await update(scene)
    await used(scene)
    await scene.peers["a"].stop()
    await eventually(lambda: "a is away" in caplog.text)
    (row,) = await update(scene, "while-away")
    assert (row.name, row.errors) == ("m1", [])
    assert "a did not check credential metro/alice@jimm/key" in caplog.text
    late = LatePushes(scene.fleet)
    await late.look(scene.controllers["a"])  # it is still away
    await scene.restart("a")
    await late.look(scene.controllers["a"])
    assert there(scene, "a") == "while-away"
    assert "a was given credential metro/alice@jimm/key" in caplog.text
    assert "while-away" not in caplog.text


async def test_a_refused_late_push_is_not_repeated_at_once(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    await update(scene)
    await used(scene)
    await scene.peers["a"].stop()
    await eventually(lambda: "a is away" in caplog.text)
    await update(scene, "while-away")
    await scene.restart("a")
    scene.fault("a", "Cloud.UpdateCredentialsCheckModels", "refuse", times=9)
    now = 0.0
    late = LatePushes(scene.fleet, clock=lambda: now)
    for _ in range(3):
        await late.look(scene.controllers["a"])
    assert caplog.text.count("a refuses credential") == 1
    scene.peers["a"].faults.clear()
    now = 1000.0
    await late.look(scene.controllers["a"])
    assert there(scene, "a") == "while-away"


async def test_a_credential_in_use_is_revoked_by_force_only(scene: Scene) -> None:
    await update(scene)
    made = await used(scene)
    with pytest.raises(Conflict) as refused:
        await credentials.revoke(scene.fleet, ALICE, KEY, force=False)
    assert str(refused.value) == (
        "cannot revoke credential cloudcred-metro_alice_key: it is still used by 1 model"
    )
    await credentials.revoke(scene.fleet, ALICE, KEY, force=True)
    assert there(scene, "a") == ""
    assert (await scene.registered(made.model.uuid)).credential_name is None
    with pytest.raises(NotFound, match='credential "metro/alice/key" not found'):
        await credentials.revoke(scene.fleet, ALICE, KEY, force=True)


async def test_whose_credentials_are_whose(scene: Scene) -> None:
    await update(scene)
    with pytest.raises(Unauthorized):
        await update(scene, caller=BOB)
    with pytest.raises(Unauthorized):
        await credentials.revoke(scene.fleet, BOB, KEY, force=False)
    with pytest.raises(Unauthorized):
        await credentials.redacted(scene.fleet, BOB, KEY)
    with pytest.raises(Unauthorized):
        await credentials.opened(scene.fleet, ADMIN, [KEY])
    seen = await credentials.redacted(scene.fleet, ADMIN, KEY)
    assert seen.attributes == {"username": "alice", "password": ""}
    content = CloudCredential(auth_type="userpass", attrs={})
    with pytest.raises(NotFound, match='controller does not manage cloud "other"'):
        await credentials.check(scene.fleet, ALICE, KEY._replace(cloud="other"), content)
