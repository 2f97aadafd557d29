"""What a browser keeps for JIMM: its session, and what proves that a form is our own."""

import secrets
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Final, Literal
from urllib.parse import parse_qsl

from fastapi import Request, Response

from jimm.access.tokens import COOKIE, LONGEST, TokenHolder
from jimm.errors import BadRequest, SessionTokenInvalid
from jimm.web.context import Web
from jimm.wire.secret import Secret

FORM_LIFE: Final = timedelta(hours=1)
"""How long a form can lie open."""

TOKEN_FIELD: Final = "form-token"  # noqa: S105 - a name
SESSION_NAME: Final = "browser"
"""What a browser's session token is listed as."""

_FIELDS: Final = 10
_FORM: Final = "form"


class FormExpired(Exception):
    """A form that was open too long, or is not one of ours, or of a browser without cookies."""


class Browser:
    """One request's browser: what it showed, and what it is to keep."""

    def __init__(self, web: Web, request: Request) -> None:
        self._web = web
        self._request = request
        self._id = request.cookies.get(self._id_cookie, "")
        self._kept = SimpleCookie()

    @property
    def session(self) -> Secret:
        """Its session token; empty without one."""
        return Secret(self._request.cookies.get(COOKIE, ""))

    async def holder(self) -> TokenHolder | None:
        """Who is signed in, if somebody is; counts as a use."""
        try:
            return await self._web.tokens.look_up(self.session.reveal())
        except SessionTokenInvalid:
            return None

    def form_token(self) -> str:
        """What a form has to send back: sealed for this browser and its session."""
        if not self._id:
            self._id = secrets.token_urlsafe(16)
            self._keep(self._id_cookie, self._id, path="/", life=None)
        return self._web.envelope.seal(_FORM, {}, life=FORM_LIFE, holder=self._form_holder())

    async def form(self) -> dict[str, str]:
        """The fields of a form of ours that this browser was given.

        Raises:
            FormExpired: it is none, or too old.
            BadRequest: the body is no form.
        """
        try:
            body = (await self._request.body()).decode()
            fields = dict(parse_qsl(body, keep_blank_values=True, max_num_fields=_FIELDS))
        except ValueError as error:
            raise BadRequest("the body is no form of this page") from error
        token = fields.pop(TOKEN_FIELD, "")
        holder = self._form_holder()
        if not self._id or self._web.envelope.open(_FORM, token, holder=holder) is None:
            raise FormExpired
        return fields

    def remembered(self, name: str) -> dict[str, str]:
        """Values that were kept under a name; empty when there are none (any more)."""
        return self._web.envelope.open(name, self._request.cookies.get(name, "")) or {}

    def remember(self, name: str, values: dict[str, str], *, path: str, life: timedelta) -> None:
        """Keeps values, sealed, for the requests below a path."""
        self._keep(name, self._web.envelope.seal(name, values, life=life), path=path, life=life)

    def forget(self, name: str, *, path: str) -> None:
        """Drops what was kept under a name."""
        self._keep(name, "", path=path, life=timedelta(0))

    async def sign_in(self, identity: str) -> None:
        """Begins a session, in place of the one before.

        Raises:
            UserNotFound: there is no such identity (any more).
        """
        issued = await self._web.tokens.issue(identity, name=SESSION_NAME)
        await self._end_session()
        # The Dashboard is another site, and its sockets send the cookie too.
        site: Literal["None", "Lax"] = "None" if self._web.secure else "Lax"
        self._keep(COOKIE, issued.token.reveal(), path="/", life=LONGEST, site=site)

    async def sign_out(self) -> None:
        """Ends the session, if there is one."""
        await self._end_session()
        site: Literal["None", "Lax"] = "None" if self._web.secure else "Lax"
        self._keep(COOKIE, "", path="/", life=timedelta(0), site=site)

    def told(self, response: Response) -> Response:
        """The response, with what the browser is to keep."""
        for each in self._kept.values():
            response.headers.append("Set-Cookie", each.OutputString())
        return response

    @property
    def _id_cookie(self) -> str:
        """With TLS of a name that only this very host can set (RFC 6265bis, 4.1.3.2)."""
        return "__Host-jimm-form" if self._web.secure else "jimm-form"

    def _form_holder(self) -> str:
        return f"{self._id} {self.session.reveal()}"

    async def _end_session(self) -> None:
        holder = await self.holder()
        if holder is not None:
            await self._web.tokens.revoke(holder.identity.name, holder.token_id)

    def _keep(
        self,
        name: str,
        value: str,
        *,
        path: str,
        life: timedelta | None,
        site: Literal["None", "Lax"] = "Lax",
    ) -> None:
        """``life`` is ``None`` for as long as the browser runs."""
        self._kept[name] = value
        kept = self._kept[name]
        kept["path"], kept["httponly"], kept["samesite"] = path, True, site
        if self._web.secure:
            kept["secure"] = True
        if life is not None:
            kept["max-age"] = int(life.total_seconds())
