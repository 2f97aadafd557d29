"""Many calls at once over the links that all share, and controllers that are slow to answer."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from jimm.controllers.calls import cloud, model_manager
from jimm.controllers.endpoint import Endpoint
from jimm.controllers.link import Link
from jimm.controllers.pool import Pool
from jimm.errors import ControllerError, LostAnswer
from jimm.net.tasks import Tasks
from jimm.simulator.faults import Fault
from jimm.simulator.server import Simulator
from jimm.wire.params.admin import LoginRequest
from jimm.wire.secret import Secret
from jimm.wire.tags import ControllerUUID
from tests.eventually import eventually
from tests.fix_fleet import QUICK
from tests.relay import Relay

MANY = 1000
PROMPTLY = 5.0
"""Seconds within which a controller that nothing holds up has answered, on a busy machine."""


@dataclass
class Peer:
    """A simulated controller behind a relay, which counts connections and can go silent."""

    simulator: Simulator
    relay: Relay

    @property
    def uuid(self) -> ControllerUUID:
        return self.simulator.uuid

    def endpoint(self) -> Endpoint:
        """Where JIMM is told that it is."""
        pem = self.simulator.identity.authority_pem
        return Endpoint("peer", self.uuid, (self.relay.address,), pem)


@dataclass
class Scene:
    """A pool with two controllers."""

    pool: Pool
    slow: Peer
    quick: Peer

    def link(self, peer: Peer) -> Link:
        return self.pool.link(peer.uuid)


@pytest.fixture
async def scene(simulator: Callable[..., Awaitable[Simulator]]) -> AsyncIterator[Scene]:
    async with peered(simulator, "a") as slow, peered(simulator, "b") as quick:
        passwords = {each.uuid: each.simulator.identity.admin_password for each in (slow, quick)}
        async with running(passwords) as pool:
            pool.set_endpoints([slow.endpoint(), quick.endpoint()])
            made = Scene(pool, slow, quick)
            await eventually(lambda: all(is_there(pool, each.uuid) for each in (slow, quick)))
            yield made
            slow.simulator.faults.clear()
            slow.relay.flow()


@asynccontextmanager
async def peered(simulator: Callable[..., Awaitable[Simulator]], name: str) -> AsyncIterator[Peer]:
    started = await simulator(name=name)
    async with Relay(int(started.address.rpartition(":")[2])) as relay:
        yield Peer(started, relay)


@asynccontextmanager
async def running(passwords: dict[ControllerUUID, Secret]) -> AsyncIterator[Pool]:
    async def login(endpoint: Endpoint) -> LoginRequest:
        password = passwords[endpoint.uuid].reveal()
        return LoginRequest(auth_tag="user-admin", credentials=password, nonce="", user_data="")

    pool, tasks = Pool(login, timing=QUICK), Tasks()
    tasks.spawn(pool.run(), name="links")
    try:
        yield pool
    finally:
        await tasks.aclose()


def is_there(pool: Pool, uuid: ControllerUUID) -> bool:
    try:
        return not pool.link(uuid).closed.is_set()
    except ControllerError:
        return False


async def ask(link: Link, deadline: float = 60.0) -> None:
    """Something small."""
    assert "metro" in await cloud.clouds(link, deadline=deadline)


def pending() -> int:
    """How many futures somebody still waits for."""
    gc.collect()
    return sum(isinstance(each, asyncio.Future) and not each.done() for each in gc.get_objects())


async def test_a_thousand_calls_at_once_need_no_new_connection(scene: Scene) -> None:
    link = scene.link(scene.slow)
    before = pending()
    await asyncio.gather(*(ask(link) for _ in range(MANY)))
    assert scene.slow.relay.accepted == 1
    assert scene.link(scene.slow) is link
    assert pending() <= before


async def test_who_stalls_delays_only_its_own(scene: Scene) -> None:
    slow, quick = scene.link(scene.slow), scene.link(scene.quick)
    scene.slow.simulator.faults.add(Fault(point="Cloud.Clouds", action="stall", times=0))
    async with asyncio.TaskGroup() as group:
        stalled = [group.create_task(ask(slow)) for _ in range(200)]
        began = time.monotonic()
        await asyncio.gather(*(ask(quick) for _ in range(200)))
        await model_manager.list_model_summaries(slow)  # another call on the same connection
        assert time.monotonic() - began < PROMPTLY
        assert not any(task.done() for task in stalled)
        scene.slow.simulator.faults.clear()
    assert (scene.slow.relay.accepted, scene.quick.relay.accepted) == (1, 1)


async def test_a_network_that_is_gone_delays_only_its_own(scene: Scene) -> None:
    slow, quick = scene.link(scene.slow), scene.link(scene.quick)
    scene.slow.relay.stall()
    began = time.monotonic()
    calls = (ask(slow, deadline=0.5) for _ in range(200))
    lost = asyncio.gather(*calls, return_exceptions=True)
    await asyncio.gather(*(ask(quick) for _ in range(200)))
    outcomes = await lost
    assert time.monotonic() - began < PROMPTLY
    assert {type(each) for each in outcomes} == {LostAnswer}
    scene.slow.relay.flow()
    await ask(slow)
    assert scene.slow.relay.accepted == 1


async def test_cancelled_calls_leave_nothing_behind(scene: Scene) -> None:
    link = scene.link(scene.slow)
    await ask(link)
    before, tasks = pending(), len(asyncio.all_tasks())
    scene.slow.simulator.faults.add(Fault(point="Cloud.Clouds", action="stall-after", times=0))
    async with asyncio.TaskGroup() as group:
        calls = [group.create_task(ask(link)) for _ in range(500)]
        await model_manager.list_model_summaries(link)  # by then all of them were sent
        for call in calls:
            call.cancel()
    assert all(call.cancelled() for call in calls)
    del calls, call, group
    scene.slow.simulator.faults.clear()  # their answers come now, and nobody waits for them
    await ask(link)
    await eventually(lambda: len(asyncio.all_tasks()) <= tasks)
    await eventually(lambda: pending() <= before)
    assert not link.closed.is_set()
    assert scene.slow.relay.accepted == 1
