"""A crowd of models in a database of its own, put there at once; no controller is anywhere near."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from jimm.facades.model_manager import ModelManager
from jimm.facades.session import Session
from jimm.fleet.caller import Caller
from jimm.fleet.fleet import Fleet
from jimm.registry.crypto import Sealer
from tests.databases import Databases
from tests.fix_fleet import running_fleet

CONTROLLERS = 20
ALICES = 1_000
SMALL, LARGE = ALICES, 10_000

_CONTROLLERS = f"""
    INSERT INTO controllers (name, uuid, public_address, addresses, tls_hostname, ca_certificate,
        trust, admin_username, cloud, region, agent_version, status, status_since)
    SELECT 'c' || n, gen_random_uuid(), '', '[]', '', '', 'password', 'admin', 'metro', 'north',
        '3.6.9', 'available', now()
    FROM generate_series(1, {CONTROLLERS}) AS n
"""
_PEOPLE = "INSERT INTO identities (name) SELECT unnest(ARRAY['alice@jimm', 'bob@jimm'])"
_CLOUD = "INSERT INTO clouds (name, type, definition) VALUES ('metro', 'manual', '{}')"
_MODELS = """
    INSERT INTO models (uuid, name, owner_id, controller_id, cloud, region, state, status, counts)
    SELECT gen_random_uuid(), 'm-' || n, i.id, c.id, 'metro', 'north', 'live', 'available',
        '{"machines": 2, "units": 3}'
    FROM generate_series(%s::int, %s::int) AS n
    JOIN identities AS i
        ON i.name = CASE WHEN n <= %s AND n %% 2 = 0 THEN 'alice@jimm' ELSE 'bob@jimm' END
    JOIN controllers AS c ON c.name = 'c' || (1 + n %% 20)
"""
_SHARES = f"""
    INSERT INTO relations (subject, relation, object_kind, object_key, revision)
    SELECT s.subject, s.relation, 'model', m.uuid::text, 1
    FROM models AS m
    CROSS JOIN LATERAL (SELECT substr(m.name, 3)::int AS n) AS number
    JOIN LATERAL (VALUES
        (number.n <= {ALICES} AND number.n % 10 IN (1, 7), 'alice@jimm', 'reader'),
        (number.n <= {ALICES} AND number.n % 10 IN (3, 7), 'alice@jimm', 'writer'),
        (number.n <= {ALICES} AND number.n % 10 = 5, 'everyone', 'reader'),
        (number.n <= {ALICES} AND number.n % 10 = 9, 'alice@jimm', 'administrator'),
        (number.n > {ALICES}, 'u' || number.n % 500 || '@jimm', 'reader')
    ) AS s (holds, subject, relation) ON s.holds
"""
_STRAY = """
    INSERT INTO relations (subject, relation, object_kind, object_key, revision)
    VALUES ('alice@jimm', 'reader', 'model', 'no-uuid', 1)
"""


@dataclass
class Crowd:
    """A fleet on a database that holds so many models; ``statements`` are those run so far."""

    fleet: Fleet
    models: int
    statements: list[str] = field(default_factory=list)

    def manager(self, user: str) -> ModelManager:
        """What a user's client calls."""
        caller = Caller(f"{user}@jimm", admin=user == "admin", door="api")
        return ModelManager(Session(self.fleet, caller))


def fill(url: str, models: int) -> None:
    """Controllers, people, and models of which alice sees a thousand in every way there is."""
    with psycopg.connect(url) as connection:
        for statement in (_CONTROLLERS, _PEOPLE, _CLOUD, _STRAY):
            connection.execute(statement)
        connection.execute(_MODELS, (1, models, ALICES))
        connection.execute(_SHARES)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE models, relations, identities, controllers")


@pytest.fixture(scope="module")
def crowds(databases: Databases) -> Iterator[dict[int, str]]:
    """Databases by the number of their models."""
    with (
        databases.lent() as small,
        databases.lent() as large,
    ):
        fill(small, SMALL)
        fill(large, LARGE)
        yield {SMALL: small, LARGE: large}


@pytest.fixture(params=[SMALL, LARGE])
async def crowd(
    request: pytest.FixtureRequest, crowds: dict[int, str], sealer: Sealer
) -> AsyncIterator[Crowd]:
    """A fleet that does not grow with its database."""
    async with running_fleet(crowds[request.param], sealer) as fleet:
        fleet.pool.set_endpoints([])  # there is nothing to dial
        await fleet.registry.ping()
        made = Crowd(fleet, request.param)
        with noting(made.statements):
            yield made


@contextmanager
def noting(statements: list[str]) -> Iterator[None]:
    """Notes what SQLAlchemy sends to any database."""

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", note)
