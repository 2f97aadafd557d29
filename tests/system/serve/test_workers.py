"""`jimm serve --workers`: one port, several processes, each as good as another."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from jimm.net.tls import client_context
from jimm.registry.crypto import load_keys
from jimm.registry.session import Registry
from tests.eventually import eventually
from tests.juju_client import Refused, Socket
from tests.system.crash.house import House, house
from tests.system.dev.test_serve import Settings, jimm
from tests.system.serve.processes import socket_on, workers

SEEN_WITHIN = 3.0
"""Seconds until what was done on one worker counts on another; the machine may be busy."""

STOPS_WITHIN = 8.0

USERS = ("admin", "alice", "bob")


@pytest.fixture
async def home(registry: Registry, database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """JIMM as two workers, both of them ready."""
    async with house(registry, database_url, tmp_path, users=USERS, workers=2) as made:
        await eventually(lambda: len(served(made)) == 2, deadline=30)
        yield made


def served(home: House) -> list[str]:
    """What the parent said of workers that serve, in order."""
    log = (home.folder / "jimm.log").read_text().splitlines()
    return [line for line in log if " INFO jimm.workers: worker " in line]


async def test_what_is_done_on_one_worker_counts_on_the_other(home: House) -> None:
    one, other = workers(home)
    await home.add_controller("a")
    async with socket_on(home, one) as alice, socket_on(home, one, user="admin") as admin:
        asked = {"name": "m1", "owner-tag": "user-alice", "cloud-tag": "cloud-metro"}
        made = await alice.call("ModelManager", 10, "CreateModel", asked)
        path = f"/model/{made['uuid']}/api"
        await works_on(home, other, path)
        with pytest.raises(Refused, match="unknown model"):
            await works_on(home, other, path, user="bob")
        await change(alice, made["uuid"], "grant")
        async with socket_on(home, other, path, user="bob") as bob:
            await closes_at(change(alice, made["uuid"], "revoke"), bob)
        await change(alice, made["uuid"], "grant")
        async with AsyncExitStack() as stack:
            bobs = [
                await stack.enter_async_context(socket_on(home, each, where, user="bob"))
                for each in (one, other)
                for where in (path, "/api")
            ]
            params = {"entities": [{"tag": "user-bob"}]}
            await closes_at(admin.call("UserManager", 3, "DisableUser", params), *bobs)
        with pytest.raises(Refused, match="invalid entity name or password"):
            await works_on(home, other, path, user="bob")
        async with socket_on(home, other, path) as pipe:
            forced = {"name": "a", "force": True}
            await closes_at(admin.call("JIMM", 4, "RemoveController", forced), pipe)


async def works_on(home: House, worker: int, path: str, *, user: str = "alice") -> None:
    """A model is to be used through this worker."""
    async with socket_on(home, worker, path, user=user) as pipe:
        await pipe.call("Client", 6, "FullStatus", {"patterns": []})


async def change(alice: Socket, model: str, action: str) -> None:
    """alice gives bob the right to read her model, or takes it."""
    asked = {"user-tag": "user-bob", "action": action, "access": "read"}
    changes = {"changes": [{**asked, "model-tag": f"model-{model}"}]}
    told = await alice.call("ModelManager", 10, "ModifyModelAccess", changes)
    assert told["results"] == [{}]


async def closes_at(call: object, *sockets: Socket) -> None:
    """What is called here closes these, wherever they are, at once."""
    began = time.monotonic()
    assert asyncio.iscoroutine(call)
    await call
    assert [await each.closed() for each in sockets] == [1001] * len(sockets)
    assert time.monotonic() - began < SEEN_WITHIN


async def test_a_worker_that_is_killed_is_missed_by_its_own_clients_alone(home: House) -> None:
    one, other = workers(home)
    async with socket_on(home, one) as lost, socket_on(home, other) as kept:
        send(one, signal.SIGKILL)
        assert await lost.closed() is None
        async with httpx.AsyncClient(verify=client_context(home.ca), timeout=30) as client:
            for _ in range(10):  # each on a connection of its own: nobody is refused
                told = {"Connection": "close"}
                answer = await client.get(f"https://127.0.0.1:{home.port}/readyz", headers=told)
                assert answer.text == "ok\n"
        await eventually(lambda: len(served(home)) == 3, deadline=30)
        await kept.call("ModelManager", 10, "ListModels", {"tag": "user-alice"})
        assert other in workers(home)
        (new,) = set(workers(home)) - {other}
        async with socket_on(home, new) as fresh:
            began = time.monotonic()
            home.send(signal.SIGTERM)
            assert await kept.closed(STOPS_WITHIN) == 1012
            assert await fresh.closed(STOPS_WITHIN) == 1012
    assert home.process is not None
    assert await asyncio.wait_for(home.process.wait(), STOPS_WITHIN) == 0
    assert time.monotonic() - began < STOPS_WITHIN
    assert not any(map(is_there, (other, new)))


async def test_nobody_else_gets_the_port_and_no_worker_outlives_its_parent(home: House) -> None:
    given = {key.removeprefix("JIMM_"): value for key, value in home.environment.items()}
    done = await asyncio.to_thread(jimm, "serve", "--workers", "3", settings=given)
    assert done.returncode == 1
    sentence = f"ERROR JIMM can't listen on 127.0.0.1:{home.port}: address already in use\n"
    assert done.stderr == sentence
    left = workers(home)
    home.send(signal.SIGKILL)
    await eventually(lambda: not any(map(is_there, left)), deadline=STOPS_WITHIN)


def test_workers_that_cannot_start_say_so_once(empty_database_url: str, tmp_path: Path) -> None:
    load_keys(tmp_path / "key", create=True)
    given: Settings = {"database_url": empty_database_url, "secret_key_file": tmp_path / "key"}
    done = jimm("serve", "--workers", "2", settings=given)
    assert done.returncode == 1
    sentence = "ERROR the database is not at the schema of this program: run `jimm db upgrade`\n"
    assert done.stderr == sentence


def send(pid: int, number: int) -> None:
    """A signal to a process."""
    os.kill(pid, number)


def is_there(pid: int) -> bool:
    """Whether a process runs."""
    return Path(f"/proc/{pid}/exe").exists()
