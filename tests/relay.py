"""A real TCP relay in front of a server, which can be cut and opened again, or go silent."""

import asyncio
import contextlib
from types import TracebackType


class Relay:
    """Listens on a port of its own and passes bytes on to ``port`` of this machine."""

    def __init__(self, port: int) -> None:
        self._to = port
        self._port = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self.accepted = 0

    def stall(self) -> None:
        """Lets nothing through any more, and tells nobody: as if the network were gone."""
        self._flows.clear()

    def flow(self) -> None:
        """Lets everything through again."""
        self._flows.set()

    @property
    def address(self) -> str:
        """Where it listens; the same after a cut."""
        return f"127.0.0.1:{self._port}"

    async def open(self) -> None:
        """Listens, and lets everything through."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", self._port)
        self._port = int(self._server.sockets[0].getsockname()[1])

    async def cut(self) -> None:
        """Breaks all connections, and refuses new ones."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        if self._server is not None:
            await self._server.wait_closed()

    async def __aenter__(self) -> "Relay":
        await self.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.cut()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        there, back = await asyncio.open_connection("127.0.0.1", self._to)
        both = {writer, back}
        self._writers |= both
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_copy(reader, back, self._flows))
                group.create_task(_copy(there, writer, self._flows))
        finally:
            self._writers -= both
            for each in both:
                each.close()


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flows: asyncio.Event
) -> None:
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(65536):
            await flows.wait()
            writer.write(chunk)
            await writer.drain()
        await flows.wait()
        writer.close()
