"""`ModelSummaryWatcher`: all models at once, then what changes, until it is stopped."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from jimm.facades.watchers import MOST
from tests.fix_dev import Dev
from tests.juju_client import Refused, Socket
from tests.system.facades.test_access import alices_model, create, destroy, modify

NEXT = "ModelSummaryWatcher", 1, "Next"


async def watch(socket: Socket, method: str = "WatchModelSummaries") -> str:
    """A new watcher's id."""
    return str((await socket.call("Controller", 12, method))["watcher-id"])


async def news(socket: Socket, watcher: str) -> list[dict[str, Any]]:
    """What a `Next` tells."""
    told = await socket.call(*NEXT, object_id=watcher)
    models: list[dict[str, Any]] = told["models"]
    return models


async def until(socket: Socket, watcher: str, model: str, **wanted: Any) -> dict[str, Any]:
    """The first news of a model that is as wanted; others are none of this test's."""
    async with asyncio.timeout(10):
        while True:
            for each in await news(socket, watcher):
                if each["uuid"] == model and wanted.items() <= each.items():
                    return each


async def test_first_all_models_then_what_changes(dev: Dev) -> None:
    async with alices_model(dev) as (alice, model):
        watcher = await watch(alice)
        first = {each["uuid"]: each for each in await news(alice, watcher)}
        shown = first[model]
        assert (shown["controller"], shown["cloud"], shown["region"]) == ("jimm", "metro", "north")
        assert (shown["status"], shown["admins"]) == ("green", ["alice"])
        assert shown["credential"].startswith("metro/alice/")
        assert "removed" not in shown
        assert "messages" not in shown
        assert shown["size"] == {}
        waiting = alice.spawn_call(*NEXT, object_id=watcher)
        assert not waiting.done()
        await modify(alice, model, "grant", "admin", "bob")
        (changed,) = [each for each in (await waiting)["models"] if each["uuid"] == model]
        assert changed["admins"] == ["alice", "bob"]
        await destroy(alice, model)
        gone = await until(alice, watcher, model, removed=True)
        assert gone == {"uuid": model, "removed": True, "size": {}}


async def test_a_blocked_next_ends_with_the_watcher(dev: Dev) -> None:
    async with dev.socket("bob") as bob:
        watcher = await watch(bob)
        await news(bob, watcher)
        waiting = bob.spawn_call(*NEXT, object_id=watcher)
        other = bob.spawn_call(*NEXT, object_id=watcher)
        await bob.call("Pinger", 1, "Ping")
        assert await bob.call("ModelSummaryWatcher", 1, "Stop", object_id=watcher) == {}
        for each in (waiting, other):
            with pytest.raises(Refused, match="watcher has been stopped") as refused:
                await each
            assert refused.value.code == "stopped"
        for method in ("Next", "Stop"):
            with pytest.raises(Refused, match="unknown watcher id") as refused:
                await bob.call("ModelSummaryWatcher", 1, method, object_id=watcher)
            assert refused.value.code == "not found"


async def test_everybody_hears_of_what_they_may_see(dev: Dev) -> None:
    async with alices_model(dev) as (alice, model), dev.socket("bob") as bob:
        watcher = await watch(bob)
        assert model not in {each["uuid"] for each in await news(bob, watcher)}
        await modify(alice, model, "grant", "read", "bob")
        assert (await until(bob, watcher, model))["status"] == "green"
        await modify(alice, model, "revoke", "read", "bob")
        assert (await until(bob, watcher, model))["removed"] is True


async def test_all_models_are_for_administrators(dev: Dev) -> None:
    async with alices_model(dev) as (alice, model), dev.socket("admin") as admin:
        with pytest.raises(Refused) as refused:
            await watch(alice, "WatchAllModelSummaries")
        assert refused.value.code == "unauthorized access"
        everything = await watch(admin, "WatchAllModelSummaries")
        assert model in {each["uuid"] for each in await news(admin, everything)}
        own = await watch(admin)
        assert model not in {each["uuid"] for each in await news(admin, own)}


async def test_watchers_are_their_connection_s_own(dev: Dev) -> None:
    async with dev.socket() as one, dev.socket() as two:
        watcher = await watch(one)
        with pytest.raises(Refused, match="unknown watcher id"):
            await news(two, watcher)


async def test_many_watchers_and_a_client_that_leaves(dev: Dev) -> None:
    async with dev.socket() as alice:
        async with dev.socket() as leaver:
            ids = [await watch(leaver) for _ in range(MOST)]
            with pytest.raises(Refused, match="stop one first"):
                await watch(leaver)
            for watcher in ids:
                await news(leaver, watcher)
            left = [leaver.spawn_call(*NEXT, object_id=watcher) for watcher in ids]
            await leaver.call("Pinger", 1, "Ping")
        for each in left:
            with suppress(asyncio.CancelledError, ConnectionError):
                await each
        watcher = await watch(alice)
        await news(alice, watcher)
        model = (await create(alice))["uuid"]
        assert (await until(alice, watcher, model))["uuid"] == model
        await destroy(alice, model)
