"""The stream of a migration's events, with shorter silences than it is served with."""

import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import pytest

from jimm.access.keys import KeyRing
from jimm.access.logins import Logins
from jimm.access.passwords import Passwords
from jimm.access.tokens import SessionTokens
from jimm.registry import migrations
from jimm.registry.crypto import Sealer
from jimm.registry.migrations import NewMigration
from jimm.rest.context import Services
from jimm.rest.routes.migrations import COMMENT, follow
from tests.fix_fleet import ADMIN, running_fleet
from tests.fix_registry import Fleet


@pytest.fixture(name="given")
async def _given(database_url: str, sealer: Sealer) -> AsyncIterator[Services]:
    async with running_fleet(database_url, sealer) as fleet:
        tokens = SessionTokens(fleet.registry, fleet.now)
        logins = Logins(fleet.registry, fleet.local_domain, Passwords(), fleet.now)
        keys = KeyRing(fleet.registry, fleet.sealer, fleet.now)
        yield Services(fleet, logins, tokens, keys, lambda: True)


async def waiting(fleet: Fleet) -> str:
    """A migration that no worker sees to."""
    new = NewMigration(
        id=str(uuid.uuid4()),
        model_uuid=await fleet.model(),
        model_name="alice@jimm/m1",
        source_id=fleet.a.id,
        source_name="a",
        target_id=fleet.b.id,
        target_name="b",
        requested_by="admin@jimm",
    )
    async with fleet.registry.write() as session:
        return (await migrations.request(session, new)).id


async def test_no_silence_is_longer_than_the_time_between_comments(
    fleet: Fleet, given: Services
) -> None:
    assert COMMENT == 15.0
    stream = follow(given, ADMIN, await waiting(fleet), 0, comment=0.7)
    assert isinstance(stream, AsyncGenerator)
    async with aclosing(stream):
        assert await anext(stream) == "retry: 1000\n\n"
        assert (await anext(stream)).startswith("event: progress\nid: 1\ndata: {")
        for _ in range(2):
            began = time.monotonic()
            said = await anext(stream)
            assert time.monotonic() - began < 0.7
            assert said.startswith(": ")
            assert said.endswith("\n\n")
            assert "\n" not in said.rstrip()
