"""A model's log, streamed to the client (Juju ``apiserver/debuglog.go``).

As on a controller the websocket is opened first, and the first message says whether there is
anything to come: ``{}`` and a newline, or an error.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import msgspec
from starlette.types import Message, Receive, Scope, Send

from jimm.errors import ControllerUnavailable, JimmError, ProtocolError, RemoteError
from jimm.net.websocket import Disconnected, Websocket, open_websocket
from jimm.proxy import paths
from jimm.proxy.carrier import Pace
from jimm.proxy.doorkeeper import Admission
from jimm.proxy.passing import Closed, Passing, Turnstile, authorization
from jimm.proxy.paths import Kind, Passage, Refusal
from jimm.proxy.uploads import refuse
from jimm.wire import codes
from jimm.wire.fold import convert
from jimm.wire.frames import GOING_AWAY, NORMAL
from jimm.wire.params.common import Error, Params

log = logging.getLogger(__name__)

LARGEST_LINE: Final = 4 * 1024 * 1024
"""Bytes of one line of a log."""

WAITING_LINES: Final = 4
"""Lines that wait for a slow client before the controller is not read any more."""

_OURS: Final = frozenset({codes.UNAUTHORIZED, codes.ACCESS_REQUIRED, codes.FORBIDDEN})
"""What a controller may say of JIMM's login there."""

_LEFT: Final = frozenset({codes.MODEL_NOT_FOUND, codes.REDIRECT})
"""What it may say of a model that JIMM knows, and that has just left."""


class Greeting(Params, kw_only=True):
    """The first message of a stream."""

    error: Error | None = None


class _Answer(JimmError):
    """What a controller says of the request itself."""

    def __init__(self, error: Error) -> None:
        super().__init__(error.message)
        self._code = error.code

    @property
    def juju_code(self) -> str:
        return self._code


class Streams:
    """Carries the websockets below models' paths that are no RPC."""

    def __init__(self, turnstile: Turnstile, pace: Pace | None = None) -> None:
        self._turnstile = turnstile
        self._pace = pace or Pace()

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One socket, of the ASGI type ``websocket``, whose path is below a model's."""
        await receive()  # that it wants to connect
        try:
            passage = paths.find("GET", scope["raw_path"], scope["query_string"])
            if passage.kind is not Kind.LOG:
                raise Refusal(HTTPStatus.NOT_FOUND, "not found", codes.NOT_FOUND)
        except Refusal as refusal:
            await _refuse_upgrade(send, refusal)
            return
        await send({"type": "websocket.accept"})
        client = _Client(receive, send)
        try:
            await self._run(scope, passage, client)
        except JimmError as error:
            log.info("log of model %s: %s", passage.model, getattr(error, "why", "") or error)
            await client.tell(_told(error))
            await client.close(NORMAL, "")
        except Disconnected:
            log.debug("log of model %s: the client has gone", passage.model)

    async def _run(self, scope: Scope, passage: Passage, client: "_Client") -> None:
        async with self._turnstile.admit(passage, scope["headers"]) as (admission, passing):
            code, reason = await self._stream(passage, admission, passing, client)
        await client.close(code, reason)

    async def _stream(
        self, passage: Passage, admission: Admission, passing: Passing, client: "_Client"
    ) -> tuple[int, str]:
        controller = await self._open(passage, admission)
        try:
            await client.send(await self._greeting(controller))
            return await _stream(client, controller, passing)
        finally:
            controller.abort()  # Juju reads nothing on this socket, a farewell neither

    async def _open(self, passage: Passage, admission: Admission) -> Websocket:
        endpoint = admission.endpoint
        try:
            return await open_websocket(
                endpoint.addresses,
                passage.target,
                context=endpoint.tls(),
                server_hostname=endpoint.server_name,
                deadline=self._pace.dial,
                headers={"Authorization": authorization(admission.login)},
                max_message=LARGEST_LINE,
                waiting=WAITING_LINES,
                pings=False,  # Juju reads nothing on this socket, and so answers none
            )
        except ControllerUnavailable as error:
            text = f"{endpoint} is not reachable now"
            raise ControllerUnavailable(text, why=str(error)) from error

    async def _greeting(self, controller: Websocket) -> bytes:
        """The controller's first message, where it is not an error of JIMM's own doing.

        Raises:
            _Answer: the request can't be; that is meant for the client.
            ControllerUnavailable: the controller does not let JIMM in, or says nothing.
        """
        try:
            async with asyncio.timeout(self._pace.stall):
                message = await controller.receive()
            error = convert(msgspec.json.decode(message), Greeting).error
        except (TimeoutError, Disconnected, msgspec.DecodeError, ProtocolError) as error_:
            raise ControllerUnavailable("the controller did not open the log") from error_
        if error is None:
            return message
        if error.code in _OURS or error.message.startswith("authenti"):
            raise ControllerUnavailable(
                "the controller does not show its log to JIMM just now", why=error.message
            )
        if error.code in _LEFT:
            raise ControllerUnavailable("the model has left its controller; try again")
        raise _Answer(error)


class _Client:
    """The client's end of the websocket."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send

    async def send(self, message: bytes) -> None:
        """Passes on a message; waits while the client reads slower.

        Raises:
            Disconnected: the client has gone.
        """
        try:
            text = message.decode()
            await self._send({"type": "websocket.send", "text": text})
        except (OSError, UnicodeDecodeError) as error:
            raise Disconnected("the client has gone", sent=False) from error

    async def receive(self) -> bytes:
        """What the client sends.

        Raises:
            Disconnected: it has gone, and was told that this was heard.
        """
        event: Message = await self._receive()
        if event["type"] == "websocket.disconnect":
            raise Disconnected("the client has gone", sent=False)
        text = event.get("text")
        return text.encode() if text is not None else event.get("bytes") or b""

    async def tell(self, error: Error) -> None:
        """Says what stands in the way, in place of the log."""
        try:
            await self.send(msgspec.json.encode(Greeting(error=error)) + b"\n")
        except Disconnected:
            return

    async def close(self, code: int, reason: str) -> None:
        """Says goodbye, if anybody is there."""
        try:
            await self._send({"type": "websocket.close", "code": code, "reason": reason})
        except (OSError, RuntimeError):
            return  # the client was faster


async def _stream(client: _Client, controller: Websocket, passing: Passing) -> tuple[int, str]:
    """Both ways, until one end has gone or it is closed; the code to say goodbye with."""
    parting = (NORMAL, "")
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_pump(controller.receive, client.send))
            group.create_task(_pump(client.receive, controller.send))
            group.create_task(passing.closed())
    except* Disconnected:
        pass
    except* Closed as closed:
        parting = (GOING_AWAY, str(closed.exceptions[0]))
    return parting


async def _pump(
    receive: Callable[[], Awaitable[bytes]], send: Callable[[bytes], Awaitable[None]]
) -> None:
    while True:
        await send(await receive())


async def _refuse_upgrade(send: Send, refusal: Refusal) -> None:
    async def as_websocket(message: Message) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    await refuse(as_websocket, refusal)


def _told(error: JimmError) -> Error:
    """What the client hears; a controller's own text may hold what is secret."""
    text = "the controller refused it" if isinstance(error, RemoteError) else str(error)
    return Error(message=text, code=error.juju_code)
