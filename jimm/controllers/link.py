"""One logged-in connection to a controller: many calls at once, answers in any order."""

import asyncio
import random
from collections.abc import Sequence
from typing import Final, TypeVar, cast

import msgspec
from msgspec import Struct

from jimm.controllers import deadlines
from jimm.controllers.endpoint import Endpoint
from jimm.errors import (
    ControllerError,
    ControllerUnavailable,
    LostAnswer,
    NotSupported,
    ProtocolError,
    RemoteError,
)
from jimm.net.tasks import Tasks
from jimm.net.websocket import Disconnected, Websocket
from jimm.wire.envelope import Answer, Request, decode_answer, encode_request
from jimm.wire.fold import convert
from jimm.wire.params.admin import LoginResult

T = TypeVar("T")

_PINGER: Final = 1  # clients call it whatever is listed (Juju ``api/apiclient.go``)


class Link:
    """Calls over one connection.

    It lives until the controller, a missed ping, garbage or :meth:`aclose` ends it; then
    ``closed`` is set and every call fails at once. ``first_id`` is the next request's number.
    """

    def __init__(
        self, endpoint: Endpoint, socket: Websocket, login_result: LoginResult, *, first_id: int
    ) -> None:
        self.endpoint = endpoint
        self.login_result = login_result
        self.closed = asyncio.Event()
        self._socket = socket
        self._next_id = first_id
        self._waiting: dict[int, asyncio.Future[Answer | Disconnected]] = {}
        self._offered = {facade.name: facade.versions for facade in login_result.facades}
        self._why_closed = ""
        self._tasks = Tasks()

    @property
    def address(self) -> str:
        """The ``host:port`` that answered."""
        return str(self._socket.address)

    @property
    def why_closed(self) -> str:
        """One sentence once it is closed, empty before."""
        return self._why_closed

    def start(
        self,
        *,
        ping_every: tuple[float, float] | None = None,
        ping_deadline: float = deadlines.PING,
    ) -> None:
        """Begins to read answers, and to ping if asked to; call it once."""
        self._tasks.spawn(self._read(), name=f"read from {self.endpoint}")
        if ping_every is not None:
            self._tasks.spawn(
                self._ping(ping_every, ping_deadline), name=f"ping of {self.endpoint}"
            )

    async def __aenter__(self) -> "Link":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Says goodbye and closes; calls in flight fail."""
        self._end("JIMM closed the connection")
        await self._socket.aclose()
        await self._tasks.aclose()

    def abort(self, why: str) -> None:
        """Drops the connection at once; ``why`` is what pending and later callers are told."""
        self._end(why)
        self._socket.abort()

    def version(self, facade: str, *wanted: int) -> int:
        """The highest version of the facade that both sides know.

        Raises:
            NotSupported: there is none.
        """
        common = set(self._offered.get(facade, ())).intersection(wanted)
        if not common:
            versions = ", ".join(str(version) for version in sorted(wanted))
            raise NotSupported(f"{self.endpoint} does not offer {facade} in version {versions}")
        return max(common)

    async def call(
        self,
        facade: str,
        method: str,
        params: Struct | None,
        result: type[T],
        *,
        versions: Sequence[int],
        deadline: float,
        object_id: str = "",
    ) -> T:
        """Calls a method in the highest of ``versions`` that the controller offers.

        Raises:
            NotSupported: it offers none of them; nothing was sent.
            RemoteError: its own refusal.
            ControllerUnavailable: the connection is gone; nothing was sent.
            LostAnswer: sent, and no answer within ``deadline`` seconds, or none that can be
                read. The link stays usable after a deadline.
        """
        answer = await self.call_plain(
            facade, method, params, versions=versions, deadline=deadline, object_id=object_id
        )
        return self.read(answer, result)

    async def call_plain(
        self,
        facade: str,
        method: str,
        params: Struct | None,
        *,
        versions: Sequence[int],
        deadline: float,
        object_id: str = "",
    ) -> dict[str, object]:
        """As :meth:`call`, the result as it came, unknown keys and all."""
        answer = self.parsed(
            await self.call_raw(
                facade, method, params, versions=versions, deadline=deadline, object_id=object_id
            )
        )
        if not isinstance(answer, dict):
            raise self.unreadable(f"{facade}.{method} gave no object")
        return cast("dict[str, object]", answer)

    async def call_raw(
        self,
        facade: str,
        method: str,
        params: Struct | None,
        *,
        versions: Sequence[int],
        deadline: float,
        object_id: str = "",
    ) -> msgspec.Raw:
        """As :meth:`call`, the result as JSON, which nobody has read."""
        request = Request(
            request_id=self._take_id(),
            type=facade,
            version=self.version(facade, *versions),
            request=method,
            id=object_id,
            params={} if params is None else params,
        )
        return await self._exchange(request, deadline)

    def parsed(self, raw: msgspec.Raw) -> object:
        """The JSON of an answer as plain values; ``null`` counts as empty.

        Raises:
            LostAnswer: it is broken, or nested too deep.
        """
        try:
            value = msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise self.unreadable(str(error)) from error
        return {} if value is None else value

    def read(self, value: object, declared: type[T]) -> T:
        """A part of an answer as a type.

        Raises:
            LostAnswer: it has another shape, so what came of the call is unknown.
        """
        try:
            return convert(value, declared)
        except ProtocolError as error:
            raise self.unreadable(str(error)) from error

    def unreadable(self, what: str) -> LostAnswer:
        """The error for an answer that makes no sense."""
        return LostAnswer(f"{self.endpoint} gave an answer that JIMM cannot read: {what}")

    def _take_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    async def _exchange(self, request: Request, deadline: float) -> msgspec.Raw:
        if self.closed.is_set():
            raise ControllerUnavailable(f"{self.endpoint} is away: {self._why_closed}")
        loop = asyncio.get_running_loop()
        waiting: asyncio.Future[Answer | Disconnected] = loop.create_future()
        self._waiting[request.request_id] = waiting
        try:
            async with asyncio.timeout(deadline):
                await self._socket.send(encode_request(request))
                outcome = await waiting
        except TimeoutError as error:
            raise LostAnswer(
                f"{self.endpoint} did not answer {request.type}.{request.request}"
                f" within {deadline:g} s"
            ) from error
        except Disconnected as error:
            raise self._gone(error) from error
        finally:
            del self._waiting[request.request_id]
        if isinstance(outcome, Disconnected):
            raise self._gone(outcome) from outcome
        if outcome.error is not None:
            raise RemoteError(outcome.error, outcome.error_code, outcome.error_info)
        return outcome.response

    def _gone(self, error: Disconnected) -> ControllerError:
        if error.sent:
            return LostAnswer(f"{self.endpoint} went away before it answered: {error}")
        return ControllerUnavailable(f"{self.endpoint} is away: {error}")

    async def _read(self) -> None:
        try:
            while True:
                self._take(await self._socket.receive())
        except Disconnected as error:
            self._end(str(error))
        except ProtocolError as error:
            self.abort(f"{self.address} does not keep to Juju's protocol: {error}")

    def _take(self, message: bytes) -> None:
        answer = decode_answer(message)
        if answer.request_id >= self._next_id:
            raise ProtocolError("an answer to nothing that was asked")
        waiting = self._waiting.get(answer.request_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)  # one that nobody waits for any more came too late

    async def _ping(self, every: tuple[float, float], deadline: float) -> None:
        while not await self._closed_within(random.uniform(*every)):  # noqa: S311 - no secret
            request = Request(
                request_id=self._take_id(), type="Pinger", version=_PINGER, request="Ping"
            )
            try:
                await self._exchange(request, deadline)
            except RemoteError:
                continue  # it answers, and that is what was asked
            except ControllerError:
                self.abort(f"{self.address} did not answer a ping within {deadline:g} s")

    async def _closed_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self.closed.wait()
        except TimeoutError:
            return False

    def _end(self, why: str) -> None:
        if self.closed.is_set():
            return
        self._why_closed = why
        self.closed.set()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(Disconnected(why, sent=True))
