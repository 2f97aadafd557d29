import asyncio

import pytest

from jimm.access.accounts import add_user, disable_user, set_password
from jimm.access.identity import Identity
from jimm.access.logins import Logins
from jimm.access.passwords import FREE_FAILURES
from jimm.access.tokens import SessionTokens
from jimm.errors import (
    AlreadyExists,
    InvalidLogin,
    NotValid,
    SessionTokenInvalid,
    TryAgain,
    UserNotFound,
)
from jimm.registry import identities
from jimm.registry.session import Registry
from jimm.wire.secret import Secret
from tests.system.access.clock import Clock
from tests.system.access.conftest import PASSWORD

OTHER = Secret("another password")


@pytest.mark.parametrize("name", ["alice", "alice@jimm", "alice@local"])
async def test_alice_logs_in(logins: Logins, alice: str, name: str) -> None:
    assert await logins.by_password(name, PASSWORD) == Identity(alice, "", admin=False)


@pytest.mark.parametrize(
    "name", ["bob", "alice@corp", "Alice", "al_ice", "", "x" * 300, "alice@jimm@jimm"]
)
async def test_another_name_is_refused(logins: Logins, alice: str, name: str) -> None:
    with pytest.raises(InvalidLogin, match=r"^invalid entity name or password$"):
        await logins.by_password(name, PASSWORD)


async def test_a_wrong_password_is_refused_in_the_same_words(logins: Logins, alice: str) -> None:
    with pytest.raises(InvalidLogin, match=r"^invalid entity name or password$"):
        await logins.by_password("alice", OTHER)


async def test_an_identity_without_a_password_is_refused(
    registry: Registry, logins: Logins
) -> None:
    async with registry.write() as session:
        await identities.ensure(session, "bob@jimm")
    with pytest.raises(InvalidLogin):
        await logins.by_password("bob", Secret(""))


async def test_guessing_is_slowed(logins: Logins, alice: str, clock: Clock) -> None:
    for _ in range(FREE_FAILURES + 1):
        with pytest.raises(InvalidLogin):
            await logins.by_password("alice", OTHER)
    with pytest.raises(TryAgain):
        await logins.by_password("alice@jimm", PASSWORD)
    clock.pass_by(seconds=1)
    await logins.by_password("alice", PASSWORD)


async def test_administrators_are_known_as_such(registry: Registry, logins: Logins) -> None:
    await add_user(registry, "admin", PASSWORD, admin=True, local_domain="jimm")
    assert (await logins.by_password("admin", PASSWORD)).admin


async def test_the_last_login_is_recorded_to_the_minute(
    registry: Registry, logins: Logins, alice: str
) -> None:
    await logins.by_password("alice", PASSWORD)
    await registry.traces.flush()
    async with registry.read() as session:
        first = (await identities.by_name(session, alice)).last_login_at
    await logins.by_password("alice", PASSWORD)
    await registry.traces.flush()
    async with registry.read() as session:
        assert (await identities.by_name(session, alice)).last_login_at == first
    assert first is not None


async def test_a_new_password_ends_the_old_one_and_the_sessions(
    registry: Registry, logins: Logins, session_tokens: SessionTokens, alice: str
) -> None:
    await logins.by_password("alice", PASSWORD)
    token = (await session_tokens.issue(alice)).token
    await set_password(registry, "alice", OTHER, local_domain="jimm")
    with pytest.raises(InvalidLogin):
        await logins.by_password("alice", PASSWORD)
    await logins.by_password("alice", OTHER)
    assert await session_tokens.of(alice) == []
    with pytest.raises(SessionTokenInvalid):
        await logins.by_token(token.reveal())


async def test_a_disabled_user_is_out_at_once(
    registry: Registry, logins: Logins, session_tokens: SessionTokens, alice: str
) -> None:
    await logins.by_password("alice", PASSWORD)
    token = (await session_tokens.issue(alice)).token
    await disable_user(registry, "alice", local_domain="jimm")
    with pytest.raises(InvalidLogin, match=r"^invalid entity name or password$"):
        await logins.by_password("alice", PASSWORD)
    with pytest.raises(SessionTokenInvalid):
        await logins.by_token(token.reveal())


async def test_many_logins_at_once(logins: Logins, alice: str) -> None:
    found = await asyncio.gather(*(logins.by_password("alice", PASSWORD) for _ in range(30)))
    assert {each.name for each in found} == {alice}


async def test_a_name_is_taken_once(registry: Registry, alice: str) -> None:
    with pytest.raises(AlreadyExists):
        await add_user(registry, "alice@jimm", OTHER, admin=True, local_domain="jimm")


async def test_a_refused_user_is_not_made(registry: Registry) -> None:
    with pytest.raises(NotValid):
        await add_user(registry, "bob", Secret("short"), admin=False, local_domain="jimm")
    with pytest.raises(UserNotFound):
        await set_password(registry, "bob", PASSWORD, local_domain="jimm")
    with pytest.raises(UserNotFound):
        await disable_user(registry, "bob", local_domain="jimm")
