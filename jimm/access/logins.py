"""Logins: from what somebody shows to who they are."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from jimm.access.identity import Identity
from jimm.access.names import is_local, qualify
from jimm.access.passwords import Passwords
from jimm.access.tokens import SessionTokens
from jimm.errors import InvalidLogin
from jimm.registry import identities
from jimm.registry.identities import LoginRecord
from jimm.registry.session import Registry
from jimm.wire.secret import Secret
from jimm.wire.tags import is_user_id

RECORDED_EVERY: Final = timedelta(minutes=1)
"""How exactly the last login is known."""

_LONGEST_NAME: Final = 255


class Logins:
    """Checks what is shown at the doors."""

    def __init__(
        self,
        registry: Registry,
        local_domain: str,
        passwords: Passwords,
        now: Callable[[], datetime],
    ) -> None:
        self._registry = registry
        self._local_domain = local_domain
        self._passwords = passwords
        self._now = now
        self._tokens = SessionTokens(registry, now)

    async def by_password(self, name: str, password: Secret) -> Identity:
        """Who it is, by a bare name or a full name of the local domain.

        Nobody learns from the answer, or from its time, which of the two was wrong.

        Raises:
            InvalidLogin: unknown, another domain's, disabled, or a wrong password.
            TryAgain: the account failed too often just now.
        """
        if len(name) > _LONGEST_NAME or not is_user_id(name):
            raise InvalidLogin
        identity = qualify(name, self._local_domain)
        found = await self._find(identity)
        stored = found.password_hash if found else None
        if not await self._passwords.check(identity, password, stored):
            raise InvalidLogin
        if found is None or found.identity.disabled:
            raise InvalidLogin
        await self._record(found)
        return Identity(found.identity.name, found.identity.display_name, found.admin)

    async def by_token(self, text: str) -> Identity:
        """Who it is, by a session token.

        Raises:
            SessionTokenInvalid: anything else than a token that can be used.
        """
        return (await self._tokens.look_up(text)).identity

    async def _find(self, identity: str) -> LoginRecord | None:
        if not is_local(identity, self._local_domain):
            return None
        async with self._registry.read() as session:
            return await identities.login(session, identity)

    async def _record(self, found: LoginRecord) -> None:
        last = found.identity.last_login_at
        if last is not None and self._now() - last < RECORDED_EVERY:
            return
        async with self._registry.write() as session:
            await identities.logged_in(session, found.identity.id)
