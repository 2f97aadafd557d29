import pytest
from sqlalchemy import text

from jimm.access import service_accounts as accounts
from jimm.access.accounts import disable_user
from jimm.access.logins import Logins
from jimm.access.tokens import SessionTokens
from jimm.access.visitor import NOBODY, Visitor
from jimm.errors import (
    AlreadyExists,
    InvalidLogin,
    NotFound,
    NotValid,
    SessionTokenInvalid,
    Unauthorized,
)
from jimm.registry import relations, service_accounts
from jimm.registry.relations import Object
from jimm.registry.session import Registry
from jimm.registry.words import Relation
from jimm.wire.login import (
    ClientCredentialsLogin,
    CookieLogin,
    PasswordLogin,
    SessionTokenLogin,
)
from jimm.wire.secret import Secret
from tests.system.access.conftest import PASSWORD

CI = "ci@serviceaccount"


@pytest.fixture
async def secret(registry: Registry) -> Secret:
    """The secret of service account \"ci\"."""
    async with registry.write() as session:
        _, made = await accounts.add(session, "ci", by="admin@jimm", local_domain="jimm")
    return made


async def test_it_logs_in_with_and_without_its_domain(logins: Logins, secret: Secret) -> None:
    for client_id in ("ci", CI):
        assert (await logins.by_client_credentials(client_id, secret)).name == CI
        assert (await logins.by_password(client_id, secret)).name == CI
        assert (await logins.by_basic(client_id, secret)).name == CI
        assert (await logins.by_basic(f"user-{client_id}", secret)).name == CI


@pytest.mark.parametrize("client_id", ["ci", CI, "other", "ci@corp", "", "a\0b", "c i", "x" * 300])
@pytest.mark.parametrize("wrong", ["wrong", "", "\ud800", "x" * 100_000])
async def test_a_wrong_secret_is_refused(
    logins: Logins, secret: Secret, client_id: str, wrong: str
) -> None:
    assert secret
    with pytest.raises(InvalidLogin):
        await logins.by_client_credentials(client_id, Secret(wrong))


async def test_a_disabled_one_is_refused(
    logins: Logins, registry: Registry, secret: Secret
) -> None:
    await disable_user(registry, CI, local_domain="jimm")
    for login in (logins.by_client_credentials, logins.by_password):
        with pytest.raises(InvalidLogin):
            await login("ci", secret)


async def test_one_may_administer_jimm(logins: Logins, registry: Registry, secret: Secret) -> None:
    async with registry.write() as session:
        await relations.add(session, CI, Relation.ADMINISTRATOR, Object.jimm())
    assert (await logins.by_client_credentials("ci", secret)).admin


async def test_the_secret_is_nowhere(registry: Registry, secret: Secret) -> None:
    async with registry.read() as session:
        row = (await session.execute(text("SELECT s::text FROM service_accounts s"))).scalar_one()
        (listed,) = await service_accounts.every(session)
    assert secret.reveal() not in row
    assert (listed.client_id, listed.created_by) == ("ci", "admin@jimm")


async def test_another_secret_ends_the_old_one_and_the_tokens(
    logins: Logins, registry: Registry, session_tokens: SessionTokens, secret: Secret
) -> None:
    token = (await session_tokens.issue(CI)).token.reveal()
    async with registry.write() as session:
        client_id, new = await accounts.replace_secret(session, CI)
    assert client_id == "ci"
    with pytest.raises(InvalidLogin):
        await logins.by_client_credentials("ci", secret)
    with pytest.raises(SessionTokenInvalid):
        await logins.by_token(token)
    assert (await logins.by_client_credentials("ci", new)).name == CI


async def test_it_is_gone_and_may_come_back(
    logins: Logins, registry: Registry, session_tokens: SessionTokens, secret: Secret
) -> None:
    token = (await session_tokens.issue(CI)).token.reveal()
    async with registry.write() as session:
        assert await accounts.remove(session, CI) == "ci"
    with pytest.raises(SessionTokenInvalid):
        await logins.by_token(token)
    for login in (logins.by_client_credentials, logins.by_password):
        with pytest.raises(InvalidLogin):
            await login("ci", secret)
    async with registry.write() as session:
        for gone in (accounts.remove, accounts.replace_secret):
            with pytest.raises(NotFound):
                await gone(session, "ci")
        _, new = await accounts.add(session, "ci", by="admin@jimm", local_domain="jimm")
    assert (await logins.by_client_credentials("ci", new)).name == CI


@pytest.mark.parametrize(
    "name", ["", "c", "CI", "c_i", "ci@corp", "everyone", "user-ci", "a b", "c" * 101, "c\0i"]
)
async def test_names_that_cannot_be(registry: Registry, name: str) -> None:
    async with registry.write() as session:
        with pytest.raises(NotValid) as refused:
            await accounts.add(session, name, by="admin@jimm", local_domain="jimm")
    assert refused.value.field == "name"


async def test_a_name_is_one_s_alone(registry: Registry, alice: str, secret: Secret) -> None:
    assert alice
    assert secret
    async with registry.write() as session:
        for taken in ("ci", CI, "alice"):
            with pytest.raises(AlreadyExists):
                await accounts.add(session, taken, by="admin@jimm", local_domain="jimm")


async def test_a_user_comes_before_a_client_of_that_name(
    logins: Logins, registry: Registry, alice: str, secret: Secret
) -> None:
    async with registry.write() as session:
        await session.execute(text("UPDATE service_accounts SET client_id = 'alice'"))
    assert (await logins.by_password("alice", PASSWORD)).name == alice
    with pytest.raises(InvalidLogin):
        await logins.by_password("alice", secret)


async def test_basic_takes_all_that_clients_send(
    logins: Logins, session_tokens: SessionTokens, alice: str
) -> None:
    token = (await session_tokens.issue(alice)).token
    assert (await logins.by_basic("", token)).name == alice
    for user in ("user-alice", "user-alice@jimm", "user-alice@local"):
        assert (await logins.by_basic(user, PASSWORD)).name == alice
    for user in ("alice", "user-", "user-bob", "None", "machine-0"):
        with pytest.raises(InvalidLogin):
            await logins.by_basic(user, PASSWORD)
    for garbage in ("", "x", PASSWORD.reveal()):
        with pytest.raises(SessionTokenInvalid):
            await logins.by_basic("", Secret(garbage))


async def test_each_attempt_is_checked_as_what_it_is(
    logins: Logins, session_tokens: SessionTokens, alice: str, secret: Secret
) -> None:
    token = (await session_tokens.issue(alice)).token
    browser = Visitor(token, "", "")
    for attempt, visitor, who in (
        (PasswordLogin("alice", PASSWORD), NOBODY, alice),
        (PasswordLogin("", token), NOBODY, alice),
        (SessionTokenLogin(token), NOBODY, alice),
        (ClientCredentialsLogin("ci", secret), NOBODY, CI),
        (CookieLogin(), browser, alice),
    ):
        assert (await logins.by_attempt(attempt, visitor)).name == who
    foreign = Visitor(token, "https://elsewhere.example", "")
    with pytest.raises(Unauthorized):
        await logins.by_attempt(CookieLogin(), foreign)
    with pytest.raises(SessionTokenInvalid):
        await logins.by_attempt(CookieLogin(), NOBODY)
    with pytest.raises(InvalidLogin):
        await logins.by_attempt(PasswordLogin("", Secret("x")), browser)
