"""`jimm dev` while it runs: what it says, what it holds, whom it refuses."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from jimm.registry.embedded import EmbeddedPostgres, cluster_folder
from tests.fix_dev import Dev, make
from tests.juju_client import Registration, logged_in
from tests.system.dev.left import is_running, left
from tests.waiting import wait_until


@pytest.fixture(name="here", scope="module")
def _here() -> Iterator[Dev]:
    """One for this module; its last test kills a controller."""
    made = make(controllers=3)
    try:
        made.start()
        yield made
    finally:
        made.destroy()


def refused(folder: Path, port: int, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "jimm", "dev", "--data", str(folder), "--port", str(port)]
    done = subprocess.run(
        [*command, *options], capture_output=True, text=True, timeout=60, check=False
    )
    assert "Traceback" not in done.stderr
    return done


def controller(described: dict[str, str]) -> Registration:
    return Registration(
        name=described["name"],
        uuid=described["uuid"],
        address=described["address"],
        ca=Path(described["ca_cert"]).read_text(),
        user=described["username"],
        password=described["password"],
    )


def test_the_file_says_where_everything_is(here: Dev) -> None:
    told = here.described
    order = ["address", "rest", "ca_cert", "jimm_uuid", "users", "controllers", "pids"]
    assert list(told) == order
    assert told["address"] == f"127.0.0.1:{here.port}"
    assert told["rest"] == f"https://127.0.0.1:{here.port}/v1"
    assert "BEGIN CERTIFICATE" in Path(told["ca_cert"]).read_text()
    assert [set(user) for user in told["users"]] == [{"name", "password", "admin"}] * 3
    named = [(user["name"], user["admin"]) for user in told["users"]]
    assert named == [("admin", True), ("alice", False), ("bob", False)]
    keys = "name uuid address ca_cert username password cloud region agent_version pid"
    assert [list(each) for each in told["controllers"]] == [keys.split()] * 3
    assert {(each["cloud"], each["region"]) for each in told["controllers"]} == {("metro", "north")}
    assert list(told["pids"]) == ["jimm", "postgres"]
    pids = [*told["pids"]["jimm"], told["pids"]["postgres"]]
    for pid in [*pids, *(each["pid"] for each in told["controllers"])]:
        os.kill(pid, 0)


def test_secrets_are_readable_by_their_owner_alone(here: Dev) -> None:
    for name in ("dev.json", "kept.json", "secret.key", "run/controller-1.yaml"):
        assert (here.folder / name).stat().st_mode & 0o777 == 0o600, name


def test_jimm_says_its_uuid(here: Dev) -> None:
    with closing(here.rest()) as rest:
        assert rest.get("/whoami").json()["jimm-uuid"] == here.described["jimm_uuid"]
        assert [each["name"] for each in rest.get("/tokens").json()["tokens"]] == [""]


def test_every_controller_runs_and_the_third_is_newer(here: Dev) -> None:
    with closing(here.rest()) as rest:
        known = rest.get("/controllers").json()["controllers"]
    assert {each["status"]["status"] for each in known} == {"available"}
    versions = [each["agent_version"] for each in here.described["controllers"]]
    first, second, third = ([int(part) for part in each.split(".")] for each in versions)
    assert first == second
    assert third[:2] == first[:2]
    assert third > first


async def test_all_controllers_share_one_cloud(here: Dev) -> None:
    for described in here.described["controllers"]:
        async with logged_in(controller(described)) as socket:
            params = {"entities": [{"tag": "cloud-metro"}]}
            row = (await socket.call("Cloud", 7, "Cloud", params))["results"][0]["cloud"]
        assert set(row["auth-types"]) == {"userpass", "empty"}
        assert [region["name"] for region in row["regions"]] == ["north"]


@pytest.mark.parametrize("user", ["alice", "bob"])
async def test_users_may_add_models(here: Dev, user: str) -> None:
    async with here.socket(user) as socket:
        params = {"name": "m1", "owner-tag": f"user-{user}", "cloud-tag": "cloud-metro"}
        made = await socket.call("ModelManager", 10, "CreateModel", params)
        credential = made.get("cloud-credential-tag", "")
        assert credential == ("cloudcred-metro_alice_alice" if user == "alice" else "")
        destroy = {"models": [{"model-tag": f"model-{made['uuid']}"}]}
        assert await socket.call("ModelManager", 10, "DestroyModels", destroy) == {"results": [{}]}


async def test_alice_has_a_credential(here: Dev) -> None:
    params = {"user-clouds": [{"user-tag": "user-alice", "cloud-tag": "cloud-metro"}]}
    async with here.socket() as socket:
        row = (await socket.call("Cloud", 7, "UserCredentials", params))["results"][0]
    assert row["result"] == ["cloudcred-metro_alice_alice"]


def test_no_secret_is_in_a_log(here: Dev) -> None:
    told = here.described
    secrets = [each["password"] for each in [*told["users"], *told["controllers"]]]
    secrets += [(here.folder / "secret.key").read_text().strip()]
    secrets += ["PRIVATE KEY", "eyJ"]  # a key; the opening of a JWT
    logs = [*(here.folder / "run").glob("*.log"), here.folder.parent / f"{here.folder.name}.log"]
    assert len(logs) == 5
    for log in logs:
        text = log.read_text()
        assert not [secret for secret in secrets if secret in text], log.name
    assert re.search(r"ready in \d+\.\d s", logs[-1].read_text())


def test_the_registrations_are_what_jimmctl_reads(here: Dev) -> None:
    registration = yaml.safe_load((here.folder / "run" / "controller-2.yaml").read_text())
    assert registration["uuid"] == here.described["controllers"][1]["uuid"]


def test_a_second_one_on_the_same_folder_is_refused(here: Dev) -> None:
    before = here.described
    done = refused(here.folder, here.port + 1)
    assert done.returncode == 1
    assert done.stderr == f"ERROR another jimm dev runs on {here.folder}\n"
    assert here.described == before


def test_a_taken_port_is_said(here: Dev, tmp_path: Path) -> None:
    done = refused(tmp_path / "other", here.port)
    assert done.returncode == 1
    assert done.stderr == (
        f"ERROR JIMM can't listen on 127.0.0.1:{here.port} (address already in use): "
        "choose another --port\n"
    )
    assert not left(tmp_path / "other")
    EmbeddedPostgres(cluster_folder(tmp_path / "other")).destroy()


@pytest.mark.parametrize(
    ("port", "options"),
    [(70000, []), (0, []), (17070, ["--controllers", "-1"]), (17070, ["--unknown"])],
)
def test_what_it_does_not_know_is_misuse(tmp_path: Path, port: int, options: list[str]) -> None:
    assert refused(tmp_path / "dev", port, *options).returncode == 2
    assert not (tmp_path / "dev").exists()


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert refused(tmp_path / "file", 17070).returncode == 2


async def test_a_killed_controller_stays_away_and_the_rest_goes_on(here: Dev) -> None:
    victim = here.described["controllers"][0]
    os.kill(victim["pid"], signal.SIGKILL)
    log = here.folder.parent / f"{here.folder.name}.log"
    wait_until(lambda: "controller-1 is gone; the rest goes on." in log.read_text())
    with closing(here.rest()) as rest:
        wait_until(
            lambda: (
                rest.get("/controllers/controller-1").json()["status"]["status"] == "unavailable"
            )
        )
    async with here.socket("bob") as socket:
        params = {"name": "m2", "owner-tag": "user-bob", "cloud-tag": "cloud-metro"}
        await socket.call("ModelManager", 10, "CreateModel", params)
    assert json.loads((here.folder / "dev.json").read_text()) == here.described
    assert not is_running(victim["pid"])
    assert here.process is not None
    assert here.process.poll() is None
