"""The device page: code, sign-in, confirmation; from any replica, and with whatever goes wrong."""

import asyncio

import httpx
import pytest
from sqlalchemy import text

from jimm import accounts
from jimm.access.tokens import COOKIE, SessionTokens
from jimm.errors import FatalLogin
from tests.juju_client import Refused, dialled
from tests.system.web.conftest import FRIEND
from tests.system.web.site import PASSWORD, Page, Site, opened, sent


async def test_a_login_is_confirmed(local: Site, browser: httpx.AsyncClient) -> None:
    async with local.device("juju 3.6.9 (linux)") as device:
        page = await opened(browser, "/login")
        assert (page.title, page.heading) == ("Log in with a code - JIMM", "Log in with a code")
        page = await sent(browser, page, user_code=device.code.lower().replace("-", " "))
        assert page.heading == "Sign in"
        page = await sent(browser, page, username="alice", password=PASSWORD)
        assert page.heading == "Confirm the login"
        assert "alice" in page.text
        assert "juju 3.6.9 (linux)" in page.text
        assert device.code in page.text
        assert not device.waiting.done()
        page = await sent(browser, page, answer="confirm")
        assert page.heading == "You are logged in"
        assert "You can close this page" in page.text
        issued = await asyncio.wait_for(device.waiting, 10)
    assert issued.identity == "alice@jimm"
    rest = {"Authorization": f"Bearer {issued.token.reveal()}"}
    answer = await browser.get("/v1/whoami", headers=rest)
    assert answer.json()["identity"] == "alice"


async def test_who_is_signed_in_is_asked_only_to_confirm(
    local: Site, browser: httpx.AsyncClient
) -> None:
    await browser.get("/auth/logout")
    await signed_in_on_login(browser, "bob")
    async with local.device() as device:
        page = await opened(browser, f"/login?user_code={device.code}")
        assert page.fields["user_code"] == device.code
        assert "signed in as bob" in page.text
        page = await sent(browser, page)
        assert page.heading == "Confirm the login"
        await sent(browser, page, answer="confirm")
        assert (await device.waiting).identity == "bob@jimm"


async def test_a_login_is_refused(local: Site, browser: httpx.AsyncClient) -> None:
    await signed_in_on_login(browser, "alice")
    async with local.device() as device:
        page = await opened(browser, f"/login?user_code={device.code}")
        page = await sent(browser, await sent(browser, page), answer="refuse")
        assert page.heading == "The login is refused"
        with pytest.raises(FatalLogin, match="refused"):
            await device.waiting
        page = await opened(browser, "/login/confirm")
        assert "has ended" in page.error


async def test_both_answers_are_in_the_trail(local: Site, browser: httpx.AsyncClient) -> None:
    await signed_in_on_login(browser, "carol")
    for answer in ("confirm", "refuse"):
        async with local.device("a client") as device:
            page = await opened(browser, f"/login?user_code={device.code}")
            await sent(browser, await sent(browser, page), answer=answer)
    async with local.registry() as registry, registry.read() as session:
        query = "SELECT action, door, params FROM audit_events WHERE identity = 'carol@jimm'"
        rows = [tuple(row) for row in await session.execute(text(f"{query} ORDER BY id"))]
    assert [row for row in rows if "device" in row[0]] == [
        ("confirm-device-login", "web", {"client": "a client"}),
        ("refuse-device-login", "web", {"client": "a client"}),
    ]


@pytest.mark.parametrize("code", ["BCDF-GHJK", "no code at all", "AEIO-UAEI", "", "x" * 1000])
async def test_a_wrong_code(browser: httpx.AsyncClient, code: str) -> None:
    page = await sent(browser, await opened(browser, "/login"), user_code=code)
    assert page.status == 422
    assert page.error.startswith("No login waits under this code. Check it;")
    assert page.fields["user_code"] == code[:32]
    assert 'aria-describedby="error hint"' in page.source


async def test_a_code_works_once(local: Site, browser: httpx.AsyncClient) -> None:
    await signed_in_on_login(browser, "alice")
    async with local.device() as device:
        question = await sent(browser, await opened(browser, f"/login?user_code={device.code}"))
        await sent(browser, question, answer="confirm")
        again = await sent(browser, question, answer="confirm")
        assert again.error.startswith("This login has ended")
        page = await sent(browser, await opened(browser, f"/login?user_code={device.code}"))
        assert page.error.startswith("No login waits")


async def test_neither_confirmed_nor_refused(local: Site, browser: httpx.AsyncClient) -> None:
    await signed_in_on_login(browser, "alice")
    async with local.device() as device:
        question = await sent(browser, await opened(browser, f"/login?user_code={device.code}"))
        page = await sent(browser, question, answer="perhaps")
        assert page.error == "Choose whether to confirm or to refuse."
        assert not device.waiting.done()


async def test_what_the_client_says_of_itself_is_only_shown(
    local: Site, browser: httpx.AsyncClient
) -> None:
    await signed_in_on_login(browser, "alice")
    async with local.device("<script>alert(1)</script>") as device:
        page = await sent(browser, await opened(browser, f"/login?user_code={device.code}"))
        assert "<script" not in page.source
        assert "<script>alert(1)</script>" in page.text


async def test_another_replica_goes_on_in_the_middle(local: Site) -> None:
    other = local.replica()
    async with local.device() as device, local.browser() as here, other.browser() as there:
        sign_in = await sent(here, await opened(here, "/login"), user_code=device.code)
        there.cookies = here.cookies
        question = await sent(there, sign_in, username="alice", password=PASSWORD)
        here.cookies = there.cookies
        await sent(here, question, answer="confirm")
        assert (await device.waiting).identity == "alice@jimm"


async def test_a_form_of_another_browser_counts_for_nothing(
    local: Site, browser: httpx.AsyncClient
) -> None:
    await signed_in_on_login(browser, "alice")
    async with local.device() as device, local.browser() as stranger:
        question = await sent(browser, await opened(browser, f"/login?user_code={device.code}"))
        await signed_in_on_login(stranger, "bob")
        theirs = await sent(stranger, await opened(stranger, f"/login?user_code={device.code}"))
        forged = [
            {"answer": "confirm"},
            {"answer": "confirm", "form-token": "AAAA"},
            {"answer": "confirm", "form-token": theirs.fields["form-token"]},
        ]
        for fields in forged:
            page = Page(await browser.post("/login/confirm", data=fields))
            assert page.status == 400
            assert page.error.startswith("This page was open too long")
        assert not device.waiting.done()
        await sent(browser, question, answer="confirm")
        assert (await device.waiting).identity == "alice@jimm"


async def test_a_form_of_the_session_before_counts_for_nothing(
    local: Site, browser: httpx.AsyncClient
) -> None:
    await signed_in_on_login(browser, "alice")
    async with local.device() as device:
        question = await sent(browser, await opened(browser, f"/login?user_code={device.code}"))
        await signed_in_on_login(browser, "bob")
        page = await sent(browser, question, answer="confirm")
        assert page.error.startswith("This page was open too long")
        assert "bob" in page.text
        assert not device.waiting.done()


async def test_without_cookies_a_sentence_says_so(browser: httpx.AsyncClient) -> None:
    page = await opened(browser, "/login")
    browser.cookies.clear()
    page = await sent(browser, page, user_code="BCDF-GHJK")
    assert page.status == 400
    assert "Allow cookies" in page.error


async def test_who_is_disabled_can_neither_sign_in_nor_confirm(local: Site) -> None:
    async with local.device() as device, local.browser() as browser:
        await signed_in_on_login(browser, "dora")
        question = await sent(browser, await opened(browser, f"/login?user_code={device.code}"))
        await accounts.disable(local.settings, "dora")
        page = await sent(browser, question, answer="confirm")
        assert page.heading == "Sign in"
        page = await sent(browser, page, username="dora", password=PASSWORD)
        assert page.status == 422
        assert "the account is disabled" in page.error
        assert not device.waiting.done()


async def test_guesses_are_bounded_for_each_address(local: Site) -> None:
    async with local.device() as device, local.browser() as browser:
        page = await opened(browser, "/login")
        guesser, owner = (
            {"X-Forwarded-For": "198.51.100.7, 203.0.113.9"},
            {"X-Forwarded-For": "203.0.113.9, 198.51.100.8"},
        )
        statuses = []
        for _ in range(12):
            fields = {**page.fields, "user_code": "BCDF-GHJK"}
            answer = await browser.post("/login", data=fields, headers=guesser)
            statuses.append(answer.status_code)
        assert statuses == [422] * 10 + [429] * 2
        right = {**page.fields, "user_code": device.code}
        answer = await browser.post("/login", data=right, headers=guesser)
        assert (answer.status_code, "wait a minute" in answer.text) == (429, True)
        answer = await browser.post("/login", data=right, headers=owner)
        assert answer.status_code == 303


async def test_pages_do_nothing_but_show_themselves(
    local: Site, browser: httpx.AsyncClient
) -> None:
    paths = ("/login", "/auth/login", "/login/confirmed", "/login/refused", "/auth/logout")
    for path in paths:
        answer = await browser.get(path)
        assert answer.status_code == 200
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; form-action 'self'")
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "<script" not in answer.text
        assert " style=" not in answer.text
    style = await browser.get("/static/jimm.css")
    assert style.headers["content-type"] == "text/css; charset=utf-8"
    assert "url(" not in style.text


async def test_the_session_is_listed_and_can_be_revoked(
    local: Site, browser: httpx.AsyncClient
) -> None:
    await signed_in_on_login(browser, "bob")
    cookie = browser.cookies[COOKIE]
    async with local.registry() as registry:
        tokens = SessionTokens(registry, local.clock)
        holder = await tokens.look_up(cookie)
        mine = await tokens.of("bob@jimm")
        assert {each.id: each.name for each in mine}[holder.token_id] == "browser"
        await tokens.revoke("bob@jimm", holder.token_id)
    assert (await browser.get("/auth/whoami")).status_code == 401


async def test_forms_that_are_none(local: Site, browser: httpx.AsyncClient) -> None:
    for body in (b"\xff\xfe", b"&".join([b"a=1"] * 50), b"user_code=%00"):
        answer = await browser.post("/login", content=body)
        assert answer.status_code == 400
        assert "Traceback" not in answer.text
        Page(answer)
    assert "Traceback" not in local.log()


async def signed_in_on_login(browser: httpx.AsyncClient, user: str) -> None:
    """Signs in without leaving JIMM."""
    page = await opened(browser, "/auth/login?again=1&next=/login")
    page = await sent(browser, page, username=user, password=PASSWORD)
    assert f"signed in as {user}" in page.text


async def test_a_client_and_a_person_on_two_replicas(local: Site) -> None:
    other = local.replica()
    async with (
        dialled(local.registration()) as socket,
        other.browser() as browser,
        dialled(other.registration()) as next_socket,
    ):
        begun = await socket.call("Admin", 4, "LoginDevice")
        assert begun["verification-uri"] == f"{local.url}/login"
        waiting = socket.spawn_call("Admin", 4, "GetDeviceSessionToken")
        await signed_in_on_login(browser, "alice")
        page = await opened(browser, f"/login?user_code={begun['user-code']}")
        page = await sent(browser, page)
        assert "127.0.0.1" in page.text
        await sent(browser, page, answer="confirm")
        token = (await waiting)["session-token"]
        login = {"session-token": token}
        assert (await socket.call("Admin", 4, "LoginWithSessionToken", login))["user-info"]
        found = await next_socket.call("Admin", 4, "LoginWithSessionToken", login)
        assert found["user-info"]["identity"] == "user-alice"


async def test_a_cookie_is_a_login_for_trusted_pages_only(
    local: Site, browser: httpx.AsyncClient
) -> None:
    await signed_in_on_login(browser, "bob")
    cookie = {"Cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}
    for origin in (local.url, FRIEND, "https://dashboard.example", ""):
        headers = {**cookie, **({"Origin": origin} if origin else {})}
        async with dialled(local.registration(), headers=headers) as socket:
            found = await socket.call("Admin", 4, "LoginWithSessionCookie")
            assert found["user-info"]["identity"] == "user-bob"
    for origin in ("https://evil.example", "null"):
        async with dialled(local.registration(), headers={**cookie, "Origin": origin}) as socket:
            with pytest.raises(Refused):
                await socket.call("Admin", 4, "LoginWithSessionCookie")
