"""Every schema revision goes up, matches the tables, goes down, and up again."""

import subprocess
import sys

import psycopg
import pytest
from alembic.script import ScriptDirectory

from jimm.errors import ConfigurationError
from jimm.registry import schema
from jimm.registry.session import Registry
from tests.fix_registry import Fleet


def test_an_empty_database_goes_up_down_and_up(empty_database_url: str) -> None:
    url = empty_database_url
    assert schema.current(url) is None
    schema.upgrade(url)
    assert schema.current(url) == schema.head()
    assert schema.check(url) == []
    schema.downgrade(url, "base")
    assert schema.current(url) is None
    assert _tables(url) == ["alembic_version"]
    schema.upgrade(url)
    assert schema.check(url) == []


def test_each_revision_goes_down_and_up_alone(empty_database_url: str) -> None:
    url = empty_database_url
    for script in reversed(list(ScriptDirectory("migrations").walk_revisions())):
        schema.upgrade(url, script.revision)
        before = _tables(url)
        schema.downgrade(url, "-1")
        schema.upgrade(url, script.revision)
        assert _tables(url) == before


async def test_a_filled_database_goes_down_and_up(database_url: str, fleet: Fleet) -> None:
    await fleet.model()
    await fleet.registry.aclose()
    for _ in range(int(schema.head())):
        schema.downgrade(database_url, "-1")
    assert _tables(database_url) == ["alembic_version"]
    schema.upgrade(database_url)
    assert schema.check(database_url) == []


def test_replicas_that_start_together_take_turns(empty_database_url: str) -> None:
    # Processes, for Alembic's context is one for a process.
    program = "import sys; from jimm.registry import schema; schema.upgrade(sys.argv[1])"
    replicas = [
        subprocess.Popen([sys.executable, "-c", program, empty_database_url]) for _ in range(3)
    ]
    assert [replica.wait(60) for replica in replicas] == [0, 0, 0]
    assert schema.check(empty_database_url) == []


async def test_the_registry_tells_its_revision(empty_database_url: str) -> None:
    registry = Registry(empty_database_url)
    assert await registry.head() is None
    schema.upgrade(empty_database_url)
    assert await registry.head() == schema.head()
    await registry.aclose()


def test_a_database_that_does_not_answer_is_the_operators_to_mend() -> None:
    with pytest.raises(ConfigurationError):
        schema.upgrade("postgresql://nobody@127.0.0.1:1/nothing")


def _tables(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        )
        return [row[0] for row in rows]
