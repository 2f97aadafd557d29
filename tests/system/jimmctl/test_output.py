"""Formats: the same document as JSON and as YAML, a table for a terminal, files, streams."""

import asyncio
import os
import select
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.fix_dev import Dev
from tests.system.jimmctl.conftest import SCRIPT, Ctl, Done, login_of
from tests.system.rest.scene import CONTROLLERS, Stage

CONTROLLER = [
    "name",
    "uuid",
    "public-address",
    "api-addresses",
    "ca-certificate",
    "cloud-tag",
    "cloud-region",
    "agent-version",
    "status",
]
MODEL = [
    "model-name",
    "model-uuid",
    "owner",
    "controller-name",
    "controller-uuid",
    "cloud",
    "region",
    "status",
    "life",
]


async def every_format(ctl: Ctl, *command: str) -> tuple[Done, Done, Done]:
    """A command's output as JSON, as YAML and as a table; each ends well and says no more."""
    formats = ("json", "yaml", "tabular")
    made = await asyncio.gather(*(ctl(*command, "--format", each) for each in formats))
    for each in made:
        assert (each.status, each.err) == (0, "")
    as_json, as_yaml, table = made
    assert as_json.json == as_yaml.yaml
    return as_json, as_yaml, table


async def test_controllers(dev: Dev, ctl: Ctl) -> None:
    as_json, as_yaml, table = await every_format(ctl, "list-controllers")
    rows = as_json.json
    assert [each["name"] for each in rows] == list(CONTROLLERS)
    for row, described in zip(rows, dev.described["controllers"], strict=True):
        assert list(row)[: len(CONTROLLER)] == CONTROLLER
        assert row["status"]["status"] == "available"
        assert (row["uuid"], row["api-addresses"]) == (described["uuid"], [described["address"]])
        assert (row["cloud-tag"], row["cloud-region"]) == ("cloud-metro", "north")
    heads, *lines = table.out.splitlines()
    assert heads.split() == ["Name", "UUID", "Cloud/Region", "Version", "Status"]
    assert [line.split()[0] for line in lines] == list(CONTROLLERS)
    plain = await ctl("controllers")
    assert plain.out == as_yaml.out
    shown, _, sheet = await every_format(ctl, "show-controller", "controller-3")
    assert shown.json == rows[2]
    assert "3.6.10" in sheet.out


async def test_models(stage: Stage, ctl: Ctl) -> None:
    model = await stage.model()
    as_json, _, table = await every_format(ctl, "list-models")
    assert list(as_json.json) == ["models"]
    row = next(each for each in as_json.json["models"] if each["model-uuid"] == model.uuid)
    assert list(row) == MODEL
    assert (row["model-name"], row["owner"], row["controller-name"]) == (
        model.name,
        "alice",
        model.host,
    )
    assert any(line.split()[:2] == [model.name, model.uuid] for line in table.out.splitlines())
    shown, _, sheet = await every_format(ctl, "show-model", model.uuid)
    assert list(shown.json) == MODEL
    assert model.host in sheet.out
    others = [f"model-{model.uuid}", model.reference, f"alice@jimm/{model.name}"]
    for each in await asyncio.gather(*(ctl("show-model", name) for name in others)):
        assert each.yaml == shown.json
    assert (await ctl("models", "--format", "json")).json["models"]


async def test_whoami(dev: Dev, ctl: Ctl) -> None:
    as_json, _, table = await every_format(ctl, "whoami")
    assert as_json.json == {
        "identity": "admin",
        "display-name": "admin",
        "admin": True,
        "jimm-uuid": dev.described["jimm_uuid"],
        "address": dev.address,
    }
    assert dev.described["jimm_uuid"] in table.out
    alice = await ctl("--format", "json", "whoami", user="alice")
    assert (alice.json["identity"], alice.json["admin"]) == ("alice", False)


async def test_a_table_on_a_terminal_and_yaml_elsewhere(dev: Dev, ctl: Ctl) -> None:
    env = {"PATH": os.environ["PATH"], "HOME": "/nowhere", **login_of(dev, "admin")}
    on_terminal, piped = await asyncio.gather(
        asyncio.to_thread(terminal, "controllers", env=env), ctl("controllers")
    )
    assert on_terminal.split()[:2] == ["Name", "UUID"]
    assert isinstance(piped.yaml, list)
    chosen = await asyncio.to_thread(terminal, "controllers", "--format", "json", env=env)
    assert chosen.startswith('[{"name":"controller-1",')


async def test_a_file_takes_all_of_the_output(ctl: Ctl, tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("what was there before, and longer than what comes" * 1000)
    done, plain = await asyncio.gather(
        ctl("controllers", "-o", str(path)), ctl("controllers", "--format", "yaml")
    )
    assert (done.status, done.out, done.err) == (0, "", "")
    assert path.read_text() == plain.out
    nowhere = await ctl("controllers", "--output", str(tmp_path / "none" / "file"))
    assert "can't be written" in nowhere.misuse


async def test_what_is_no_command_and_no_format(ctl: Ctl) -> None:
    assert (await ctl("models", "--format", "xml")).misuse == 'unknown format "xml"'
    for wrong in (
        ("no-such-command",),
        ("migrate", "controller-1"),
        ("update-migrated-model", "controller-1", "alice/m"),
        ("resolve-migration", "x", "--model-is-on", "controller-1"),
    ):
        done = await ctl(*wrong, JIMMCTL_ADDRESS="127.0.0.1:1")
        assert (done.status, done.out) == (2, ""), wrong
        assert done.err.startswith("ERROR "), done.err
    assert (await ctl("migrate", "--help")).status == 0


def terminal(*arguments: str, env: Mapping[str, str]) -> str:
    """What a command writes to a terminal."""
    ours, theirs = os.openpty()
    process = subprocess.Popen([SCRIPT, *arguments], env=env, stdout=theirs, stdin=theirs)
    os.close(theirs)
    read = bytearray()
    while True:
        assert select.select([ours], [], [], 60)[0], "nothing more comes, and it does not end"
        try:
            part = os.read(ours, 65536)
        except OSError:  # EIO: the other end is closed
            break
        if not part:
            break
        read += part
    os.close(ours)
    assert process.wait(30) == 0
    return read.decode().replace("\r\n", "\n")
