"""Work that one process does at a time: advisory locks on a connection of its own.

A lock lasts until the process gives it back or is gone. Postgres notices the end of a process at
once, and within seconds that of a machine or of the network to it. In between two may work at
once, for the old holder hears of its loss only when it next asks: nothing may break by that.
"""

import logging
from collections.abc import Collection
from typing import Any, Final

import psycopg

log = logging.getLogger(__name__)

_OPTIONS: Final = " ".join(
    f"-c {name}={value}"
    for name, value in {
        "statement_timeout": "5s",
        "tcp_keepalives_idle": 3,
        "tcp_keepalives_interval": 2,
        "tcp_keepalives_count": 3,
        "tcp_user_timeout": "9s",
    }.items()
)
"""The server's: it looks whether the holder is still there."""

_CLAIM: Final = """
    SELECT name FROM unnest(%s::text[]) AS name
    WHERE pg_try_advisory_lock(hashtextextended('jimm turn ' || name, 0))
"""
_RETURN: Final = """
    SELECT pg_advisory_unlock(hashtextextended('jimm turn ' || name, 0))
    FROM unnest(%s::text[]) AS name
"""


class Turns:
    """What this process has claimed."""

    def __init__(self, url: str, *, application_name: str) -> None:
        self._url = url
        self._name = application_name
        self._held: set[str] = set()
        self._connection: psycopg.AsyncConnection[tuple[Any, ...]] | None = None

    async def claim(self, wanted: Collection[str]) -> frozenset[str]:
        """Those of the names whose turn it is here: all that nobody else holds. Names that are
        wanted no longer are given back. Empty while the database does not answer."""
        try:
            connection = await self._living()
            if leaving := self._held.difference(wanted):
                await connection.execute(_RETURN, [list(leaving)])
                self._held -= leaving
            cursor = await connection.execute(_CLAIM, [list(set(wanted) - self._held)])
            self._held.update(name for (name,) in await cursor.fetchall())
        except (psycopg.Error, OSError) as error:
            log.warning("the turns could not be claimed: %s", type(error).__name__)
            await self.aclose()
        return frozenset(self._held)

    async def aclose(self) -> None:
        """Gives everything back."""
        connection, self._connection = self._connection, None
        self._held.clear()
        if connection is not None:
            await connection.close()

    async def _living(self) -> psycopg.AsyncConnection[tuple[Any, ...]]:
        if self._connection is None or self._connection.closed:
            self._held.clear()
            self._connection = await psycopg.AsyncConnection.connect(
                self._url,
                autocommit=True,
                application_name=self._name,
                connect_timeout=10,
                options=_OPTIONS,
            )
        return self._connection
