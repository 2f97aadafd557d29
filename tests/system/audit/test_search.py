"""Searches of the audit log over a real Postgres, held against a plain reading of all of it."""

import random
import uuid
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy.dialects import postgresql

from jimm.errors import NotValid
from jimm.registry import audit_search
from jimm.registry.audit_common import COMMON_FACADES, COMMON_METHODS
from jimm.registry.audit_search import Event, Search
from jimm.registry.audit_windows import FIRST as READ_FIRST
from jimm.registry.audit_windows import Window
from jimm.registry.session import Registry
from jimm.wire.tags import ModelUUID
from tests.system.audit.past import FIRST, Past, at, own, write

MODELS = [ModelUUID(str(uuid.UUID(int=number))) for number in (1, 2, 3)]


def a_past(number: int, rng: random.Random) -> list[Past]:
    """Events of all kinds over four days, some of them at the same time."""
    made = []
    for _ in range(number):
        when = rng.randrange(96)
        who = rng.choice(("alice@jimm", "bob@jimm", "carol@corp"))
        model = rng.choice((None, *MODELS))
        if rng.random() < 0.2:
            action = rng.choice(("create-model", "grant-model"))
            outcome = rng.choice(("done", "done", "failed", "refused"))
            door = rng.choice(("rest", "api", "web"))
            kind: dict[str, Any] = {
                "identity": who,
                "model_uuid": model,
                "outcome": outcome,
                "door": door,
            }
            made.append(own(when, action, **kind))
        elif rng.random() < 0.1:
            wrong: dict[str, Any] = {
                "is_response": True,
                "outcome": "failed",
                "error": "no",
                "method": "",
            }
            made.append(Past(at(when), identity=who, model_uuid=model, facade="", **wrong))
        else:
            facade, method = rng.choice(
                (("Client", "FullStatus"), ("Application", "Deploy"), ("Secrets", "ListSecrets"))
            )
            door = rng.choice(("api", "model"))
            call: dict[str, Any] = {"facade": facade, "method": method, "door": door}
            made.append(Past(at(when), identity=who, model_uuid=model, **call))
    return made


def a_search(rng: random.Random) -> Search:
    """A search for up to three things at once."""
    some: dict[str, Sequence[Any]] = {
        "after": [at(n) for n in range(0, 96, 7)],
        "before": [at(n) for n in range(0, 96, 5)],
        "identity": ["alice@jimm", "carol@corp", "nobody@jimm"],
        "models": [(), (MODELS[0],), tuple(MODELS[:2]), tuple(MODELS), tuple(MODELS) * 10],
        "facade": ["Client", "Secrets", "Nothing"],
        "method": ["FullStatus", "Deploy", "create-model", "Nothing", "nothing", "call"],
        "action": ["call", "grant-model", "nothing"],
        "door": ["model", "api", "rest", "web"],
        "outcome": ["done", "failed", "refused"],
        "failed": [True],
    }
    names = rng.sample(sorted(some), rng.randrange(4))
    return Search(**{name: rng.choice(some[name]) for name in names})


def fits(event: Event, search: Search) -> bool:
    """What a search means."""
    is_call = event.action == "call"
    return (
        (search.after is None or event.at >= search.after)
        and (search.before is None or event.at < search.before)
        and search.identity in ("", event.identity)
        and (search.models is None or event.model_uuid in search.models)
        and search.facade in ("", event.facade)
        and (not search.method or (event.method if is_call else event.action) == search.method)
        and search.action in ("", event.action)
        and search.door in ("", event.door)
        and search.outcome in ("", event.outcome)
        and (not search.failed or event.outcome in ("failed", "refused"))
    )


async def all_of(registry: Registry) -> list[Event]:
    """Everything, the oldest first."""
    async with registry.read() as session:
        return await audit_search.page(session, Search(), limit=10_000)


async def test_a_search_finds_what_it_means_in_order_and_page_by_page(registry: Registry) -> None:
    rng = random.Random(11)
    written = a_past(200, rng)
    await write(registry, written)
    everything = await all_of(registry)
    assert len(everything) == len(written)
    assert everything == sorted(everything, key=lambda event: event.key)
    found_some = 0
    for _ in range(40):
        search, newest, size = a_search(rng), rng.random() < 0.5, rng.choice((7, 50, 1000))
        read: dict[str, Any] = {
            "newest_first": newest,
            "limit": size,
            "first": rng.choice((1, 20, READ_FIRST)),
        }
        expected = [each for each in everything if fits(each, search)]
        expected = expected[::-1] if newest else expected
        found_some += bool(expected)
        skip = rng.choice((0, 0, 3, 30))
        async with registry.read() as session:
            page = await audit_search.page(session, search, offset=skip, **read)
            assert page == expected[skip : skip + size], search
            while page and len(page) == size:
                behind = expected.index(page[-1]) + 1
                page = await audit_search.page(session, search, beyond=page[-1].key, **read)
                assert page == expected[behind : behind + size], search
    assert found_some > 15


async def test_an_event_is_read_as_it_was_written(registry: Registry) -> None:
    past = Past(
        at(1),
        identity="bob@jimm",
        model_uuid=MODELS[0],
        controller="a",
        params={"application": "ubuntu", "charm": {"revision": 2**60}},
        outcome="failed",
        error_code="not found",
        message_id=2**62,
        object_id="7",
        is_response=True,
        error='application "ubuntu" not found',
        client="192.0.2.1:4711",
    )
    await write(registry, [past])
    (event,) = await all_of(registry)
    for name in [each.name for each in fields(Past)]:
        assert getattr(event, name) == getattr(past, name), name


async def test_seldom_things_have_an_index(registry: Registry, database_url: str) -> None:
    """The words of a search are those of an index, or Postgres would not take it."""
    await write(registry, a_past(50, random.Random(1)))
    assert "Deploy" not in COMMON_METHODS
    assert "Secrets" not in COMMON_FACADES
    for search, index in (
        (Search(), "pk_audit_events"),
        (Search(identity="alice@jimm"), "may_be_in"),
        (Search(models=(MODELS[0],)), "may_be_in"),
        (Search(models=tuple(MODELS)), "may_be_in"),
        (Search(method="Deploy"), "method_at"),
        (Search(facade="Secrets"), "facade_at"),
        (Search(action="create-model"), "action_at"),
        (Search(door="rest"), "action_at"),
        (Search(failed=True), "went_wrong"),
        (Search(outcome="refused"), "went_wrong"),
    ):
        for newest in (False, True):
            plan = _plan(database_url, search, newest)
            assert index in plan, (search, plan)


def _plan(url: str, search: Search, newest: bool) -> str:
    """What Postgres would do, if reading all of a table were out of question, and sorting but
    for what is looked up; a partition's index by the name of the one that it belongs to."""
    looked_up = bool(search.identity or search.models)
    ends = (at(90), at(10)) if newest else (at(10), at(90))
    window = Window(*ends) if looked_up else None
    statement = audit_search.statement(search, newest, None, window).limit(50)
    compiled = statement.compile(
        dialect=postgresql.dialect(paramstyle="pyformat"),  # type: ignore[no-untyped-call]
        compile_kwargs={"literal_binds": True},
    )
    with psycopg.connect(url) as connection:
        for way in ("seqscan", "indexscan" if looked_up else "bitmapscan"):
            connection.execute(f"SET enable_{way} = off")
        if search != Search():  # so few rows may as well be read along the time
            connection.execute("ALTER TABLE audit_events DROP CONSTRAINT pk_audit_events")
        lines = connection.execute(f"EXPLAIN (COSTS OFF) {compiled}")
        plan = "\n".join(str(line[0]) for line in lines)
        parents = connection.execute(
            "SELECT child.relname, parent.relname FROM pg_inherits"
            " JOIN pg_class child ON child.oid = inhrelid"
            " JOIN pg_class parent ON parent.oid = inhparent AND parent.relkind = 'I'"
        )
        for child, parent in parents:
            plan = plan.replace(str(child), f"{parent} of a month")
        connection.rollback()
    return plan


async def test_a_search_that_takes_too_long_says_what_helps(database_url: str) -> None:
    impatient = Registry(database_url, application_name="jimm-test", statement_timeout=0.2)
    with psycopg.connect(database_url) as connection:
        connection.execute("LOCK TABLE audit_events IN ACCESS EXCLUSIVE MODE")
        async with impatient.read() as session:
            with pytest.raises(NotValid, match="name a shorter time") as refused:
                await audit_search.page(session, Search(facade="Client"))
    assert refused.value.field == "after"
    await impatient.aclose()


@pytest.mark.parametrize("beyond", [FIRST, FIRST - timedelta(days=4000)])
async def test_there_may_be_nothing(registry: Registry, beyond: datetime) -> None:
    async with registry.read() as session:
        assert await audit_search.page(session, Search(after=beyond)) == []
