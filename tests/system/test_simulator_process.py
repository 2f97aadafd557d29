"""A simulated controller as a process: ready, killed, started again, stopped, tampered with."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from jimm.net.tls import client_context
from tests.eventually import eventually
from tests.fix_simulator import SimulatorFactory
from tests.juju_client import Refused, Registration, dialled, logged_in

PROGRAM = """
import asyncio, sys
from pathlib import Path
from jimm.simulator.core import Options
from jimm.simulator.main import serve
state, registration, port = sys.argv[1:]
asyncio.run(serve(Options(name="p", state=Path(state), port=int(port), speed=20,
                          registration=Path(registration) if registration else None)))
"""


@asynccontextmanager
async def running(folder: Path, port: int = 0) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that has said that it is ready."""
    registration = folder / "registration.yaml"
    registration.unlink(missing_ok=True)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        str(folder / "state.db"),
        str(registration),
        str(port),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        await eventually(registration.exists, deadline=60)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def registered(folder: Path) -> Registration:
    return Registration.of(yaml.safe_load((folder / "registration.yaml").read_text()))


async def test_what_was_answered_survives_a_sigkill(tmp_path: Path) -> None:
    params = {"name": "m1", "owner-tag": "user-admin"}
    async with running(tmp_path) as process:
        before = registered(tmp_path)
        assert (tmp_path / "registration.yaml").stat().st_mode & 0o777 == 0o600
        async with logged_in(before) as socket:
            made = await socket.call("ModelManager", 10, "CreateModel", params)
        process.kill()
        await process.wait()
    port = int(before.address.rpartition(":")[2])
    async with running(tmp_path, port) as process:
        assert registered(tmp_path) == before
        async with logged_in(before) as socket:
            listed = await socket.call("Controller", 12, "AllModels")
            assert made["uuid"] in [each["model"]["uuid"] for each in listed["user-models"]]
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 5) == 0


async def test_stdout_holds_one_yaml_document(tmp_path: Path) -> None:
    """Only where no file was asked for: it holds a password, so it goes to one place."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        *(str(tmp_path / "state.db"), "", "0"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    output = await asyncio.wait_for(process.stdout.readuntil(b"...\n"), 20)
    process.terminate()
    await process.wait()
    assert Registration.of(yaml.safe_load(output)).name == "p"


async def test_a_dying_model_is_buried_after_a_restart(
    simulator: SimulatorFactory, tmp_path: Path
) -> None:
    state = tmp_path / "state.db"
    first = await simulator(state=state, speed=0.01)
    async with logged_in(Registration.of(first.registration())) as socket:
        params = {"name": "m1", "owner-tag": "user-admin"}
        made = await socket.call("ModelManager", 10, "CreateModel", params)
        wanted = {"models": [{"model-tag": f"model-{made['uuid']}"}]}
        await socket.call("ModelManager", 10, "DestroyModels", wanted)
        await first.kill()
        await socket.closed()
    second = await simulator(state=state, speed=100)
    assert second.registration()["uuid"] == first.registration()["uuid"]
    await eventually(lambda: made["uuid"] not in second.store.models)


async def test_faults_through_the_control_door(simulator: SimulatorFactory) -> None:
    made = Registration.of((await simulator()).registration())
    door = f"https://{made.address}/simulator/faults"
    context = client_context(made.ca)
    login = (made.user, made.password)
    async with httpx.AsyncClient(verify=context, auth=login) as http:
        fault = {"point": "Pinger.*", "action": "refuse", "message": "no", "code": "try again"}
        added = (await http.post(door, json=fault)).json()
        assert added["id"] == 1
        assert [each["point"] for each in (await http.get(door)).json()] == ["Pinger.*"]
        async with logged_in(made) as socket:
            with pytest.raises(Refused) as caught:
                await socket.call("Pinger", 1, "Ping")
            assert (caught.value.message, caught.value.code) == ("no", "try again")
            assert await socket.call("Pinger", 1, "Ping") == {}
        assert (await http.post(door, json={"point": "x"})).status_code == 400
        assert (await http.get(door, auth=("admin", "wrong"))).status_code == 401
        assert (await http.delete(door)).json() == []


async def test_a_stalled_call_goes_on_when_cleared(simulator: SimulatorFactory) -> None:
    made = await simulator()
    fault = {"point": "Pinger.Ping", "action": "stall"}
    registration = Registration.of(made.registration())
    async with logged_in(registration) as socket:
        await _add(registration, fault)
        waiting = socket.spawn_call("Pinger", 1, "Ping")
        await eventually(lambda: not made.faults.list())
        assert not waiting.done()
        made.faults.clear()
        assert await waiting == {}


@pytest.mark.parametrize(("action", "happened"), [("drop-before", False), ("drop-after", True)])
async def test_a_lost_answer(simulator: SimulatorFactory, action: str, happened: bool) -> None:
    made = await simulator()
    registration = Registration.of(made.registration())
    await _add(registration, {"point": "ModelManager.CreateModel", "action": action})
    async with logged_in(registration) as socket:
        params = {"name": "m1", "owner-tag": "user-admin"}
        with pytest.raises(ConnectionError):
            await socket.call("ModelManager", 10, "CreateModel", params)
        assert await socket.closed() is None
    assert ("m1" in [model.name for model in made.store.models.values()]) is happened


async def test_a_crash_ends_everything_at_once(simulator: SimulatorFactory) -> None:
    made = await simulator()
    registration = Registration.of(made.registration())
    await _add(registration, {"point": "Pinger.Ping", "action": "crash"})
    async with logged_in(registration) as socket:
        with pytest.raises(ConnectionError):
            await socket.call("Pinger", 1, "Ping")
    with pytest.raises(OSError):
        async with dialled(registration):
            pass


async def _add(registration: Registration, fault: dict[str, str]) -> None:
    context = client_context(registration.ca)
    login = (registration.user, registration.password)
    async with httpx.AsyncClient(verify=context, auth=login) as http:
        door = f"https://{registration.address}/simulator/faults"
        assert (await http.post(door, json=fault)).status_code == 200


async def test_a_stop_waits_for_nobody(simulator: SimulatorFactory) -> None:
    made = await simulator()
    registration = Registration.of(made.registration())
    await _add(registration, {"point": "Pinger.Ping", "action": "stall"})
    own = made.store.controller.model_uuid
    async with logged_in(registration, f"/model/{own}/api") as socket, dialled(registration):
        watcher = (await socket.call("Client", 8, "WatchAll"))["watcher-id"]
        await socket.call("AllWatcher", 3, "Next", object_id=watcher)
        waiting = [
            socket.spawn_call("AllWatcher", 3, "Next", object_id=watcher),
            socket.spawn_call("Pinger", 1, "Ping"),
        ]
        await eventually(lambda: not made.faults.list())
        await asyncio.wait_for(made.stop(), 5)
        ended = await asyncio.gather(*waiting, return_exceptions=True)
    # The watcher may still say that it was stopped; nobody is left waiting.
    assert all(isinstance(each, ConnectionError | Refused) for each in ended)
