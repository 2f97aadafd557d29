"""A thousand models leave a controller for three others, and nothing is lost on the way."""

import asyncio
import os
from collections import Counter
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from jimm.registry.session import Registry
from tests.eventually import eventually
from tests.system.soak.stage import Cost, PerMigration, Stage, stage

FEW = int(os.environ.get("JIMM_SOAK_FEW", "100"))
MANY = int(os.environ.get("JIMM_SOAK_MANY", "1000"))
SPEED = 50.0
PER_CONTROLLER = 8
AT_ONCE = 16
FLAT = 1.5
"""How much more a migration may cost in the big fleet than in the small one."""

KILL_EVERY = 8.0

LIMITS = {
    "JIMM_MIGRATIONS_PER_SOURCE": str(PER_CONTROLLER),
    "JIMM_MIGRATIONS_PER_TARGET": str(PER_CONTROLLER),
    "JIMM_MIGRATIONS_AT_ONCE": str(AT_ONCE),
}
TARGETS = ("b", "c", "d")


@pytest.mark.soak
@pytest.mark.timeout(2 * 3600)
async def test_the_cost_of_a_migration_does_not_grow_with_the_fleet(
    registry: Registry, database_url: str, tmp_path: Path
) -> None:
    async with stage(registry, database_url, tmp_path, LIMITS) as found:
        few = await small_and_big(found, "few", FEW)
        many = await small_and_big(found, "many", MANY)
    print(f"\nper migration, {FEW} models: {few}\nper migration, {MANY} models: {many}")
    assert many.cpu < FLAT * few.cpu
    assert many.transactions < FLAT * few.transactions


async def small_and_big(found: Stage, prefix: str, count: int) -> PerMigration:
    """Drains a new controller with so many models to three others, new ones too; what each
    migration cost."""
    source = f"{prefix}-a"
    targets = [f"{prefix}-{name}" for name in TARGETS]
    models = await filled(found, source, prefix, count)
    for name in targets:
        await found.add_controller(name, speed=SPEED)
    await found.retire_all_but(targets)
    before: Cost = await found.cost()
    plan = await drain(found, source)
    await ended(found, plan, count)
    cost = (await found.cost()).since(before, count)
    await nothing_is_lost(found, models, targets)
    await limits_were_kept(found)
    return cost


@pytest.mark.soak
@pytest.mark.timeout(2 * 3600)
async def test_two_replicas_of_which_one_is_killed_again_and_again(
    registry: Registry, database_url: str, tmp_path: Path
) -> None:
    async with stage(registry, database_url, tmp_path, LIMITS, replicas=2) as found:
        models = await filled(found, "a", "m", MANY)
        for name in TARGETS:
            await found.add_controller(name, speed=SPEED)
        plan = await drain(found, "a")
        async with asyncio.TaskGroup() as group:
            killing = group.create_task(kill_in_turn(found))
            await ended(found, plan, MANY)
            killing.cancel()
        for number in range(2):
            await found.revive(number)
        await nothing_is_lost(found, models, TARGETS)
        await limits_were_kept(found)


async def filled(found: Stage, name: str, prefix: str, count: int) -> set[str]:
    """A new controller with so many models; it is the only one that takes new ones."""
    await found.add_controller(name, speed=SPEED)
    await found.retire_all_but([name])
    models = await found.create([f"{prefix}{number}" for number in range(count)])
    assert len(models) == count
    return models


async def drain(found: Stage, source: str) -> str:
    """Asks for the plan."""
    asked = {"kind": "drain", "controller": source, "concurrency": AT_ONCE * 2, "stop-after": 0}
    async with found.rest() as rest:
        answer = await rest.post("/v1/plans", json=asked)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["plan-id"])


async def ended(found: Stage, plan: str, count: int) -> None:
    """Waits until the plan is over; every model of it has moved."""

    async def is_over() -> Any:
        rows = await found.rows(
            "SELECT state, message FROM plans WHERE ended IS NOT NULL AND id = :id", id=plan
        )
        return rows[0] if rows else None

    state, message = await eventually(is_over, deadline=60 + count * 1.5, interval=1.0)
    states = await found.rows(
        "SELECT state, error, count(*) FROM plan_items WHERE plan_id = :id GROUP BY 1, 2", id=plan
    )
    assert (state, [tuple(each) for each in states]) == ("done", [("done", "", count)]), message


async def nothing_is_lost(found: Stage, models: set[str], targets: Sequence[str]) -> None:
    """Each model is on one target, and JIMM knows on which."""

    async def agree() -> bool:
        there = await found.on_controllers()
        known = await found.in_registry()
        return {uuid: there.get(uuid) for uuid in models} == {
            uuid: [known.get(uuid)] for uuid in models
        }

    assert await eventually(agree, deadline=60, interval=1.0)
    known = await found.in_registry()
    share = Counter(known[uuid] for uuid in models)
    assert set(share) == set(targets)
    assert min(share.values()) > len(models) / len(targets) / 2, share


async def limits_were_kept(found: Stage) -> None:
    """At no moment were more migrations under way than allowed, by the history's own times."""
    rows = await found.rows(
        "SELECT m.source_name, m.target_name, min(e.at), m.ended FROM migrations m "
        "JOIN migration_events e ON e.migration_id = m.id AND e.state <> 'requested' "
        "GROUP BY m.id"
    )
    for key, limit in ((0, PER_CONTROLLER), (1, PER_CONTROLLER), (None, AT_ONCE)):
        spans: dict[str, list[tuple[Any, int]]] = {}
        for row in rows:
            name = "" if key is None else row[key]
            # Equal times: what ends makes room for what begins.
            spans.setdefault(name, []).extend([(row[2], 1), (row[3], -1)])
        for name, marks in spans.items():
            at_once = most = 0
            for _, change in sorted(marks):
                at_once += change
                most = max(most, at_once)
            assert most <= limit, (key, name, most)


async def kill_in_turn(found: Stage) -> None:
    """Kills one replica, starts it again, and then the other, for ever."""
    for number in cycle(range(2)):
        await asyncio.sleep(KILL_EVERY)
        await found.replicas[number].end()
        await found.start_replica(number)
