"""Many models, and a controller that dies beneath them: every listing stays whole and quick."""

import asyncio
import os
import signal
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
from sqlalchemy import text

from jimm.dev.run import DATABASE
from jimm.registry.embedded import EmbeddedPostgres, cluster_folder
from jimm.registry.session import Registry
from tests.eventually import eventually
from tests.fix_dev import Dev, make
from tests.fix_node import Node
from tests.juju_client import Socket
from tests.system.conversations.test_jujulib import by_cookie, poll

T = TypeVar("T")

THERE, GONE = 30, 20
WITHIN = 1.0
MANY = 1200

ADD_MANY = text(
    """
    INSERT INTO models (uuid, name, owner_id, controller_id, cloud, region, type, state, status)
    SELECT gen_random_uuid(), 'many-' || n, i.id, c.id, 'metro', 'north', 'iaas', 'live',
           'available'
    FROM generate_series(1, :many) AS n, identities AS i, controllers AS c
    WHERE i.name = 'bob@jimm' AND c.name = :controller
    """
)


@dataclass(frozen=True)
class Halved:
    """A `jimm dev` of which one of two controllers is down, and alice's models on each."""

    dev: Dev
    there: list[str]
    gone: list[str]
    living: str
    victim: str


@pytest.fixture(scope="module")
def halved() -> Iterator[Halved]:
    """Noticed by JIMM."""
    made = make(controllers=2)
    try:
        made.start()
        yield asyncio.run(halve(made))
    finally:
        made.destroy()


async def halve(dev: Dev) -> Halved:
    """Makes the models and kills a controller."""
    living, victim = dev.described["controllers"]
    async with dev.socket() as alice:
        there = await create(alice, living["name"], THERE)
        gone = await create(alice, victim["name"], GONE)
        os.kill(victim["pid"], signal.SIGKILL)
        await eventually(lambda: noticed(alice, gone), deadline=5)
    return Halved(dev, there, gone, living["name"], victim["name"])


@asynccontextmanager
async def registry(dev: Dev) -> AsyncIterator[Registry]:
    """The database below a running `jimm dev`."""
    opened = Registry(EmbeddedPostgres(cluster_folder(dev.folder)).url(DATABASE), pool_size=1)
    try:
        yield opened
    finally:
        await opened.aclose()


async def create(socket: Socket, controller: str, number: int) -> list[str]:
    """Models of alice's on one controller, eight at a time."""
    made: list[str] = []
    waiting = list(range(number))

    async def work() -> None:
        while waiting:
            name = f"m-{waiting.pop()}-{uuid.uuid4().hex[:6]}"
            params = {"name": name, "qualifier": "alice", "target-controller": controller}
            told = await socket.call("ModelManager", 11, "CreateModel", params, deadline=60)
            made.append(told["uuid"])

    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(work())
    return made


async def at_once(act: Callable[[], Awaitable[T]]) -> T:
    """What it gives, which must come at once; a busy machine has three tries."""
    took = []
    for _ in range(3):
        began = time.monotonic()
        result = await act()
        took.append(time.monotonic() - began)
        if took[-1] < WITHIN:
            return result
    raise AssertionError(f"too slow: {took}")


async def timed(socket: Socket, method: str, params: dict[str, Any]) -> Any:
    """The answer of one of `ModelManager`'s methods, at once."""
    return await at_once(lambda: socket.call("ModelManager", 10, method, params))


async def connect(dev: Dev) -> int:
    """Connects as a program with libjuju would; how many models it is shown."""
    async with dev.libjuju() as controller:
        return len(await controller.list_models())


async def test_every_list_is_whole_and_quick(halved: Halved) -> None:
    there, gone, victim = halved.there, halved.gone, halved.victim
    async with halved.dev.socket() as alice:
        everything = {"entities": [{"tag": f"model-{each}"} for each in (*there, *gone)]}
        listed = await timed(alice, "ListModels", {"tag": "user-alice"})
        assert {each["model"]["uuid"] for each in listed["user-models"]} == {*there, *gone}
        told = await timed(alice, "ListModelSummaries", {"user-tag": "user-alice"})
        assert not [row for row in told["results"] if "error" in row]
        check([row["result"] for row in told["results"]], there, gone, victim)
        infos = await timed(alice, "ModelInfo", everything)
        assert not [row for row in infos["results"] if "error" in row]
        rows = [row["result"] for row in infos["results"]]
        check(rows, there, gone, victim)
        assert len({row["provider-type"] for row in rows}) == 1
        assert all(row["provider-type"] for row in rows)
        assert {row["cloud-credential-validity"] for row in rows} == {True}
        assert all(row["cloud-credential-tag"] for row in rows)
        statuses = await timed(alice, "ModelStatus", everything)
        errors = [row["error"]["message"] for row in statuses["models"] if "error" in row]
        assert len(errors) == GONE
        assert all("has been away since" in each for each in errors)
        await watched(alice, there, gone)


async def test_python_libjuju_connects_at_once(halved: Halved) -> None:
    assert await at_once(lambda: connect(halved.dev)) == THERE + GONE


async def test_the_dashboard_s_poll_tells_which_are_away(halved: Halved, node: Node) -> None:
    told = await poll(halved.dev, node, by_cookie(halved.dev, "alice"))
    assert told["listed"] == THERE + GONE
    assert told["milliseconds"]["list"] < WITHIN * 1000
    assert {each["uuid"] for each in told["models"] if "error" in each} == set(halved.gone)
    check([each["info"] for each in told["models"]], halved.there, halved.gone, halved.victim)


async def noticed(socket: Socket, gone: list[str]) -> bool:
    """Whether all of these are shown as unavailable."""
    told = await socket.call("ModelManager", 10, "ListModelSummaries", {"user-tag": ""})
    rows = [row["result"] for row in told["results"]]
    return {row["uuid"] for row in rows if row["status"]["status"] == "unavailable"} == set(gone)


def check(rows: list[dict[str, Any]], there: list[str], gone: list[str], controller: str) -> None:
    """Those on the dead controller say so and since when; the others are well."""
    assert {row["uuid"] for row in rows} == {*there, *gone}
    for row in rows:
        status = row["status"]
        if row["uuid"] in gone:
            assert status["status"] == "unavailable"
            assert f"controller {controller} has been away since 20" in status["info"]
            assert status["since"].endswith("Z")
        else:
            assert status["status"] == "available"


async def watched(socket: Socket, there: list[str], gone: list[str]) -> None:
    """The same, told by a watcher."""
    watcher = (await socket.call("Controller", 12, "WatchModelSummaries"))["watcher-id"]
    told = await socket.call("ModelSummaryWatcher", 1, "Next", object_id=watcher)
    colours = {each["uuid"]: each["status"] for each in told["models"]}
    assert colours == dict.fromkeys(there, "green") | dict.fromkeys(gone, "red")


async def test_none_of_many_is_cut_off(halved: Halved) -> None:
    dev, controller = halved.dev, halved.living
    async with registry(dev) as opened, opened.write() as session:
        await session.execute(ADD_MANY, {"many": MANY, "controller": controller})
    async with dev.socket("bob") as bob, dev.socket("admin") as admin:
        for socket, user, count in ((bob, "bob", MANY), (admin, "admin", MANY + THERE + GONE)):
            listed = await timed(socket, "ListModels", {"tag": f"user-{user}"})
            assert len(listed["user-models"]) == count
            told = await timed(
                socket, "ListModelSummaries", {"user-tag": f"user-{user}", "all": True}
            )
            assert len({row["result"]["uuid"] for row in told["results"]}) == count
        everything = await admin.call("Controller", 12, "AllModels")
        assert len(everything["user-models"]) == MANY + THERE + GONE
