"""Ten thousand connections to models on which nothing happens: they stay, and hear of the end."""

import asyncio
import os
import random
import resource
import signal
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import yaml

from jimm.registry.session import Registry
from tests.eventually import eventually
from tests.juju_client import Refused, Registration, Socket, logged_in
from tests.system.crash.house import PASSWORD, House, house
from tests.system.serve.processes import workers
from tests.system.soak.stage import TICK, Program

WANTED = int(os.environ.get("JIMM_IDLE_CONNECTIONS", "10000"))
WORKERS = 2
AT_ONCE = 16
TRIES = 5
IDLE = 45.0
"""Seconds: several of JIMM's own pings, and longer than any of its deadlines for silence."""

CALLED = 100
STOPS_WITHIN = 20.0


@pytest.mark.soak
@pytest.mark.timeout(1800)
async def test_idle_connections(registry: Registry, database_url: str, tmp_path: Path) -> None:
    count = min(WANTED, more_files() - 1000)
    async with (
        house(registry, database_url, tmp_path, workers=WORKERS) as home,
        controller(home) as model,
        AsyncExitStack() as stack,
    ):
        sockets = await opened(home, f"/model/{model}/api", count, stack)
        at_rest = {pid: kilobytes(pid) for pid in workers(home)}
        before, began = cpu(home), time.monotonic()
        await asyncio.sleep(IDLE)  # that nothing happens is what this is about
        busy = (cpu(home) - before) / (time.monotonic() - began)
        print(f"\n{count} idle connections: {busy:.1%} of a core; kB of the workers {at_rest}")
        assert sum(each.connection.state.name == "OPEN" for each in sockets) == count
        for each in random.sample(sockets, min(CALLED, count)):
            await each.call("Client", 6, "FullStatus", {"patterns": []})
        home.send(signal.SIGTERM)
        codes = await asyncio.gather(*(each.closed(STOPS_WITHIN) for each in sockets))
        assert codes == [1001] * count
        assert home.process is not None
        assert await asyncio.wait_for(home.process.wait(), STOPS_WITHIN) == 0


async def opened(home: House, path: str, count: int, stack: AsyncExitStack) -> list[Socket]:
    """So many sockets of alice's, a few at a time."""
    place = Registration("jimm", home.uuid, f"127.0.0.1:{home.port}", home.ca, "alice", PASSWORD)
    sockets: list[Socket] = []
    turns = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with turns:
            for _ in range(TRIES):
                try:
                    sockets.append(await stack.enter_async_context(logged_in(place, path)))
                except Refused:
                    continue  # a controller that takes so many at once may be late
                return
            raise AssertionError("refused again and again")

    began, before = time.monotonic(), cpu(home)
    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(one())
    spent = (cpu(home) - before) / count * 1000
    print(f"\n{count} logins in {time.monotonic() - began:.0f} s, {spent:.1f} ms of CPU each")
    return sockets


@asynccontextmanager
async def controller(home: House) -> AsyncIterator[str]:
    """A controller in a process of its own, and the uuid of a model on it."""
    registration = home.folder / "a.yaml"
    options = {
        "name": "a",
        "port": "0",
        "registration": str(registration),
        "jwks-url": f"https://127.0.0.1:{home.port}/.well-known/jwks.json",
        "jwks-ca": str(home.folder / "ca.crt"),
    }
    arguments = ["simulate", *(f"--{key}={value}" for key, value in options.items())]
    program = Program(arguments, {}, home.folder / "a.log")
    await program.start()
    try:
        await eventually(registration.exists, deadline=60)
        async with home.rest() as rest:
            told = yaml.safe_load(registration.read_text())
            added = await rest.post("/v1/controllers", json=told)
            assert added.status_code == 201, added.text
        async with home.socket() as api:
            made = await eventually(lambda: create(api), deadline=30)
            assert isinstance(made, Mapping)
        yield str(made["uuid"])
    finally:
        await program.end()


async def create(api: Socket) -> object:
    """A model, once its controller is there."""
    asked = {"name": "m1", "owner-tag": "user-alice", "cloud-tag": "cloud-metro"}
    reply = await api.send("ModelManager", 10, "CreateModel", asked)
    return reply.get("response") if "error" not in reply else None


def more_files() -> int:
    """Opens as many files as this process may, and says how many."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def cpu(home: House) -> float:
    """CPU seconds of all workers."""
    return sum(_cpu(pid) for pid in workers(home))


def kilobytes(pid: int) -> int:
    """What a process has in memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK
