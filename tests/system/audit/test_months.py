"""The trail's months: made ahead by whoever comes first, and gone when they are old."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import sql

from jimm.audit.months import Months, make_ahead
from jimm.registry import audit, audit_partitions, schema
from jimm.registry.audit_months import Month, month_of
from jimm.registry.session import Registry
from tests.system.audit.past import Past, write

NOW = datetime.now(UTC)
THIS = month_of(NOW)


async def _made(registry: Registry) -> list[Month]:
    async with registry.read() as session:
        return await audit_partitions.made(session)


def _ask(url: str, query: str) -> list[Any]:
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(sql.SQL(query)).fetchall()


def test_months_follow_each_other() -> None:
    assert Month(2026, 11).after(3) == Month(2027, 2)
    assert Month(2026, 12).table == "audit_events_2026_12"
    west = datetime.fromisoformat("2026-12-31T23:30:00-08:00")
    assert month_of(west) == Month(2027, 1)


async def test_this_month_and_the_next_two_are_made_with_the_schema(registry: Registry) -> None:
    assert await _made(registry) == [THIS, THIS.after(), THIS.after(2)]


async def test_replicas_make_the_same_months_at_once(registry: Registry, database_url: str) -> None:
    later = NOW + timedelta(days=400)
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(make_ahead(registry, later))
    first = month_of(later)
    assert (await _made(registry))[3:] == [first, first.after(), first.after(2)]
    await make_ahead(registry, later)
    assert schema.check(database_url) == []


async def test_months_are_made_while_the_trail_is_read_and_written(
    registry: Registry, database_url: str
) -> None:
    with psycopg.connect(database_url) as reader, psycopg.connect(database_url) as writer:
        reader.execute("SELECT count(*) FROM audit_events")
        writer.execute("INSERT INTO audit_events (identity, door) VALUES ('alice@jimm', 'api')")
        async with asyncio.timeout(5):
            await make_ahead(registry, NOW + timedelta(days=400))


async def test_old_months_are_dropped_and_the_others_stay(registry: Registry) -> None:
    days = (1, 40, 100, 400)
    await write(registry, [Past(NOW - timedelta(days=each), method=f"Ago{each}") for each in days])
    await Months(registry, 0, lambda: NOW).look()
    assert THIS.after(-13) in await _made(registry) or THIS.after(-14) in await _made(registry)
    await Months(registry, 90, lambda: NOW).look()
    left = await _made(registry)
    assert all(month.after().begin > NOW - timedelta(days=90) for month in left)
    async with registry.read() as session:
        kept = [event.at for event in await audit.page(session)]
    assert [(NOW - each).days for each in kept][:2] == [1, 40]
    assert len(kept) in (2, 3)  # the whole month of the one of 100 days may be older than 90


async def test_a_drop_does_not_wait_for_who_reads(
    registry: Registry, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_partitions, "PATIENCE", "100ms")
    await write(registry, [Past(NOW - timedelta(days=400))])
    old = month_of(NOW - timedelta(days=400))
    months = Months(registry, 90, lambda: NOW)
    with psycopg.connect(database_url) as reader:
        reader.execute("SELECT count(*) FROM audit_events")
        await months.look()
        assert old in await _made(registry)
    await months.look()
    assert old not in await _made(registry)


async def test_a_purge_tells_how_much_it_removed(registry: Registry) -> None:
    border = THIS.begin
    times = [
        *(THIS.after(-3).begin + timedelta(hours=each) for each in range(5)),
        *(THIS.after(-1).begin + timedelta(hours=each) for each in range(4)),
        *(border + timedelta(seconds=each) for each in range(3)),
    ]
    await write(registry, [Past(at) for at in times])
    async with registry.write() as session:
        assert await audit.purge(session, THIS.after(-1).begin + timedelta(hours=2)) == 5 + 2
    async with registry.write() as session:
        assert await audit.purge(session, border + timedelta(seconds=1)) == 2 + 1
        assert await audit.purge(session, border) == 0
    async with registry.read() as session:
        assert len(await audit.page(session)) == 2
    async with registry.write() as session:
        assert await audit.purge(session, NOW + timedelta(days=1000)) == 2
    assert THIS in await _made(registry)


async def test_a_purge_empties_what_somebody_reads(
    registry: Registry, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_partitions, "PATIENCE", "100ms")
    await write(registry, [Past(THIS.after(-2).begin)] * 3)
    with psycopg.connect(database_url) as reader:
        reader.execute("SELECT count(*) FROM audit_events")
        async with registry.write() as session:
            assert await audit.purge(session, THIS.begin) == 3
    async with registry.read() as session:
        assert await audit.page(session) == []


async def test_rows_of_processes_that_are_gone_go(registry: Registry, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO audit_writers (id, batches, seen) VALUES"
            " (gen_random_uuid(), 1, now() - interval '8 days'), (gen_random_uuid(), 2, now())"
        )
        await Months(registry, 0, lambda: NOW).look()
        left = connection.execute("SELECT batches FROM audit_writers").fetchall()
    assert left == [(2,)]


def test_the_revision_keeps_what_was_recorded(empty_database_url: str) -> None:
    url = empty_database_url
    schema.upgrade(url, "0005")
    insert = (
        "INSERT INTO audit_events (at, identity, door, action, params, outcome) VALUES"
        " ('2020-02-29 12:00+00', 'alice@jimm', 'rest', 'add-controller', '{\"a\": 1}', 'done'),"
        " (now(), 'bob@jimm', 'api', 'destroy-model', '{}', 'failed')"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(insert.encode())
    query = "SELECT id, at, identity, action, params, outcome FROM audit_events ORDER BY id"
    before = _ask(url, query)
    schema.upgrade(url)
    assert _ask(url, query) == before
    assert schema.check(url) == []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO audit_events (identity, door, facade, method, message_id, conversation)"
            " VALUES ('alice@jimm', 'model', 'Client', 'FullStatus', 7, '0123456789abcdef')"
        )
    schema.downgrade(url, "0005")
    old = _ask(url, query)
    assert old[:2] == before
    assert old[2][3:5] == (
        "call",
        {
            "conversation-id": "0123456789abcdef",
            "message-id": 7,
            "facade-name": "Client",
            "facade-method": "FullStatus",
        },
    )
    schema.upgrade(url)
    assert _ask(url, query) == old
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("INSERT INTO audit_events (identity, door) VALUES ('x', 'api')")
    assert len({row[0] for row in _ask(url, query)}) == 4
