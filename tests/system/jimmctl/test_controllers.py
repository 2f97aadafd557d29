"""Controllers and single models, managed with jimmctl."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from jimm.net.certificates import Authority
from jimm.simulator.faults import Fault
from jimm.simulator.server import Simulator
from tests.fix_simulator import SimulatorFactory
from tests.system.jimmctl.conftest import Ctl
from tests.system.rest.scene import CONTROLLERS, Stage

UNKNOWN = "11111111-1111-4111-8111-111111111111"


@pytest.fixture(name="spare")
async def _spare(simulator: SimulatorFactory, admin: httpx.AsyncClient) -> AsyncIterator[Simulator]:
    """A controller that JIMM does not know, and won't know afterwards."""
    yield await simulator(name="spare")
    await admin.delete("/controllers/spare?force=true")


def written(folder: Path, peer: Simulator, **changes: Any) -> str:
    """A file for add-controller."""
    told = {**peer.registration(), **{key.replace("_", "-"): changes[key] for key in changes}}
    path = folder / "controller.yaml"
    path.write_text(yaml.safe_dump(told))
    return str(path)


async def test_from_a_file_and_away_again(ctl: Ctl, spare: Simulator, tmp_path: Path) -> None:
    added = await ctl("add-controller", written(tmp_path, spare))
    assert (added.status, added.err) == (0, "")
    assert (added.yaml["name"], added.yaml["uuid"]) == ("spare", spare.uuid)
    assert spare.identity.admin_password.reveal() not in added.out
    retired = await ctl("set-controller-deprecated", "spare")
    assert retired.yaml["status"]["status"] == "deprecated"
    again = await ctl("set-controller-deprecated", "spare", "--undo")
    assert again.yaml == added.yaml
    taken = await ctl("add-controller", written(tmp_path, spare))
    assert taken.error == 'controller "spare" already exists'
    removed = await ctl("remove-controller", "spare")
    assert removed.yaml == {"unmanaged": []}
    assert removed.err == "removed controller spare; models left unmanaged: 0\n"
    assert (await ctl("show-controller", "spare")).error == 'controller "spare" not found'


async def test_from_stdin_as_json(ctl: Ctl, spare: Simulator) -> None:
    text = json.dumps(spare.registration())
    added = await ctl("add-controller", "-", "--format", "json", stdin=text)
    assert added.json["name"] == "spare"
    names = [each["name"] for each in (await ctl("controllers", "--format", "json")).json]
    assert names == [*CONTROLLERS, "spare"]


async def test_a_controller_that_is_not_what_was_said(
    ctl: Ctl, spare: Simulator, tmp_path: Path
) -> None:
    stranger = Authority.create("another authority").certificate_pem
    untrue: tuple[tuple[dict[str, Any], str], ...] = (
        ({"ca_certificate": stranger}, "its certificate is not signed by the registered CA"),
        ({"uuid": UNKNOWN}, f"wrong controller: {spare.uuid} answers there, and not {UNKNOWN}"),
        ({"uuid": "", "password": "wrong"}, "the controller says: invalid entity name"),
        ({"api_addresses": ["127.0.0.1:1"]}, "cannot reach the controller at 127.0.0.1:1"),
    )
    for changes, words in untrue:
        done = await ctl("add-controller", written(tmp_path, spare, **changes))
        assert words in done.error
    misspelt = await ctl("add-controller", written(tmp_path, spare, nmae="x"))
    assert 'unknown key "nmae"' in misspelt.misuse


async def test_models_that_a_removed_controller_leaves(
    stage: Stage, ctl: Ctl, spare: Simulator, tmp_path: Path
) -> None:
    assert (await ctl("add-controller", written(tmp_path, spare))).status == 0
    model = await stage.model("orphan", on="spare")
    assert "model" in (await ctl("remove-controller", "spare")).error
    assert "the model is live on spare" in (await ctl("forget-model", model.uuid)).error
    removed = await ctl("remove-controller", "spare", "--force", "--format", "json")
    row = {"model-name": model.name, "model-uuid": model.uuid, "owner": "alice"}
    assert removed.json == {"unmanaged": [row]}
    assert (await ctl("show-model", model.uuid)).yaml["status"] == "unmanaged"
    # Or JIMM, which looks at a controller that has come back, might find the model first.
    unseen = spare.faults.add(
        Fault(point="ModelManager.ListModelSummaries", action="refuse", times=0)
    )
    assert (await ctl("add-controller", written(tmp_path, spare))).status == 0
    mapped = await ctl("update-migrated-model", "spare", f"model-{model.uuid}")
    assert mapped.status == 0
    assert mapped.yaml["changed"] is True
    assert mapped.err == f"{model.reference} is on spare now, and was on no controller\n"
    spare.faults.clear(unseen.id)
    assert (await ctl("remove-controller", "spare", "--force")).status == 0
    forgotten = await ctl("forget-model", model.uuid)
    assert (forgotten.status, forgotten.out) == (0, "")
    assert forgotten.err == f"forgot model {model.uuid}\n"
    assert (await ctl("show-model", model.uuid)).error == f'model "{model.uuid}" not found'


async def test_update_migrated_model(stage: Stage, ctl: Ctl) -> None:
    model = await stage.model(on="controller-1")
    right = await ctl("update-migrated-model", "controller-1", model.uuid, "--format", "json")
    assert right.status == 0
    assert right.err == (f"{model.reference} is on controller-1 already, and nothing was changed\n")
    assert right.json["changed"] is False
    wrong = await ctl("update-migrated-model", "controller-2", model.uuid)
    assert wrong.error == "controller-2 does not have the model"
    nowhere = await ctl("update-migrated-model", "none", model.uuid)
    assert nowhere.error == 'controller "none" not found'
    unknown = await ctl("update-migrated-model", "controller-1", UNKNOWN)
    assert unknown.error == f'model "{UNKNOWN}" not found'


async def test_migration_targets(stage: Stage, ctl: Ctl) -> None:
    model = await stage.model(on="controller-1")
    told = await ctl("list-migration-targets", model.uuid, "--format", "json")
    assert [(each["name"], each["ready"]) for each in told.json] == [
        ("controller-2", True),
        ("controller-3", True),
        ("controller-4", True),
    ]
    named = await ctl("list-migration-targets", model.reference)
    assert named.yaml == told.json
    table = await ctl("list-migration-targets", model.uuid, "--format", "tabular")
    assert table.out.splitlines()[0].split()[:2] == ["Name", "UUID"]
    assert "not found" in (await ctl("list-migration-targets", UNKNOWN)).error


async def test_who_is_no_administrator(stage: Stage, ctl: Ctl, tmp_path: Path) -> None:
    model = await stage.model()
    for command in (
        ("set-controller-deprecated", "controller-1"),
        ("remove-controller", "controller-1"),
        ("forget-model", model.uuid),
        ("update-migrated-model", model.host, model.uuid),
    ):
        assert (await ctl(*command, user="alice")).error == "permission denied"
    mine = await ctl("show-model", model.reference, user="alice")
    assert mine.yaml["controller-name"] == model.host
    for name in (model.uuid, model.reference):
        hidden = await ctl("show-model", name, user="bob")
        assert hidden.error == f'model "{name}" not found'
    for row in (await ctl("controllers", user="alice")).yaml:
        assert (row["api-addresses"], row["ca-certificate"]) == ([], "")


async def test_who_may_add_models_there(ctl: Ctl) -> None:
    granted = await ctl("grant-add-model", "controller-1", "bob")
    assert (granted.status, granted.err) == (0, "bob may add models on controller-1\n")
    again = await ctl("grant-add-model", "controller-1", "bob")
    assert "already has" in again.error
    revoked = await ctl("revoke-add-model", "controller-1", "bob")
    assert (revoked.status, revoked.err) == (0, "bob may add no more models on controller-1\n")
    assert "not found" in (await ctl("grant-add-model", "none", "bob")).error
