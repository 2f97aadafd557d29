"""Charms, resources and agent binaries on their way to and from a model's controller.

Nothing is kept: each piece is written to one side before the next is read from the other, so
whoever is slow slows the other down.
"""

import asyncio
import contextlib
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus
from typing import Final

from starlette.types import Receive, Scope, Send

from jimm.errors import ControllerUnavailable, JimmError, LostAnswer
from jimm.proxy import paths
from jimm.proxy.carrier import Exchange, Head, Pace, open_exchange
from jimm.proxy.doorkeeper import Admission
from jimm.proxy.passing import Passing, Turnstile, authorization
from jimm.proxy.paths import Headers, Kind, Passage, Refusal
from jimm.wire import codes

log = logging.getLogger(__name__)

AFTERTHOUGHT: Final = 2.0
"""Seconds that a controller which takes no more may still need to say why."""

_BODY_HEADERS: Final = frozenset(
    {b"content-type", b"content-length", b"content-disposition", b"content-sha384"}
)
_NO_MODEL: Final = re.compile(rb'code"\s*:\s*"' + codes.MODEL_NOT_FOUND.encode() + rb'"')
_LONGEST_REFUSAL: Final = 4096
_REALM: Final = (b"www-authenticate", b'Basic realm="juju"')


class _ClientGone(Exception):
    """The client closed its connection, or sends nothing any more."""


class Uploads:
    """Carries requests below models' paths; see :mod:`jimm.proxy.paths` for which."""

    def __init__(self, turnstile: Turnstile, pace: Pace | None = None) -> None:
        self._turnstile = turnstile
        self._pace = pace or Pace()

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, of the ASGI type ``http``, whose path is below a model's."""
        try:
            passage = paths.find(scope["method"], scope["raw_path"], scope["query_string"])
            if passage.kind is Kind.LOG:
                raise _no_websocket()
        except Refusal as refusal:
            await refuse(send, refusal)
            return
        errand = _Errand(passage, scope["headers"], receive, send, self._pace)
        try:
            await self._run(errand)
        except Refusal as refusal:
            await errand.refuse(refusal)
        except JimmError as error:
            log.info("%s %s: %s", passage.method, scope["path"], getattr(error, "why", "") or error)
            await errand.refuse(paths.refusal(error, passage))
        except _ClientGone:
            log.debug("%s %s: the client has gone", passage.method, scope["path"])

    async def _run(self, errand: "_Errand") -> None:
        async with self._turnstile.admit(errand.passage, errand.headers) as (admission, passing):
            await self._carry(errand, admission, passing)

    async def _carry(self, errand: "_Errand", admission: Admission, passing: Passing) -> None:
        exchange = await open_exchange(admission.endpoint, self._pace)
        try:
            with _unwrapped():
                await errand.carry(exchange, passing, authorization(admission.login))
        finally:
            exchange.abort()


class _Errand:
    """One request: from the client to the controller, and its answer back."""

    def __init__(
        self, passage: Passage, headers: Headers, receive: Receive, send: Send, pace: Pace
    ) -> None:
        self.passage = passage
        self.headers = headers
        self._receive = receive
        self._send = send
        self._pace = pace
        self._answered = False

    async def carry(self, exchange: Exchange, passing: Passing, login: str) -> None:
        """Both ways at once, for an answer may come before the request is whole."""
        async with asyncio.TaskGroup() as group:
            closing = group.create_task(passing.closed())
            headers = [*self._own_headers(), (b"authorization", login.encode("latin-1"))]
            await exchange.begin(self.passage.method, self.passage.target, headers)
            head, reading = await self._upload(exchange, group)
            await self._answer(head, exchange)
            reading.cancel()
            closing.cancel()

    async def refuse(self, refusal: Refusal) -> None:
        """Says why it goes nowhere, unless an answer has begun: that one is cut."""
        if not self._answered:
            await refuse(self._send, refusal)

    async def _upload(
        self, exchange: Exchange, group: asyncio.TaskGroup
    ) -> tuple[Head, asyncio.Task[None]]:
        try:
            async with asyncio.timeout(None) as limit:
                reading = group.create_task(self._read_client(exchange, limit))
                return await exchange.head(), reading
        except TimeoutError as error:
            raise LostAnswer("the controller took the request and did not answer") from error

    async def _read_client(self, exchange: Exchange, limit: asyncio.Timeout) -> None:
        """Sends the request on, then waits for the client's end; the controller's time to
        answer starts when it has all."""
        now = asyncio.get_running_loop().time
        try:
            async for piece in self._pieces():
                await exchange.send(piece)
            await exchange.end()
            limit.reschedule(now() + self._pace.answer)
        except LostAnswer:
            limit.reschedule(now() + AFTERTHOUGHT)
        while (await self._receive())["type"] != "http.disconnect":
            pass
        raise _ClientGone

    async def _pieces(self) -> AsyncIterator[bytes]:
        more = self._sends_body
        while more:
            try:
                async with asyncio.timeout(self._pace.stall):
                    message = await self._receive()
            except TimeoutError as error:
                raise Refusal(
                    HTTPStatus.REQUEST_TIMEOUT,
                    f"nothing was sent for {self._pace.stall:g} s",
                    codes.TRY_AGAIN,
                ) from error
            if message["type"] == "http.disconnect":
                raise _ClientGone
            if piece := message.get("body", b""):
                yield piece
            more = message.get("more_body", False)

    async def _answer(self, head: Head, exchange: Exchange) -> None:
        status = _seen(head)
        headers = paths.to_client(head.headers)
        body = exchange.body()
        begun = await _model_is_there(body) if status == HTTPStatus.NOT_FOUND else b""
        await self._pass_on({"type": "http.response.start", "status": status, "headers": headers})
        self._answered = True
        if begun:
            await self._pass_on({"type": "http.response.body", "body": begun, "more_body": True})
        async for piece in body:
            await self._pass_on({"type": "http.response.body", "body": piece, "more_body": True})
        await self._pass_on({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pass_on(self, message: dict[str, object]) -> None:
        try:
            async with asyncio.timeout(self._pace.stall):
                await self._send(message)
        except (TimeoutError, OSError) as error:
            raise _ClientGone from error

    @property
    def _sends_body(self) -> bool:
        return self.passage.method != "GET"

    def _own_headers(self) -> Headers:
        """Those that pass; a body of unknown length goes in chunks."""
        kept = paths.to_controller(self.headers)
        if not self._sends_body:
            return [(name, value) for name, value in kept if name.lower() not in _BODY_HEADERS]
        if any(name.lower() == b"content-length" for name, _ in kept):
            return kept
        return [*kept, (b"transfer-encoding", b"chunked")]


async def refuse(send: Send, refusal: Refusal) -> None:
    """Answers a request that goes nowhere."""
    body = json.dumps(refusal.body).encode()
    headers = [
        # Just this: the juju client compares the type as it stands (``api/httpclient.go``).
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    if refusal.status is HTTPStatus.UNAUTHORIZED:
        headers.append(_REALM)
    if refusal.allow:
        headers.append((b"allow", ", ".join(refusal.allow).encode()))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _seen(head: Head) -> int:
    """The status that the client is to see.

    Raises:
        ControllerUnavailable: what the controller said is meant for JIMM: that it does not take
            its login, or that the model is elsewhere.
    """
    if head.status == HTTPStatus.UNAUTHORIZED:
        raise ControllerUnavailable("the controller does not take JIMM's login just now")
    if 300 <= head.status < 400:
        raise ControllerUnavailable("the model has moved; try again")
    return head.status


async def _model_is_there(body: AsyncIterator[bytes]) -> bytes:
    """The beginning of what a controller says when something is not there.

    Raises:
        ControllerUnavailable: it is the model itself, which JIMM knows to be there: it has just
            left.
    """
    begun = b""
    async for piece in body:
        begun += piece
        if len(begun) > _LONGEST_REFUSAL:
            return begun
    if _NO_MODEL.search(begun):
        raise ControllerUnavailable("the model has left its controller; try again")
    return begun


def _no_websocket() -> Refusal:
    return Refusal(HTTPStatus.BAD_REQUEST, "a websocket is needed here", codes.BAD_REQUEST)


@contextlib.contextmanager
def _unwrapped() -> Iterator[None]:
    """One error in place of the group that its task group makes of it."""
    try:
        yield
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from group
