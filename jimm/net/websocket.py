"""A websocket client: whole messages in, whole messages out, nothing about their content.

Compression is off (Juju offers none), pings keep both ends honest, and the close handshake is
answered. A thin layer over the ``websockets`` library, so that its exceptions stay here.
"""

import ssl
from collections.abc import Mapping, Sequence
from typing import Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    WebSocketException,
)
from websockets.protocol import State

from jimm.errors import ControllerUnavailable
from jimm.net.dial import Address, keep_alive, race

MAX_MESSAGE: Final = 64 * 1024 * 1024
PING_INTERVAL: Final = 20.0
PING_DEADLINE: Final = 20.0
CLOSE_DEADLINE: Final = 2.0
WAITING: Final = 16
_TOO_BIG: Final = 1009


class Disconnected(ConnectionError):
    """The connection is gone. ``sent`` tells whether bytes of the message may have left."""

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class Websocket:
    """One open connection."""

    def __init__(self, connection: ClientConnection, address: Address) -> None:
        self._connection = connection
        self.address = address

    async def send(self, message: bytes) -> None:
        """Sends one text message; waits while the peer reads slower than we write.

        Raises:
            Disconnected: with ``sent`` false only where no byte was handed to the socket.
        """
        if self._connection.state is not State.OPEN:
            raise Disconnected(self._farewell(), sent=False)
        try:
            await self._connection.send(message, text=True)
        except ConnectionClosed as error:
            raise Disconnected(self._farewell(error), sent=True) from error

    async def receive(self) -> bytes:
        """The next message, whether it came as text or as binary.

        Raises:
            Disconnected: the peer closed, was silent for too long, or sent more than the bound.
        """
        try:
            return await self._connection.recv(decode=False)
        except ConnectionClosed as error:
            raise Disconnected(self._farewell(error), sent=True) from error

    async def aclose(self) -> None:
        """The close handshake, then the socket; bounded by two seconds."""
        await self._connection.close()

    def abort(self) -> None:
        """Drops the socket at once."""
        self._connection.transport.abort()

    def _farewell(self, error: ConnectionClosed | None = None) -> str:
        ours = error.sent if error is not None else None  # 1009 is said by whoever refuses
        if _TOO_BIG in {self._connection.close_code, ours.code if ours is not None else None}:
            return f"{self.address} sent or was sent too large a message"
        return f"the connection to {self.address} was closed ({self._connection.close_code})"


async def open_websocket(
    addresses: Sequence[str],
    path: str,
    *,
    context: ssl.SSLContext,
    server_hostname: str,
    deadline: float,
    headers: Mapping[str, str] | None = None,
    max_message: int = MAX_MESSAGE,
    waiting: int = WAITING,
    pings: bool = True,
) -> Websocket:
    """A websocket to ``path`` at the first address that answers, TLS and upgrade included.

    ``max_message`` bounds what is received, in bytes, and ``waiting`` how many messages may
    wait to be read. Without ``pings`` the system looks whether the peer's machine is there:
    for peers that read nothing, and so answer none.

    Raises:
        ControllerUnavailable: none answered as a websocket within ``deadline`` seconds.
        NotValid: one of the addresses can't be read.
    """

    async def attempt(address: Address) -> Websocket:
        opening = connect(
            f"wss://{address}{path}",
            host=address.host,  # said again, so that redirects to elsewhere are refused
            port=address.port,
            ssl=context,
            server_hostname=server_hostname,
            compression=None,
            proxy=None,
            additional_headers=headers,
            user_agent_header="jimm",
            open_timeout=None,
            ping_interval=PING_INTERVAL if pings else None,
            ping_timeout=PING_DEADLINE,
            close_timeout=CLOSE_DEADLINE,
            max_size=max_message,
            max_queue=waiting,
        )
        return await _opened(opening, address, pings=pings)

    return await race(addresses, attempt, discard=Websocket.abort, deadline=deadline)


async def _opened(opening: connect, address: Address, *, pings: bool) -> Websocket:
    try:
        connection = await opening
        if not pings:
            keep_alive(connection.transport)
        return Websocket(connection, address)
    except OSError:  # a failed certificate check is a ValueError besides
        raise
    except (WebSocketException, ValueError) as error:
        raise ControllerUnavailable(_refusal(error)) from error


def _refusal(error: Exception) -> str:
    match error:
        case InvalidStatus():
            return f"it answered HTTP {error.response.status_code} in place of a websocket"
        case InvalidHandshake():
            return "it does not speak the websocket protocol"
        case _:
            return "its answer makes no sense"
