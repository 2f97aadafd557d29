"""Real Postgres for the tests: embedded, or the one at ``JIMM_TEST_DATABASE_URL``.

A template database is brought to the newest schema once; each test that asks for one gets one
that is like it (:mod:`tests.databases`).
"""

import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from jimm.registry import schema
from jimm.registry.crypto import Sealer, new_key
from jimm.registry.embedded import EmbeddedPostgres
from jimm.registry.session import Registry
from tests.databases import Databases, connected, create, drop, new_name, url_of

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
def databases(postgres_url: str) -> Iterator[Databases]:
    """Databases at the newest schema."""
    template = new_name()
    with connected(postgres_url) as connection:
        create(connection, template, "template1")
        try:
            schema.upgrade(url_of(postgres_url, template))
            made = Databases(postgres_url, template)
            yield made
            made.close()
        finally:
            drop(connection, template)


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """A database without any schema."""
    name = new_name()
    with connected(postgres_url) as connection:
        create(connection, name, "template1")
        try:
            yield url_of(postgres_url, name)
        finally:
            drop(connection, name)


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """A database of the test's own, at the newest schema."""
    with databases.lent() as url:
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


def _end_leftovers(temporary: Path) -> None:
    """Removes the servers of test runs that were killed."""
    for folder in temporary.glob(f"{_PREFIX}*"):
        pid = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if not Path(f"/proc/{pid}").exists():
            EmbeddedPostgres(folder).destroy()
