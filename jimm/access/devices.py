"""Device logins (as in RFC 8628): a client shows a code, a person enters it in a browser.

The client asks on one replica, the person may answer on any other: what they said is in the
registry. A notification makes the client's replica look at once, and it looks by itself every
two seconds, with one query for all that wait.
"""

import asyncio
import logging
import secrets
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from sqlalchemy.exc import SQLAlchemyError

from jimm.access.tokens import Issued, SessionTokens
from jimm.errors import AlreadyExists, FatalLogin, NotFound
from jimm.registry import devices, identities
from jimm.registry.devices import DeviceRecord
from jimm.registry.session import Registry

LIFE: Final = timedelta(minutes=10)
"""How long a code can be entered; the juju client waits no longer (``api.DefaultDialOpts``)."""

KEPT: Final = timedelta(minutes=1)
"""How long an expired login is remembered: what was confirmed in time can still be collected."""

LOOK_EVERY: Final = 2.0
"""Seconds between two looks at what became of the logins waited for."""

TOKEN_NAME: Final = "device login"  # noqa: S105 - a name
"""What a token collected in this way is listed as."""

_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""RFC 8628, section 6.1: no vowels, so no words, and nothing that looks like a digit."""

_CODE_LENGTH: Final = 8
_LONGEST_CLIENT: Final = 200

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Begun:
    """A login that a client has asked for: a code such as ``XXXX-XXXX``, and where to enter it."""

    id: str
    user_code: str
    verification_uri: str


@dataclass(frozen=True, slots=True)
class Pending:
    """A login that waits for a person. ``client`` is what is known of who asks, never trusted."""

    id: str
    user_code: str
    client: str
    asked_at: datetime
    expires_at: datetime


@dataclass(eq=False, slots=True)
class _Waiter:
    """``record`` is what a look found once ``done``; ``woken`` says to go on."""

    login_id: str
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    record: DeviceRecord | None = None
    done: bool = False


class Code(Protocol):
    """A login that was begun; as :class:`Begun`."""

    @property
    def id(self) -> str: ...
    @property
    def user_code(self) -> str: ...
    @property
    def verification_uri(self) -> str: ...


class DeviceFlow(Protocol):
    """What a door needs for device logins."""

    async def begin(self, client: str) -> Code:
        """See :meth:`DeviceLogins.begin`."""
        ...

    async def wait(self, login_id: str) -> Issued:
        """See :meth:`DeviceLogins.wait`."""
        ...


class DeviceLogins:
    """Begins, shows, settles and ends device logins; one for a replica.

    ``now`` is the clock by which they run out, ``page`` the URL at which codes are entered.
    """

    def __init__(
        self,
        registry: Registry,
        tokens: SessionTokens,
        now: Callable[[], datetime],
        page: str = "",
    ) -> None:
        self._registry = registry
        self._tokens = tokens
        self._now = now
        self._page = page
        self._waiters: set[_Waiter] = set()
        self._led = False
        self._told = asyncio.Event()

    async def begin(self, client: str) -> Begun:
        """A login that can be confirmed for ten minutes; ``client`` is shown to the person."""
        while True:
            begun = Begun(str(uuid.uuid4()), _new_code(), self._page)
            now = self._now()
            try:
                async with self._registry.write() as session:
                    await devices.forget(session, expired_before=now - KEPT)
                    await devices.add(
                        session, begun.id, begun.user_code, _shown_client(client), now + LIFE
                    )
            except AlreadyExists:
                continue
            return begun

    async def wait(self, login_id: str) -> Issued:
        """A session token for whoever confirms the login, on any replica; the first to ask
        gets it, once.

        Raises:
            FatalLogin: it was refused, ran out, or was collected already.
        """
        with self._among_waiters(login_id) as waiter:
            while not waiter.done:
                if self._led:
                    await waiter.woken.wait()
                    waiter.woken.clear()
                else:
                    await self._look_for_all(waiter)
        if waiter.record is not None and waiter.record.refused_at is not None:
            raise FatalLogin("the login was refused in the browser")
        if waiter.record is None or waiter.record.confirmed_at is None:
            raise FatalLogin("the login was not confirmed in time; log in again")
        return await self._collect(login_id)

    async def find(self, user_code: str) -> Pending:
        """The login that waits under a code, in any case, with or without the dash.

        Raises:
            NotFound: nobody waits under that code (any more).
        """
        code = _written(user_code)
        if code is None:
            raise _unknown()
        async with self._registry.read() as session:
            found = await devices.by_code(session, code)
        if found is None or not _is_pending(found, self._now()):
            raise _unknown()
        return Pending(found.id, found.user_code, found.client, found.created_at, found.expires_at)

    async def confirm(self, login_id: str, identity: str) -> None:
        """Lets the client act for somebody whose login was checked.

        Raises:
            NotFound: nobody waits for that (any more), or there is no such identity.
        """
        async with self._registry.write() as session:
            owner = await identities.by_name(session, identity)
            if not await devices.confirm(session, login_id, owner.id, self._now()):
                raise _unknown()
        self.told(login_id)

    async def refuse(self, login_id: str) -> None:
        """Ends the login; the client is told.

        Raises:
            NotFound: nobody waits for that (any more).
        """
        async with self._registry.write() as session:
            if not await devices.refuse(session, login_id, self._now()):
                raise _unknown()
        self.told(login_id)

    def told(self, login_id: str) -> None:
        """Has the login looked at now; any, for an empty id."""
        if any(login_id in ("", each.login_id) for each in self._waiters):
            self._told.set()

    @contextmanager
    def _among_waiters(self, login_id: str) -> Iterator[_Waiter]:
        waiter = _Waiter(login_id)
        self._waiters.add(waiter)
        try:
            yield waiter
        finally:
            self._waiters.discard(waiter)
            heir = next((each for each in self._waiters if not each.done), None)
            if heir is not None and not self._led:
                heir.woken.set()

    async def _look_for_all(self, waiter: _Waiter) -> None:
        """Looks every now and then until this waiter is done; the next one then goes on."""
        self._led = True
        try:
            while not waiter.done:
                self._told.clear()
                await self._look()
                if not waiter.done:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(LOOK_EVERY):
                            await self._told.wait()
        finally:
            self._led = False

    async def _look(self) -> None:
        ids = {each.login_id for each in self._waiters if not each.done}
        try:
            async with self._registry.read() as session:
                found = {each.id: each for each in await devices.among(session, ids)}
        except (SQLAlchemyError, OSError) as error:
            log.warning("device logins can't be looked at just now: %s", type(error).__name__)
            return
        now = self._now()
        for waiter in self._waiters:
            record = found.get(waiter.login_id)
            if waiter.login_id in ids and (record is None or not _is_pending(record, now)):
                waiter.record, waiter.done = record, True
                waiter.woken.set()

    async def _collect(self, login_id: str) -> Issued:
        async with self._registry.write() as session:
            identity = await devices.collect(session, login_id)
            if identity is None:
                raise FatalLogin("this login can't be used (any more); log in again")
            return await self._tokens.issue_in(session, identity, name=TOKEN_NAME)


def _new_code() -> str:
    letters = "".join(secrets.choice(_LETTERS) for _ in range(_CODE_LENGTH))
    return f"{letters[:4]}-{letters[4:]}"


def _written(text: str) -> str | None:
    """A code as it is kept; ``None`` for what can't be one."""
    if len(text) > 4 * _CODE_LENGTH:
        return None
    letters = "".join(each for each in text.upper() if not (each.isspace() or each == "-"))
    if len(letters) != _CODE_LENGTH or not set(letters) <= set(_LETTERS):
        return None
    return f"{letters[:4]}-{letters[4:]}"


def _shown_client(client: str) -> str:
    """One printable line: it comes from whoever asks."""
    return "".join(each if each.isprintable() else " " for each in client)[:_LONGEST_CLIENT]


def _is_pending(found: DeviceRecord, now: datetime) -> bool:
    return found.confirmed_at is None and found.refused_at is None and found.expires_at > now


def _unknown() -> NotFound:
    return NotFound("no login waits under this code: check it, or start the login again")
