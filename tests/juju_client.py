"""A raw client of the Juju RPC for tests: it sends what it is told and judges nothing."""

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from jimm.net.tasks import Tasks
from jimm.net.tls import client_context
from jimm.wire.envelope import Request, encode_request


@dataclass(frozen=True)
class Registration:
    """Where a controller is and how its administrator logs in."""

    name: str
    uuid: str
    address: str
    ca: str
    user: str
    password: str = field(repr=False)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Registration":
        """From what ``jimm simulate`` prints and ``jimmctl add-controller`` reads."""
        return cls(
            name=document["name"],
            uuid=document["uuid"],
            address=document["api-addresses"][0],
            ca=document["ca-certificate"],
            user=document["username"],
            password=document["password"],
        )


class Refused(Exception):
    """An error reply."""

    def __init__(self, message: str, code: str, info: Any) -> None:
        super().__init__(f"{message} ({code or 'no code'})")
        self.message = message
        self.code = code
        self.info = info


class Socket:
    """One websocket to a controller."""

    def __init__(self, connection: ClientConnection, tasks: Tasks) -> None:
        self.connection = connection
        self._tasks = tasks
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._last = 0
        self.unasked: list[Any] = []

    async def call(
        self,
        facade: str,
        version: int,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        object_id: str = "",
        deadline: float = 30,
    ) -> Any:
        """The result of one call.

        Raises:
            Refused: an error reply.
            TimeoutError: no reply in time.
        """
        # Not wait_for: Python 3.11's loses a cancellation that comes just after the reply.
        async with asyncio.timeout(deadline):
            reply = await self.send(facade, version, method, params, object_id=object_id)
        assert "response" in reply, reply
        if "error" in reply:
            raise Refused(reply["error"], reply.get("error-code", ""), reply.get("error-info"))
        return reply["response"]

    async def send(
        self,
        facade: str,
        version: int,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        object_id: str = "",
    ) -> dict[str, Any]:
        """The whole reply of one call."""
        self._last += 1
        number = self._last
        waiting: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        request = Request(
            request_id=number,
            type=facade,
            version=version,
            request=method,
            id=object_id,
            params={} if params is None else params,
        )
        await self.connection.send(encode_request(request).decode())
        return await waiting

    async def login(self, user: str, password: str) -> Any:
        """Logs in with a password; ``user`` without a tag's prefix."""
        params = {"auth-tag": f"user-{user}", "credentials": password, "client-version": "3.6.9"}
        return await self.call("Admin", 3, "Login", params)

    async def login_with(self, token: str) -> Any:
        """Logs in with a compact JWT."""
        encoded = base64.b64encode(token.encode()).decode()
        return await self.call("Admin", 3, "Login", {"auth-tag": "", "token": encoded})

    async def closed(self, deadline: float = 15) -> int | None:
        """Waits for the end; the close code, ``None`` for an end without a close frame."""
        await asyncio.wait_for(self.connection.wait_closed(), deadline)
        received = self.connection.protocol.close_rcvd
        return received.code if received is not None else None

    def spawn_call(
        self, facade: str, version: int, method: str, *, object_id: str = ""
    ) -> "asyncio.Task[Any]":
        """A call that goes on while the test does something else."""
        call = self.call(facade, version, method, object_id=object_id)
        return self._tasks.spawn(call, name=f"{facade}.{method}")

    async def read(self) -> None:
        """Hands replies to their calls, until the socket ends."""
        try:
            async for message in self.connection:
                self._hand_over(msgspec.json.decode(message))
        except ConnectionClosed:
            pass  # cut; whoever waits hears of it
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError("the socket ended"))

    def _hand_over(self, reply: dict[str, Any]) -> None:
        waiting = self._waiting.pop(reply.get("request-id", 0), None)
        if waiting is None or waiting.done():
            self.unasked.append(reply)
        else:
            waiting.set_result(reply)


@asynccontextmanager
async def dialled(
    registration: Registration, path: str = "/api", *, headers: Mapping[str, str] | None = None
) -> AsyncIterator[Socket]:
    """A socket on which nobody has logged in."""
    tasks = Tasks()
    async with connect(
        f"wss://{registration.address}{path}",
        ssl=client_context(registration.ca),
        server_hostname="juju-apiserver",
        compression=None,
        max_size=None,
        proxy=None,
        additional_headers=headers or {},
    ) as connection:
        socket = Socket(connection, tasks)
        tasks.spawn(socket.read(), name="replies")
        try:
            yield socket
        finally:
            await tasks.aclose()


@asynccontextmanager
async def logged_in(
    registration: Registration, path: str = "/api", *, user: str = "", password: str = ""
) -> AsyncIterator[Socket]:
    """A socket with a login: the administrator's, or the one given."""
    async with dialled(registration, path) as socket:
        await socket.login(user or registration.user, password or registration.password)
        yield socket
