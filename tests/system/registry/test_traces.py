"""What logins leave behind is written together, a moment later, and not lost at a stop."""

import uuid
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from jimm.registry import identities, model_connections, tokens
from jimm.registry.session import Registry
from jimm.registry.tables import ModelConnectionRow
from jimm.registry.tokens import TokenRecord
from jimm.registry.traces import NOTED_EVERY, Traces
from tests.eventually import eventually
from tests.fix_registry import Fleet
from tests.overheard import overheard

DAY = timedelta(days=1)


async def connections(registry: Registry, model: str) -> dict[str, datetime]:
    async with registry.read() as session:
        return (await model_connections.of_models(session, [model])).get(model, {})


async def add_token(fleet: Fleet, digest: bytes) -> TokenRecord:
    async with fleet.registry.write() as session:
        return await tokens.add(session, str(uuid.uuid4()), fleet.alice.id, "", digest, DAY)


async def test_it_is_written_by_itself(fleet: Fleet) -> None:
    registry, model = fleet.registry, await fleet.model()
    token = await add_token(fleet, b"hash")
    later = token.expires_at + DAY
    registry.traces.used(token.id, later)
    registry.traces.logged_in(fleet.alice.id)
    registry.traces.connected(model, "alice@jimm")
    registry.traces.connected(model, "bob@jimm")
    registry.traces.connected(model, "nobody@jimm")
    registry.traces.connected(str(uuid.uuid4()), "alice@jimm")

    async def written() -> bool:
        return set(await connections(registry, model)) == {"alice@jimm", "bob@jimm"}

    await eventually(written)
    async with registry.read() as session:
        assert (await identities.by_name(session, "alice@jimm")).last_login_at is not None
        assert (await identities.by_name(session, "bob@jimm")).last_login_at is None
        (used,) = await tokens.of_identity(session, fleet.alice.id)
    assert used.expires_at == later
    assert used.last_used_at is not None


async def test_a_use_does_not_bring_back_what_was_revoked_nor_shorten_a_life(fleet: Fleet) -> None:
    registry = fleet.registry
    revoked, living = await add_token(fleet, b"one"), await add_token(fleet, b"two")
    async with registry.write() as session:
        await tokens.revoke(session, revoked.id, fleet.alice)
    for each in (revoked, living):
        registry.traces.used(each.id, each.expires_at - timedelta(hours=1))
    await registry.traces.flush()
    found = await tokens.by_hash(registry, b"one")
    assert found is not None
    assert found.token.revoked_at is not None
    assert found.token.last_used_at is None
    other = await tokens.by_hash(registry, b"two")
    assert other is not None
    assert other.token.expires_at == living.expires_at
    assert other.token.last_used_at is not None


async def test_the_last_connection_is_known_to_the_minute(fleet: Fleet, database_url: str) -> None:
    model, time = await fleet.model(), [0.0]
    async with overheard(database_url) as heard:
        listened = Registry(heard.url)
        traces = Traces(listened.write, lambda: time[0])
        traces.connected(model, "alice@jimm")
        await traces.flush()
        first = await connections(listened, model)
        heard.clear()
        traces.connected(model, "alice@jimm")
        await traces.flush()
        assert heard.statements == []  # nobody asks the database for what is known
        time[0] += NOTED_EVERY
        traces.connected(model, "alice@jimm")
        await traces.flush()
        assert any("model_connections" in each for each in heard.statements)
        assert await connections(listened, model) == first
        await listened.aclose()
        await traces.aclose()


async def test_a_stop_writes_what_is_left(fleet: Fleet, database_url: str) -> None:
    model = await fleet.model()
    stopping = Registry(database_url)
    stopping.traces.connected(model, "alice@jimm")
    await stopping.aclose()
    assert set(await connections(fleet.registry, model)) == {"alice@jimm"}


async def test_it_waits_for_a_database_that_is_away(fleet: Fleet, database_url: str) -> None:
    model = await fleet.model()
    async with overheard(database_url) as heard:
        away = Registry(heard.url)
        await away.ping()
    away.traces.connected(model, "alice@jimm")
    with pytest.raises(DBAPIError):
        await away.traces.flush()
    kept = Traces(fleet.registry.write)
    kept.connected(model, "bob@jimm")
    await kept.aclose()
    assert set(await connections(fleet.registry, model)) == {"bob@jimm"}
    await away.aclose()


async def test_a_thousand_logins_are_one_transaction(fleet: Fleet, database_url: str) -> None:
    models = [await fleet.model(f"m{n}") for n in range(20)]
    async with overheard(database_url) as heard:
        listened = Registry(heard.url)
        await listened.ping()
        heard.clear()
        for number in range(1000):
            listened.traces.connected(models[number % 20], "alice@jimm")
            listened.traces.logged_in(fleet.alice.id)
        await listened.traces.flush()
        assert len([each for each in heard.statements if "INSERT" in each]) == 1
        assert len([each for each in heard.statements if "UPDATE identities" in each]) == 1
        async with listened.read() as session:
            kept = select(func.count()).select_from(ModelConnectionRow)
            assert await session.scalar(kept) == 20
        await listened.aclose()
