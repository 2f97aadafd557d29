"""`jimm dev` ends, by itself or not, and begins again where it was."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jimm.registry.embedded import cluster_folder
from tests.fix_dev import Dev, make
from tests.system.dev.left import groups, is_running, left, members
from tests.waiting import wait_until

STOPPED_WITHIN = 10.0
"""Seconds between a signal and the last process's end."""


@pytest.fixture(name="one")
def _one() -> Iterator[Dev]:
    """One with a single controller, not started yet."""
    made = make(controllers=1)
    try:
        yield made
    finally:
        made.destroy()


def lasting(dev: Dev) -> dict[str, object]:
    """What must stay over a restart."""
    told = dev.described
    for each in told["controllers"]:
        del each["pid"]
    return {
        **{key: told[key] for key in ("address", "jimm_uuid", "users", "controllers")},
        "ca": dev.ca,
        "cas": [Path(each["ca_cert"]).read_text() for each in told["controllers"]],
    }


def pids(dev: Dev) -> list[int]:
    told = dev.described
    controllers = [each["pid"] for each in told["controllers"]]
    return [*told["pids"]["jimm"], told["pids"]["postgres"], *controllers]


def stop(dev: Dev, number: int) -> int:
    """Stops it; nothing is left then, of any of its process groups either."""
    concerned = groups(pids(dev))
    began = time.monotonic()
    status = dev.stop(number)
    assert time.monotonic() - began < STOPPED_WITHIN
    assert not left(dev.folder)
    assert not [pid for group in concerned for pid in members(group)]
    assert not (dev.folder / "dev.json").exists()
    return status


async def test_all_stays_over_restarts(one: Dev) -> None:
    one.start()
    before = lasting(one)
    async with one.socket("bob") as socket:
        params = {"name": "kept", "owner-tag": "user-bob", "cloud-tag": "cloud-metro"}
        model = (await socket.call("ModelManager", 10, "CreateModel", params))["uuid"]
    assert stop(one, signal.SIGTERM) == 0
    one.start()
    assert lasting(one) == before
    assert [each["model-uuid"] for each in one.asked("list-models")["models"]] == [model]
    async with one.socket("bob", f"/model/{model}/api") as socket:
        status = await socket.call("Client", 8, "FullStatus", {"patterns": []})
    assert status["model"]["name"] == "kept"
    assert stop(one, signal.SIGINT) == 0


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_what_a_sigkill_leaves_is_taken_over(one: Dev) -> None:
    one.start()
    before, running = lasting(one), pids(one)
    assert one.process is not None
    one.process.kill()
    one.process.wait()
    assert len(running) == 3
    assert all(is_running(pid) for pid in running)
    one.start()
    assert lasting(one) == before
    postgres = one.described["pids"]["postgres"]
    for pid in set(running) - {postgres}:
        assert not is_running(pid), Path(f"/proc/{pid}/cmdline").read_bytes()
    assert stop(one, signal.SIGTERM) == 0


@pytest.mark.parametrize("what", ["jimm", pytest.param("postgres", marks=pytest.mark.soak)])
def test_it_ends_when_jimm_or_postgres_is_gone(one: Dev, what: str) -> None:
    one.start()
    victim = one.described["pids"][what]
    os.kill(victim if what == "postgres" else victim[0], signal.SIGKILL)
    assert one.process is not None
    assert one.process.wait(STOPPED_WITHIN) == 1
    wait_until(lambda: not left(one.folder))
    assert not (one.folder / "dev.json").exists()
    log = (one.folder.parent / f"{one.folder.name}.log").read_text()
    name = {"jimm": "JIMM", "postgres": "Postgres"}[what]
    assert f"ERROR {name} is gone" in log
    assert "Traceback" not in log


def _is_begun(dev: Dev) -> bool:
    return (dev.folder / "run" / "controller-1.log").exists()


def _makes_a_cluster(dev: Dev) -> bool:
    return (cluster_folder(dev.folder) / "data.partial").exists()


def _has_postgres(dev: Dev) -> bool:
    return (cluster_folder(dev.folder) / "data" / "postmaster.pid").exists()


def _has_jimm(dev: Dev) -> bool:
    return (dev.folder / "run" / "jimm.log").exists()


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        pytest.param(_is_begun, signal.SIGTERM, id="the first process", marks=pytest.mark.soak),
        pytest.param(_makes_a_cluster, signal.SIGINT, id="the cluster is made"),
        pytest.param(_has_postgres, signal.SIGTERM, id="Postgres starts", marks=pytest.mark.soak),
        pytest.param(_has_jimm, signal.SIGINT, id="JIMM starts", marks=pytest.mark.soak),
    ],
)
def test_told_to_stop_while_it_starts(one: Dev, moment: Callable[[Dev], bool], number: int) -> None:
    command = [sys.executable, "-m", "jimm", "dev", "--data", str(one.folder)]
    one.process = subprocess.Popen([*command, "--port", str(one.port), "--controllers", "1"])
    wait_until(lambda: moment(one))
    assert one.stop(number) == 0
    assert not left(one.folder)
    assert not (one.folder / "dev.json").exists()


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_without_controllers_and_again_in_a_removed_folder() -> None:
    """As root the database lies elsewhere, and must not outlive its folder's next life."""
    made = make(controllers=0)
    try:
        for _ in range(2):
            made.start()
            assert made.described["controllers"] == []
            async with made.socket() as socket:
                asked = {"tag": "user-alice"}
                listed = await socket.call("ModelManager", 10, "ListModels", asked)
                assert listed == {"user-models": []}
            assert stop(made, signal.SIGTERM) == 0
            shutil.rmtree(made.folder)
            made.folder.mkdir()
    finally:
        made.destroy()
