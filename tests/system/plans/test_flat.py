"""Work for one model does not grow with the plan."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from jimm.migration.plans.pace import PlanPace
from jimm.registry.words import PlanKind
from jimm.wire.tags import ModelUUID
from tests.system.plans.conftest import PlanScene

EVENT_DRIVEN = PlanPace(look=5.0, breath=0.0, away=0.05)


@asynccontextmanager
async def counted() -> AsyncIterator[list[str]]:
    """The statements of a block, of all that this process runs."""
    said: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield said
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


async def statements(scene: PlanScene, models: list[ModelUUID]) -> float:
    """How many one model costs, in a plan over these, which are where they shall be."""
    made = await scene.make(PlanKind.UPGRADE_TO, "a", models=tuple(models), concurrency=2)
    async with counted() as said, scene.driving(pace=EVENT_DRIVEN):
        done = await scene.until_plan(made.plan.id, "done")
    looks = [each for each in said if "count(*)" in each and "GROUP BY" in each]
    asked = 2 * len(looks)  # by this test itself, while it waits
    assert done.counts.done == len(models)
    return (len(said) - asked) / len(models)


async def test_a_model_costs_no_more_in_a_larger_plan(scene: PlanScene) -> None:
    models = await scene.some(16)
    small = await statements(scene, models[:4])
    large = await statements(scene, models)
    assert large <= small * 1.1
