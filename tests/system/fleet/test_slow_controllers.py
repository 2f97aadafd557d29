"""A controller that is there and does not answer holds up nobody but itself."""

from functools import partial

import pytest
from msgspec.structs import replace

from jimm.errors import ModelNotFound
from jimm.fleet import models, watch
from jimm.fleet.watch import Watch
from jimm.net.tasks import Tasks
from jimm.registry.crypto import Sealer
from jimm.registry.words import ModelState
from jimm.wire import tags
from jimm.wire.params.model_manager import DestroyModel
from jimm.wire.tags import ModelUUID
from tests.eventually import eventually
from tests.fix_fleet import ALICE, connected, running_fleet
from tests.system.fleet.conftest import Scene


async def test_intents_of_others_are_settled(scene: Scene) -> None:
    slow = [(await scene.create(f"s{number}", on="a")).model.uuid for number in range(2)]
    quick = (await scene.create("q", on="b")).model.uuid
    for model in (*slow, quick):
        await models.destroy(scene.fleet, ALICE, DestroyModel(model_tag=tags.model_tag(model)))
    scene.fault("a", "ModelManager.ModelInfo", "stall", times=0)

    async def is_gone() -> bool:
        try:
            await scene.registered(quick)
        except ModelNotFound:
            return True
        return False

    async with scene.reconciling():
        assert await eventually(is_gone, deadline=5)
    assert (await scene.registered(slow[0])).state is ModelState.DESTROYING


async def test_others_are_looked_at(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "EVERY", 0.02)
    listing = "ModelManager.ListModelSummaries"
    scene.fault("a", listing, "stall", times=0)
    scene.fault("b", listing, "delay", seconds=0.01, times=3)
    tasks = Tasks()
    tasks.spawn(Watch(scene.fleet).run(), name="watch")
    try:
        await eventually(lambda: not scene.peers["b"].faults.list(), deadline=5)
    finally:
        await tasks.aclose()


async def test_only_what_has_changed_is_written_down_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "EVERY", 0.02)
    quiet = (await scene.create("quiet", on="b")).model.uuid
    busy = (await scene.create("busy", on="b")).model.uuid
    tasks = Tasks()
    tasks.spawn(Watch(scene.fleet).run(), name="watch")

    async def written(model: ModelUUID, before: object) -> bool:
        return (await scene.registered(model)).facts_at != before

    try:
        created = (await scene.registered(quiet)).facts_at
        await eventually(partial(written, quiet, created), deadline=5)  # its first look
        first = (await scene.registered(quiet)).facts_at
        before = (await scene.registered(busy)).facts_at
        store = scene.peers["b"].store
        model = store.models[busy]
        store.put(replace(model, status=replace(model.status, info="changed")))
        await eventually(partial(written, busy, before), deadline=5)
        assert (await scene.registered(busy)).status_info == "changed"
        assert (await scene.registered(quiet)).facts_at == first
    finally:
        await tasks.aclose()


async def test_one_process_looks_until_it_is_gone(
    scene: Scene, database_url: str, sealer: Sealer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "EVERY", 0.02)
    model = (await scene.create("m", on="a")).model.uuid
    store = scene.peers["a"].store

    async def says(info: str) -> bool:
        return (await scene.registered(model)).status_info == info

    async def changes(info: str) -> None:
        known = store.models[model]
        store.put(replace(known, status=replace(known.status, info=info)))
        await eventually(partial(says, info), deadline=5)

    first, second = Tasks(), Tasks()
    async with running_fleet(database_url, sealer, worker="w2") as fleet:
        first.spawn(Watch(scene.fleet).run(), name="watch of w1")
        try:
            await changes("seen by the first")
            await connected(fleet, scene.controllers["a"])
            second.spawn(Watch(fleet).run(), name="watch of w2")
            await changes("seen by either")
            await first.aclose()
            await changes("seen by the second")
        finally:
            await first.aclose()
            await second.aclose()
