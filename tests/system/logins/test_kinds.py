"""Every kind of login, on ``/api`` and on a model's socket, one after another on one socket."""

import asyncio
from typing import Any

import pytest

from jimm.access.accounts import add_user, disable_user
from jimm.access.tokens import COOKIE, SessionTokens
from jimm.registry.session import Registry
from jimm.wire.secret import Secret
from tests.fix_dev import Dev
from tests.juju_client import Refused, Socket
from tests.system.logins.conftest import Account, House
from tests.system.rest.scene import client_of

NOT_VALID = "session token invalid"
UNAUTHORIZED = "unauthorized access"


async def refused(socket: Socket, method: str, params: Any = None, version: int = 4) -> Refused:
    """The refusal of a login."""
    with pytest.raises(Refused) as raised:
        await socket.call("Admin", version, method, params)
    return raised.value


async def token_of(tokens: SessionTokens, user: str) -> str:
    return (await tokens.issue(f"{user}@jimm", "test")).token.reveal()


def judge(house: House, dev: Dev, result: dict[str, Any], user: str) -> None:
    """What clients demand of a login's result."""
    assert result["controller-tag"] == f"controller-{dev.described['jimm_uuid']}"
    assert result["user-info"]["identity"] == f"user-{user}"
    assert result["server-version"].startswith("3.6.")
    tag = f"model-{house.path.split('/')[2]}" if house.is_model else None
    assert result.get("model-tag") == tag


async def test_what_the_juju_client_tries_one_after_another(
    house: House, dev: Dev, tokens: SessionTokens
) -> None:
    async with house.socket() as socket:
        wrong = {"client-id": "nobody-here", "client-secret": "wrong"}
        assert (await refused(socket, "LoginWithClientCredentials", wrong)).code == UNAUTHORIZED
        for token in ("", "expired-long-ago"):
            error = await refused(socket, "LoginWithSessionToken", {"session-token": token})
            assert error.code == NOT_VALID
        assert (await refused(socket, "LoginWithSessionCookie")).code == NOT_VALID
        with pytest.raises(Refused, match="invalid entity name or password"):
            await socket.login("nobody-here", "wrong")
        token = await token_of(tokens, "alice")
        result = await socket.call("Admin", 4, "LoginWithSessionToken", {"session-token": token})
        judge(house, dev, result, "alice")
        await socket.call("Pinger", 1, "Ping")


@pytest.mark.parametrize(
    "token", ["garbage", "A" * 43, "a\0b", "é" * 43, "\ufffd", "x" * 1_000_000]
)
async def test_a_token_that_cannot_be_used_has_one_code(house: House, token: str) -> None:
    async with house.socket() as socket:
        error = await refused(socket, "LoginWithSessionToken", {"session-token": token})
        assert error.code == NOT_VALID
        assert token[:40] not in error.message


async def test_a_revoked_token_and_a_disabled_user_s(
    house: House, tokens: SessionTokens, registry: Registry
) -> None:
    name = await add_user(
        registry, f"temp-{id(house)}", Secret("a password"), admin=False, local_domain="jimm"
    )
    issued, other = await tokens.issue(name), await tokens.issue(name)
    await tokens.revoke(name, issued.id)
    await disable_user(registry, name, local_domain="jimm")
    async with house.socket() as socket:
        for each in (issued, other):
            params = {"session-token": each.token.reveal()}
            assert (await refused(socket, "LoginWithSessionToken", params)).code == NOT_VALID


async def test_a_service_account_logs_in_with_and_without_its_domain(
    dev: Dev, account: Account
) -> None:
    house = House(dev.registration(), "/api")
    for client_id in (account.client_id, f"{account.client_id}@serviceaccount"):
        async with house.socket() as socket:
            params = {"client-id": client_id, "client-secret": account.secret}
            result = await socket.call("Admin", 4, "LoginWithClientCredentials", params)
            judge(house, dev, result, f"{account.client_id}@serviceaccount")


@pytest.mark.parametrize(
    ("tag", "credentials", "shown"),
    [
        ("user-{}", "{}", "{}"),
        ("user-{}@serviceaccount", "{}", "{}@serviceaccount"),
        (None, "{id}:{}", "{}@serviceaccount"),
    ],
)
async def test_a_service_account_logs_in_as_libraries_do(
    dev: Dev, account: Account, tag: str | None, credentials: str, shown: str
) -> None:
    house = House(dev.registration(), "/api")
    async with house.socket() as socket:
        params = {
            "auth-tag": tag and tag.format(account.client_id),
            "credentials": credentials.format(account.secret, id=account.client_id),
        }
        wrong = params | {"credentials": f"{params['credentials']}x"}
        assert (await refused(socket, "Login", wrong, 3)).code == UNAUTHORIZED
        result = await socket.call("Admin", 3, "Login", params)
        judge(house, dev, result, shown.format(account.client_id))


async def test_the_bare_client_id_means_itself_afterwards(dev: Dev, account: Account) -> None:
    """python-libjuju names itself so, and its models by what the login said."""
    house = House(dev.registration(), "/api")
    me, full = f"user-{account.client_id}", f"user-{account.client_id}@serviceaccount"
    async with house.socket() as socket:
        await socket.login(account.client_id, account.secret)
        params = {"name": "mine", "owner-tag": me}
        made = await socket.call("ModelManager", 10, "CreateModel", params)
        assert made["owner-tag"] == me
        for tag in (me, full):
            listed = await socket.call("ModelManager", 10, "ListModels", {"tag": tag})
            assert [each["model"]["owner-tag"] for each in listed["user-models"]] == [me]
        clouds = await socket.call("Cloud", 7, "Clouds")
        assert clouds["clouds"]
        there = House(dev.registration(), f"/model/{made['uuid']}/api")
        for method, version, given, shown in (
            ("Login", 3, {"auth-tag": me, "credentials": account.secret}, account.client_id),
            ("LoginWithClientCredentials", 4, account.params, full.removeprefix("user-")),
        ):
            async with there.socket() as inside:
                judge(there, dev, await inside.call("Admin", version, method, given), shown)
                await inside.call("Client", 6, "FullStatus", {"patterns": []})
        gone = {"models": [{"model-tag": f"model-{made['uuid']}"}]}
        assert (await socket.call("ModelManager", 10, "DestroyModels", gone))["results"] == [{}]


async def test_the_null_tag_takes_a_session_token(
    house: House, dev: Dev, tokens: SessionTokens
) -> None:
    token = await token_of(tokens, "alice")
    async with house.socket() as socket:
        wrong = {"auth-tag": None, "credentials": "no token"}
        assert (await refused(socket, "Login", wrong, 3)).code == UNAUTHORIZED
        result = await socket.call("Admin", 3, "Login", {"auth-tag": None, "credentials": token})
        judge(house, dev, result, "alice")


@pytest.mark.parametrize(
    "params",
    [
        {"auth-tag": None, "macaroons": [[]]},
        {"auth-tag": "user-alice", "macaroons": [[{"id": "x"}]]},
        {"auth-tag": "", "token": "e30="},
        {"auth-tag": "machine-0", "credentials": "x", "nonce": "y"},
        {"auth-tag": "user-alice@corp", "credentials": "x"},
        {},
    ],
)
async def test_every_other_login_of_version_3_is_refused(
    house: House, params: dict[str, Any]
) -> None:
    async with house.socket() as socket:
        assert (await refused(socket, "Login", params, 3)).code == UNAUTHORIZED
        assert (await refused(socket, "RedirectInfo", version=3)).message == "not redirected"


async def test_a_cookie_is_a_login_for_pages_of_jimm_s_own(
    house: House, dev: Dev, tokens: SessionTokens
) -> None:
    token = await token_of(tokens, "alice")
    cookie = f'other="a b"; {COOKIE}={token}; bad name=x'
    shown: list[dict[str, str]] = [{}, {"Origin": f"https://{dev.address}"}]
    for headers in shown:
        async with house.socket(Cookie=cookie, **headers) as socket:
            judge(house, dev, await socket.call("Admin", 4, "LoginWithSessionCookie"), "alice")
    for origin in ("https://elsewhere.example", "null", f"http://{dev.address}"):
        async with house.socket(Cookie=cookie, Origin=origin) as socket:
            assert (await refused(socket, "LoginWithSessionCookie")).code == UNAUTHORIZED
            # The page may still show a token that it has of its own.
            await socket.call("Admin", 4, "LoginWithSessionToken", {"session-token": token})


async def test_many_tries_at_once_on_one_socket(house: House, tokens: SessionTokens) -> None:
    token = await token_of(tokens, "alice")
    wrong = {"client-id": "nobody-here", "client-secret": "wrong"}
    async with house.socket() as socket:
        tries = [
            socket.send("Admin", 4, "LoginWithClientCredentials", wrong),
            socket.send("Admin", 4, "LoginWithSessionToken", {"session-token": ""}),
            socket.send("Admin", 4, "LoginWithSessionToken", {"session-token": "garbage"}),
            socket.send("Admin", 4, "LoginWithSessionToken", {"session-token": token}),
        ]
        replies = await asyncio.gather(*tries)
    codes = [each.get("error-code", "in" if "error" not in each else "") for each in replies]
    assert codes == [UNAUTHORIZED, NOT_VALID, NOT_VALID, "in"]


async def test_who_is_removed_is_out_at_once(dev: Dev, account: Account) -> None:
    house = House(dev.registration(), "/api")
    async with house.socket() as socket, client_of(dev, "admin") as admin:
        await socket.call("Admin", 4, "LoginWithClientCredentials", account.params)
        body = {"name": account.client_id, "replace": True}
        replaced = (await admin.post("/service-accounts", json=body)).json()
        assert await socket.closed() == 1001
        async with house.socket() as again:
            old = account.params
            assert (await refused(again, "LoginWithClientCredentials", old)).code == UNAUTHORIZED
            new = old | {"client-secret": replaced["client-secret"]}
            await again.call("Admin", 4, "LoginWithClientCredentials", new)
            assert (await admin.delete(f"/service-accounts/{account.client_id}")).is_success
            assert await again.closed() == 1001
        async with house.socket() as again:
            assert (await refused(again, "LoginWithClientCredentials", new)).code == UNAUTHORIZED
