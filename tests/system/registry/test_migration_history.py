import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, text

from jimm.migration.expectations import SIZES, Pastimes
from jimm.migration.experience import KEPT, Experience
from jimm.registry import migration_history
from jimm.registry.migration_history import StageTime
from jimm.registry.session import Registry, WriteSession
from jimm.registry.tables import MigrationEventRow, MigrationRow
from jimm.registry.words import ENDED, MigrationState

Line = tuple[float, str, str]
"""Seconds after the request, state, phase."""

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def a_move(importing: float) -> list[Line]:
    """The history of a migration that waited long for its turn, and imported for so long."""
    return [
        (0, "requested", ""),
        (900, "checking", ""),
        (901, "starting", ""),
        (903, "running", "QUIESCE"),
        (904, "running", "QUIESCE"),
        (910, "running", "IMPORT"),
        (910 + importing, "running", "REAP"),
        (915 + importing, "confirming", "DONE"),
        (916 + importing, "done", "DONE"),
    ]


async def write(session: WriteSession, number: int, lines: list[Line], machines: int = 0) -> None:
    """A migration with that history; the higher its number, the later it began."""
    migration, began = str(uuid.uuid4()), BEGIN + timedelta(days=number)
    last, state, _ = lines[-1]
    ended = began + timedelta(seconds=last) if MigrationState(state) in ENDED else None
    await session.execute(
        insert(MigrationRow).values(
            id=migration,
            model_uuid=str(uuid.uuid4()),
            model_name="alice@jimm/m1",
            source_name="a",
            target_name="b",
            requested_by="admin@jimm",
            state=state,
            started=began,
            ended=ended,
            machines=machines,
        )
    )
    await session.execute(
        insert(MigrationEventRow),
        [
            {
                "migration_id": migration,
                "seq": seq,
                "at": began + timedelta(seconds=at),
                "state": state,
                "phase": phase,
                "message": "",
            }
            for seq, (at, state, phase) in enumerate(lines, 1)
        ],
    )


async def read(registry: Registry, *, recent: int = 500) -> dict[tuple[str, int], StageTime]:
    async with registry.read() as session:
        rows = await migration_history.pastimes(session, SIZES, recent=recent)
    return {(row.stage, row.size_class): row for row in rows}


async def test_an_empty_fleet_has_no_past(registry: Registry) -> None:
    assert await read(registry) == {}


async def test_stages_are_timed_by_size(registry: Registry) -> None:
    async with registry.write() as session:
        for number, importing in enumerate((10, 20, 30)):
            await write(session, number, a_move(importing))
        await write(session, 3, a_move(600), machines=50)
    found = await read(registry)
    assert {stage for stage, _ in found} == {
        *("checking", "starting", "QUIESCE", "IMPORT", "REAP", "DONE")
    }
    small, large = found["IMPORT", 0], found["IMPORT", 2]
    assert (small.median, small.after, small.count) == (20, 6, 3)
    assert small.ninetieth == pytest.approx(28)
    assert (large.median, large.after, large.count) == (600, 6, 1)
    assert found["QUIESCE", 0].median == 7
    assert found["QUIESCE", 0].after == 26
    assert (found["DONE", 0].median, found["DONE", 0].after) == (1, 0)
    assert found["checking", 0].after == 35


async def test_only_what_arrived_counts_and_being_stuck_does_not(registry: Registry) -> None:
    stuck: list[Line] = [
        (0, "requested", ""),
        (1, "checking", ""),
        (2, "running", "VALIDATION"),
        (10, "stuck", "VALIDATION"),
        (90_000, "running", "VALIDATION"),
        (90_004, "done", "DONE"),
    ]
    failed: list[Line] = [
        (0, "requested", ""),
        (1, "running", "VALIDATION"),
        (500, "failed", "ABORTDONE"),
    ]
    under_way: list[Line] = [
        (0, "requested", ""),
        (1, "running", "VALIDATION"),
        (400, "running", "REAP"),
    ]
    async with registry.write() as session:
        for number, lines in enumerate((stuck, failed, under_way)):
            await write(session, number, lines)
    found = await read(registry)
    assert set(found) == {("checking", 0), ("VALIDATION", 0)}
    assert found["VALIDATION", 0].median == 12


async def test_only_the_last_ones_count_and_an_index_finds_them(
    registry: Registry,
) -> None:
    async with registry.write() as session:
        for number, importing in enumerate((1000, 10, 20)):
            await write(session, number, a_move(importing))
    assert (await read(registry, recent=2))["IMPORT", 0].median == 15
    statement = migration_history.statement(SIZES, recent=2)
    async with registry.write() as session:
        engine = session.get_bind()
        made = statement.compile(engine, compile_kwargs={"literal_binds": True}).string
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        plan = "\n".join(line for (line,) in await session.execute(text(f"EXPLAIN {made}")))
    assert "Index Scan Backward using ix_migrations_started_id" in plan
    assert "pk_migration_events" in plan
    assert "Seq Scan" not in plan


async def test_what_was_read_is_believed_for_a_minute(registry: Registry) -> None:
    now = 0.0
    experience = Experience(registry, lambda: now)
    assert await experience.pastimes() == Pastimes({})
    async with registry.write() as session:
        await write(session, 0, a_move(10))
    now = KEPT - 1
    assert await experience.pastimes() == Pastimes({})
    now = KEPT
    known = (await experience.pastimes()).nearest("IMPORT", 0)
    assert known is not None
    assert (known.median, known.after, known.count) == (10, 6, 1)
