import pytest
from sqlalchemy import text

from jimm.access.logins import Logins
from jimm.access.tokens import SessionTokens
from jimm.errors import NotFound, SessionTokenInvalid, UserNotFound
from jimm.registry import identities
from jimm.registry.session import Registry
from tests.system.access.clock import Clock


async def test_a_token_says_whose_it_is(
    session_tokens: SessionTokens, logins: Logins, alice: str
) -> None:
    issued = await session_tokens.issue(alice, "laptop")
    holder = await session_tokens.look_up(issued.token.reveal())
    assert (holder.identity.name, holder.identity.admin) == (alice, False)
    assert holder.token_id == issued.id
    assert await logins.by_token(issued.token.reveal()) == holder.identity
    assert len(issued.token.reveal()) == 43


async def test_the_text_itself_is_nowhere(
    session_tokens: SessionTokens, registry: Registry, alice: str
) -> None:
    issued = await session_tokens.issue(alice)
    async with registry.read() as session:
        row = (await session.execute(text("SELECT t::text FROM tokens t"))).scalar_one()
    assert issued.token.reveal() not in row
    assert issued.token.reveal() not in repr(issued)


@pytest.mark.parametrize("garbage", ["", "x", "\x00", "é" * 43, "\ud800", "A" * 43, "A" * 100_000])
async def test_garbage_is_no_token(session_tokens: SessionTokens, garbage: str) -> None:
    with pytest.raises(SessionTokenInvalid):
        await session_tokens.look_up(garbage)


async def test_a_token_that_is_not_used_ends_after_a_day(
    session_tokens: SessionTokens, registry: Registry, clock: Clock, alice: str
) -> None:
    token = (await session_tokens.issue(alice)).token.reveal()
    clock.pass_by(hours=23, minutes=59)
    await session_tokens.look_up(token)
    await registry.traces.flush()
    clock.pass_by(hours=23, minutes=59)
    await session_tokens.look_up(token)
    await registry.traces.flush()
    clock.pass_by(hours=24)
    with pytest.raises(SessionTokenInvalid):
        await session_tokens.look_up(token)


async def test_a_token_in_use_ends_after_a_month(
    session_tokens: SessionTokens, registry: Registry, clock: Clock, alice: str
) -> None:
    token = (await session_tokens.issue(alice)).token.reveal()
    for _ in range(31):
        clock.pass_by(hours=23)
        await session_tokens.look_up(token)
        await registry.traces.flush()
    clock.pass_by(hours=8)
    with pytest.raises(SessionTokenInvalid):
        await session_tokens.look_up(token)


async def test_tokens_are_listed_and_revoked_by_their_owner(
    session_tokens: SessionTokens, alice: str
) -> None:
    old, new = await session_tokens.issue(alice, "old"), await session_tokens.issue(alice, "new")
    assert [each.name for each in await session_tokens.of(alice)] == ["new", "old"]
    await session_tokens.revoke(alice, old.id)
    with pytest.raises(SessionTokenInvalid):
        await session_tokens.look_up(old.token.reveal())
    await session_tokens.look_up(new.token.reveal())
    assert [each.name for each in await session_tokens.of(alice)] == ["new"]


async def test_what_is_not_there_cannot_be_revoked(
    session_tokens: SessionTokens, registry: Registry, alice: str
) -> None:
    async with registry.write() as session:
        await identities.ensure(session, "bob@jimm")
    issued = await session_tokens.issue(alice)
    for owner, token_id in (("bob@jimm", issued.id), (alice, "no-uuid")):
        with pytest.raises(NotFound):
            await session_tokens.revoke(owner, token_id)
    with pytest.raises(UserNotFound):
        await session_tokens.issue("carol@jimm")
