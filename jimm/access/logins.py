"""Logins: from what somebody shows to who they are."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, Protocol, assert_never

from jimm.access import service_accounts
from jimm.access.identity import Identity
from jimm.access.names import is_local, is_service_account, qualify
from jimm.access.origins import allowed
from jimm.access.passwords import Passwords
from jimm.access.tokens import SessionTokens
from jimm.access.visitor import Visitor
from jimm.errors import InvalidLogin, SessionTokenInvalid, Unauthorized
from jimm.registry import identities
from jimm.registry import service_accounts as stored_accounts
from jimm.registry.identities import IdentityRecord, LoginRecord
from jimm.registry.session import Registry
from jimm.wire.login import (
    Attempt,
    ClientCredentialsLogin,
    CookieLogin,
    PasswordLogin,
    SessionTokenLogin,
)
from jimm.wire.secret import Secret
from jimm.wire.tags import is_user_id

RECORDED_EVERY: Final = timedelta(minutes=1)
"""How exactly the last login is known."""

_LONGEST_NAME: Final = 255
_USER_TAG: Final = "user-"
_JUJU_LOCAL: Final = "@local"


class Clients(Protocol):
    """Clients of the identity provider."""

    async def check(self, client_id: str, secret: Secret) -> Identity:
        """Who it is.

        Raises:
            InvalidLogin: unknown, disabled, or a wrong secret.
        """
        ...


class Logins:
    """Checks what is shown at the doors.

    ``own`` is JIMM's URL and ``origins`` are the others whose pages may use a browser's cookie.
    ``clients`` are asked about clients that are no service accounts of JIMM's own. Without
    ``local_passwords`` the users made in JIMM can't log in with theirs.
    """

    def __init__(
        self,
        registry: Registry,
        local_domain: str,
        passwords: Passwords,
        now: Callable[[], datetime],
        *,
        own: str = "",
        origins: Sequence[str] = (),
        clients: Clients | None = None,
        local_passwords: bool = True,
    ) -> None:
        self._registry = registry
        self._local_domain = local_domain
        self._passwords = passwords
        self._now = now
        self._own = own
        self._origins = origins
        self._clients = clients
        self._local_passwords = local_passwords
        self._tokens = SessionTokens(registry, now)

    async def by_attempt(self, attempt: Attempt, visitor: Visitor) -> Identity:
        """Who it is, by what a client sent on a socket that the visitor opened.

        Raises:
            InvalidLogin, SessionTokenInvalid, Unauthorized, TryAgain: as the methods below.
        """
        match attempt:
            case PasswordLogin(name=""):
                return await self._by_null_tag(attempt.password)
            case PasswordLogin():
                return await self.by_password(attempt.name, attempt.password)
            case SessionTokenLogin():
                return await self.by_token(attempt.token.reveal())
            case ClientCredentialsLogin():
                return await self.by_client_credentials(attempt.client_id, attempt.secret)
            case CookieLogin():
                return await self.by_cookie(visitor.token, visitor.origin)
            case _:
                assert_never(attempt)

    async def by_password(self, name: str, password: Secret) -> Identity:
        """Who it is, by a bare name or a full name of the local domain, or a client id.

        Nobody learns from the answer, or from its time, which of the two was wrong.

        Raises:
            InvalidLogin: unknown, another domain's, disabled, or a wrong password.
            Unauthorized: no passwords are taken here.
            TryAgain: the account failed too often just now.
        """
        if len(name) > _LONGEST_NAME or not is_user_id(name):
            raise InvalidLogin
        if is_service_account(name):
            return await self.by_client_credentials(name, password)
        identity = qualify(name, self._local_domain)
        found = await self._find(identity)
        if found is None and "@" not in name:
            service = await self._known_client(name, password)
            if service is not None:
                return service
        if not self._local_passwords:
            raise Unauthorized("no passwords are taken here: use `juju login`")
        stored = found.password_hash if found else None
        if not await self._passwords.check(identity, password, stored):
            raise InvalidLogin
        if found is None or found.identity.disabled:
            raise InvalidLogin
        return await self._entered(found.identity, found.admin)

    async def by_client_credentials(self, client_id: str, secret: Secret) -> Identity:
        """Who it is, by a service account's client id, with or without its domain.

        The code of a refusal has to be ``unauthorized access``: the juju client then silently
        goes on to its session token.

        Raises:
            InvalidLogin: unknown, disabled, or a wrong secret.
            TryAgain: the identity provider does not answer.
        """
        client_id = service_accounts.bare(client_id)
        if len(client_id) > _LONGEST_NAME or not is_user_id(client_id):
            raise InvalidLogin
        async with self._registry.read() as session:
            found = await stored_accounts.login(session, client_id)
        if found is None and self._clients is not None:
            return await self._clients.check(client_id, secret)
        if (
            found is None
            or found.identity.disabled
            or not service_accounts.matches(secret, found.secret_hash)
        ):
            raise InvalidLogin
        return await self._entered(found.identity, found.admin)

    async def by_token(self, text: str) -> Identity:
        """Who it is, by a session token.

        Raises:
            SessionTokenInvalid: anything else than a token that can be used.
        """
        return (await self._tokens.look_up(text)).identity

    async def by_cookie(self, token: Secret, origin: str) -> Identity:
        """Who it is, by the token in a browser's cookie.

        ``origin`` is the page behind the request: browsers send the cookie whoever asks.

        Raises:
            Unauthorized: that page may not act with the cookie.
            SessionTokenInvalid: there is no cookie, or its token can't be used.
        """
        if not self.welcomes(origin):
            raise Unauthorized("pages of that origin may not use your login here")
        return await self.by_token(token.reveal())

    def welcomes(self, origin: str) -> bool:
        """Whether pages of that origin may use the cookie of whoever looks at them; empty means
        that no page asks."""
        return allowed(origin, self._own, self._origins)

    async def by_basic(self, user: str, password: Secret) -> Identity:
        """Who it is, by HTTP Basic: nobody and a session token, a user's tag and a password, or
        a client id and its secret.

        Raises:
            InvalidLogin: unknown, disabled, or a wrong password or secret.
            SessionTokenInvalid: a token that can't be used.
            TryAgain: the account failed too often just now.
        """
        if not user:
            return await self.by_token(password.reveal())
        if user.startswith(_USER_TAG):
            return await self.by_password(
                user.removeprefix(_USER_TAG).removesuffix(_JUJU_LOCAL), password
            )
        return await self.by_client_credentials(user, password)

    async def _by_null_tag(self, token: Secret) -> Identity:
        try:
            return await self.by_token(token.reveal())
        except SessionTokenInvalid as error:
            # Whoever sends this knows no device login, which that code would begin.
            raise InvalidLogin from error

    async def _known_client(self, client_id: str, secret: Secret) -> Identity | None:
        """An account that is there, if that is its secret: nobody's mistyped password is sent
        to the provider."""
        async with self._registry.read() as session:
            name = service_accounts.identity_of(client_id)
            if await identities.login(session, name) is None:
                return None
        try:
            return await self.by_client_credentials(client_id, secret)
        except InvalidLogin:
            return None

    async def _find(self, identity: str) -> LoginRecord | None:
        if not is_local(identity, self._local_domain):
            return None
        async with self._registry.read() as session:
            return await identities.login(session, identity)

    async def _entered(self, who: IdentityRecord, admin: bool) -> Identity:
        last = who.last_login_at
        if last is None or self._now() - last >= RECORDED_EVERY:
            async with self._registry.write() as session:
                await identities.logged_in(session, who.id)
        return Identity(who.name, who.display_name, admin)
