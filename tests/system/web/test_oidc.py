"""Signing in with a real identity provider: a browser, a device, a client."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from jimm import accounts
from jimm.access.identity import Identity
from jimm.access.oidc_configured import Oidc, configured
from jimm.access.tokens import COOKIE, SessionTokens
from jimm.errors import FatalLogin, InvalidLogin, TryAgain
from jimm.net.tasks import Tasks
from jimm.registry import identities
from jimm.registry.session import Registry
from jimm.settings import Settings
from jimm.wire.secret import Secret
from tests.databases import Databases
from tests.fix_node import Node
from tests.system.web.chromium import Person, person
from tests.system.web.provider import (
    JIMM,
    PEOPLE,
    PUBLISHED,
    ROBOT,
    IdentityProvider,
    provider,
    signs_in,
)
from tests.system.web.site import Page, Site, free_port, opened, sent, site


@pytest.fixture(scope="module")
def idp_port() -> int:
    """Where the provider will be."""
    return free_port()


@pytest.fixture(scope="module")
def guarded(
    idp_port: int,
    databases: Databases,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """JIMM with a provider; it needs it only when somebody logs in."""
    folder: Path = tmp_path_factory.mktemp("guarded")
    (folder / "client-secret").write_text(f"{JIMM[1]}\n")
    more = {
        "JIMM_OIDC_ISSUER": f"http://127.0.0.1:{idp_port}",
        "JIMM_OIDC_CLIENT_ID": JIMM[0],
        "JIMM_OIDC_CLIENT_SECRET_FILE": str(folder / "client-secret"),
        "JIMM_OIDC_SCOPES": "openid profile email groups",
        "JIMM_OIDC_ADMIN_GROUP": "jimm-admins",
        "JIMM_OIDC_DEVICE_FLOW": "provider",
    }
    with databases.lent() as url, site(folder, url, more) as made:
        yield made


@pytest.fixture(scope="module")
def started(node: Node, idp_port: int, guarded: Site) -> Iterator[IdentityProvider]:
    """The provider's process."""
    with provider(node, idp_port, guarded.url) as made:
        yield made


@pytest.fixture
def idp(started: IdentityProvider) -> IdentityProvider:
    """The provider, with its people as they were."""
    started.told(PEOPLE)
    return started


@pytest.fixture
async def browser(guarded: Site) -> AsyncIterator[httpx.AsyncClient]:
    """One without eyes."""
    async with guarded.browser() as client:
        yield client


@pytest.fixture
async def oidc(guarded: Site) -> AsyncIterator[Oidc]:
    """The logins with the provider, on a replica that is this process."""
    async with guarded.registry() as registry:
        yield made_oidc(guarded.settings, registry)


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    """What goes on beside a test ends with it."""
    made = Tasks()
    yield made
    await made.aclose()


def made_oidc(settings: Settings, registry: Registry) -> Oidc:
    """With the site's own settings."""
    found = configured(settings, registry, SessionTokens(registry, Site.clock))
    assert found is not None
    return found


async def test_a_person_signs_in(
    guarded: Site, idp: IdentityProvider, browser: httpx.AsyncClient
) -> None:
    away = await browser.get("/auth/login?next=/login")
    assert away.status_code == 307
    asked = httpx.URL(away.headers["location"]).params
    assert (asked["client_id"], asked["response_type"]) == ("jimm", "code")
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{guarded.url}/auth/callback"
    answer = await signs_in(browser, away.headers["location"], "u1", guarded.url)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert "signed in as alice@corp.example" in (await opened(browser, "/login")).text
    found = (await browser.get("/auth/whoami")).json()
    assert found == {"display-name": "Alice A.", "email": "alice@corp.example"}
    assert (await browser.get("/auth/logout")).status_code == 200
    assert (await browser.get("/auth/whoami")).status_code == 401


async def test_a_device_login_on_jimms_page(
    guarded: Site, idp: IdentityProvider, browser: httpx.AsyncClient
) -> None:
    async with guarded.device("juju 3.6.9") as device:
        page = await sent(browser, await opened(browser, "/login"), user_code=device.code)
        assert page.heading == "Sign in"
        assert 'href="/auth/login?next=/login/confirm"' in page.source
        answer = await signs_in(browser, "/auth/login?next=/login/confirm", "u1", guarded.url)
        assert answer.headers["location"] == "/login/confirm"
        page = await opened(browser, "/login/confirm")
        assert "juju 3.6.9" in page.text
        await sent(browser, page, answer="confirm")
        issued = await asyncio.wait_for(device.waiting, 10)
    assert issued.identity == "alice@corp.example"


async def test_the_same_in_a_real_browser(
    guarded: Site, idp: IdentityProvider, tmp_path: Path
) -> None:
    async with guarded.device() as device:

        def confirm() -> None:
            with person(guarded.url, tmp_path / "profile") as alice:
                alice.go(f"/login?user_code={device.code}")
                alice.press("Continue")
                alice.press("Sign in")
                _at_the_provider(alice, "u5")
                assert alice.heading == "Confirm the login"
                assert "dora@corp.example" in alice.text
                alice.press("Confirm")
                assert alice.heading == "You are logged in"

        await asyncio.to_thread(confirm)
        assert (await asyncio.wait_for(device.waiting, 10)).identity == "dora@corp.example"


async def test_groups_are_kept_and_administrators_come_and_go(
    guarded: Site, idp: IdentityProvider
) -> None:
    who = await _as(guarded, "u2")
    name = who.name
    assert name.startswith("bob-b-")
    assert who.admin
    async with guarded.registry() as registry, registry.read() as session:
        assert await identities.told_groups(session, name) == ("jimm-admins", "staff")
    idp.told({**PEOPLE, "u2": {**PEOPLE["u2"], "groups": ["staff"]}})
    assert not (await _as(guarded, "u2")).admin
    async with guarded.registry() as registry, registry.read() as session:
        assert await identities.told_groups(session, name) == ("staff",)


@pytest.mark.parametrize(
    ("subject", "why"),
    [
        ("u3", 'The domain "jimm" is not the identity provider'),
        ("u4", "Your e-mail address is not verified"),
        ("u9", 'The identity provider told no "email" of you'),
    ],
)
async def test_who_may_not_come(
    guarded: Site, idp: IdentityProvider, browser: httpx.AsyncClient, subject: str, why: str
) -> None:
    answer = await signs_in(browser, "/auth/login", subject, guarded.url)
    assert answer.status_code == 403
    page = Page(answer)
    assert page.heading == "You are not signed in"
    assert why in page.text
    assert COOKIE not in browser.cookies


async def test_who_is_disabled_is_told_so(
    guarded: Site, idp: IdentityProvider, browser: httpx.AsyncClient
) -> None:
    idp.told({**PEOPLE, "u6": {"email": "frank@corp.example"}})
    await _as(guarded, "u6")
    await accounts.disable(guarded.settings, "frank@corp.example")
    answer = await signs_in(browser, "/auth/login?again=1", "u6", guarded.url)
    assert answer.status_code == 403
    assert "is disabled in JIMM; ask an administrator" in answer.text


async def test_what_comes_back_must_have_been_begun_in_this_browser(
    guarded: Site, idp: IdentityProvider, browser: httpx.AsyncClient
) -> None:
    async with guarded.browser() as victim:
        away = await browser.get("/auth/login")
        back = await _code_for(browser, away.headers["location"], "u1", guarded.url)
        assert (await victim.get(back)).status_code == 400
        await victim.get("/auth/login")
        assert (await victim.get(back)).status_code == 400
        assert COOKIE not in victim.cookies
    tampered = back.copy_set_param("iss", "https://elsewhere.example")
    assert (await browser.get(tampered)).status_code == 403
    assert (await browser.get(back)).status_code == 400  # one try only


@pytest.mark.parametrize(
    ("kept", "why"), [("verifier", "did not accept"), ("nonce", "was not begun here")]
)
async def test_a_code_is_of_use_only_with_its_verifier_and_its_nonce(
    guarded: Site, idp: IdentityProvider, oidc: Oidc, kept: str, why: str
) -> None:
    (begun, url), (other, _) = await oidc.logins.begin(), await oidc.logins.begin()
    async with guarded.browser() as browser:
        back = await _code_for(browser, url, "u1", guarded.url)
    wrong = dataclasses.replace(begun, **{kept: getattr(other, kept)})
    with pytest.raises(InvalidLogin, match=why):
        await oidc.logins.finish(wrong, back.params["code"])


async def test_new_keys_of_the_provider_are_taken(guarded: Site, idp: IdentityProvider) -> None:
    await _as(guarded, "u1")
    async with guarded.registry() as registry:
        fresh = made_oidc(guarded.settings, registry)
        idp.rotate()
        begun, url = await fresh.logins.begin()
        async with guarded.browser() as browser:
            back = await _code_for(browser, url, "u1", guarded.url)
        assert (await fresh.logins.finish(begun, back.params["code"])).name == "alice@corp.example"


async def test_a_device_login_on_the_providers_page(
    idp: IdentityProvider, oidc: Oidc, tasks: Tasks
) -> None:
    assert oidc.device is not None
    begun = await oidc.device.begin("juju 3.6.9")
    assert begun.verification_uri == f"{idp.issuer}/device"
    waiting = tasks.spawn(oidc.device.wait(begun.id), name="device login")
    async with httpx.AsyncClient() as browser:
        where = f"{begun.verification_uri}?user_code={begun.user_code}"
        last = await signs_in(browser, where, "u1", "nowhere")
    assert "Sign-in Success" in last.text
    issued = await asyncio.wait_for(waiting, 20)
    assert issued.identity == "alice@corp.example"
    with pytest.raises(FatalLogin):
        await oidc.device.wait(begun.id)


async def test_a_client_logs_in_with_its_secret(idp: IdentityProvider, oidc: Oidc) -> None:
    before = idp.granted("client_credentials")
    found = await asyncio.gather(*(oidc.clients.check(ROBOT[0], Secret(ROBOT[1])) for _ in "123"))
    assert {each.name for each in found} == {"robot-7@serviceaccount"}
    assert idp.granted("client_credentials") == before + 1
    assert (await oidc.clients.check(*_shown(PUBLISHED))).name == "poster@serviceaccount"


@pytest.mark.parametrize(
    ("client", "secret"),
    [(ROBOT[0], "wrong"), ("unknown", "x"), (ROBOT[0], ""), ("a b", "x"), ("x", "\udcff")],
)
async def test_a_client_with_a_wrong_secret(
    idp: IdentityProvider, oidc: Oidc, client: str, secret: str
) -> None:
    with pytest.raises(InvalidLogin):
        await oidc.clients.check(client, Secret(secret))


async def test_a_provider_that_is_away(guarded: Site, tmp_path: Path) -> None:
    away = {"oidc_issuer": f"http://127.0.0.1:{free_port()}"}
    async with guarded.registry() as registry:
        oidc = made_oidc(guarded.settings.model_copy(update=away), registry)
        with pytest.raises(TryAgain, match="identity provider can't be used just now"):
            await oidc.logins.begin()
        with pytest.raises(TryAgain):
            await oidc.clients.check("robot-7", Secret("x"))


async def _as(guarded: Site, subject: str) -> Identity:
    """Signs somebody in anew, and who they are then."""
    async with guarded.browser() as browser:
        answer = await signs_in(browser, "/auth/login", subject, guarded.url)
        assert answer.status_code == 303, answer.text
        cookie = browser.cookies[COOKIE]
    async with guarded.registry() as registry:
        return (await SessionTokens(registry, Site.clock).look_up(cookie)).identity


async def _code_for(browser: httpx.AsyncClient, url: str, subject: str, jimm_url: str) -> httpx.URL:
    """What the provider would send the browser to JIMM with."""
    async with httpx.AsyncClient(follow_redirects=False) as stranger:
        try:
            await signs_in(stranger, url, subject, jimm_url)
        except httpx.ConnectError as error:  # it does not trust JIMM's certificate
            return error.request.url
    raise AssertionError("the provider did not send the browser back")


def _at_the_provider(alice: Person, subject: str) -> None:
    for each in alice.chrome.find_elements("css selector", "input:not([type=hidden])"):
        each.send_keys(subject if each.get_attribute("name") == "login" else "any")
    alice.press("Sign-in")
    alice.press("Continue")


def _shown(client: tuple[str, str]) -> tuple[str, Secret]:
    return client[0], Secret(client[1])
