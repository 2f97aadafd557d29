"""What happens to JIMM's database: done to one on the tests' server, or to a server of its own."""

import asyncio
import os
import secrets
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from jimm.registry import schema
from jimm.registry.embedded import EmbeddedPostgres

PREFIX: Final = "jimm-test-postgres-"
"""Of folders; what follows is the test run, and the next run removes what a dead one left."""

JIMMS: Final = "application_name IN ('jimm', 'jimm-listen')"
"""The backends of the replicas, and not those of the test."""


class Database:
    """JIMM's database as whoever runs the server sees it."""

    def __init__(self, url: str) -> None:
        self.url = url
        parsed = make_url(url)
        self._name = parsed.database or ""
        self._server = parsed.set(database="postgres").render_as_string(hide_password=False)

    def end_all(self) -> None:
        """Every connection of JIMM's ends."""
        with self._connected() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE {JIMMS} AND datname = %s",
                [self._name],
            )

    def is_left_alone(self) -> bool:
        """Whether no replica is connected."""
        with self._connected() as connection:
            found = connection.execute(
                f"SELECT 1 FROM pg_stat_activity WHERE {JIMMS} AND datname = %s", [self._name]
            )
            return found.fetchone() is None

    def allow(self, *, connections: bool) -> None:
        """Lets nobody in any more, or everybody again."""
        statement = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        with self._connected() as connection:
            word = sql.SQL("true" if connections else "false")
            connection.execute(statement.format(sql.Identifier(self._name), word))

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(self._server, autocommit=True) as connection:
            yield connection


class Wire:
    """Between the replicas and a server: may keep the answers of commits to itself, and break
    the connection instead. ``kept`` counts them."""

    def __init__(self, server_socket: Path) -> None:
        self.keeping = False
        self.kept = 0
        self.port = 0
        self._to = server_socket
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listens on a port of its own."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def aclose(self) -> None:
        """Lets nobody in any more; whoever is connected goes with the server."""
        if self._server is not None:
            self._server.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_unix_connection(self._to)
        except OSError:
            writer.transport.abort()
            return
        passage = _Passage(self)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(passage.ask(reader, back))
                group.create_task(passage.answer(there, writer))
        finally:
            writer.transport.abort()
            back.transport.abort()


class _Passage:
    """One connection's way through."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._commits = False

    async def ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(65536):
                self._commits = self._wire.keeping and b"COMMIT" in chunk
                writer.write(chunk)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.transport.abort()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while chunk := await reader.read(65536):
                if self._commits:
                    self._wire.kept += 1
                    return
                writer.write(chunk)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.transport.abort()


class OwnServer:
    """A server that nobody else uses, which keeps what it was given when it is killed."""

    def __init__(self, folder: Path) -> None:
        self._server = EmbeddedPostgres(folder)
        self.url = self._server.url("jimm")
        self.wire = Wire(Path(str(make_url(self.url).query["host"])) / ".s.PGSQL.5432")

    @property
    def url_over_wire(self) -> str:
        """The database's address for the replicas."""
        return f"postgresql://postgres@127.0.0.1:{self.wire.port}/jimm?sslmode=disable"

    def start(self) -> None:
        """Starts it, or starts it again; blocks."""
        self._server.start()

    def kill(self) -> None:
        """Ends it at once, with everybody connected and nothing put away; blocks."""
        pid = self._server.pid
        assert pid is not None
        os.kill(pid, signal.SIGQUIT)

    def runs(self) -> bool:
        """Whether its process lives."""
        return self._server.pid is not None

    def make(self) -> None:
        """Starts it for the first time, with a database at the newest schema; blocks."""
        self.start()
        with psycopg.connect(self._server.url(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE jimm")
        schema.upgrade(self.url)

    def destroy(self) -> None:
        """Ends it, and removes its data; blocks."""
        self._server.destroy()


@asynccontextmanager
async def own_server() -> AsyncIterator[OwnServer]:
    """A server with an empty registry, and the wire to it."""
    name = f"{PREFIX}{os.getpid()}-{secrets.token_hex(3)}"
    server = OwnServer(Path(tempfile.gettempdir()) / name)
    try:
        await asyncio.to_thread(server.make)
        await server.wire.open()
        yield server
    finally:
        await server.wire.aclose()
        await asyncio.to_thread(server.destroy)
