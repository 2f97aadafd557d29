"""Transactions on the registry, for reading or for writing."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Any, Final

from sqlalchemy import DateTime, event, func, select, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DataError, DBAPIError, InvalidatePoolError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry, PoolProxiedConnection

from jimm.errors import ConfigurationError, NotValid
from jimm.registry.listen import Event, notifications
from jimm.registry.prepared import Desk, Question
from jimm.registry.traces import Traces
from jimm.registry.turns import Turns

_USED: Final = "jimm-used"
_LOOKS: Final = 200
_LOOK_EVERY: Final = 0.01
_INDEXED: Final = "-c random_page_cost=1.1"
"""Postgres plans for a disk that seeks, and would read all of a table for a tenth of its rows;
what JIMM reads is in memory, or on a disk without a head. (Decision 0016.)"""

_UNSTORABLE: Final = "a value holds characters, or a number, that cannot be kept"


class ReadSession(AsyncSession):
    """A session that Postgres itself keeps from writing."""


class WriteSession(ReadSession):
    """A transaction that may write; whoever opened it commits it, once, by leaving it."""


class Registry:
    """The database and its connections.

    ``url`` is a plain ``postgresql://`` address. ``statement_timeout`` and ``pool_timeout``
    (waiting for a free connection) are seconds. There may be ``pool_size`` and ``max_overflow``
    connections for reading, and as many for writing. One that was used is believed to live for
    ``believed_for`` seconds, and looked at after that.

    ``traces`` are what logins leave behind.
    """

    def __init__(
        self,
        url: str,
        *,
        application_name: str = "jimm",
        pool_size: int = 10,
        max_overflow: int = 10,
        pool_timeout: float = 10.0,
        statement_timeout: float = 15.0,
        believed_for: float = 1.0,
    ) -> None:
        self._url = sqlalchemy_url(url)
        self._application_name = application_name
        timeout = f"-c statement_timeout={int(statement_timeout * 1000)} -c timezone=UTC"
        make = partial(
            create_async_engine,
            self._url,
            pool_size=pool_size,
            max_overflow=max_overflow,
            pool_timeout=pool_timeout,
            pool_use_lifo=True,  # a connection in use has its statements prepared and planned
            hide_parameters=True,
        )
        connect = {"application_name": application_name, "connect_timeout": 10}
        self._engine = make(connect_args={**connect, "options": timeout})
        # One round trip instead of three: each statement has a snapshot of its own anyway.
        read_only = f"{timeout} {_INDEXED} -c default_transaction_read_only=on"
        self._reading = make(
            isolation_level="AUTOCOMMIT", connect_args={**connect, "options": read_only}
        )
        for engine in (self._engine, self._reading):
            _ping_when_idle(engine, believed_for)
        self._desk = Desk(
            self._plain_url(),
            application_name=application_name,
            options=f"{timeout} {_INDEXED}",
            patience=pool_timeout + statement_timeout,
        )
        self.traces = Traces(self.write)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadSession]:
        """Reading: one snapshot per statement, and nothing can be written.

        Raises:
            NotValid: Postgres can't hold a value that was asked for, such as a NUL.
        """
        async with ReadSession(self._reading, expire_on_commit=False, autoflush=False) as session:
            try:
                yield session
            except DataError as error:
                raise NotValid(_UNSTORABLE) from error

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteSession]:
        """A transaction for writing: committed at the end, rolled back by an exception.

        Raises:
            NotValid: Postgres can't hold a value that was given, such as a NUL.
        """
        async with WriteSession(self._engine, expire_on_commit=False, autoflush=False) as session:
            try:
                yield session
                await session.commit()
            except DataError as error:
                raise NotValid(_UNSTORABLE) from error

    async def ask(self, question: Question, **values: object) -> list[dict[str, Any]]:
        """The rows that answer a question, by the names of their columns: one statement, in one
        round trip.

        Raises:
            NotValid: Postgres can't hold one of the values, such as a NUL.
        """
        return await self._desk.ask(question, values)

    async def head(self) -> str | None:
        """The schema revision that the database is at; ``None`` when it was never upgraded."""
        async with self.read() as session:
            try:
                revision = await session.scalar(text("SELECT version_num FROM alembic_version"))
            except ProgrammingError:
                return None
        return None if revision is None else str(revision)

    async def ping(self) -> None:
        """Returns when the database answers.

        Raises:
            ConfigurationError: it does not.
        """
        try:
            async with self.read() as session:
                await session.execute(text("SELECT 1"))
        except (DBAPIError, OSError, TimeoutError) as error:
            raise ConfigurationError("the database does not answer") from error

    def listen(self, *channels: str) -> AsyncGenerator[Event, None]:
        """What is notified on these channels, for ever, on a connection of its own.

        The first event, and the first after each lost connection, is ``Reconnected``: what was
        notified before it may have been missed, so the reader reads the tables again.
        Close it with ``aclose()`` (or ``contextlib.aclosing``) to free its connection.
        """
        name = f"{self._application_name}-listen"
        return notifications(self._plain_url(), channels, application_name=name)

    def turns(self) -> Turns:
        """What one process does at a time; whoever asks for it closes it."""
        return Turns(self._plain_url(), application_name=f"{self._application_name}-turns")

    async def aclose(self) -> None:
        """Writes what is left to write, and closes every connection; those that a cancelled
        task is just giving back have a moment to come."""
        await self.traces.aclose()
        await self._desk.aclose()
        for engine in (self._engine, self._reading):
            for _ in range(_LOOKS):
                if not _out(engine):
                    break
                await asyncio.sleep(_LOOK_EVERY)
            await engine.dispose()

    def _plain_url(self) -> str:
        return self._url.set(drivername="postgresql").render_as_string(hide_password=False)


def sqlalchemy_url(url: str) -> URL:
    """The address with the driver that JIMM uses.

    Raises:
        ConfigurationError: it is no address of a Postgres database.
    """
    try:
        parsed = make_url(url)
    except Exception as error:
        raise ConfigurationError("the database's URL can't be read") from error
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigurationError("the database's URL must begin with postgresql://")
    return parsed.set(drivername="postgresql+psycopg")


async def notify(session: WriteSession, channel: str, payload: str) -> None:
    """Tells all listeners, when and if this transaction commits. At most 7999 bytes."""
    await session.execute(select(func.pg_notify(channel, payload)))


async def now(session: ReadSession) -> datetime:
    """The database's clock, this instant."""
    clock = select(func.clock_timestamp(type_=DateTime(timezone=True)))
    return (await session.execute(clock)).scalar_one()


async def lock(session: WriteSession, name: str) -> None:
    """Waits for the advisory lock of this name and holds it until the transaction's end."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def _out(engine: AsyncEngine) -> int:
    """How many connections are in use."""
    pool = engine.pool
    return pool.checkedout() if isinstance(pool, AsyncAdaptedQueuePool) else 0


def _ping_when_idle(engine: AsyncEngine, believed_for: float) -> None:
    """Looks whether a connection still lives that nobody used for so many seconds.

    SQLAlchemy's own ``pool_pre_ping`` looks each time, which is a round trip for each
    transaction. A database that goes away between two looks is one error, and all of the pool's
    connections are made anew.
    """
    pool = engine.sync_engine.pool

    def came_back(_: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info[_USED] = time.monotonic()

    def is_taken(
        connection: DBAPIConnection, record: ConnectionPoolEntry, _: PoolProxiedConnection
    ) -> None:
        if time.monotonic() - record.info.get(_USED, time.monotonic()) < believed_for:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

    event.listen(pool, "checkin", came_back)
    event.listen(pool, "checkout", is_taken)
