"""A peer that holds a scripted conversation, over real TLS and a real websocket.

It is strict: what the script does not expect fails the test, a connection too many included.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from jimm.controllers.endpoint import Endpoint
from jimm.net.certificates import Authority
from jimm.net.tls import server_context
from jimm.wire.envelope import Request, decode, encode_error, encode_result
from jimm.wire.params.admin import LoginRequest
from jimm.wire.tags import ControllerUUID

UUID = ControllerUUID("11111111-2222-4333-8444-555555555555")
OTHER = ControllerUUID("99999999-2222-4333-8444-555555555555")
MODEL = "aaaaaaaa-2222-4333-8444-555555555555"
LOGIN = LoginRequest(auth_tag="user-admin", credentials="open sesame", nonce="", user_data="")
FACADES = {
    "Client": [6, 7, 8],
    "Cloud": [7],
    "Controller": [11, 12],
    "MigrationTarget": [4, 5, 6],
    "ModelConfig": [3],
    "ModelManager": [9, 10],
    "Pinger": [1],
    "SecretBackends": [1],
    "Secrets": [2],
    "UserManager": [3],
}
PATIENCE = 5.0


def login_result(
    uuid: str = UUID,
    *,
    model_tag: str = "",
    access: str = "superuser",
    servers: Sequence[dict[str, object]] = (),
    facades: dict[str, list[int]] | None = None,
) -> dict[str, object]:
    """What a controller answers to a good login."""
    listed = FACADES if facades is None else facades
    result: dict[str, object] = {
        "servers": [list(servers)],
        "controller-tag": f"controller-{uuid}",
        "server-version": "3.6.9",
        "user-info": {
            "display-name": "",
            "identity": "user-admin",
            "controller-access": access,
            "model-access": "",
        },
        "facades": [{"name": name, "versions": each} for name, each in listed.items()],
    }
    if model_tag:
        result["model-tag"] = model_tag
    return result


class Conversation:
    """The controller's side of one connection."""

    def __init__(self, socket: ServerConnection) -> None:
        self._socket = socket

    @property
    def path(self) -> str:
        assert self._socket.request is not None
        return self._socket.request.path

    async def expect(
        self, facade: str, method: str, version: int | None = None, params: object = None
    ) -> Request:
        """The next message, which must be this call."""
        async with asyncio.timeout(PATIENCE):
            message = await self._socket.recv()
        assert isinstance(message, str), "Juju's messages are text"
        request = decode(message)
        assert isinstance(request, Request)
        assert (request.type, request.request) == (facade, method)
        if version is not None:
            assert request.version == version
        if params is not None:
            assert request.params == params
        return request

    async def answer(self, request: Request, result: object = None) -> None:
        await self.say(encode_result(request.request_id, result))

    async def refuse(self, request: Request, text: str, code: str = "") -> None:
        await self.say(encode_error(request.request_id, text, code))

    async def say(self, message: bytes) -> None:
        await self._socket.send(message, text=True)

    async def log_in(self, result: dict[str, object] | None = None) -> None:
        """Answers the login that must come first."""
        request = await self.expect("Admin", "Login", 3)
        assert request.params == msgspec.to_builtins(LOGIN)
        await self.answer(request, login_result() if result is None else result)

    async def asked(self, method: str, result: object, version: int | None = None) -> object:
        """Answers one call, ``Facade.Method``, and gives its parameters."""
        facade, _, name = method.partition(".")
        request = await self.expect(facade, name, version)
        await self.answer(request, result)
        return request.params

    async def close(self) -> None:
        """Says goodbye as a controller that stops does (1001)."""
        await self._socket.close(1001)

    def cut(self) -> None:
        """Ends the connection without a word."""
        self._socket.transport.abort()

    async def silence(self) -> None:
        """Nothing more may come until the other side leaves."""
        try:
            message = await self._socket.recv()
        except ConnectionClosed:
            return
        raise AssertionError(f"not expected: {message!r}")


Script = Callable[[Conversation], Awaitable[None]]


class Peer:
    """A listening controller; each connection follows the next script."""

    def __init__(self, authority: Authority, *scripts: Script) -> None:
        self._authority = authority
        self._scripts = list(scripts)
        self._faults: list[BaseException] = []
        self._server: Server | None = None

    @property
    def address(self) -> str:
        assert self._server is not None
        host, port = next(iter(self._server.sockets)).getsockname()[:2]
        return f"{host}:{port}"

    def endpoint(self, uuid: ControllerUUID = UUID, ca: str | None = None) -> Endpoint:
        """This peer as it would be registered."""
        certificate = self._authority.certificate_pem if ca is None else ca
        return Endpoint("north-1", uuid, (self.address,), certificate)

    async def __aenter__(self) -> "Peer":
        context: ssl.SSLContext = server_context(self._authority.issue(["127.0.0.1"]))
        self._server = await serve(
            self._converse, "127.0.0.1", 0, ssl=context, compression=None, ping_interval=None
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()
        if self._faults:
            raise self._faults[0]
        if error is None:
            assert not self._scripts, f"{len(self._scripts)} connection(s) never came"

    async def _converse(self, socket: ServerConnection) -> None:
        conversation = Conversation(socket)
        try:
            assert self._scripts, "a connection that no script expects"
            await self._scripts.pop(0)(conversation)
            await conversation.silence()
        except ConnectionClosed:
            pass
        except Exception as fault:
            self._faults.append(fault)
            conversation.cut()
