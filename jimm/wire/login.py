"""The login dialogue: what ``Admin`` answers on one socket (Juju ``apiserver/admin.go``).

::

    anonymous ──an attempt──> checking ──accepted──> logged in
        ^                        │
        └───────refused──────────┘

Any number of attempts may fail on one socket: the juju client tries one kind of login after
another. An attempt that comes while another is being checked waits for its outcome, as behind
Juju's own lock. Before login only ``Admin`` answers, after login it never does.

``Admin`` 3 is every Juju controller's, ``Admin`` 4 is what clients ask JAAS for
(``api/sessiontokenloginprovider.go``, ``api/clientcredentialsloginprovider.go``). A device login
lets nobody in: it is begun and waited for beside the attempts, in every state before login, and
ends in a session token with which the client then makes an attempt.

Values in, values out: the door obeys the commands and reports what came of them.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeVar, assert_never

from jimm.errors import (
    BadRequest,
    InvalidLogin,
    JimmError,
    NotImplementedHere,
    NotSupported,
    NotValid,
    ProtocolError,
    SessionTokenInvalid,
    TryAgain,
    Unauthorized,
)
from jimm.wire.envelope import Request, encode_error, encode_result
from jimm.wire.fold import convert
from jimm.wire.params.admin import ClientCredentials, DeviceCode, LoginRequest, SessionToken
from jimm.wire.secret import Secret
from jimm.wire.tags import parse_user_tag

T = TypeVar("T")

ADMIN: Final = "Admin"
VERSION: Final = 3
"""The version of ``Admin`` that every Juju client can speak."""

JAAS_VERSION: Final = 4
"""The version of ``Admin`` whose methods no controller has."""

_WAITING: Final = 8
_OLD_CLIENT: Final = "this version of Juju does not support login from old clients"
_NO_PASSWORD: Final = (
    "log in with a user and a password, or with `juju login`: no other login is taken here"  # noqa: S105 - a text
)
_NO_TOKEN: Final = "the session token is not valid (any more); log in again"  # noqa: S105 - a text
_NO_DEVICE: Final = "there is no device login to wait for: call LoginDevice first"
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

    An empty name is a client's null tag; the password is then a session token, as behind the
    empty user of HTTP Basic. ``client_version`` is what the client says of itself, or empty.
    """

    name: str
    password: Secret
    client_version: str = ""


@dataclass(frozen=True, slots=True)
class SessionTokenLogin:
    """A token that JIMM issued; never empty."""

    token: Secret


@dataclass(frozen=True, slots=True)
class ClientCredentialsLogin:
    """A service account; ``client_id`` is with or without its domain."""

    client_id: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class CookieLogin:
    """A browser, whose proof came with the upgrade request."""


Attempt = PasswordLogin | SessionTokenLogin | ClientCredentialsLogin | CookieLogin
"""What a client may prove itself by."""


@dataclass(frozen=True, slots=True)
class DeviceBegin:
    """A client wants a code to show to a person."""


@dataclass(frozen=True, slots=True)
class DeviceWait:
    """A client wants the token that the person lets it have."""


Wish = Attempt | DeviceBegin | DeviceWait
"""What a client may want before it is logged in."""


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


@dataclass(frozen=True, slots=True)
class DeviceBegun:
    """The device login asked for under this ticket can be confirmed at the address now."""

    ticket: int
    login_id: str
    user_code: str
    verification_uri: str


@dataclass(frozen=True, slots=True)
class DeviceConfirmed:
    """The person has let the client have this token."""

    ticket: int
    token: Secret


@dataclass(frozen=True, slots=True)
class DeviceFailed:
    """Nothing came of what was asked for under this ticket."""

    ticket: int
    error: JimmError


DeviceEvent = DeviceBegun | DeviceConfirmed | DeviceFailed
Event = RequestReceived | Accepted | Refused | DeviceEvent


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


@dataclass(frozen=True, slots=True)
class BeginDevice:
    """Begin a device login, then report :class:`DeviceBegun` or :class:`DeviceFailed`."""

    ticket: int


@dataclass(frozen=True, slots=True)
class AwaitDevice:
    """Wait for a person beside everything else, then report :class:`DeviceConfirmed` or
    :class:`DeviceFailed`."""

    ticket: int
    login_id: str


@dataclass(frozen=True, slots=True)
class DropDevices:
    """Wait for no device login any more."""


DeviceCommand = BeginDevice | AwaitDevice | DropDevices
Command = Authenticate | Reply | Serve | DeviceCommand


class Dialogue:
    """The login on one socket."""

    __slots__ = ("_devices", "_request_id", "_waiting", "door", "state")

    def __init__(self, door: Door) -> None:
        self.door = door
        self.state = State.ANONYMOUS
        self._request_id = 0
        self._waiting: list[tuple[int, Attempt]] = []
        self._devices = _Devices()

    @property
    def checking(self) -> int:
        """The number of the request whose attempt is being checked, or was last."""
        return self._request_id

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
        number = event.request.request_id
        try:
            match read(event.request):
                case DeviceBegin():
                    return self._devices.begin(number)
                case DeviceWait():
                    return self._devices.wait(number)
                case attempt:
                    return self._attempt(number, attempt)
        except JimmError as error:
            return [_failure(number, error)]

    def _attempt(self, number: int, attempt: Attempt) -> list[Command]:
        if self.state is State.ANONYMOUS:
            self._request_id = number
            self.state = State.CHECKING
            return [Authenticate(attempt)]
        if len(self._waiting) >= _WAITING:
            raise TryAgain(_TOO_MANY)
        self._waiting.append((number, attempt))
        return []

    def _let_in(self, event: Accepted) -> list[Command]:
        self.state = State.LOGGED_IN
        late = [_failure(number, JimmError(_ALREADY)) for number, _ in self._waiting]
        self._waiting.clear()
        reply = Reply(encode_result(self._request_id, event.result))
        return [reply, *late, *self._devices.end()]

    def _turn_away(self, event: Refused) -> list[Command]:
        reply = _failure(self._request_id, event.error)
        if not self._waiting:
            self.state = State.ANONYMOUS
            return [reply]
        self._request_id, attempt = self._waiting.pop(0)
        return [reply, Authenticate(attempt)]

    def _hear(self, event: DeviceEvent) -> list[Command]:
        return self._devices.hear(event)

    def _serve(self, event: RequestReceived) -> list[Command]:
        request = event.request
        if request.type != ADMIN:
            return [Serve(request)]
        return [_failure(request.request_id, _admin_is_gone(self.door, request))]


class _Devices:
    """The device logins on one socket. A wait is for the login that was begun last, and one
    that comes before the answer to ``LoginDevice`` is kept until then."""

    __slots__ = ("_awaited", "_beginning", "_held", "_login_id", "_tickets")

    def __init__(self) -> None:
        self._login_id = ""
        self._tickets = itertools.count(1)
        self._beginning: dict[int, int] = {}
        self._awaited: dict[int, int] = {}
        self._held: list[int] = []

    def begin(self, number: int) -> list[Command]:
        self._check_room()
        ticket = next(self._tickets)
        self._beginning[ticket] = number
        return [BeginDevice(ticket)]

    def wait(self, number: int) -> list[Command]:
        self._check_room()
        if self._beginning:
            self._held.append(number)
            return []
        if not self._login_id:
            return [_failure(number, BadRequest(_NO_DEVICE))]
        ticket = next(self._tickets)
        self._awaited[ticket] = number
        return [AwaitDevice(ticket, self._login_id)]

    def hear(self, event: DeviceEvent) -> list[Command]:
        """The reply; none to what nobody waits for any more."""
        asked = self._awaited if event.ticket in self._awaited else self._beginning
        number = asked.pop(event.ticket, None)
        if number is None:
            return []
        match event:
            case DeviceBegun():
                self._login_id = event.login_id
                code = DeviceCode(
                    user_code=event.user_code, verification_uri=event.verification_uri
                )
                return [Reply(encode_result(number, code)), *self._release()]
            case DeviceConfirmed():
                token = SessionToken(session_token=event.token.reveal())
                return [Reply(encode_result(number, token))]
            case DeviceFailed():
                return [_failure(number, event.error), *self._release()]
            case _:
                assert_never(event)

    def end(self) -> list[Command]:
        """Answers all that wait: the socket is logged in."""
        late = [*self._beginning.values(), *self._awaited.values(), *self._held]
        if not late:
            return []
        self._beginning.clear()
        self._awaited.clear()
        self._held.clear()
        return [*(_failure(number, JimmError(_ALREADY)) for number in late), DropDevices()]

    def _release(self) -> list[Command]:
        if self._beginning:
            return []
        held, self._held = self._held, []
        return [command for number in held for command in self.wait(number)]

    def _check_room(self) -> None:
        if len(self._beginning) + len(self._awaited) + len(self._held) >= _WAITING:
            raise TryAgain(_TOO_MANY)


def read(request: Request) -> Wish:
    """What a client wants that sent this before it was logged in.

    Raises:
        NotImplementedHere: another facade than ``Admin``, or no such method.
        NotSupported: another version than 3 and 4.
        InvalidLogin: a tag that is no user's, or credentials that lack a part.
        SessionTokenInvalid: a token that can't be one.
        Unauthorized: no password, or another proof in place of one.
        BadRequest: parameters that can't be read.
        JimmError: ``RedirectInfo``, which Juju always answers so.
    """
    if request.type != ADMIN:
        raise NotImplementedHere(_unknown(request))
    if request.version not in (VERSION, JAAS_VERSION):
        raise NotSupported(_OLD_CLIENT)
    match request.version, request.request:
        case 3, "Login":
            return _password_login(request)
        case 3, "RedirectInfo":
            raise JimmError("not redirected")
        case 4, "LoginDevice":
            return DeviceBegin()
        case 4, "GetDeviceSessionToken":
            return DeviceWait()
        case 4, "LoginWithSessionToken":
            return _token_login(request)
        case 4, "LoginWithClientCredentials":
            return _client_login(request)
        case 4, "LoginWithSessionCookie":
            return CookieLogin()
    raise NotImplementedHere(_no_method(request))


def unreadable(error: ProtocolError) -> bytes:
    """The answer to a message that is no request: nobody knows its number."""
    return encode_error(0, str(error), error.juju_code)


def _password_login(request: Request) -> PasswordLogin | ClientCredentialsLogin:
    login = _params(request, LoginRequest)
    if not login.credentials:
        raise Unauthorized(_NO_PASSWORD)
    password = Secret(login.credentials)
    if not login.auth_tag:  # python-libjuju with no user name: all is in the password
        client_id, colon, secret = login.credentials.partition(":")
        if colon:
            return _client(client_id, secret)
        return PasswordLogin("", password, login.client_version)
    try:
        name = parse_user_tag(login.auth_tag)
    except NotValid as error:
        raise InvalidLogin from error
    return PasswordLogin(name, password, login.client_version)


def _token_login(request: Request) -> SessionTokenLogin:
    """Whatever is wrong, it has this one code: only then a client begins a device login."""
    try:
        token = _params(request, SessionToken).session_token
    except BadRequest as error:
        raise SessionTokenInvalid(_NO_TOKEN) from error
    if not token:
        raise SessionTokenInvalid(_NO_TOKEN)
    return SessionTokenLogin(Secret(token))


def _client_login(request: Request) -> ClientCredentialsLogin:
    credentials = _params(request, ClientCredentials)
    return _client(credentials.client_id, credentials.client_secret)


def _client(client_id: str, secret: str) -> ClientCredentialsLogin:
    if not client_id or not secret:
        raise InvalidLogin
    return ClientCredentialsLogin(client_id, Secret(secret))


def _params(request: Request, declared: type[T]) -> T:
    try:
        return convert(request.params, declared)
    except ProtocolError as error:
        raise BadRequest(f"cannot read the parameters of the login: {error}") from error


def _no_method(request: Request) -> str:
    version = "" if request.version == VERSION else f"({request.version})"
    return f"no such request - method {ADMIN}{version}.{request.request} is not implemented"


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
    (State.CHECKING, RequestReceived): Dialogue._ask_in,
    (State.CHECKING, Accepted): Dialogue._let_in,
    (State.CHECKING, Refused): Dialogue._turn_away,
    (State.LOGGED_IN, RequestReceived): Dialogue._serve,
    **{
        (state, kind): Dialogue._hear
        for state in State
        for kind in (DeviceBegun, DeviceConfirmed, DeviceFailed)
    },
}
