"""Every record is written, and once, whatever happens to Postgres."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg

from jimm.audit.backlog import PENDING
from jimm.audit.call import Call as Asked
from jimm.audit.kept import KEPT
from jimm.audit.recorder import Conversation, Recorder
from jimm.migration.reasons import redact_reason
from jimm.net.tasks import Tasks
from jimm.registry.audit_writer import AuditWriter
from tests.eventually import eventually
from tests.juju_calls import Call, calls, named, seeded
from tests.system.audit.lossy import Lossy, lossy

MODEL = "8c1e9a50-1111-4222-8333-444455556666"


@asynccontextmanager
async def recording(url: str, **options: Any) -> AsyncIterator[Recorder]:
    """A recorder that writes ten at a time, until the end."""
    given = {"hide": redact_reason, "batch": 10, "batches": 10, "every": 0.02, **options}
    recorder = Recorder(AuditWriter(url), **given)
    tasks = Tasks()
    tasks.spawn(recorder.run(), name="record")
    try:
        yield recorder
    finally:
        await tasks.aclose()
        await recorder.aclose()


def conversation(recorder: Recorder) -> Conversation:
    """Alice's, with her model."""
    return recorder.conversation(
        identity="alice@jimm", door="model", model_uuid=MODEL, controller="c1", client="10.0.0.1"
    )


def call(with_whom: Conversation, number: int, method: str = "FullStatus") -> None:
    """One that leaves a plain line."""
    with_whom.called(Asked(number, "Client", 8, method, "", b"", True))


def rows(url: str, query: str = "SELECT * FROM audit_events ORDER BY at, id") -> list[Any]:
    """What Postgres has."""
    with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as connection:
        return connection.execute(query.encode()).fetchall()


def numbers(url: str) -> list[int]:
    """The numbers of the calls that were written."""
    query = "SELECT message_id FROM audit_events WHERE action = 'call' ORDER BY id"
    return [row["message_id"] for row in rows(url, query)]


async def test_a_call_and_its_error_are_two_rows(database_url: str) -> None:
    async with recording(database_url) as recorder:
        one = conversation(recorder)
        deploy = b'{"applications":[{"application":"db","config":{"x":"s3cr3t"}}]}'
        one.called(Asked(7, "Application", 22, "Deploy", "", deploy, True))
        one.failed(7, 'no such charm: password="s3cr3t"', "not found")
        await eventually(lambda: len(numbers(database_url)) == 2)
    request, answer = rows(database_url)
    assert request["identity"] == "alice@jimm"
    assert str(request["model_uuid"]) == MODEL
    assert (request["action"], request["outcome"], request["is_response"]) == ("call", "", False)
    assert (request["facade"], request["facade_version"]) == ("Application", 22)
    assert (request["method"], request["message_id"]) == ("Deploy", 7)
    assert request["params"] == {"applications": [{"application": "db", "...": "redacted"}]}
    assert (answer["outcome"], answer["is_response"]) == ("failed", True)
    assert (answer["message_id"], answer["error_code"]) == (7, "not found")
    assert answer["conversation"] == request["conversation"]
    assert answer["error"].startswith("no such charm")
    assert "s3cr3t" not in str(rows(database_url))


async def test_any_text_is_read_back_as_it_was(database_url: str) -> None:
    rng = random.Random(11)
    letters = "\\\t\n\r\v\bN.{}\"'éß\u2028😀 ab\x01"
    texts = ["".join(rng.choices(letters, k=rng.randrange(20))) for _ in range(300)]
    async with recording(database_url) as recorder:
        for number, text in enumerate(texts):
            one = recorder.conversation(identity=text, door="api", controller=text, client=text)
            one.called(Asked(number, text, 1, f"{text}x", text, b"", True))
            one.failed(number, text, text)
        await eventually(lambda: not len(recorder))
    written = {(row["message_id"], row["is_response"]): row for row in rows(database_url)}
    assert len(written) == 2 * len(texts)
    for number, text in enumerate(texts):
        asked, answered = written[number, False], written[number, True]
        told = {asked[name] for name in ("identity", "controller", "client", "facade", "object_id")}
        assert told == {text}
        assert asked["method"] == f"{text}x"
        assert answered["error_code"] == text


async def _through(url: str, worst: Callable[[Lossy], None]) -> None:
    async with lossy(url) as relay, recording(relay.url) as recorder:
        one = conversation(recorder)
        call(one, 0)
        await eventually(lambda: numbers(url) == [0])
        for round_ in range(1, 4):
            worst(relay)
            for number in range(25):
                call(one, 100 * round_ + number)
            await eventually(lambda: not len(recorder))
            assert relay.lost == round_
    expected = {0, *(100 * round_ + number for round_ in range(1, 4) for number in range(25))}
    assert sorted(numbers(url)) == sorted(expected)


async def test_a_lost_answer_to_a_commit_writes_nothing_twice(database_url: str) -> None:
    def worst(relay: Lossy) -> None:
        relay.lose_answer_to = b"COMMIT"

    await _through(database_url, worst)


async def test_a_lost_commit_loses_nothing(database_url: str) -> None:
    def worst(relay: Lossy) -> None:
        relay.lose = b"COMMIT"

    await _through(database_url, worst)


async def test_a_cut_in_the_middle_of_a_batch_loses_nothing(database_url: str) -> None:
    def worst(relay: Lossy) -> None:
        relay.lose = b"FullStatus"

    await _through(database_url, worst)


async def test_a_database_restored_to_before_does_not_stop_it(database_url: str) -> None:
    async with recording(database_url) as recorder:
        one = conversation(recorder)
        call(one, 1)
        await eventually(lambda: numbers(database_url) == [1])
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("UPDATE audit_writers SET batches = 0")
        call(one, 2)
        await eventually(lambda: numbers(database_url) == [1, 2])
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("DELETE FROM audit_writers")
        call(one, 3)
        await eventually(lambda: numbers(database_url) == [1, 2, 3])


async def test_a_killed_backend_loses_nothing(database_url: str) -> None:
    kill = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'jimm-audit' AND datname = current_database()"
    )
    async with recording(database_url) as recorder:
        one = conversation(recorder)
        for number in range(200):
            call(one, number)
            if number % 40 == 0:
                await eventually(lambda: bool(numbers(database_url)))
                rows(database_url, kill)
            await asyncio.sleep(0)
        await eventually(lambda: not len(recorder))
    assert sorted(numbers(database_url)) == list(range(200))


async def test_while_postgres_is_away_others_wait_and_nothing_is_lost(database_url: str) -> None:
    heard: list[bool] = []
    async with lossy(database_url) as relay:
        await relay.cut()
        async with recording(relay.url) as recorder:
            recorder.follow(lambda: heard.append(recorder.full))
            one = conversation(recorder)
            number = 0
            while not recorder.full:
                call(one, number)
                number += 1
                await asyncio.sleep(0)
            assert len(recorder) == number
            # Ten batches wait, one was taken, and some are not put down yet.
            assert 100 <= number <= 120 + PENDING
            await relay.open()
            async with asyncio.timeout(5):
                await recorder.room()
            await eventually(lambda: not len(recorder))
    assert heard == [True, False]
    assert sorted(numbers(database_url)) == list(range(number))


async def test_what_is_dropped_is_counted(database_url: str) -> None:
    async with lossy(database_url) as relay:
        await relay.cut()
        async with recording(relay.url, drop=True) as recorder:
            one = conversation(recorder)
            for number in range(1000):
                call(one, number)
                await asyncio.sleep(0)
            assert not recorder.full
            assert len(recorder) < 200
            await relay.open()
            await eventually(lambda: not len(recorder))
    (told,) = rows(database_url, "SELECT params, door FROM audit_events WHERE action <> 'call'")
    written = numbers(database_url)
    assert told == {"params": {"records": 1000 - len(written)}, "door": "jimm"}


async def test_a_stop_writes_what_is_left(database_url: str) -> None:
    recorder = Recorder(AuditWriter(database_url), hide=redact_reason)
    one = conversation(recorder)
    for number in range(3000):
        call(one, number)
        one.failed(number, "no", "")
    await recorder.aclose()
    assert len(numbers(database_url)) == 6000
    assert rows(database_url, "SELECT id FROM audit_writers") == []


async def test_a_run_that_is_cancelled_leaves_all_to_the_stop(database_url: str) -> None:
    rng = random.Random(3)
    recorder = Recorder(AuditWriter(database_url), hide=redact_reason, batch=50, every=0.001)
    one, tasks = conversation(recorder), Tasks()
    for number in range(0, 2000, 100):
        for each in range(number, number + 100):
            one.called(Asked(each, "Client", 8, "FullStatus", f"o{each}" if each % 3 else ""))
        tasks.spawn(recorder.run(), name="record")
        for _ in range(rng.randrange(30)):
            await asyncio.sleep(0)
        await tasks.aclose()
    await recorder.aclose()
    assert sorted(numbers(database_url)) == list(range(2000))


async def test_a_stop_has_a_deadline(database_url: str) -> None:
    async with lossy(database_url) as relay:
        await relay.cut()
        recorder = Recorder(AuditWriter(relay.url), hide=redact_reason)
        call(conversation(recorder), 1)
        async with asyncio.timeout(5):
            await recorder.aclose(deadline=0.2)
    assert numbers(database_url) == []


async def test_a_record_that_can_t_be_written_spares_the_others(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE audit_events ADD CHECK (method <> 'Poison')")
    async with recording(database_url) as recorder:
        one = conversation(recorder)
        for number in range(30):
            call(one, number, "Poison" if number in (3, 17) else "FullStatus")
        await eventually(lambda: not len(recorder))
    assert sorted(numbers(database_url)) == [each for each in range(30) if each not in (3, 17)]
    told = rows(database_url, "SELECT params FROM audit_events WHERE action <> 'call'")
    assert sum(row["params"]["records"] for row in told) == 2


async def test_a_month_that_is_not_there_is_made(database_url: str) -> None:
    late = datetime(2031, 12, 31, 23, 59, tzinfo=UTC).timestamp()
    times = iter([late, late + 3600, late + 90 * 86400])
    async with recording(database_url, now=lambda: next(times)) as recorder:
        one = conversation(recorder)
        for number in range(3):
            call(one, number)
        await eventually(lambda: not len(recorder))
    found = [f"{row['at']:%Y-%m}" for row in rows(database_url)]
    assert found == ["2031-12", "2032-01", "2032-03"]


async def test_no_secret_of_any_call_is_anywhere_in_the_database(database_url: str) -> None:
    rng = random.Random(23)
    allowed: list[str] = []
    denied: list[str] = []
    async with recording(database_url, batch=500) as recorder:
        one = conversation(recorder)
        for number, each in enumerate(calls()):
            filled = seeded(each, rng)
            raw = json.dumps(filled.params).encode()
            sure = number % 5 != 0
            one.called(Asked(number, each.facade, each.version, each.method, "", raw, sure))
            kept = _kept_paths(each) if sure and len(raw) <= 4096 else set()
            for path, marker in filled.markers.items():
                (allowed if path in kept else denied).append(marker)
            one.failed(number, f"cannot use password={denied[-1] if denied else ''}", "")
        await eventually(lambda: not len(recorder))
    everything = "\n".join(_dump(database_url))
    assert not [marker for marker in denied if marker in everything]
    assert not [marker for marker in allowed if marker not in everything]
    assert len(allowed) > 100
    assert len(denied) > 500


def _kept_paths(each: Call) -> set[str]:
    return set(named(KEPT.get((each.facade, each.method), {})))


def _dump(url: str) -> list[str]:
    """All rows of all tables, as text."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        ).fetchall()
        return [
            str(row)
            for (table,) in tables
            for row in connection.execute(f'SELECT t::text FROM "{table}" t'.encode())
        ]
