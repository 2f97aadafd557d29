"""A worker dies at any line, and the next one carries on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from sqlalchemy import text

from jimm.registry.migrations import Migration
from jimm.registry.session import ReadSession, Registry, WriteSession
from tests.eventually import eventually
from tests.system.migration.conftest import Scene


class Died(Exception):
    """The process is dead, as far as the database can tell."""


class MortalRegistry(Registry):
    """Dies before its n-th transaction for writing commits; nothing is read or written then."""

    left = 10**9
    dead = False

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadSession]:
        if self.dead:
            raise Died
        async with super().read() as session:
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteSession]:
        if self.dead:
            raise Died
        async with super().write() as session:
            yield session
            self.left -= 1
            self.dead = self.left <= 0
            if self.dead:
                raise Died


async def expire(scene: Scene) -> None:
    """Lets the time of every lease pass."""
    statement = "UPDATE migrations SET lease_expires = now(), next_at = now() WHERE ended IS NULL"
    async with scene.fleet.registry.write() as session:
        await session.execute(text(statement + " AND lease_owner IS NOT NULL"))


async def die_at(scene: Scene, database_url: str, asked: Migration, number: int) -> bool:
    """A worker that dies at its n-th write; whether it lived so long."""
    mortal = MortalRegistry(database_url, pool_size=2)
    mortal.left = number

    async def over() -> bool:
        return mortal.dead or (await scene.get(asked)).ended is not None

    async with scene.working(replace(scene.fleet, registry=mortal, worker="first")):
        is_over: bool = await eventually(over, deadline=60)
    assert is_over
    await mortal.aclose()
    return mortal.dead


@pytest.mark.parametrize(
    "writes",
    [range(2, 13, 4), pytest.param(range(1, 13), marks=pytest.mark.soak)],
    ids=["some", "all"],
)
async def test_a_worker_that_dies_before_any_write_is_succeeded(
    scene: Scene, database_url: str, writes: range
) -> None:
    """From the claim to the end, each write is the last one, once."""
    model = await scene.model()
    died = 0
    for number in writes:
        target = "b" if scene.hosts(model) == ["a"] else "a"
        asked = await scene.request(model, target)
        died += await die_at(scene, database_url, asked, number)
        await expire(scene)
        async with scene.working(replace(scene.fleet, worker="second")):
            await scene.until(asked, "done")
        assert scene.hosts(model) == [target]
        assert (await scene.registered(model)).controller_name == target
    assert died > 2 / 3 * len(writes)


async def test_a_worker_that_lost_its_lease_writes_nothing_more(scene: Scene) -> None:
    model = await scene.model()
    stall = scene.fault("a", "phase.source.IMPORT", "stall")
    async with scene.working(replace(scene.fleet, worker="first")):
        asked = await scene.request(model)
        await scene.until(asked, "running")
        await eventually(lambda: not scene.peers["a"].faults.list())
        await expire(scene)
        async with scene.working(replace(scene.fleet, worker="second")):
            await expire(scene)
            scene.peers["a"].faults.clear(stall.id)
            await scene.until(asked, "done")
    seqs = [event.seq for event in await scene.history(asked)]
    assert seqs == list(range(1, len(seqs) + 1))
    assert scene.hosts(model) == ["b"]
    assert scene.moved == [model]
