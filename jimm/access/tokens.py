"""Session tokens: random texts that stand for a login.

A token has 256 random bits, so a plain SHA-256 of it is all that is kept. It lives a day from
its last use, and a month at most.
"""

import hashlib
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from jimm.access.identity import Identity
from jimm.errors import SessionTokenInvalid
from jimm.registry import entries, identities
from jimm.registry import tokens as stored_tokens
from jimm.registry.entries import Entry
from jimm.registry.session import Registry, WriteSession
from jimm.registry.tokens import TokenLogin, TokenRecord
from jimm.wire.secret import Secret

IDLE: Final = timedelta(hours=24)
"""How long a token lives after its last use."""

LONGEST: Final = timedelta(days=30)
"""How long a token lives at most."""

WRITTEN_EVERY: Final = timedelta(minutes=1)
"""How exactly the last use is known."""

COOKIE: Final = "jimm-browser-session"
"""The cookie that holds a browser's session token."""

_LONGEST_TEXT: Final = 256


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token; the text is not kept anywhere else."""

    token: Secret
    id: str
    identity: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class TokenHolder:
    """Whose token it is, and which, so that what it opened ends with it."""

    identity: Identity
    token_id: str


class SessionTokens:
    """Issues, reads and ends tokens."""

    def __init__(self, registry: Registry, now: Callable[[], datetime]) -> None:
        self._registry = registry
        self._now = now

    async def issue(self, identity: str, name: str = "") -> Issued:
        """A token for somebody whose login was checked; ``name`` says what it is for.

        Raises:
            UserNotFound: there is no such identity (any more).
        """
        async with self._registry.write() as session:
            return await self.issue_in(session, identity, name)

    async def issue_in(self, session: WriteSession, identity: str, name: str = "") -> Issued:
        """The same as part of a transaction: there is a token if it is committed.

        Raises:
            UserNotFound: there is no such identity (any more).
        """
        token = Secret(secrets.token_urlsafe(32))
        owner = await identities.by_name(session, identity)
        added = await stored_tokens.add(
            session, str(uuid.uuid4()), owner.id, name, _digest(token.reveal()), IDLE
        )
        return Issued(token, added.id, owner.name, added.expires_at)

    async def look_up(self, text: str) -> TokenHolder:
        """Whose token it is; counts as a use.

        Raises:
            SessionTokenInvalid: anything else than a token that can be used.
        """
        found = await stored_tokens.by_hash(self._registry, _digest(_readable(text)))
        return self._used(found)

    async def look_up_at(self, text: str, model: str) -> tuple[TokenHolder, Entry | None]:
        """As :meth:`look_up`, and the model with that uuid, if there is one, as the token's
        holder comes to it; all in one query.

        Raises:
            SessionTokenInvalid: anything else than a token that can be used.
        """
        digest = _digest(_readable(text))
        found = await entries.come_by_token(self._registry, model, digest)
        login, entry = found or (None, None)
        return self._used(login), entry

    async def of(self, identity: str) -> list[TokenRecord]:
        """The usable tokens of somebody, the newest first.

        Raises:
            UserNotFound: there is no such identity.
        """
        async with self._registry.read() as session:
            owner = await identities.by_name(session, identity)
            return await stored_tokens.of_identity(session, owner.id)

    async def revoke(self, identity: str, token_id: str) -> None:
        """Ends one token of somebody, from the next look-up on.

        Raises:
            NotFound: they have no such token.
        """
        async with self._registry.write() as session:
            owner = await identities.by_name(session, identity)
            await stored_tokens.revoke(session, token_id, owner)

    def _used(self, found: TokenLogin | None) -> TokenHolder:
        now = self._now()
        if found is None or not usable(found, now):
            raise _unusable()
        if is_use_due(found.token, now):
            self._registry.traces.used(found.token.id, expiry(found.token, now))
        who = found.identity
        return TokenHolder(Identity(who.name, who.display_name, found.admin), found.token.id)


def usable(found: TokenLogin, now: datetime) -> bool:
    """Whether a token opens anything at that time."""
    token = found.token
    return token.revoked_at is None and token.expires_at > now and not found.identity.disabled


def is_use_due(token: TokenRecord, now: datetime) -> bool:
    """Whether a use at that time is worth writing."""
    return token.last_used_at is None or now - token.last_used_at >= WRITTEN_EVERY


def expiry(token: TokenRecord, now: datetime) -> datetime:
    """Until when a token lives that is used at that time."""
    return min(now + IDLE, token.created_at + LONGEST)


def _readable(text: str) -> str:
    """The text, if it could be a token."""
    if not text or len(text) > _LONGEST_TEXT or not text.isascii():
        raise _unusable()
    return text


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _unusable() -> SessionTokenInvalid:
    return SessionTokenInvalid("the session token is not valid (any more); log in again")
