"""``/auth``: a browser signs in, asks who it is, signs out; as the Juju Dashboard uses it.

The Dashboard links to ``/auth/login`` and fetches the rest: ``whoami`` with 401 for nobody, and
a ``logout`` that must end in 200.
"""

from datetime import timedelta
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from jimm.access.oidc_logins import OidcLogins, SignIn
from jimm.errors import InvalidLogin, JimmError, TryAgain
from jimm.web.browser import Browser, FormExpired
from jimm.web.context import Web
from jimm.web.pages import PageRoute, Pages, see
from jimm.wire.secret import Secret

UNDER_WAY: Final = "jimm-sign-in"
"""The cookie with what has to come back from the provider."""

UNDER_WAY_LIFE: Final = timedelta(minutes=15)
PATH: Final = "/auth"

_WRONG: Final = (
    "That name and password don't fit together, or the account is disabled. "
    "Check both and try again, or ask an administrator of this JIMM."
)
_STALE: Final = (
    "This page was open too long, or your browser did not keep JIMM's cookie. "
    "Allow cookies for this site and sign in again."
)
_SLOW: Final = (
    "There were too many attempts for this account just now. Wait a minute, then try again."
)
_ASTRAY: Final = (
    "This sign-in was not begun in this browser, or took longer than a quarter of an hour. "
    "Begin again."
)


class AuthPages:
    """Signing in with a name and a password, or with the provider when there is one."""

    def __init__(self, web: Web, pages: Pages) -> None:
        self._web = web
        self._pages = pages

    def routes(self) -> APIRouter:
        """The routes."""
        router = APIRouter(route_class=PageRoute, include_in_schema=False)
        router.add_api_route("/auth/login", self.begin, methods=["GET"], response_model=None)
        router.add_api_route("/auth/login", self.check, methods=["POST"], response_model=None)
        router.add_api_route("/auth/callback", self.come_back, methods=["GET"], response_model=None)
        router.add_api_route("/auth/logout", self.end, methods=["GET"], response_model=None)
        router.add_api_route("/auth/whoami", self.whoami, methods=["GET"], response_model=None)
        return router

    async def begin(self, request: Request) -> Response:
        """The sign-in page, or the way to the provider; straight on for who is signed in.

        ``next`` says where to go afterwards; ``again`` asks anew who it is.
        """
        browser = Browser(self._web, request)
        wanted, again = request.query_params.get("next", ""), "again" in request.query_params
        if not again and await browser.holder() is not None:
            return see(self._web.target(wanted))
        if self._web.oidc is not None:
            return await self._away(browser, self._web.oidc, wanted, again=again)
        return self._form(browser, wanted)

    async def check(self, request: Request) -> Response:
        """Signs in with a name and a password."""
        browser = Browser(self._web, request)
        wanted = request.query_params.get("next", "")
        if self._web.oidc is not None:
            return see("/auth/login")
        try:
            fields = await browser.form()
        except FormExpired:
            return self._form(browser, wanted, _STALE, status=400)
        name = fields.get("username", "").strip()
        try:
            password = Secret(fields.get("password", ""))
            identity = await self._web.logins.by_password(name, password)
        except TryAgain:
            return self._form(browser, wanted, _SLOW, name=name, status=429)
        except InvalidLogin:
            return self._form(browser, wanted, _WRONG, name=name, status=422)
        await browser.sign_in(identity.name)
        return browser.told(see(self._web.target(wanted)))

    async def come_back(self, request: Request) -> Response:
        """The provider sends the browser back here (OpenID Connect Core 1.0, 3.1.2.5)."""
        browser = Browser(self._web, request)
        kept = browser.remembered(UNDER_WAY)
        browser.forget(UNDER_WAY, path=PATH)
        told = request.query_params
        if self._web.oidc is None or not kept or told.get("state") != kept["state"]:
            return browser.told(self._again(_ASTRAY, 400))
        if "code" not in told:
            sentence = "Your organisation's sign-in did not let you in. Begin again."
            return browser.told(self._again(sentence, 403))
        begun = SignIn(kept["state"], kept["nonce"], Secret(kept["verifier"]))
        try:
            identity = await self._web.oidc.finish(begun, told["code"], issuer=told.get("iss", ""))
        except JimmError as error:
            return browser.told(self._again(str(error), 403))
        await browser.sign_in(identity.name)
        return browser.told(see(self._web.target(kept["next"])))

    async def end(self, request: Request) -> Response:
        """Signs out; a person gets a page, a script nothing."""
        browser = Browser(self._web, request)
        await browser.sign_out()
        if "text/html" in request.headers.get("accept", ""):
            return browser.told(self._pages.page("signed_out"))
        return browser.told(Response(headers={"Cache-Control": "no-store"}))

    async def whoami(self, request: Request) -> Response:
        """Who is signed in, as JSON."""
        holder = await Browser(self._web, request).holder()
        headers = {"Cache-Control": "no-store"}
        if holder is None:
            nobody = {"error": "nobody is signed in: go to /auth/login"}
            return JSONResponse(nobody, status_code=401, headers=headers)
        identity = holder.identity
        found = {
            "display-name": identity.display_name or self._web.user_id(identity.name),
            "email": identity.name,
        }
        return JSONResponse(found, headers=headers)

    def _form(
        self, browser: Browser, wanted: str, error: str = "", *, name: str = "", status: int = 200
    ) -> Response:
        page = self._pages.page(
            "sign_in",
            status=status,
            leads_to=self._web.settings.web_origins,
            error=error,
            field="password" if name else "username",
            next=wanted,
            name=name,
            form_token=browser.form_token(),
        )
        return browser.told(page)

    async def _away(
        self, browser: Browser, oidc: OidcLogins, wanted: str, *, again: bool
    ) -> Response:
        begun, url = await oidc.begin(again=again)
        kept = {
            "state": begun.state,
            "nonce": begun.nonce,
            "verifier": begun.verifier.reveal(),
            "next": wanted,
        }
        browser.remember(UNDER_WAY, kept, path=PATH, life=UNDER_WAY_LIFE)
        return browser.told(see(url, status=307))

    def _again(self, sentence: str, status: int) -> Response:
        sentence = sentence if sentence.endswith(".") else f"{sentence}."
        return self._pages.page(
            "begin_again", status=status, sentence=f"{sentence[:1].upper()}{sentence[1:]}"
        )
