"""Two hundred models over four equal controllers, one of which then dies."""

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from typing import Any

import httpx
import pytest

from tests.eventually import eventually
from tests.fix_dev import Dev, make
from tests.juju_client import Socket

MODELS = 200
AT_ONCE = 16
SHARE = range(25, 76)
"""What each of four may get. 200 draws at random leave it once in some ten thousand runs."""

CREATED_WITHIN = 60.0
LISTED_WITHIN = 2.0


@pytest.fixture
def four() -> Iterator[Dev]:
    """A `jimm dev` of its own with four equal controllers."""
    made = make(controllers=4)
    try:
        made.start()
        yield made
    finally:
        made.destroy()


@asynccontextmanager
async def sockets(dev: Dev) -> AsyncIterator[list[Socket]]:
    """As many logged-in connections as calls are made at once."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(dev.socket()) for _ in range(AT_ONCE)]


async def create(dev: Dev, names: list[str]) -> list[dict[str, Any]]:
    """Creates models, some at once."""
    waiting, made = list(names), []

    async def work(socket: Socket) -> None:
        while waiting:
            params = {"name": waiting.pop(), "owner-tag": "user-alice", "cloud-tag": "cloud-metro"}
            made.append(await socket.call("ModelManager", 10, "CreateModel", params, deadline=60))

    async with sockets(dev) as found, asyncio.TaskGroup() as group:
        for socket in found:
            group.create_task(work(socket))
    return made


def rest_models(client: httpx.Client) -> list[dict[str, Any]]:
    """All pages of the listing."""
    found: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get("/models", params={"limit": 500, "cursor": cursor}).json()
        found += page["models"]
        cursor = page.get("next")
    return found


async def listings(dev: Dev, alice: Socket, client: httpx.Client) -> tuple[Any, Any, Any]:
    """The three listings, each of them at once."""
    began = time.monotonic()
    models = await alice.call("ModelManager", 10, "ListModels", {"tag": "user-alice"})
    summaries = await alice.call(
        "ModelManager", 10, "ListModelSummaries", {"user-tag": "user-alice"}
    )
    rows = await asyncio.to_thread(rest_models, client)
    assert time.monotonic() - began < LISTED_WITHIN
    return models["user-models"], summaries["results"], rows


@pytest.mark.soak
@pytest.mark.timeout(1200)
async def test_they_are_spread_and_outlive_a_controller(four: Dev) -> None:
    began = time.monotonic()
    made = await create(four, [f"m{number}" for number in range(MODELS)])
    took = time.monotonic() - began
    assert len({each["uuid"] for each in made}) == MODELS
    assert took < CREATED_WITHIN
    with closing(four.rest("alice")) as client:
        async with four.socket() as alice:
            names = {each["name"]: each["uuid"] for each in made}
            _, _, rows = await listings(four, alice, client)
            share = Counter(each["controller-name"] for each in rows)
            assert len(share) == 4
            assert all(count in SHARE for count in share.values()), share

            victim = four.described["controllers"][0]
            os.kill(victim["pid"], signal.SIGKILL)
            went_on = time.monotonic()
            more = await create(four, [f"later{number}" for number in range(16)])
            assert time.monotonic() - went_on < 5, "creation goes on at once"
            names |= {each["name"]: each["uuid"] for each in more}

            models, summaries, rows = await listings(four, alice, client)
            assert {each["model"]["name"]: each["model"]["uuid"] for each in models} == names
            assert [each for each in summaries if "error" in each] == []
            assert {each["result"]["uuid"] for each in summaries} == set(names.values())
            await every_lost_row_says_so(victim["name"], alice, rows)
            assert {each["model-uuid"] for each in rows} == set(names.values())
            survivors = {each["controller-name"] for each in rows} - {victim["name"]}
            late = {each["uuid"] for each in more}
            assert {
                each["controller-name"] for each in rows if each["model-uuid"] in late
            } <= survivors
    async with four.libjuju() as controller:
        assert len(await controller.list_models()) == MODELS + 16


async def every_lost_row_says_so(victim: str, alice: Socket, rows: list[dict[str, Any]]) -> None:
    """The rows of the dead controller, and no others, are `unavailable`."""
    lost = {each["model-uuid"] for each in rows if each["controller-name"] == victim}

    async def shown() -> set[str]:
        told = await alice.call("ModelManager", 10, "ListModelSummaries", {"user-tag": ""})
        return {
            each["result"]["uuid"]
            for each in told["results"]
            if each["result"]["status"]["status"] == "unavailable"
        }

    async def is_so() -> bool:
        return await shown() == lost

    assert await eventually(is_so, deadline=2)
