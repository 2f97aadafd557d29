"""``/login``: a person enters the code that a client shows, and confirms or refuses it."""

from datetime import timedelta
from typing import Final

from fastapi import APIRouter, Request, Response

from jimm.access.devices import Pending
from jimm.access.tokens import TokenHolder
from jimm.audit import trail
from jimm.errors import NotFound, TryAgain
from jimm.web.browser import Browser, FormExpired
from jimm.web.context import Web
from jimm.web.pages import PageRoute, Pages, see

WAITING: Final = "jimm-login"
"""The cookie with the code that was entered."""

WAITING_LIFE: Final = timedelta(minutes=10)
PATH: Final = "/login"

_UNKNOWN: Final = (
    "No login waits under this code. Check it; a code lasts ten minutes and works once, "
    "so start the login again if it is older."
)
_STALE: Final = (
    "This page was open too long, or your browser did not keep JIMM's cookie. "
    "Allow cookies for this site and send it again."
)
_ENDED: Final = (
    "This login has ended: a code lasts ten minutes and works once. "
    "Start the login again and enter the new code."
)


class DevicePages:
    """The steps, each a page: code, sign-in (``/auth/login``), confirmation, outcome."""

    def __init__(self, web: Web, pages: Pages) -> None:
        self._web = web
        self._pages = pages

    def routes(self) -> APIRouter:
        """The routes."""
        router = APIRouter(route_class=PageRoute, include_in_schema=False)
        router.add_api_route(PATH, self.ask, methods=["GET"], response_model=None)
        router.add_api_route(PATH, self.look, methods=["POST"], response_model=None)
        router.add_api_route("/login/confirm", self.show, methods=["GET"], response_model=None)
        router.add_api_route("/login/confirm", self.answer, methods=["POST"], response_model=None)
        router.add_api_route(
            "/login/confirmed", self.confirmed, methods=["GET"], response_model=None
        )
        router.add_api_route("/login/refused", self.refused, methods=["GET"], response_model=None)
        return router

    async def ask(self, request: Request) -> Response:
        """The form for the code, filled in when the address has it."""
        return await self._form(
            Browser(self._web, request), request.query_params.get("user_code", "")
        )

    async def look(self, request: Request) -> Response:
        """Looks for the login that waits under the code."""
        browser = Browser(self._web, request)
        try:
            fields = await browser.form()
        except FormExpired:
            return await self._form(browser, "", _STALE, status=400)
        code, address = fields.get("user_code", ""), self._web.address_of(request)
        try:
            self._web.guesses.admit(address)
            pending = await self._web.devices.find(code)
        except TryAgain as error:
            sentence = f"{str(error).capitalize()}."
            return await self._form(browser, code, sentence, status=429)
        except NotFound:
            self._web.guesses.failed(address)
            return await self._form(browser, code, _UNKNOWN, status=422)
        browser.remember(WAITING, {"code": pending.user_code}, path=PATH, life=WAITING_LIFE)
        return browser.told(see("/login/confirm"))

    async def show(self, request: Request) -> Response:
        """Which client asks, for whoever is signed in."""
        browser = Browser(self._web, request)
        pending = await self._pending(browser)
        if pending is None:
            return await self._form(browser, "", _ENDED, status=422)
        holder = await browser.holder()
        if holder is None:
            return self._sign_in_first()
        return self._question(browser, pending, holder)

    async def answer(self, request: Request) -> Response:
        """Confirms or refuses."""
        browser = Browser(self._web, request)
        pending = await self._pending(browser)
        if pending is None:
            return await self._form(browser, "", _ENDED, status=422)
        holder = await browser.holder()
        if holder is None:
            return self._sign_in_first()
        try:
            fields = await browser.form()
        except FormExpired:
            return self._question(browser, pending, holder, _STALE, status=400)
        try:
            where = await self._settle(pending, holder, fields.get("answer", ""))
        except NotFound:
            return await self._form(browser, "", _ENDED, status=422)
        if not where:
            sentence = "Choose whether to confirm or to refuse."
            return self._question(browser, pending, holder, sentence, status=422)
        browser.forget(WAITING, path=PATH)
        return browser.told(see(where))

    async def confirmed(self) -> Response:
        """That the client goes on."""
        return self._pages.page("confirmed")

    async def refused(self) -> Response:
        """That the client was told."""
        return self._pages.page("refused")

    async def _form(
        self, browser: Browser, code: str, error: str = "", *, status: int = 200
    ) -> Response:
        holder = await browser.holder()
        page = self._pages.page(
            "code",
            status=status,
            error=error,
            field="user_code",
            code=code[:32],
            user=self._web.user_id(holder.identity.name) if holder else "",
            form_token=browser.form_token(),
        )
        return browser.told(page)

    async def _pending(self, browser: Browser) -> Pending | None:
        try:
            return await self._web.devices.find(browser.remembered(WAITING).get("code", ""))
        except NotFound:
            return None

    def _sign_in_first(self) -> Response:
        """With a provider by way of a link: a form's answer must not lead to another site, and
        nobody knows by how many sites a provider signs people in."""
        where = "/auth/login?next=/login/confirm"
        return self._pages.page("sign_in_first", where=where) if self._web.oidc else see(where)

    def _question(
        self,
        browser: Browser,
        pending: Pending,
        holder: TokenHolder,
        error: str = "",
        *,
        status: int = 200,
    ) -> Response:
        page = self._pages.page(
            "confirm",
            status=status,
            error=error,
            client=pending.client,
            code=pending.user_code,
            asked_at=pending.asked_at,
            user=self._web.user_id(holder.identity.name),
            form_token=browser.form_token(),
        )
        return browser.told(page)

    async def _settle(self, pending: Pending, holder: TokenHolder, answer: str) -> str:
        """Where the outcome is told; empty for neither answer."""
        if answer == "confirm":
            await self._web.devices.confirm(pending.id, holder.identity.name)
        elif answer == "refuse":
            await self._web.devices.refuse(pending.id)
        else:
            return ""
        async with self._web.registry.write() as session:
            action = trail.Action(
                holder.identity.name,
                "web",
                f"{answer}-device-login",
                params={"client": pending.client},
            )
            await trail.record(session, action)
        return "/login/confirmed" if answer == "confirm" else "/login/refused"
