"""A model made behind JIMM's back comes in, and goes out again, as an administrator has it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from jimm.wire.tags import ModelUUID
from tests.fix_dev import Dev
from tests.fix_simulator import SimulatorFactory
from tests.juju_client import Registration, Socket, logged_in
from tests.system.jimmctl.conftest import Ctl


@pytest.fixture
async def first(dev: Dev) -> AsyncIterator[Socket]:
    """The administrator of controller-1, past JIMM."""
    told = next(each for each in dev.described["controllers"] if each["name"] == "controller-1")
    place = Registration(
        name=told["name"],
        uuid=told["uuid"],
        address=told["address"],
        ca=Path(told["ca_cert"]).read_text(),
        user=told["username"],
        password=told["password"],
    )
    async with logged_in(place) as socket:
        yield socket


async def model_of(socket: Socket, owner: str, name: str) -> str:
    """A model made there."""
    params = {"name": name, "owner-tag": f"user-{owner}", "cloud-tag": "cloud-metro"}
    made = await socket.call("ModelManager", 10, "CreateModel", params)
    return str(made["uuid"])


async def test_a_model_comes_in_and_goes_out(
    ctl: Ctl, first: Socket, simulator: SimulatorFactory, tmp_path: Path
) -> None:
    uuid = await model_of(first, "alice@jimm", "strange-1")
    other = await model_of(first, "admin", "strange-2")
    rows = (await ctl("list-unmanaged", "controller-1")).yaml["models"]
    shown = {each["model-name"]: (each["owner"], each.get("import-as")) for each in rows}
    assert shown == {"strange-1": ("alice@jimm", "alice"), "strange-2": ("admin", None)}
    table = (await ctl("list-unmanaged", "controller-1", "--format", "tabular")).out
    assert [line.split()[0] for line in table.splitlines()] == ["Model", "strange-2", "strange-1"]
    imported = await ctl("import-model", "controller-1", uuid)
    assert imported.err == "alice/strange-1 is imported\n"
    assert imported.yaml["model"]["controller-name"] == "controller-1"
    again = await ctl("import-model", "controller-1", uuid, "--owner", "alice")
    assert (again.yaml["changed"], again.err) == (False, "alice/strange-1 was in JIMM already\n")
    nobody = await ctl("import-model", "controller-1", other)
    assert "name the owner that it shall have in JIMM" in nobody.error
    await first.call("ModelManager", 10, "DestroyModels", destroyed(other))

    far = await simulator(name="far", speed=50)
    file = tmp_path / "far.yaml"
    file.write_text(yaml.safe_dump(far.registration()))
    dry = await ctl("migrate-out", uuid, str(file), "--dry-run")
    assert (dry.status, dry.yaml["ready"], dry.yaml["migration-id"]) == (0, True, "")
    gone = await ctl("migrate-out", uuid, "-", "--wait", stdin=file.read_text())
    assert (gone.status, gone.yaml["state"]) == (0, "done"), gone.err
    assert str(far.registration()["password"]) not in gone.err + gone.out
    assert f'model "{uuid}" not found' in (await ctl("show-model", uuid)).error
    kept = (await ctl("show-migration", gone.yaml["migration-id"])).yaml
    assert (kept["source"], kept["target"], kept["state"]) == ("controller-1", "far", "done")
    assert far.store.models[ModelUUID(uuid)].mode == ""


async def test_what_can_t_be_is_told_at_once(ctl: Ctl, tmp_path: Path) -> None:
    uuid = "9e39fde1-c9a1-4bdb-9a25-6ac6eab13f6d"
    assert "not a valid model uuid" in (await ctl("import-model", "controller-1", "web")).misuse
    both = await ctl("migrate-out", uuid, "-", "--dry-run", "--wait")
    assert both.misuse.startswith("--dry-run moves nothing")
    assert "can't be read" in (await ctl("migrate-out", uuid, "nowhere.yaml")).misuse
    away = await ctl("import-model", "controller-1", uuid, "--owner", "alice")
    assert away.error == f'controller-1 has no model "{uuid}"'
    assert (await ctl("list-unmanaged", "controller-1", user="bob")).error == "permission denied"


def destroyed(model: str) -> dict[str, Any]:
    """The end of a model."""
    return {"models": [{"model-tag": f"model-{model}", "force": True}]}
