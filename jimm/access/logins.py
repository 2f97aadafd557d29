"""Logins: from what somebody shows to who they are."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol, assert_never

from jimm.access import service_accounts
from jimm.access.identity import Identity
from jimm.access.names import is_local, is_service_account, qualify
from jimm.access.origins import allowed
from jimm.access.passwords import Passwords
from jimm.access.tokens import SessionTokens
from jimm.access.visitor import Visitor
from jimm.errors import InvalidLogin, ModelNotFound, SessionTokenInvalid, Unauthorized
from jimm.registry import entries, identities
from jimm.registry import service_accounts as stored_accounts
from jimm.registry.entries import Entry
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

ByToken = Callable[[str], Awaitable[Identity]]
"""Reads a session token."""


class Clients(Protocol):
    """Clients of the identity provider."""

    async def check(self, client_id: str, secret: Secret) -> Identity:
        """Who it is.

        Raises:
            InvalidLogin: unknown, disabled, or a wrong secret.
        """
        ...


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody at a model, which is ``None`` if there is no such model. ``token_id`` is of the
    session token that they showed, ``None`` if they showed something else."""

    identity: Identity
    entry: Entry | None
    token_id: str | None = None


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
            InvalidLogin, SessionTokenInvalid, TryAgain: as the methods below.
            Unauthorized: so too, or a page that may not act with the cookie.
        """
        return await self._by_attempt(attempt, visitor, self.by_token)

    async def at_model(self, model: str, attempt: Attempt, visitor: Visitor) -> Arrival:
        """As :meth:`by_attempt`, and the model with that uuid as they come to it: in the same
        query, where a session token is shown.

        Raises:
            InvalidLogin, SessionTokenInvalid, Unauthorized, TryAgain: as :meth:`by_attempt`.
        """
        arrived: Arrival | None = None

        async def by_token(text: str) -> Identity:
            nonlocal arrived
            holder, entry = await self._tokens.look_up_at(text, model)
            arrived = Arrival(holder.identity, entry, holder.token_id)
            return holder.identity

        who = await self._by_attempt(attempt, visitor, by_token)
        if arrived is not None:
            return arrived
        try:
            return Arrival(who, await entries.come(self._registry, model, who.name))
        except ModelNotFound:
            return Arrival(who, None)

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

    async def _by_attempt(self, attempt: Attempt, visitor: Visitor, by_token: ByToken) -> Identity:
        match attempt:
            case PasswordLogin(name=""):
                return await _by_null_tag(attempt.password, by_token)
            case PasswordLogin():
                return await self.by_password(attempt.name, attempt.password)
            case SessionTokenLogin():
                return await by_token(attempt.token.reveal())
            case ClientCredentialsLogin():
                return await self.by_client_credentials(attempt.client_id, attempt.secret)
            case CookieLogin():
                # Browsers send the cookie whoever asks: what counts is the page behind it.
                if not self.welcomes(visitor.origin):
                    raise Unauthorized("pages of that origin may not use your login here")
                return await by_token(visitor.token.reveal())
            case _:
                assert_never(attempt)

    async def _known_client(self, client_id: str, secret: Secret) -> Identity | None:
        """An account that is there, if that is its secret: nobody's mistyped password is sent
        to the provider."""
        name = service_accounts.identity_of(client_id)
        if await identities.login(self._registry, name) is None:
            return None
        try:
            return await self.by_client_credentials(client_id, secret)
        except InvalidLogin:
            return None

    async def _find(self, identity: str) -> LoginRecord | None:
        if not is_local(identity, self._local_domain):
            return None
        return await identities.login(self._registry, identity)

    async def _entered(self, who: IdentityRecord, admin: bool) -> Identity:
        last = who.last_login_at
        if last is None or self._now() - last >= RECORDED_EVERY:
            self._registry.traces.logged_in(who.id)
        return Identity(who.name, who.display_name, admin)


async def _by_null_tag(token: Secret, by_token: ByToken) -> Identity:
    try:
        return await by_token(token.reveal())
    except SessionTokenInvalid as error:
        # Whoever sends this knows no device login, which that code would begin.
        raise InvalidLogin from error
