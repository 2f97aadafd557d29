"""A relay in front of Postgres that understands what it passes on (PostgreSQL's documentation,
"Frontend/Backend Protocol"), so that a test can count what was asked, whoever asked it and how.
"""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from sqlalchemy.engine import URL, make_url


@dataclass
class Overheard:
    """``statements`` are those that were run, in order; ``round_trips`` how often somebody waited
    for Postgres. Give ``url`` to who is to be listened to."""

    url: str = ""
    statements: list[str] = field(default_factory=list)
    round_trips: int = 0

    def clear(self) -> None:
        """Forgets what was heard."""
        self.statements.clear()
        self.round_trips = 0


@asynccontextmanager
async def overheard(database_url: str) -> AsyncIterator[Overheard]:
    """Postgres at ``database_url``, overheard; whoever still is connected at the end is cut."""
    heard, there = Overheard(), make_url(database_url)
    writers: set[asyncio.StreamWriter] = set()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, questions = await _connected(there)
        both = {writer, questions}
        writers.update(both)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_ask(reader, questions, heard))
                group.create_task(_copy(answers, writer))
        finally:
            writers.difference_update(both)
            for each in both:
                each.close()

    server = await asyncio.start_server(pass_on, "127.0.0.1", 0)
    here = there.set(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
    plain = {"sslmode": "disable", "gssencmode": "disable"}
    heard.url = here.set(query=plain).render_as_string(hide_password=False)
    try:
        yield heard
    finally:
        server.close()
        for each in list(writers):
            each.transport.abort()
        await server.wait_closed()


async def _connected(url: URL) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = url.query.get("host") or url.host or "127.0.0.1", url.port or 5432
    assert isinstance(host, str)
    if host.startswith("/"):
        return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
    return await asyncio.open_connection(host, port)


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: Overheard
) -> None:
    parsed: dict[bytes, str] = {}
    bound = b""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        start = await reader.readexactly(4)
        writer.write(start + await reader.readexactly(_length(start)))
        while True:
            head = await reader.readexactly(5)
            body = await reader.readexactly(_length(head[1:]))
            writer.write(head + body)
            match head[:1]:
                case b"P":
                    name, text = body.split(b"\0", 2)[:2]
                    parsed[name] = text.decode()
                case b"B":
                    bound = body.split(b"\0", 2)[1]
                case b"E":
                    heard.statements.append(parsed[bound])
                case b"Q":
                    heard.statements.append(body[:-1].decode())
                    heard.round_trips += 1
                case b"S":
                    heard.round_trips += 1
            await writer.drain()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()


def _length(head: bytes) -> int:
    return int(struct.unpack("!I", head)[0]) - 4
