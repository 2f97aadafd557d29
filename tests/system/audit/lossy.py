"""A relay in front of Postgres that can lose what it carries, at the worst moment."""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.engine import make_url

_SOCKET = ".s.PGSQL.5432"


class Lossy:
    """Listens on a Unix socket in a folder of its own.

    ``lose_answer_to`` is what a client says whose answer is lost, with the connection;
    ``lose`` is what a client says that does not arrive, nor anything after it. Each happens once.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self._there = make_url(url)
        self._folder = folder
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.lose_answer_to = b""
        self.lose = b""
        self.lost = 0

    @property
    def url(self) -> str:
        """The database as it is reached through here."""
        here = self._there.set(host=None, port=None, query={"host": str(self._folder)})
        return here.render_as_string(hide_password=False)

    async def open(self) -> None:
        """Lets everybody through."""
        path = self._folder / _SOCKET
        path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._pass, str(path))

    async def cut(self) -> None:
        """Breaks all connections, and refuses new ones."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        if self._server is not None:
            await self._server.wait_closed()

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host = self._there.query.get("host")
        if isinstance(host, str):
            return await asyncio.open_unix_connection(f"{host}/{_SOCKET}")
        return await asyncio.open_connection(self._there.host, self._there.port or 5432)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await self._dial()
        both = {writer, back}
        self._writers |= both
        answers = asyncio.Event()
        answers.set()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._forward(reader, back, there, writer, answers))
                group.create_task(self._answer(there, writer, answers))
        finally:
            self._writers -= both
            for each in both:
                each.transport.abort()

    async def _forward(
        self,
        reader: asyncio.StreamReader,
        back: asyncio.StreamWriter,
        there: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answers: asyncio.Event,
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await reader.read(65536):
                if self.lose and self.lose in chunk:
                    self.lose, self.lost = b"", self.lost + 1
                    break
                if self.lose_answer_to and self.lose_answer_to in chunk:
                    self.lose_answer_to, self.lost = b"", self.lost + 1
                    answers.clear()
                back.write(chunk)
                await back.drain()
        writer.transport.abort()
        back.transport.abort()

    async def _answer(
        self, there: asyncio.StreamReader, writer: asyncio.StreamWriter, answers: asyncio.Event
    ) -> None:
        with contextlib.suppress(ConnectionError):
            while chunk := await there.read(65536):
                if not answers.is_set():
                    break
                writer.write(chunk)
                await writer.drain()
        writer.transport.abort()


@asynccontextmanager
async def lossy(url: str) -> AsyncIterator[Lossy]:
    """A relay that lets everything through, as yet."""
    folder = Path(tempfile.mkdtemp(prefix="jimm-lossy-"))
    relay = Lossy(url, folder)
    await relay.open()
    try:
        yield relay
    finally:
        await relay.cut()
        shutil.rmtree(folder)
