"""Who may begin: limits from one controller, to one, and in all; the rest wait in order."""

import uuid

import pytest

from jimm.registry import migrations
from jimm.registry.controllers import Controller
from jimm.registry.migrations import Limits, Migration, NewMigration, Step
from jimm.registry.words import MigrationState
from tests.fix_registry import AddController, Fleet

WIDE = Limits(per_source=10, per_target=10, at_once=10)


class Queue:
    """Models that are to move, by name; a claimed one is under way."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._names: dict[str, str] = {}

    async def ask(self, name: str, source: Controller, target: Controller) -> None:
        """Asks for a migration."""
        new = NewMigration(
            id=str(uuid.uuid4()),
            model_uuid=await self._fleet.model(name, source),
            model_name=f"alice@jimm/{name}",
            source_id=source.id,
            source_name=source.name,
            target_id=target.id,
            target_name=target.name,
            requested_by="admin@jimm",
        )
        self._names[new.id] = name
        async with self._fleet.registry.write() as session:
            await migrations.request(session, new)

    async def claim(self, limits: Limits, lease: float = 30.0) -> Migration | None:
        """Claims one, whose turn begins."""
        async with self._fleet.registry.write() as session:
            claimed = await migrations.claim(session, "w", lease, limits)
            if claimed is None or claimed.state is not MigrationState.REQUESTED:
                return claimed
            step = Step(state=MigrationState.CHECKING)
            return await migrations.apply(session, claimed.held, step)

    async def begun(self, limits: Limits) -> list[str]:
        """The names of all that may begin now, in the order of their turns."""
        found = []
        while (claimed := await self.claim(limits)) is not None:
            found.append(self._names[claimed.id])
        return found


@pytest.fixture
async def c(add_controller: AddController) -> Controller:
    """A third controller."""
    return await add_controller("c")


async def test_those_from_a_full_source_wait_and_others_pass_them(
    fleet: Fleet, c: Controller
) -> None:
    queue = Queue(fleet)
    for number in range(3):
        await queue.ask(f"m{number}", fleet.a, fleet.b)
    await queue.ask("other", c, fleet.b)
    assert await queue.begun(WIDE._replace(per_source=2)) == ["m0", "m1", "other"]


async def test_those_to_a_full_target_wait_and_others_pass_them(
    fleet: Fleet, c: Controller
) -> None:
    queue = Queue(fleet)
    for number in range(3):
        await queue.ask(f"m{number}", fleet.a, fleet.b)
    await queue.ask("other", fleet.a, c)
    assert await queue.begun(WIDE._replace(per_target=1)) == ["m0", "other"]


async def test_no_more_begin_than_may_in_all(fleet: Fleet, c: Controller) -> None:
    queue = Queue(fleet)
    for number, source in enumerate([fleet.a, c, fleet.a]):
        await queue.ask(f"m{number}", source, fleet.b)
    assert await queue.begun(WIDE._replace(at_once=2)) == ["m0", "m1"]
    assert await queue.begun(WIDE._replace(at_once=3)) == ["m2"]


async def test_one_that_is_over_or_stuck_makes_room(fleet: Fleet) -> None:
    queue, narrow = Queue(fleet), Limits(1, 1, 1)
    for number in range(3):
        await queue.ask(f"m{number}", fleet.a, fleet.b)
    for state in (MigrationState.REFUSED, MigrationState.STUCK):
        held = await queue.claim(narrow)
        assert held is not None
        assert await queue.claim(narrow) is None
        async with fleet.registry.write() as session:
            assert await migrations.apply(session, held.held, Step(state=state)) is not None
    assert await queue.begun(narrow) == ["m2"]


async def test_one_that_has_begun_is_taken_over_however_full_it_is(fleet: Fleet) -> None:
    queue, narrow = Queue(fleet), Limits(1, 1, 1)
    await queue.ask("m0", fleet.a, fleet.b)
    await queue.ask("m1", fleet.a, fleet.b)
    first = await queue.claim(narrow, lease=0.0)
    second = await queue.claim(narrow)
    assert first is not None
    assert second is not None
    assert (second.id, second.fence) == (first.id, first.fence + 1)
    assert await queue.claim(narrow) is None
