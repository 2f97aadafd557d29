"""Real Postgres for the tests: embedded, or the one at ``JIMM_TEST_DATABASE_URL``.

A template database is brought to the newest schema once; each test that asks for one gets a
copy of it, dropped afterwards.
"""

import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from jimm.registry import schema
from jimm.registry.crypto import Sealer, new_key
from jimm.registry.embedded import EmbeddedPostgres
from jimm.registry.session import Registry

_PREFIX = "jimm-test-postgres-"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The address of a server on which databases may be made."""
    given = os.environ.get("JIMM_TEST_DATABASE_URL")
    if given:
        yield given
        return
    temporary = Path(tempfile.gettempdir())
    _end_leftovers(temporary)
    folder = temporary / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(3)}"
    server = EmbeddedPostgres(folder, durable=False)
    try:
        server.start()
        yield server.url()
    finally:
        server.destroy()


@pytest.fixture(scope="session")
def template_database(postgres_url: str) -> Iterator[str]:
    """The name of a database at the newest schema; nobody stays connected to it."""
    with _database(postgres_url) as (name, url):
        schema.upgrade(url)
        yield name


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """A database without any schema."""
    with _database(postgres_url) as (_, url):
        yield url


@pytest.fixture
def database_url(postgres_url: str, template_database: str) -> Iterator[str]:
    """A database of the test's own, at the newest schema."""
    with _database(postgres_url, template=template_database) as (_, url):
        yield url


@contextmanager
def another_database(postgres_url: str, template: str) -> Iterator[str]:
    """A database at the newest schema for what lives longer than one test."""
    with _database(postgres_url, template=template) as (_, url):
        yield url


@pytest.fixture
async def registry(database_url: str) -> AsyncIterator[Registry]:
    """A registry of the test's own."""
    opened = Registry(database_url, application_name="jimm-test", pool_size=5)
    yield opened
    await opened.aclose()


@pytest.fixture(scope="session")
def sealer() -> Sealer:
    """A sealer with a random key."""
    return Sealer(new_key())


@contextmanager
def _database(server_url: str, template: str = "template1") -> Iterator[tuple[str, str]]:
    name = f"jimm_test_{secrets.token_hex(6)}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
        try:
            url = make_url(server_url).set(database=name)
            yield name, url.render_as_string(hide_password=False)
        finally:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
            connection.execute(drop.format(sql.Identifier(name)))


def _end_leftovers(temporary: Path) -> None:
    """Removes the servers of test runs that were killed."""
    for folder in temporary.glob(f"{_PREFIX}*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if not Path(f"/proc/{pid}").exists():
            EmbeddedPostgres(folder).destroy()
