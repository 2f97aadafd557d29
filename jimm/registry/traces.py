"""What logins leave behind: when a token was last used, somebody last logged in, or connected to
a model. It is written a moment later, what all logins of that moment left in one transaction.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from jimm.net.tasks import Tasks

WRITTEN_AFTER: Final = 1.0
"""Seconds that what is left behind stays in memory."""

NOTED_EVERY: Final = 60.0
"""Seconds; how exactly the last connection to a model is known."""

MOST: Final = 10_000
"""Traces of one kind in memory. Whoever can log in has a database that takes them, so that more
than a second's logins gather only while it goes away."""

PARTING: Final = 5.0
"""Seconds for the last of them at a stop."""

# In each the rows are locked in an order, so that replicas do not wait for each other in a ring.
_USED: Final = text(
    """
    UPDATE tokens SET last_used_at = now(), expires_at = greatest(expires_at, used.until)
    FROM (
        SELECT tokens.id, given.until
        FROM unnest(CAST(:tokens AS uuid[]), CAST(:untils AS timestamptz[])) AS given (id, until)
        JOIN tokens ON tokens.id = given.id AND tokens.revoked_at IS NULL
        ORDER BY tokens.id FOR NO KEY UPDATE OF tokens
    ) AS used
    WHERE tokens.id = used.id
    """
)
_LOGGED_IN: Final = text(
    """
    UPDATE identities SET last_login_at = now()
    WHERE id IN (
        SELECT id FROM identities WHERE id = ANY(:identities) ORDER BY id FOR NO KEY UPDATE
    )
    """
)
_CONNECTED: Final = text(
    """
    INSERT INTO model_connections (model_id, identity_id)
    SELECT models.id, identities.id
    FROM unnest(CAST(:models AS uuid[]), CAST(:names AS text[])) AS given (model, name)
    JOIN models ON models.uuid = given.model JOIN identities ON identities.name = given.name
    ORDER BY models.id, identities.id
    ON CONFLICT (model_id, identity_id) DO UPDATE SET at = now()
    WHERE model_connections.at < now() - interval '1 minute'
    """
)
"""As text: SQLAlchemy compiles an upsert anew each time."""

_TRY_AGAIN: Final = (DBAPIError, OSError, TimeoutError)
"""When the database does not take it just now."""

log = logging.getLogger(__name__)

Write = Callable[[], AbstractAsyncContextManager[AsyncSession]]


class Traces:
    """``write`` opens a transaction; ``clock`` gives seconds that never go back."""

    def __init__(self, write: Write, clock: Callable[[], float] = time.monotonic) -> None:
        self._write = write
        self._clock = clock
        self._uses: dict[str, datetime] = {}
        self._logins: set[int] = set()
        self._connections: set[tuple[str, str]] = set()
        self._noted: dict[tuple[str, str], float] = {}
        self._turn = asyncio.Lock()
        self._tasks = Tasks()
        self._is_writing = False

    def used(self, token_id: str, until: datetime) -> None:
        """A token was used now, and lives until then."""
        if len(self._uses) < MOST:
            self._uses[token_id] = until
            self._begin()

    def logged_in(self, identity_id: int) -> None:
        """Somebody logged in now."""
        if len(self._logins) < MOST:
            self._logins.add(identity_id)
            self._begin()

    def connected(self, model: str, identity: str) -> None:
        """Somebody connected to a model now."""
        now, pair = self._clock(), (model, identity)
        noted = self._noted.get(pair)
        if (noted is not None and now - noted < NOTED_EVERY) or len(self._connections) >= MOST:
            return
        if len(self._noted) >= MOST:
            self._noted.clear()
        self._noted[pair] = now
        self._connections.add(pair)
        self._begin()

    async def flush(self) -> None:
        """Returns when all of it is written.

        Raises:
            DBAPIError, OSError, TimeoutError: the database does not take it; it is kept.
        """
        async with self._turn:
            uses, self._uses = self._uses, {}
            logins, self._logins = self._logins, set()
            connections, self._connections = self._connections, set()
            try:
                await self._keep(uses, logins, connections)
            except (*_TRY_AGAIN, asyncio.CancelledError):
                self._uses = uses | self._uses
                self._logins |= logins
                self._connections |= connections
                raise

    async def aclose(self) -> None:
        """Writes what is left, if the database takes it in time."""
        await self._tasks.aclose()
        try:
            async with asyncio.timeout(PARTING):
                await self.flush()
        except _TRY_AGAIN:
            log.warning("the last logins could not be noted")

    def _begin(self) -> None:
        if not self._is_writing:
            self._is_writing = True
            self._tasks.spawn(self._write_soon(), name="note logins")

    async def _write_soon(self) -> None:
        try:
            while self._uses or self._logins or self._connections:
                await asyncio.sleep(WRITTEN_AFTER)
                try:
                    await self.flush()
                except _TRY_AGAIN as error:
                    log.warning("logins not noted yet, trying again: %s", type(error).__name__)
        finally:
            self._is_writing = False

    async def _keep(
        self, uses: dict[str, datetime], logins: set[int], connections: set[tuple[str, str]]
    ) -> None:
        if not (uses or logins or connections):
            return
        pairs = sorted(connections)
        async with self._write() as session:
            if uses:
                given = {"tokens": list(uses), "untils": list(uses.values())}
                await session.execute(_USED, given)
            if logins:
                await session.execute(_LOGGED_IN, {"identities": sorted(logins)})
            if pairs:
                given = {"models": [a for a, _ in pairs], "names": [b for _, b in pairs]}
                await session.execute(_CONNECTED, given)
