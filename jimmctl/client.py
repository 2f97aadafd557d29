"""JIMM's REST API, as its client sees it.

Errors come out as the classes of :mod:`jimmctl.errors`, each with its one sentence.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from jimmctl import rows, sse, tls
from jimmctl.config import LOOPBACK, Place
from jimmctl.errors import (
    AnswerLost,
    BadAnswer,
    JimmctlError,
    NotLoggedIn,
    Refused,
    Unreachable,
)
from jimmctl.rows import Row

CONNECT = 5.0  # seconds for one address
ANSWER = 180.0  # seconds; a dry run asks two controllers before it answers
STREAM_SILENCE = 45.0  # seconds; JIMM sends a comment each 15 s
PATIENCE = 180.0  # seconds that a stream of events may be away before we give up
PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)  # seconds before each new try, the last one from then on
_PAGE = 500


@dataclass(frozen=True, slots=True)
class Route:
    """One way to the server: a base URL, and the name its certificate has to have."""

    address: str
    base: str
    server_name: str


@dataclass(frozen=True, slots=True)
class Message:
    """A request: the path is below ``/v1``; ``stream`` leaves the answer's body unread."""

    method: str
    path: str
    body: Row | None = None
    query: Mapping[str, str | int] | None = None
    headers: Mapping[str, str] | None = None
    stream: bool = False


class OtherName(Unreachable):
    """The certificate is from a trusted authority, for another name than was asked for."""


@asynccontextmanager
async def connect(place: Place) -> AsyncIterator["Client"]:
    """A client of the place; a token made for this one run is revoked at its end."""
    async with httpx.AsyncClient(
        verify=tls.context(place.ca_certificate),
        timeout=httpx.Timeout(ANSWER, connect=CONNECT),
        headers={"User-Agent": "jimmctl", "Accept": "application/json"},
        # A proxy of the environment has no way to this very machine.
        trust_env=not any(_is_loopback(one) for one in place.addresses),
    ) as http:
        client = Client(http, place)
        try:
            yield client
        finally:
            await client.revoke_own_token()


class Client:
    """Requests to one place, signed in on the first of them."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        place: Place,
        *,
        pauses: Sequence[float] = PAUSES,
        patience: float = PATIENCE,
    ) -> None:
        self._http = http
        self._place = place
        self._pauses = pauses
        self._patience = patience
        self._route: Route | None = None
        self._token = place.token
        self._own_token_id = ""
        self._signing_in = asyncio.Lock()
        self._heard = 0.0
        self._away = False

    async def get(self, path: str, query: Mapping[str, str | int] | None = None) -> Row:
        """The object at ``path`` (below ``/v1``)."""
        message = Message("GET", path, query=query)
        try:
            return _object(await self._send(message))
        except AnswerLost:  # nothing changes by reading twice
            return _object(await self._send(message))

    async def post(self, path: str, body: Row) -> Row:
        """What the API answers to the body; ``{}`` where it answers nothing."""
        return _object(await self._send(Message("POST", path, body=body)))

    async def put(self, path: str) -> Row:
        """What the API answers; ``{}`` where it answers nothing."""
        return _object(await self._send(Message("PUT", path)))

    async def patch(self, path: str, body: Row) -> Row:
        """The object as it is after the change."""
        return _object(await self._send(Message("PATCH", path, body=body)))

    async def delete(self, path: str, query: Mapping[str, str | int] | None = None) -> Row:
        """What the API answers; ``{}`` where it answers nothing."""
        return _object(await self._send(Message("DELETE", path, query=query)))

    async def every(self, noun: str) -> list[Row]:
        """All rows of the list ``/v1/<noun>``, page after page; the last part of its path names
        the list.

        Raises:
            BadAnswer: a page has no list of that name, or the pages go round.
        """
        found: list[Row] = []
        query: dict[str, str | int] = {"limit": _PAGE}
        seen = set()
        key = noun.rpartition("/")[2]
        while True:
            page = await self.get(f"/{noun}", query)
            if not isinstance(page.get(key), list):
                raise BadAnswer(f"JIMM's answer has no list of {noun}")
            found.extend(rows.children(page, key))
            cursor = rows.text(page, "next")
            if not cursor:
                return found
            if cursor in seen:
                raise BadAnswer(f"JIMM's list of {noun} goes round in a circle")
            seen.add(cursor)
            query["cursor"] = cursor

    async def sign_in(self) -> None:
        """Signs in now, so that a wrong password is one error and not one per request."""
        await self._signed_in("")

    async def make_token(self, name: str) -> Row:
        """A new session token for the place's user and password (``token``, ``identity``…)."""
        body: Row = {
            "username": self._place.user,
            "password": self._place.password,
            "name": name,
        }
        made = _object(await self._send(Message("POST", "/tokens", body=body), signed=False))
        if not rows.text(made, "token"):
            raise BadAnswer("JIMM's answer to the login holds no token")
        return made

    async def revoke_own_token(self) -> None:
        """Takes back the token that this client made, if the API told its id."""
        if not self._own_token_id:
            return
        token_id, self._own_token_id = self._own_token_id, ""
        with contextlib.suppress(JimmctlError, TimeoutError):
            async with asyncio.timeout(CONNECT):
                await self.delete(f"/tokens/{token_id}")

    async def follow(
        self, path: str, tell: Callable[[str], None]
    ) -> AsyncGenerator[sse.Event, None]:
        """The events of what is at ``path``, from their beginning up to the one named ``end``.

        A broken stream is taken up again after the last event seen, for JIMM may restart
        meanwhile; ``tell`` hears of it once when that does not work at once, however many
        streams there are.

        Raises:
            Unreachable: nothing was heard of JIMM for ``patience`` seconds.
        """
        self._heard = self._clock()
        last = ""
        tries = 0
        while True:
            try:
                async with aclosing(self._stream(f"{path}/events", last)) as stream:
                    async for event in stream:
                        tries = 0
                        if event.name == "progress" and _is_old(event.id, last):
                            continue
                        last = event.id or last
                        yield event
                        if event.name == "end":
                            return
                raise AnswerLost("JIMM has ended the connection")
            except (Unreachable, AnswerLost, Refused) as error:
                self._bear(error, tries, tell)
            await asyncio.sleep(self._pauses[min(tries, len(self._pauses) - 1)])
            tries += 1

    @asynccontextmanager
    async def lines(
        self, path: str, query: Mapping[str, str | int]
    ) -> AsyncIterator[tuple[Mapping[str, str], AsyncIterator[bytes]]]:
        """What is at ``path`` as lines of text: the answer's headers, and its bytes as they come.

        The bytes raise ``AnswerLost`` where they don't come to their end.
        """
        headers = {"Accept": "application/x-ndjson"}
        message = Message("GET", path, query=query, headers=headers, stream=True)
        response = await self._send(message)
        try:
            yield response.headers, _chunks(response)
        finally:
            await response.aclose()

    def _bear(self, error: JimmctlError, tries: int, tell: Callable[[str], None]) -> None:
        """Returns when it is worth to try again, and raises when not."""
        if isinstance(error, Refused) and error.status < 500:
            raise error
        if self._clock() - self._heard > self._patience:
            raise Unreachable(f"JIMM has been away for too long: {error}") from error
        if tries > 0 and not self._away:
            self._away = True
            tell(f"{error}; trying again")

    def _clock(self) -> float:
        return asyncio.get_running_loop().time()

    async def _stream(self, path: str, last: str) -> AsyncGenerator[sse.Event, None]:
        """One connection's events; ends when the server ends it.

        Raises:
            AnswerLost: the connection broke.
        """
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last} if last else {})}
        response = await self._send(Message("GET", path, headers=headers, stream=True))
        parser = sse.Parser()
        try:
            async for chunk in response.aiter_bytes():
                for event in parser.feed(chunk):
                    self._heard, self._away = self._clock(), False
                    yield event
        except httpx.TransportError as error:
            raise AnswerLost("the connection to JIMM broke") from error
        finally:
            await response.aclose()

    async def _send(self, message: Message, *, signed: bool = True) -> httpx.Response:
        """The answer with a status below 300; everything else is raised."""
        token = await self._signed_in("") if signed else ""
        while True:
            response = await self._through(message, token)
            if response.is_success:
                return response
            await _read_all(response)
            if response.status_code != 401 or not signed or not self._can_renew(token):
                raise self._refusal(response, message, signed=signed)
            token = await self._signed_in(token)

    def _can_renew(self, token: str) -> bool:
        """Whether a refused token may be replaced: there is a password, not tried yet."""
        return bool(self._place.user and self._place.password) and token == self._place.token

    async def _signed_in(self, refused: str) -> str:
        """A token to send; made of user and password where there is none but ``refused``."""
        async with self._signing_in:
            if self._token and self._token != refused:
                return self._token
            try:
                made = await self.make_token("jimmctl, one command")
            except Refused as error:
                if error.status != 401:
                    raise
                raise NotLoggedIn(error.message) from error
            self._token = rows.text(made, "token")
            self._own_token_id = rows.text(made, "id")
            return self._token

    async def _through(self, message: Message, token: str) -> httpx.Response:
        """Sends by the route that worked last, or else by the first one that does."""
        if self._route is not None:
            route, self._route = self._route, None
            response = await self._by(route, message, token)
            self._route = route
            return response
        failure = Unreachable("no address of JIMM is known")
        for address in self._place.addresses:
            try:
                return await self._to(address, message, token)
            except Unreachable as error:
                failure = error
        raise failure

    async def _to(self, address: str, message: Message, token: str) -> httpx.Response:
        """Sends to one address: under its own name, and where JIMM's CA is known and its
        certificate is for other names, under the name that the juju client asks for."""
        base = f"{_url(address)}/v1"
        route = Route(address, base, urlsplit(base).hostname or "")
        try:
            response = await self._by(route, message, token)
        except OtherName:
            if not self._place.ca_certificate:
                raise
            route = Route(address, base, tls.CONTROLLER_NAME)
            response = await self._by(route, message, token)
        self._route = route
        return response

    async def _by(self, route: Route, message: Message, token: str) -> httpx.Response:
        signature = {"Authorization": f"Bearer {token}"} if token else {}
        patience = httpx.Timeout(STREAM_SILENCE if message.stream else ANSWER, connect=CONNECT)
        request = self._http.build_request(
            message.method,
            f"{route.base}{message.path}",
            json=message.body,
            params=message.query,
            headers={**(message.headers or {}), **signature},
            timeout=patience,
            extensions={"sni_hostname": route.server_name},
        )
        try:
            return await self._http.send(request, stream=message.stream)
        except httpx.ConnectError as error:
            raise _unreachable(error, route, self._place.ca_certificate) from error
        except httpx.ConnectTimeout as error:
            raise Unreachable(
                f"{route.address} did not answer within {CONNECT:.0f} seconds: "
                "check the address and that JIMM is running"
            ) from error
        except httpx.TransportError as error:
            raise _lost(error, message, route) from error

    def _refusal(self, response: httpx.Response, message: Message, *, signed: bool) -> JimmctlError:
        status = response.status_code
        problem = _json(response)
        said = rows.text(problem, "detail") or rows.text(problem, "title")
        if not said or "status" not in problem:
            answer = f"{self._address} answers {status} to {message.method} /v1{message.path}"
            if status >= 500:  # a balancer's word for a JIMM that is away
                return Refused(f"{answer}: try again later", status=status, code="", checks=())
            return BadAnswer(
                f"{answer}, as no JIMM does: check the address, which is from {self._place.origin}"
            )
        if status == 401 and signed:
            return NotLoggedIn(f"{said.rstrip('.')}: {self._place.relogin}")
        return Refused(
            said, status=status, code=rows.text(problem, "code"), checks=rows.checks(problem)
        )

    @property
    def _address(self) -> str:
        return self._route.address if self._route else self._place.addresses[0]


def _unreachable(error: httpx.ConnectError, route: Route, authority: str) -> Unreachable:
    refusal = tls.refusal(error)
    if refusal is None:
        return Unreachable(
            f"nothing answers at {route.address}: check the address and that JIMM is running"
        )
    sentence = tls.sentence(refusal, route.address, authority)
    return OtherName(sentence) if tls.is_other_name(refusal) else Unreachable(sentence)


def _lost(error: httpx.TransportError, message: Message, route: Route) -> AnswerLost:
    late = isinstance(error, httpx.TimeoutException)
    what = "did not answer in time" if late else "broke the connection"
    unknown = "" if message.method == "GET" else "; whether it was done is unknown: look first"
    return AnswerLost(f"{route.address} {what}{unknown}")


async def _read_all(response: httpx.Response) -> None:
    try:
        await response.aread()
    except httpx.TransportError as error:
        raise AnswerLost("the connection to JIMM broke") from error
    finally:
        await response.aclose()


async def _chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.aiter_bytes():
            yield chunk
    except httpx.TransportError as error:
        raise AnswerLost("the connection to JIMM broke: this is not the whole of it") from error


def _object(response: httpx.Response) -> Row:
    """The answer's JSON object; ``{}`` for an answer without a body."""
    if not response.content:
        return {}
    try:
        value = json.loads(response.content)
    except (ValueError, RecursionError) as error:
        raise BadAnswer("the answer is not JSON: is it a JIMM?") from error
    if not isinstance(value, dict):
        raise BadAnswer("the answer is not what JIMM's API sends")
    return value


def _json(response: httpx.Response) -> Row:
    try:
        return _object(response)
    except BadAnswer:
        return {}


def _is_old(event: str, last: str) -> bool:
    """Whether an event was seen before: ids are a migration's own rising numbers."""
    return event.isdecimal() and last.isdecimal() and int(event) <= int(last)


def _is_loopback(address: str) -> bool:
    return urlsplit(_url(address)).hostname in LOOPBACK


def _url(address: str) -> str:
    return address if "://" in address else f"https://{address}"
