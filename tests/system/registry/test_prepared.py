"""Questions: one statement in one round trip, on connections that may die."""

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import Text, bindparam, func, insert, literal, select
from sqlalchemy.exc import DBAPIError

from jimm.errors import ModelNotFound, NotValid
from jimm.registry import entries, identities, relations, tokens
from jimm.registry.prepared import Question
from jimm.registry.relations import Object
from jimm.registry.session import Registry
from jimm.registry.tables import SettingRow
from jimm.registry.words import EVERYONE, ObjectKind, Relation
from tests.fix_registry import Fleet
from tests.overheard import Overheard, overheard

DIGEST = hashlib.sha256(b"a token").digest()


def setting() -> Question:
    return Question(select(SettingRow.value).where(SettingRow.key == bindparam("key")))


@pytest.fixture
async def heard(database_url: str) -> AsyncIterator[Overheard]:
    async with overheard(database_url) as made:
        yield made


@pytest.fixture
async def listened(heard: Overheard) -> AsyncIterator[Registry]:
    opened = Registry(heard.url, application_name="jimm-heard")
    yield opened
    await opened.aclose()


async def test_a_question_is_one_statement_in_one_round_trip(
    listened: Registry, heard: Overheard
) -> None:
    question = setting()
    assert await listened.ask(question, key="a") == []
    heard.clear()
    async with listened.write() as session:
        await session.execute(insert(SettingRow).values(key="a", value="b"))
    assert heard.round_trips > 1  # a transaction; so the relay can count
    heard.clear()
    assert await listened.ask(question, key="a") == [{"value": "b"}]
    assert len(heard.statements) == heard.round_trips == 1


async def test_many_ask_at_once(registry: Registry) -> None:
    question = Question(select(literal("x").label("text"), bindparam("n", type_=Text).label("n")))
    found = await asyncio.gather(*(registry.ask(question, n=str(n)) for n in range(50)))
    assert [row["n"] for (row,) in found] == [str(n) for n in range(50)]


async def test_connections_that_died_are_no_error(registry: Registry, database_url: str) -> None:
    question = setting()
    await asyncio.gather(*(registry.ask(question, key="a") for _ in range(3)))
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity"
            " WHERE application_name = 'jimm-test'"
        )
    assert await registry.ask(question, key="a") == []


async def test_what_postgres_refuses_is_said_and_the_next_question_answered(
    registry: Registry,
) -> None:
    with pytest.raises(NotValid):
        await registry.ask(setting(), key="\0")
    writing = Question(select(func.nextval("relation_changes_revision_seq").label("next")))
    with pytest.raises(DBAPIError, match="read-only"):
        await registry.ask(writing)
    assert await registry.ask(setting(), key="a") == []


async def test_a_database_that_is_away_is_an_error(database_url: str) -> None:
    async with overheard(database_url) as heard:
        away = Registry(heard.url)
        await away.ask(setting(), key="a")
    with pytest.raises(DBAPIError):
        await away.ask(setting(), key="a")
    await away.aclose()


async def test_whoever_comes_to_a_model_is_known_in_one_query(fleet: Fleet) -> None:
    registry, model = fleet.registry, await fleet.model()
    about = [
        ("bob@jimm", Relation.WRITER, Object.model(model)),
        ("bob@jimm", Relation.READER, Object.model(str(uuid.uuid4()))),
        ("bob@jimm", Relation.ADMINISTRATOR, Object.jimm()),
        (EVERYONE, Relation.CAN_ADDMODEL, Object.cloud("metro")),
        ("alice@jimm", Relation.ADMINISTRATOR, Object.controller(fleet.a.uuid)),
        ("bob@jimm", Relation.ADMINISTRATOR, Object.controller(fleet.b.uuid)),
    ]
    async with registry.write() as session:
        for each in about:
            await relations.add(session, *each)
        await tokens.add(session, str(uuid.uuid4()), fleet.bob.id, "", DIGEST, timedelta(1))
        found = await entries.find(session, model, "bob@jimm")
    assert await entries.come(registry, model, "bob@jimm") == found
    by_token = await entries.come_by_token(registry, model, DIGEST)
    assert by_token is not None
    assert by_token[0].identity == fleet.bob
    assert by_token[0].admin
    assert by_token[1] == found
    held = {(each.subject, each.object_kind, each.relation) for each in found.held}
    assert held == {
        ("bob@jimm", ObjectKind.MODEL, Relation.WRITER),
        ("bob@jimm", ObjectKind.JIMM, Relation.ADMINISTRATOR),
        (EVERYONE, ObjectKind.CLOUD, Relation.CAN_ADDMODEL),
    }
    assert (found.host, found.clouds, found.welcome) == (fleet.a, ("metro",), True)


async def test_who_is_unknown_or_comes_to_nothing(fleet: Fleet) -> None:
    registry, model = fleet.registry, await fleet.model()
    async with registry.write() as session:
        await tokens.add(session, str(uuid.uuid4()), fleet.bob.id, "", DIGEST, timedelta(1))
    assert await entries.come_by_token(registry, model, b"another") is None
    for nothing in (str(uuid.uuid4()), "no-uuid"):
        found = await entries.come_by_token(registry, nothing, DIGEST)
        assert found is not None
        assert (found[0].identity, found[1]) == (fleet.bob, None)
        with pytest.raises(ModelNotFound):
            await entries.come(registry, nothing, "bob@jimm")
    assert not (await entries.come(registry, model, "nobody@jimm")).welcome


async def test_disabled_people_and_revoked_tokens_are_not_welcome(fleet: Fleet) -> None:
    registry, model, token_id = fleet.registry, await fleet.model(), str(uuid.uuid4())

    async def welcome(token: str | None) -> bool:
        return (await entries.come(registry, model, "bob@jimm", token_id=token)).welcome

    async with registry.write() as session:
        await tokens.add(session, token_id, fleet.bob.id, "", DIGEST, timedelta(1))
    assert await welcome(token_id)
    async with registry.write() as session:
        await tokens.revoke(session, token_id, fleet.bob)
    assert not await welcome(token_id)
    assert await welcome(None)
    async with registry.write() as session:
        await identities.set_disabled(session, "bob@jimm", True)
    assert not await welcome(None)
