"""What one process does at a time is done by another as soon as that one is gone."""

from collections.abc import AsyncIterator

import psycopg
import pytest

from jimm.registry.session import Registry
from jimm.registry.turns import Turns
from tests.eventually import eventually


@pytest.fixture
async def one(registry: Registry) -> AsyncIterator[Turns]:
    """A process."""
    turns = registry.turns()
    yield turns
    await turns.aclose()


@pytest.fixture
async def other(registry: Registry) -> AsyncIterator[Turns]:
    """Another."""
    turns = registry.turns()
    yield turns
    await turns.aclose()


async def test_a_turn_is_one_process_s_until_it_gives_it_back(one: Turns, other: Turns) -> None:
    assert await one.claim(["a", "b"]) == {"a", "b"}
    assert await other.claim(["a", "b", "c"]) == {"c"}
    assert await one.claim(["a", "b", "c"]) == {"a", "b"}
    assert await one.claim(["b"]) == {"b"}, "what is wanted no longer is given back"
    assert await other.claim(["a", "b", "c"]) == {"a", "c"}
    await one.aclose()

    async def has_all() -> bool:
        return await other.claim(["a", "b", "c"]) == {"a", "b", "c"}

    await eventually(has_all)


async def test_a_lost_connection_is_a_lost_turn(
    one: Turns, other: Turns, database_url: str
) -> None:
    assert await one.claim(["a"]) == {"a"}
    end = """
        SELECT count(pg_terminate_backend(pid)) FROM pg_locks
        WHERE locktype = 'advisory' AND database =
            (SELECT oid FROM pg_database WHERE datname = current_database())
    """
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        assert await (await connection.execute(end)).fetchone() == (1,)

    async def taken_over() -> bool:
        return await other.claim(["a"]) == {"a"}

    await eventually(taken_over)
    assert await one.claim(["a"]) == frozenset(), "it hears of its loss"
    await other.aclose()

    async def back() -> bool:
        return await one.claim(["a"]) == {"a"}

    await eventually(back)
