import asyncio
import uuid

import pytest

from jimm.errors import Conflict, MigrationUnderway, NotFound
from jimm.registry import controllers, migrations, models
from jimm.registry.migrations import Limits, Migration, NewMigration, Step
from jimm.registry.words import MigrationState
from jimm.wire.tags import ModelUUID
from tests.fix_registry import Fleet


async def ask(fleet: Fleet, model: ModelUUID) -> Migration:
    new = NewMigration(
        id=str(uuid.uuid4()),
        model_uuid=model,
        model_name="alice@jimm/m1",
        source_id=fleet.a.id,
        source_name="a",
        target_id=fleet.b.id,
        target_name="b",
        requested_by="admin@jimm",
    )
    async with fleet.registry.write() as session:
        return await migrations.request(session, new)


async def claim(fleet: Fleet, owner: str, lease: float = 30, most: int = 10) -> Migration | None:
    async with fleet.registry.write() as session:
        return await migrations.claim(session, owner, lease, Limits(most, most, most))


async def apply(fleet: Fleet, held: Migration, step: Step) -> Migration | None:
    async with fleet.registry.write() as session:
        return await migrations.apply(session, held.held, step)


async def history(fleet: Fleet, migration: Migration, after: int = 0) -> list[tuple[int, str]]:
    async with fleet.registry.read() as session:
        found = await migrations.events(session, migration.id, after=after)
    return [(event.seq, event.state.value) for event in found]


async def test_a_model_moves_once_at_a_time(fleet: Fleet) -> None:
    model = await fleet.model()
    first = await ask(fleet, model)
    with pytest.raises(MigrationUnderway):
        await ask(fleet, model)
    held = await claim(fleet, "w1")
    assert held is not None
    ended = await apply(fleet, held, Step(state=MigrationState.REFUSED, error="no"))
    assert ended is not None
    assert ended.ended is not None
    assert (await ask(fleet, model)).id != first.id


async def test_of_two_claimers_one_gets_it(fleet: Fleet) -> None:
    await ask(fleet, await fleet.model())
    got = await asyncio.gather(*(claim(fleet, f"w{n}") for n in range(4)))
    assert len([each for each in got if each]) == 1


async def test_an_expired_lease_is_taken_over_and_the_late_result_dropped(fleet: Fleet) -> None:
    await ask(fleet, await fleet.model())
    slow = await claim(fleet, "slow", lease=-1)
    quick = await claim(fleet, "quick")
    assert slow is not None
    assert quick is not None
    assert quick.fence == slow.fence + 1
    assert await apply(fleet, slow, Step(state=MigrationState.FAILED)) is None
    async with fleet.registry.write() as session:
        assert not await migrations.renew(session, slow.held, 30)
        assert await migrations.renew(session, quick.held, 30)
    assert await apply(fleet, quick, Step(state=MigrationState.CHECKING)) is not None
    assert await history(fleet, quick) == [(1, "requested"), (2, "checking")]


async def test_an_unchanged_step_writes_no_history(fleet: Fleet) -> None:
    await ask(fleet, await fleet.model())
    held = await claim(fleet, "w")
    assert held is not None
    await apply(fleet, held, Step(state=MigrationState.RUNNING, phase="quiesce", message="x"))
    same = await apply(fleet, held, Step(phase="quiesce", message="x", next_in=5))
    assert same is not None
    assert await history(fleet, held) == [(1, "requested"), (2, "running")]
    assert await history(fleet, held, after=1) == [(2, "running")]
    assert await claim(fleet, "other") is None


async def test_what_is_handed_back_is_claimed_again_when_due(fleet: Fleet) -> None:
    await ask(fleet, await fleet.model())
    held = await claim(fleet, "w")
    assert held is not None
    await apply(fleet, held, Step(next_in=100))
    async with fleet.registry.write() as session:
        assert await migrations.release(session, held.held)
    assert not await migrations.are_due(fleet.registry)
    assert await claim(fleet, "w") is None
    async with fleet.registry.write() as session:
        await migrations.wake(session, held.id)
    assert await migrations.are_due(fleet.registry)
    again = await claim(fleet, "w")
    assert again is not None
    assert again.id == held.id


async def test_a_busy_controller_makes_requests_wait(fleet: Fleet) -> None:
    await ask(fleet, await fleet.model("m1"))
    await ask(fleet, await fleet.model("m2"))
    first = await claim(fleet, "w", most=1)
    assert first is not None
    await apply(fleet, first, Step(state=MigrationState.CHECKING))
    assert await claim(fleet, "w", most=1) is None
    assert await claim(fleet, "w", most=2) is not None


async def test_a_seq_has_no_gaps_under_concurrency(fleet: Fleet) -> None:
    await ask(fleet, await fleet.model())
    held = await claim(fleet, "w")
    assert held is not None
    await asyncio.gather(*(apply(fleet, held, Step(message=f"m{n}")) for n in range(12)))
    assert [seq for seq, _ in await history(fleet, held)] == list(range(1, 14))


async def test_arriving_moves_the_model_in_the_same_transaction(fleet: Fleet) -> None:
    model = await fleet.model()
    await ask(fleet, model)
    held = await claim(fleet, "w")
    assert held is not None
    step = Step(state=MigrationState.DONE, message="moved")
    async with fleet.registry.write() as session:
        done = await migrations.apply_moved(session, held.held, step, controller_id=fleet.b.id)
    assert done is not None
    async with fleet.registry.read() as session:
        assert (await models.by_uuid(session, model)).controller_name == "b"
        assert await migrations.active(session, [model]) == {}
        assert (await migrations.latest(session, [model]))[model].state is MigrationState.DONE
        assert [each.id for each in await migrations.page(session, model_uuid=model)] == [held.id]
        before = (done.started, done.id)
        assert await migrations.page(session, before=before) == []


async def test_an_administrators_word_takes_the_lease_away(fleet: Fleet) -> None:
    model = await fleet.model()
    await ask(fleet, model)
    held = await claim(fleet, "w")
    assert held is not None
    step = Step(state=MigrationState.DONE, message="resolved by admin@jimm")
    async with fleet.registry.write() as session:
        await migrations.decide(session, held.id, step, controller_id=fleet.b.id)
    assert await apply(fleet, held, Step(message="late")) is None
    with pytest.raises(NotFound):
        async with fleet.registry.write() as session:
            await migrations.decide(session, held.id, step)


async def test_history_outlives_a_controller_and_a_move_keeps_it(fleet: Fleet) -> None:
    asked = await ask(fleet, await fleet.model())
    with pytest.raises(Conflict, match="being migrated"):
        async with fleet.registry.write() as session:
            await controllers.remove(session, "b", force=True)
    held = await claim(fleet, "w")
    assert held is not None
    await apply(fleet, held, Step(state=MigrationState.FAILED, error="x"))
    async with fleet.registry.write() as session:
        await controllers.remove(session, "b")
        left = await migrations.by_id(session, asked.id)
    assert (left.target_id, left.target_name) == (None, "b")
