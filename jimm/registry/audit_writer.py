"""Batches of audit records by COPY, each written once.

Whether a commit whose answer was lost has happened can't be known from the connection. So each
writer counts its batches in a row of its own, in the transaction of the batch: one that is tried
again waits for the lost transaction's end, and sees from the row whether it was written.
"""

import asyncio
import logging
import re
import uuid
from typing import Final

import psycopg

from jimm.registry.audit_months import Month, statements
from jimm.registry.session import sqlalchemy_url

log = logging.getLogger(__name__)

DEADLINE: Final = 30.0
"""Seconds that one batch may take."""

_MONTH: Final = re.compile(r"= \((\d{4})-(\d\d)-")
_MOST_MONTHS: Final = 24

Connection = psycopg.AsyncConnection[tuple[object, ...]]


class Away(Exception):
    """It is not known to be written."""


class Refused(Exception):
    """Postgres does not take what is in it."""


class AuditWriter:
    """Writes batches on a connection of its own; ``url`` is an address as
    :class:`~jimm.registry.session.Registry` takes it."""

    def __init__(self, url: str, *, application_name: str = "jimm-audit") -> None:
        self._url = sqlalchemy_url(url).set(drivername="postgresql")
        self._application_name = application_name
        self._id = str(uuid.uuid4())
        self._written = 0
        self._connection: Connection | None = None

    async def write(self, columns: tuple[str, ...], data: bytes) -> None:
        """Writes a batch, whole and once; one that raised :class:`Away` is to be tried again
        before any other.

        Raises:
            Away: it is not known to be written.
            Refused: Postgres does not take what is in it.
        """
        whole = False
        try:
            async with asyncio.timeout(DEADLINE):
                connection = await self._connected()
                await self._write(connection, columns, data)
                whole = True
        except psycopg.DataError as error:
            raise Refused(type(error).__name__) from error
        except (psycopg.Error, OSError, TimeoutError) as error:
            raise Away(type(error).__name__) from error
        finally:
            if not whole:
                await self._drop()

    async def aclose(self) -> None:
        """Closes the connection; its row is of no use any more."""
        try:
            async with asyncio.timeout(1):
                if self._connection is not None:
                    await self._connection.execute(
                        "DELETE FROM audit_writers WHERE id = %s", [self._id]
                    )
        except (psycopg.Error, OSError, TimeoutError):
            log.debug("the audit writer's row stays; it goes with time")
        finally:
            await self._drop()

    async def _connected(self) -> Connection:
        if self._connection is None:
            milliseconds = int(DEADLINE * 1000)
            self._connection = await psycopg.AsyncConnection.connect(
                self._url.render_as_string(hide_password=False),
                autocommit=True,
                application_name=self._application_name,
                prepare_threshold=None,
                connect_timeout=10,
                options=f"-c timezone=UTC -c statement_timeout={milliseconds}"
                f" -c idle_in_transaction_session_timeout={milliseconds}",
            )
        return self._connection

    async def _write(self, connection: Connection, columns: tuple[str, ...], data: bytes) -> None:
        for _ in range(_MOST_MONTHS):
            try:
                await self._try(connection, columns, data)
            except psycopg.errors.CheckViolation as error:
                await connection.execute("ROLLBACK")
                await _make_month(connection, error)
            else:
                self._written += 1
                return
        raise Refused("its records are of too many months")

    async def _try(self, connection: Connection, columns: tuple[str, ...], data: bytes) -> None:
        cursor = await connection.execute(self._counting())
        cursor.nextset()  # the first one is of BEGIN
        if cursor.rowcount == 0:
            await connection.execute("ROLLBACK")
            return
        async with cursor.copy(_copy(columns)) as copying:
            await copying.write(data)
        await connection.execute("COMMIT")

    def _counting(self) -> bytes:
        """Begins a transaction and counts the batch, in one round trip; no row changes where it
        was counted before."""
        text = f"""
            BEGIN;
            INSERT INTO audit_writers (id, batches) VALUES ('{self._id}', {self._written + 1})
            ON CONFLICT (id) DO UPDATE SET batches = excluded.batches, seen = now()
            WHERE audit_writers.batches <> excluded.batches
        """  # noqa: S608 - a uuid and a number of our own
        return text.encode()

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()


def _copy(columns: tuple[str, ...]) -> bytes:
    return f"COPY audit_events ({', '.join(columns)}) FROM STDIN".encode()


async def _make_month(connection: Connection, error: psycopg.errors.CheckViolation) -> None:
    """Makes the partition that a record had no place in."""
    found = _MONTH.search(error.diag.message_detail or "")
    if found is None:
        raise Refused("a record breaks a rule") from error
    async with connection.transaction():
        for statement in statements(Month(int(found[1]), int(found[2]))):
            await connection.execute(statement)
