"""The login dialogue: what ``Admin`` answers on one socket (Juju ``apiserver/admin.go``).

::

    anonymous ──an attempt──> checking ──accepted──> logged in
        ^                        │
        └───────refused──────────┘

Any number of attempts may fail on one socket: the juju client tries one kind of login after
another. An attempt that comes while another is being checked waits for its outcome, as behind
Juju's own lock. Before login only ``Admin`` answers, after login it never does.

Values in, values out: the door obeys the commands and reports what came of them.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, assert_never

from jimm.errors import (
    BadRequest,
    InvalidLogin,
    JimmError,
    NotImplementedHere,
    NotSupported,
    NotValid,
    ProtocolError,
    TryAgain,
    Unauthorized,
)
from jimm.wire.envelope import Request, encode_error, encode_result
from jimm.wire.fold import convert
from jimm.wire.params.admin import LoginRequest
from jimm.wire.secret import Secret
from jimm.wire.tags import parse_user_tag

ADMIN: Final = "Admin"
VERSION: Final = 3
"""The version of ``Admin`` that every Juju client can speak."""

_WAITING: Final = 8
_OLD_CLIENT: Final = "this version of Juju does not support login from old clients"
_PASSWORD_ONLY: Final = "log in with a user and a password: no other login is taken here"  # noqa: S105 - a text
_TOO_MANY: Final = "too many logins at once on one connection"
_ALREADY: Final = "already logged in"


class Door(Enum):
    """Which socket the dialogue is on; Juju refuses a second login differently on each."""

    CONTROLLER = "/api"
    MODEL = "/model/<uuid>/api"


class State(Enum):
    """How far the socket has come."""

    ANONYMOUS = "anonymous"
    CHECKING = "checking"
    LOGGED_IN = "logged in"


@dataclass(frozen=True, slots=True)
class PasswordLogin:
    """Somebody says who they are: ``name`` is the user id without ``@local``.

    ``client_version`` is what the client says of itself, or empty.
    """

    name: str
    password: Secret
    client_version: str = ""


Attempt = PasswordLogin
"""What a client may prove itself by."""


@dataclass(frozen=True, slots=True)
class RequestReceived:
    """The client asked for something."""

    request: Request


@dataclass(frozen=True, slots=True)
class Accepted:
    """The attempt under way succeeded; ``result`` is the login result to show."""

    result: object


@dataclass(frozen=True, slots=True)
class Refused:
    """The attempt under way failed."""

    error: JimmError


Event = RequestReceived | Accepted | Refused


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Find out whether this is true, then report :class:`Accepted` or :class:`Refused`."""

    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Reply:
    """Send this message to the client."""

    message: bytes


@dataclass(frozen=True, slots=True)
class Serve:
    """The client is logged in and asks for something else than a login."""

    request: Request


Command = Authenticate | Reply | Serve


class Dialogue:
    """The login on one socket."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.state = State.ANONYMOUS
        self._request_id = 0
        self._waiting: deque[tuple[int, Attempt]] = deque()

    def receive(self, event: Event) -> list[Command]:
        """What is to be done now.

        Raises:
            ValueError: an outcome was reported while nothing was being checked.
        """
        step = _STEPS.get((self.state, type(event)))
        if step is None:
            raise ValueError(f"{type(event).__name__} while {self.state.value}")
        return step(self, event)

    def _ask_in(self, event: RequestReceived) -> list[Command]:
        request = event.request
        try:
            attempt = read_attempt(request)
        except JimmError as error:
            return [_failure(request.request_id, error)]
        self._request_id = request.request_id
        self.state = State.CHECKING
        return [Authenticate(attempt)]

    def _queue(self, event: RequestReceived) -> list[Command]:
        request = event.request
        try:
            attempt = read_attempt(request)
            if len(self._waiting) >= _WAITING:
                raise TryAgain(_TOO_MANY)
        except JimmError as error:
            return [_failure(request.request_id, error)]
        self._waiting.append((request.request_id, attempt))
        return []

    def _let_in(self, event: Accepted) -> list[Command]:
        self.state = State.LOGGED_IN
        late = [_failure(number, JimmError(_ALREADY)) for number, _ in self._waiting]
        self._waiting.clear()
        return [Reply(encode_result(self._request_id, event.result)), *late]

    def _turn_away(self, event: Refused) -> list[Command]:
        reply = _failure(self._request_id, event.error)
        if not self._waiting:
            self.state = State.ANONYMOUS
            return [reply]
        self._request_id, attempt = self._waiting.popleft()
        return [reply, Authenticate(attempt)]

    def _serve(self, event: RequestReceived) -> list[Command]:
        request = event.request
        if request.type != ADMIN:
            return [Serve(request)]
        return [_failure(request.request_id, _admin_is_gone(self.door, request))]


def read_attempt(request: Request) -> Attempt:
    """The attempt in a request that came before login.

    Raises:
        NotImplementedHere: another facade than ``Admin``, or no such method.
        NotSupported: another version than 3.
        InvalidLogin: a tag that is no user's.
        Unauthorized: no password, or another proof in place of one.
        BadRequest: parameters that can't be read.
        JimmError: ``RedirectInfo``, which Juju always answers so.
    """
    if request.type != ADMIN:
        raise NotImplementedHere(_unknown(request))
    if request.version != VERSION:
        raise NotSupported(_OLD_CLIENT)
    match request.request:
        case "Login":
            return _password_login(request)
        case "RedirectInfo":
            raise JimmError("not redirected")
        case method:
            raise NotImplementedHere(
                f"no such request - method {ADMIN}.{method} is not implemented"
            )


def unreadable(error: ProtocolError) -> bytes:
    """The answer to a message that is no request: nobody knows its number."""
    return encode_error(0, str(error), error.juju_code)


def _password_login(request: Request) -> PasswordLogin:
    try:
        login = convert(request.params, LoginRequest)
    except ProtocolError as error:
        raise BadRequest(f"cannot read the parameters of the login: {error}") from error
    if not login.auth_tag or not login.credentials:
        raise Unauthorized(_PASSWORD_ONLY)
    try:
        name = parse_user_tag(login.auth_tag)
    except NotValid as error:
        raise InvalidLogin from error
    return PasswordLogin(name, Secret(login.credentials), login.client_version)


def _unknown(request: Request) -> str:
    if request.version == 0:
        return f'unknown object type "{request.type}"'
    return f'unknown version ({request.version}) of interface "{request.type}"'


def _admin_is_gone(door: Door, request: Request) -> JimmError:
    match door:
        case Door.CONTROLLER:
            return NotSupported(f'facade "{ADMIN}" not supported for controller API connection')
        case Door.MODEL:
            return NotImplementedHere(_unknown(request))
        case _:
            assert_never(door)


def _failure(request_id: int, error: JimmError) -> Reply:
    return Reply(encode_error(request_id, str(error), error.juju_code, error.info))


_Step = Callable[[Dialogue, Any], list[Command]]

_STEPS: Final[dict[tuple[State, type], _Step]] = {
    (State.ANONYMOUS, RequestReceived): Dialogue._ask_in,
    (State.CHECKING, RequestReceived): Dialogue._queue,
    (State.CHECKING, Accepted): Dialogue._let_in,
    (State.CHECKING, Refused): Dialogue._turn_away,
    (State.LOGGED_IN, RequestReceived): Dialogue._serve,
}
