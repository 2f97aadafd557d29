"""`/auth` as the Juju Dashboard uses it: who am I, log out, and come back after signing in."""

import httpx
import pytest

from jimm.access.tokens import COOKIE
from tests.system.web.conftest import DASHBOARD, FRIEND
from tests.system.web.site import PASSWORD, Page, Site, opened, posted, sent

ASKS = {"Accept": "*/*"}


async def test_nobody_is_signed_in(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/auth/whoami", headers=ASKS)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/json"
    assert "www-authenticate" not in answer.headers


async def test_who_signs_in_comes_to_the_dashboard_and_out_again(
    browser: httpx.AsyncClient,
) -> None:
    answer = await posted(
        browser, await opened(browser, "/auth/login"), username="alice", password=PASSWORD
    )
    assert (answer.status_code, answer.headers["location"]) == (303, DASHBOARD)
    cookie = next(each for each in answer.headers.get_list("set-cookie") if each.startswith(COOKIE))
    parts = {each.strip().lower() for each in cookie.split(";")[1:]}
    assert {"httponly", "secure", "samesite=none", "path=/"} <= parts
    found = await browser.get("/auth/whoami", headers=ASKS)
    assert found.status_code == 200
    assert found.json() == {"display-name": "alice", "email": "alice@jimm"}
    assert found.headers["cache-control"] == "no-store"
    again = await browser.get("/auth/login")
    assert again.headers["location"] == DASHBOARD
    kept = browser.cookies[COOKIE]
    out = await browser.get("/auth/logout", headers=ASKS)
    assert (out.status_code, out.content) == (200, b"")
    assert COOKIE not in browser.cookies
    old = {"Cookie": f"{COOKIE}={kept}"}
    assert (await browser.get("/auth/whoami", headers=old)).status_code == 401
    assert (await browser.get("/auth/logout", headers=ASKS)).status_code == 200


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ("/login/confirm?a=1", "/login/confirm?a=1"),
        (f"{FRIEND}/x", f"{FRIEND}/x"),
        (f"{DASHBOARD}models", f"{DASHBOARD}models"),
        ("//evil.example/x", DASHBOARD),
        ("/\\evil.example", DASHBOARD),
        ("/\t/evil.example", DASHBOARD),
        ("https://evil.example/", DASHBOARD),
        ("https://dashboard.example@evil.example/", DASHBOARD),
        ("https://dashboard.example:444/", DASHBOARD),
        ("http://dashboard.example/", DASHBOARD),
        ("javascript:alert(1)", DASHBOARD),
        ("https://[bad", DASHBOARD),
    ],
)
async def test_nobody_is_sent_to_strangers(
    browser: httpx.AsyncClient, wanted: str, leads_to: str
) -> None:
    page = Page(await browser.get("/auth/login", params={"next": wanted, "again": "1"}))
    answer = await posted(browser, page, username="bob", password=PASSWORD)
    assert (answer.status_code, answer.headers["location"]) == (303, leads_to)


async def test_a_wrong_password(browser: httpx.AsyncClient) -> None:
    for name in ("bob", "nobody-at-all", "bob@elsewhere", "b o b", ""):
        page = await opened(browser, "/auth/login?next=/login")
        page = await sent(browser, page, username=name, password="wrong")
        assert page.status == 422
        assert page.error.startswith("That name and password don't fit together, or the account")
        assert page.fields["username"] == name
        assert page.fields["password"] == ""
        assert "wrong" not in page.source
    assert COOKIE not in browser.cookies


async def test_too_many_attempts_are_slowed(browser: httpx.AsyncClient) -> None:
    page = await opened(browser, "/auth/login")
    errors = [
        (await sent(browser, page, username="mallory", password="guess")).error for _ in range(8)
    ]
    assert errors[0].startswith("That name and password")
    assert errors[-1].startswith("There were too many attempts for this account just now. Wait")


async def test_a_sign_in_that_was_not_begun_here(local: Site, browser: httpx.AsyncClient) -> None:
    page = await opened(browser, "/auth/login")
    async with local.browser() as other:
        answer = await posted(other, page, username="alice", password=PASSWORD)
    assert answer.status_code == 400
    assert COOKIE not in answer.cookies
    lost = Page(await browser.get("/auth/callback?code=x&state=y"))
    assert (lost.status, lost.heading) == (400, "You are not signed in")


async def test_signing_in_anew_ends_the_session_before(browser: httpx.AsyncClient) -> None:
    page = await opened(browser, "/auth/login?again=1")
    await posted(browser, page, username="alice", password=PASSWORD)
    first = browser.cookies[COOKIE]
    page = await opened(browser, "/auth/login?again=1")
    await posted(browser, page, username="bob", password=PASSWORD)
    old = {"Cookie": f"{COOKIE}={first}"}
    assert (await browser.get("/auth/whoami", headers=old)).status_code == 401
    assert (await browser.get("/auth/whoami")).json()["email"] == "bob@jimm"


@pytest.mark.parametrize("origin", [FRIEND, "https://dashboard.example"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_trusted_origins_may_ask(
    browser: httpx.AsyncClient, origin: str, method: str
) -> None:
    for path in ("/auth/whoami", "/v1/models"):
        asked = {
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization, content-type",
        }
        answer = await browser.options(path, headers=asked)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == origin
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert method in answer.headers["access-control-allow-methods"]
    answer = await browser.get("/auth/whoami", headers={"Origin": origin, **ASKS})
    assert answer.status_code == 401
    assert answer.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "Origin" in answer.headers["vary"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://friend.example"])
async def test_other_origins_may_not(browser: httpx.AsyncClient, origin: str) -> None:
    asked = {"Origin": origin, "Access-Control-Request-Method": "GET"}
    answer = await browser.options("/auth/whoami", headers=asked)
    assert "access-control-allow-origin" not in answer.headers
    answer = await browser.get("/auth/whoami", headers={"Origin": origin})
    assert "access-control-allow-origin" not in answer.headers


async def test_the_cookie_opens_no_rest(browser: httpx.AsyncClient) -> None:
    page = await opened(browser, "/auth/login?again=1")
    await posted(browser, page, username="admin", password=PASSWORD)
    assert (await browser.get("/auth/whoami")).status_code == 200
    assert (await browser.get("/v1/whoami")).status_code == 401
