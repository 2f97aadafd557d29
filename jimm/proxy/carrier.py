"""One HTTP request to a controller and its answer, both in pieces, never whole in memory.

A connection is used once: uploads are rare and large, and a fresh one always leads to whom the
registry names now.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import h11

from jimm.controllers import deadlines
from jimm.controllers.endpoint import Endpoint
from jimm.errors import ControllerUnavailable, LostAnswer
from jimm.net.dial import Address, race
from jimm.proxy.paths import Headers

PIECE: Final = 64 * 1024
"""Bytes that are read at once, and that may wait before the other side is not read any more."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long nothing may move, in seconds.

    ``stall`` while a body is on its way, either way; ``answer`` from the last byte of a request
    to the first of its answer, for a controller unpacks and stores what it was sent.
    """

    dial: float = deadlines.DIAL
    stall: float = 60.0
    answer: float = 300.0


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of an answer."""

    status: int
    headers: Headers


class Exchange:
    """A connection with one request under way; :meth:`abort` it in the end."""

    def __init__(
        self,
        endpoint: Endpoint,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        pace: Pace,
    ) -> None:
        self._endpoint = endpoint
        self._reader = reader
        self._writer = writer
        self._pace = pace
        self._http = h11.Connection(h11.CLIENT)

    async def begin(self, method: str, target: str, headers: Headers) -> None:
        """Sends the head of the request.

        A body follows if the headers have a ``Content-Length`` or a ``Transfer-Encoding``.

        Raises:
            LostAnswer: the connection is gone, or nothing moved for too long.
        """
        own = [(b"host", self._endpoint.server_name.encode()), (b"connection", b"close")]
        await self._send(h11.Request(method=method, target=target, headers=own + headers))

    async def send(self, piece: bytes) -> None:
        """Sends a piece of the body; waits while the controller takes nothing.

        Raises:
            LostAnswer: as :meth:`begin`.
        """
        await self._send(h11.Data(data=piece))

    async def end(self) -> None:
        """The request is whole.

        Raises:
            LostAnswer: as :meth:`begin`.
        """
        await self._send(h11.EndOfMessage())

    async def head(self) -> Head:
        """The head of the answer, however long it takes; it may come before the request's end.

        Raises:
            LostAnswer: the connection ended without one, or it is not HTTP.
        """
        while True:
            event = await self._next(None)
            if isinstance(event, h11.Response):
                return Head(event.status_code, [(name, value) for name, value in event.headers])
            if not isinstance(event, h11.InformationalResponse):
                raise self._lost("ended its answer before it began")

    async def body(self) -> AsyncIterator[bytes]:
        """The body of the answer, piece by piece.

        Raises:
            LostAnswer: it is cut short, or nothing came for too long.
        """
        while True:
            event = await self._next(self._pace.stall)
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return
            else:
                raise self._lost("cut its answer short")

    def abort(self) -> None:
        """Drops the connection."""
        self._writer.transport.abort()

    async def _send(self, event: h11.Event) -> None:
        try:
            data = self._http.send(event)
        except h11.LocalProtocolError as error:
            raise self._lost("was to be sent what is no HTTP") from error
        if data:
            self._writer.write(data)
        try:
            async with asyncio.timeout(self._pace.stall):
                await self._writer.drain()
        except TimeoutError as error:
            raise self._lost(f"took nothing for {self._pace.stall:g} s") from error
        except OSError as error:
            raise self._lost("closed the connection") from error

    async def _next(self, patience: float | None) -> h11.Event:
        try:
            while not isinstance(event := self._http.next_event(), h11.Event):
                async with asyncio.timeout(patience):
                    self._http.receive_data(await self._reader.read(PIECE))
        except TimeoutError as error:
            raise self._lost(f"sent nothing for {patience:g} s") from error
        except (OSError, h11.RemoteProtocolError) as error:
            raise self._lost("broke off its answer") from error
        return event

    def _lost(self, what: str) -> LostAnswer:
        return LostAnswer(f"{self._endpoint} {what}")


async def open_exchange(endpoint: Endpoint, pace: Pace) -> Exchange:
    """A connection to the controller, at the first address that answers with its certificate.

    Raises:
        ControllerUnavailable: none answered in time; ``why`` says which and how.
    """

    async def attempt(address: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(
            address.host,
            address.port,
            ssl=endpoint.tls(),
            server_hostname=endpoint.server_name,
            limit=PIECE,
        )

    try:
        reader, writer = await race(
            endpoint.addresses,
            attempt,
            discard=lambda lost: lost[1].transport.abort(),
            deadline=pace.dial,
        )
    except ControllerUnavailable as error:
        raise ControllerUnavailable(f"{endpoint} is not reachable now", why=str(error)) from error
    writer.transport.set_write_buffer_limits(high=PIECE)
    return Exchange(endpoint, reader, writer, pace)
