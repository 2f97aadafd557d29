"""Passwords: argon2id (RFC 9106), and as little of it as can be asked for from outside.

A check costs time and memory, so that whoever has stolen the hashes gets nowhere; for the same
reason nobody may make JIMM do many. Each account's checks come one after another, all accounts
share two threads, and an account with failures behind it is refused for a while before anything
is computed. The refusal is an error and no wait: a waiting login would hold a connection, and a
hundred of them would all be let in at the end of the wait. A refused account still has its
session tokens, so that a stranger's guesses do not end its owner's work.
"""

import asyncio
import hashlib
import hmac
import logging
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError, VerifyMismatchError

from jimm.errors import NotValid, TryAgain
from jimm.wire.secret import Secret

SHORTEST: Final = 8
LONGEST: Final = 1024
"""Characters that a password may have."""

AT_ONCE: Final = 2
"""Checks that run at one time in a process."""

WAITING: Final = 1000
"""Logins that may wait for their check; each holds a connection and little else."""

FREE_FAILURES: Final = 4
"""Failures in a row that cost nothing: people mistype."""

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
"""Seconds for which an account is refused, doubled with each failure."""

FORGOTTEN_AFTER: Final = 900.0
"""Seconds after which failures no longer count."""

REMEMBERED: Final = 60.0
"""Seconds for which a success need not be computed again."""

ACCOUNTS: Final = 10_000
SUCCESSES: Final = 1_000
"""How many accounts with failures, and how many successes, are kept in memory."""

_NOBODY: Final = f"$argon2id$v=19$m=19456,t=2,p=1${'A' * 22}${'A' * 43}"
"""A hash of the usual cost that no password has: an unknown user takes as long as a known one."""

log = logging.getLogger(__name__)


def require_password(password: Secret) -> None:
    """Refuses what can't be a new password.

    Raises:
        NotValid: too short, too long, or no text; the field is ``password``.
    """
    length = len(password.reveal())
    if length < SHORTEST:
        raise NotValid(f"a password has {SHORTEST} characters or more", field="password")
    if length > LONGEST:
        raise NotValid(f"a password has {LONGEST} characters at most", field="password")
    if _encoded(password) is None:
        raise NotValid("the password is no Unicode text", field="password")


def hashed(password: Secret) -> str:
    """The hash to store, with its salt and its parameters. Takes some 30 ms: call it in a thread.

    Raises:
        NotValid: it can't be a password.
    """
    require_password(password)
    return _hasher().hash(password.reveal())


@dataclass(slots=True)
class _Turn:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


@dataclass(frozen=True, slots=True)
class _Failures:
    count: int
    last: float

    def open_at(self) -> float:
        """When the next attempt is looked at."""
        beyond = self.count - FREE_FAILURES
        if beyond <= 0:
            return self.last
        return self.last + min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(beyond - 1, 30))


class Slowing:
    """Accounts with failures behind them; ``clock`` gives seconds that never go back.

    When there are too many, the one that failed longest ago is forgotten first.
    """

    def __init__(self, clock: Callable[[], float], accounts: int = ACCOUNTS) -> None:
        self._clock = clock
        self._accounts = accounts
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def admit(self, account: str) -> None:
        """Lets an attempt be looked at.

        Raises:
            TryAgain: not yet; says when.
        """
        failures = self._failures.get(account)
        if failures is None:
            return
        remaining = failures.open_at() - self._clock()
        if remaining > 0:
            seconds = math.ceil(remaining)
            raise TryAgain(f"too many failed logins for this user; try again in {seconds} s")

    def failed(self, account: str) -> None:
        """Counts a failure."""
        now = self._clock()
        before = self._failures.pop(account, None)
        recent = before is not None and now - before.last < FORGOTTEN_AFTER
        count = before.count if before is not None and recent else 0
        self._failures[account] = _Failures(count + 1, now)
        while len(self._failures) > self._accounts:
            self._failures.popitem(last=False)

    def succeeded(self, account: str) -> None:
        """Forgets the failures."""
        self._failures.pop(account, None)


class _Successes:
    """Logins that were right a moment ago, under a key that this process alone has."""

    def __init__(self, clock: Callable[[], float], most: int = SUCCESSES) -> None:
        self._clock = clock
        self._most = most
        self._key = secrets.token_bytes(32)
        self._until: OrderedDict[bytes, float] = OrderedDict()

    def mark(self, account: str, stored: str, password: bytes) -> bytes:
        """What stands for a login; another one once the stored hash has changed."""
        parts = (account.encode(), stored.encode(), password)
        text = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.digest(self._key, text, hashlib.sha256)

    def __contains__(self, mark: bytes) -> bool:
        return self._until.get(mark, -math.inf) > self._clock()

    def add(self, mark: bytes) -> None:
        self._until.pop(mark, None)
        self._until[mark] = self._clock() + REMEMBERED
        while len(self._until) > self._most:
            self._until.popitem(last=False)


class Passwords:
    """Checks passwords; one for a process. ``clock`` gives seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._slowing = Slowing(clock)
        self._successes = _Successes(clock)
        self._turns: dict[str, _Turn] = {}
        self._waiting = 0
        # Threads of its own: a login that is cut off does not make room for a third check.
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="password")

    async def check(self, account: str, password: Secret, stored: str | None) -> bool:
        """Whether it is the password of an account; with no hash it never is, and takes as long.

        Raises:
            TryAgain: the account failed too often just now, or too many logins are waiting.
        """
        async with self._turn(account):
            self._slowing.admit(account)
            plain = _encoded(password)
            if plain is None or len(password.reveal()) > LONGEST:
                self._slowing.failed(account)
                return False
            mark = self._successes.mark(account, stored or "", plain)
            if stored is not None and mark in self._successes:
                return True
            # Counted before it is known: whoever hangs up meanwhile has failed.
            self._slowing.failed(account)
            right = await asyncio.get_running_loop().run_in_executor(
                self._threads, _matches, stored or _NOBODY, password
            )
            if stored is None or not right:
                return False
            self._slowing.succeeded(account)
            self._successes.add(mark)
            return True

    def close(self) -> None:
        """Ends the threads; checks that wait for one are cancelled."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    @asynccontextmanager
    async def _turn(self, account: str) -> AsyncIterator[None]:
        """One login at a time for an account, so that each knows how the one before it ended."""
        if self._waiting >= WAITING:
            raise TryAgain("too many logins at once; try again in a moment")
        turn = self._turns.setdefault(account, _Turn())
        turn.users += 1
        self._waiting += 1
        try:
            async with turn.lock:
                yield
        finally:
            self._waiting -= 1
            turn.users -= 1
            if not turn.users:
                del self._turns[account]


def _hasher() -> PasswordHasher:
    """RFC 9106's algorithm at 19 MiB, two passes, one lane; the library's own costs 200 ms."""
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def _matches(stored: str, password: Secret) -> bool:
    try:
        return _hasher().verify(stored, password.reveal())
    except VerifyMismatchError:
        return False
    except (Argon2Error, InvalidHashError):
        log.exception("a stored password hash can't be read")
        return False


def _encoded(password: Secret) -> bytes | None:
    try:
        return password.reveal().encode()
    except UnicodeEncodeError:
        return None
