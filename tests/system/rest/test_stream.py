"""The stream of a migration's events, with shorter silences than it is served with."""

import json
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from functools import partial
from typing import Any

import pytest

from jimm.access.keys import KeyRing
from jimm.access.logins import Logins
from jimm.access.passwords import Passwords
from jimm.access.tokens import SessionTokens
from jimm.fleet.caller import Caller
from jimm.migration.experience import Experience
from jimm.migration.followers import Followers
from jimm.net.tasks import Tasks
from jimm.registry import identities, migrations
from jimm.registry.crypto import Sealer
from jimm.registry.migrations import NewMigration, Step
from jimm.registry.words import MigrationState
from jimm.rest import context
from jimm.rest.context import Services
from jimm.rest.routes.migrations import SILENCE, follow
from tests.fix_fleet import ADMIN, running_fleet
from tests.fix_registry import Fleet


@pytest.fixture(name="given")
async def _given(database_url: str, sealer: Sealer) -> AsyncIterator[Services]:
    async with running_fleet(database_url, sealer) as fleet:
        yield Services(
            fleet,
            Logins(fleet.registry, fleet.local_domain, Passwords(), fleet.now),
            SessionTokens(fleet.registry, fleet.now),
            KeyRing(fleet.registry, fleet.sealer, fleet.now),
            Experience(fleet.registry, time.monotonic),
            Followers(fleet.registry, every=0.1),
            lambda: True,
        )


async def waiting(fleet: Fleet, name: str = "m1", requested_by: str = "admin@jimm") -> str:
    """A migration that no worker sees to."""
    new = NewMigration(
        id=str(uuid.uuid4()),
        model_uuid=await fleet.model(name),
        model_name=f"alice@jimm/{name}",
        source_id=fleet.a.id,
        source_name="a",
        target_id=fleet.b.id,
        target_name="b",
        requested_by=requested_by,
    )
    async with fleet.registry.write() as session:
        return (await migrations.request(session, new)).id


async def go_on(fleet: Fleet, migration: str, step: Step) -> None:
    """What a worker somewhere else writes down."""
    async with fleet.registry.write() as session:
        await migrations.decide(session, migration, step)


async def admin() -> Caller:
    """Whose token always holds."""
    return ADMIN


def opened(
    given: Services, recheck: context.Recheck, migration: str, silence: float = 60.0
) -> AsyncGenerator[str, None]:
    """The stream, from its beginning."""
    stream = follow(given, recheck, migration, 0, silence=silence)
    assert isinstance(stream, AsyncGenerator)
    return stream


def read(said: str) -> tuple[str, str, dict[str, Any]]:
    """An event's name, its id, and its data."""
    assert said.endswith("\n\n")
    fields = dict(line.split(": ", 1) for line in said.splitlines() if line)
    return fields["event"], fields.get("id", ""), json.loads(fields["data"])


async def test_no_silence_is_longer_than_the_time_between_outlooks(
    fleet: Fleet, given: Services
) -> None:
    assert SILENCE == 10.0
    async with aclosing(opened(given, admin, await waiting(fleet), silence=0.3)) as stream:
        assert await anext(stream) == "retry: 1000\n\n"
        assert (await anext(stream)).startswith("event: progress\nid: 1\ndata: {")
        for _ in range(3):
            began = time.monotonic()
            name, identifier, outlook = read(await anext(stream))
            assert time.monotonic() - began < 2
            assert (name, identifier) == ("outlook", "")
            assert set(outlook) == {"at", "state", "phase", "phase-since", "slow"}
            assert (outlook["state"], outlook["slow"]) == ("requested", False)


async def test_a_follower_is_woken_by_what_is_told(fleet: Fleet, given: Services) -> None:
    migration, other = await waiting(fleet), await waiting(fleet, "m2")
    async with aclosing(opened(given, admin, migration)) as stream:
        assert [read(said)[0] for said in [await anext(stream) for _ in range(3)][1:]] == [
            "progress",
            "outlook",
        ]
        await go_on(fleet, migration, Step(message="on its way"))
        given.followers.told(other)
        given.followers.told(migration)
        assert read(await anext(stream))[2]["message"] == "on its way"
        assert read(await anext(stream))[0] == "outlook"
        await go_on(fleet, migration, Step(state=MigrationState.DONE))
        given.followers.told("")
        assert [read(said)[:2] async for said in stream] == [("progress", "3"), ("end", "3")]


async def test_a_follower_finds_what_nobody_told(fleet: Fleet, given: Services) -> None:
    migration = await waiting(fleet)
    tasks = Tasks()
    tasks.spawn(given.followers.run(), name="follow")
    try:
        async with aclosing(opened(given, admin, migration)) as stream:
            for _ in range(3):
                await anext(stream)
            await go_on(fleet, migration, Step(state=MigrationState.DONE))
            assert [read(said)[0] async for said in stream] == ["progress", "end"]
    finally:
        await tasks.aclose()


async def test_a_stream_ends_with_the_login_it_was_opened_with(
    fleet: Fleet, given: Services
) -> None:
    migration = await waiting(fleet, requested_by="bob@jimm")
    issued = await given.tokens.issue("bob@jimm", "a script")
    by_token = partial(given.logins.by_token, issued.token.reveal())

    async def bob() -> Caller:
        return Caller((await by_token()).name, False, "rest")

    async with aclosing(opened(given, bob, migration)) as stream:
        for _ in range(3):
            await anext(stream)
        async with fleet.registry.write() as session:
            await identities.set_disabled(session, "bob@jimm", True)
        given.followers.told("")
        assert [said async for said in stream] == []


async def test_a_stream_ends_when_the_migration_is_nobody_s_business_any_more(
    fleet: Fleet, given: Services
) -> None:
    now = ADMIN

    async def whoever() -> Caller:
        return now

    async with aclosing(opened(given, whoever, await waiting(fleet), silence=0.1)) as stream:
        for _ in range(3):
            await anext(stream)
        now = Caller("bob@jimm", False, "rest")
        assert [said async for said in stream] == []
