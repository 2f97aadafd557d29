"""Watchers: asked again and again, answered when something has changed."""

import uuid
from typing import Any

import pytest

from tests.juju_client import Refused, Registration, Socket, logged_in


async def create(socket: Socket) -> str:
    params = {"name": f"m-{uuid.uuid4().hex[:8]}", "owner-tag": "user-admin"}
    return str((await socket.call("ModelManager", 10, "CreateModel", params))["uuid"])


async def destroy(socket: Socket, model: str) -> None:
    wanted = {"models": [{"model-tag": f"model-{model}"}]}
    await socket.call("ModelManager", 10, "DestroyModels", wanted)


async def following(socket: Socket, watcher: str) -> Any:
    return (await socket.call("AllWatcher", 3, "Next", object_id=watcher))["deltas"]


async def test_the_first_deltas_come_at_once(controller: Registration) -> None:
    async with logged_in(controller) as admin:
        model = await create(admin)
        async with logged_in(controller, f"/model/{model}/api") as socket:
            watcher = (await socket.call("Client", 8, "WatchAll"))["watcher-id"]
            deltas = await following(socket, watcher)
            [kind, change, body] = next(each for each in deltas if each[0] == "model")
            assert (kind, change, body["model-uuid"]) == ("model", "change", model)
            assert body["status"]["current"] == "available"
        await destroy(admin, model)


async def test_next_waits_for_a_change_while_other_calls_pass(controller: Registration) -> None:
    async with logged_in(controller) as admin:
        model = await create(admin)
        async with logged_in(controller, f"/model/{model}/api") as socket:
            watcher = (await socket.call("Client", 8, "WatchAll"))["watcher-id"]
            await following(socket, watcher)
            waiting = socket.spawn_call("AllWatcher", 3, "Next", object_id=watcher)
            assert await socket.call("Pinger", 1, "Ping") == {}
            assert not waiting.done()
            note = {"entity": f"model-{model}", "annotations": {"purpose": "test"}}
            await socket.call("Annotations", 2, "Set", {"annotations": [note]})
            deltas = (await waiting)["deltas"]
            assert ["annotation", "change"] in [each[:2] for each in deltas]
        await destroy(admin, model)


async def test_stop_ends_a_next_that_waits(controller: Registration) -> None:
    async with logged_in(controller) as admin:
        model = await create(admin)
        async with logged_in(controller, f"/model/{model}/api") as socket:
            watcher = (await socket.call("Client", 8, "WatchAll"))["watcher-id"]
            await following(socket, watcher)
            waiting = socket.spawn_call("AllWatcher", 3, "Next", object_id=watcher)
            assert await socket.call("Pinger", 1, "Ping") == {}
            assert await socket.call("AllWatcher", 3, "Stop", object_id=watcher) == {}
            with pytest.raises(Refused) as caught:
                await waiting
            assert caught.value.code == "stopped"
            with pytest.raises(Refused, match="unknown watcher id"):
                await following(socket, watcher)
        await destroy(admin, model)


async def test_all_models_are_watched_from_the_controller(controller: Registration) -> None:
    async with logged_in(controller) as socket:
        watcher = (await socket.call("Controller", 12, "WatchAllModels"))["watcher-id"]

        async def models() -> dict[str, str]:
            reply = await socket.call("AllModelWatcher", 4, "Next", object_id=watcher)
            deltas = [each for each in reply["deltas"] if each[0] == "model"]
            return {body["model-uuid"]: change for _, change, body in deltas}

        assert await models()
        model = await create(socket)
        seen = await models()
        while model not in seen:
            seen = await models()
        await destroy(socket, model)
        while seen.get(model) != "remove":
            seen = await models()
