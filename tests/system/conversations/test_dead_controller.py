"""Fifty models of which twenty live on a controller that is down: lists stay whole and quick."""

import asyncio
import os
import signal
import time
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from tests.eventually import eventually
from tests.fix_dev import Dev, make
from tests.fix_node import Node
from tests.juju_client import Socket
from tests.system.conversations.test_jujulib import by_cookie, poll

with warnings.catch_warnings():
    # libjuju is a guest here: importing it uses what newer websockets deprecate. It takes
    # seconds, so it is done before anything is measured.
    warnings.simplefilter("ignore", DeprecationWarning)
    import juju.controller

WITHIN = 1.0
"""Seconds that a list may take."""

ALIVE, DEAD = 30, 20


@pytest.fixture
def two() -> Iterator[Dev]:
    """JIMM and two controllers, one of which a test may kill."""
    made = make(controllers=2)
    try:
        made.start()
        yield made
    finally:
        made.destroy()


async def create(socket: Socket, number: int, controller: str) -> str:
    """A model on a controller; its UUID."""
    params = {
        "name": f"m{number}",
        "qualifier": "alice",
        "cloud-tag": "cloud-metro",
        "target-controller": controller,
    }
    made: dict[str, Any] = await socket.call("ModelManager", 11, "CreateModel", params, deadline=60)
    return str(made["uuid"])


async def summaries(socket: Socket) -> list[dict[str, Any]]:
    """What `juju models` shows."""
    told = await socket.call("ModelManager", 10, "ListModelSummaries", {"user-tag": "user-alice"})
    return [each["result"] for each in told["results"]]


async def test_every_list_is_whole_and_quick(two: Dev, node: Node) -> None:
    first, second = two.described["controllers"][:2]
    async with two.socket() as alice:
        where = [first["name"]] * DEAD + [second["name"]] * ALIVE
        made = await asyncio.gather(*(create(alice, *each) for each in enumerate(where)))
        lost = set(made[:DEAD])
        os.kill(first["pid"], signal.SIGKILL)

        async def is_told() -> bool:
            rows = await summaries(alice)
            told = {each["uuid"] for each in rows if each["status"]["status"] == "unavailable"}
            return told == lost

        assert await eventually(is_told, deadline=20, interval=0.1)
        began = time.monotonic()
        rows = await summaries(alice)
        assert time.monotonic() - began < WITHIN
    assert len(rows) == ALIVE + DEAD
    assert all(each["status"]["since"] for each in rows)
    began = time.monotonic()
    async with two.libjuju() as controller:
        assert isinstance(controller, juju.controller.Controller)
        assert time.monotonic() - began < WITHIN
        assert len(await controller.list_models()) == ALIVE + DEAD
    told = await poll(two, node, by_cookie(two, "alice"))
    assert told["milliseconds"]["list"] < WITHIN * 1000
    assert told["listed"] == ALIVE + DEAD
    assert {each["uuid"] for each in told["models"] if "error" in each} == lost
    assert {
        each["uuid"] for each in told["models"] if each["info"]["status"]["status"] == "unavailable"
    } == lost
