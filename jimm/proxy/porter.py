"""The porter: from the first byte of a login until the pipe is open.

::

    waiting ──an attempt──> admitting ──admitted──> dialling ──leg opened──> introducing
       ^                        │                      │                         │
       └──────denied────────────┴────────leg lost──────┴─────────refused─────────┤
                                                                              welcomed
    open <────────────────────────────────────────────────────────────────────────┘
     │  ^
     │  └── readmitted, or not: the same way once more, and the pipe is told
     └──access required──> admitting

Values in, commands out. The controller's own words about a login are not passed on where they
would make a client do something wrong: an ``unauthorized access`` starts a new login in the
browser, a ``model not found`` makes it forget the model, and a redirect leads past JIMM.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, assert_never, cast

from jimm.errors import (
    ControllerUnavailable,
    JimmError,
    ModelNotFound,
    NotValid,
    ProtocolError,
    RemoteError,
)
from jimm.wire import codes, envelope, login
from jimm.wire.fold import convert
from jimm.wire.params.admin import HostPort, LoginRequest
from jimm.wire.params.common import Params
from jimm.wire.tags import (
    ControllerUUID,
    ModelUUID,
    controller_tag,
    model_tag,
    parse_controller_tag,
)

_LOGIN_ID: Final = 1
_HIDDEN: Final = codes.GONE | {
    codes.ACCESS_REQUIRED,
    codes.USER_NOT_FOUND,
    codes.SESSION_TOKEN_INVALID,
    codes.FATAL_LOGIN,
    codes.NO_CREDENTIALS,
    codes.NOT_SUPPORTED,
    codes.NOT_IMPLEMENTED,
}
_LEAKY_FACADES: Final = {"HighAvailability": 3}
"""From these versions on a facade tells clients the controller's own addresses, and juju 4.0
goes there (Juju ``api/common/logs.go``)."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a client is told in place of the controller: JIMM's uuid and JIMM's addresses."""

    controller_uuid: ControllerUUID
    servers: tuple[tuple[HostPort, ...], ...]
    public_dns_name: str


@dataclass(frozen=True, slots=True)
class Introduction:
    """Somebody who may come in, and how the controller is told. ``going`` says that the model
    is being destroyed: then its controller is believed when it knows it no more."""

    controller_name: str
    controller_uuid: ControllerUUID
    model_uuid: ModelUUID
    user_tag: str
    login: LoginRequest
    shown: Shown
    going: bool = False


class _Welcome(Params, kw_only=True):
    """What JIMM has to know of a login's result; the rest, most of it, passes as it came."""

    controller_tag: str = ""
    model_tag: str = ""
    discharge_required: object = None
    facades: list[object]


class State(Enum):
    """How far the porter is."""

    WAITING = "waiting"
    ADMITTING = "admitting"
    DIALLING = "dialling"
    INTRODUCING = "introducing"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class ClientSpoke:
    """A whole message of the client's arrived, before the pipe was open."""

    message: bytes


@dataclass(frozen=True, slots=True)
class Admitted:
    """The doorkeeper let them in."""

    introduction: Introduction


@dataclass(frozen=True, slots=True)
class Denied:
    """The doorkeeper did not."""

    error: JimmError


@dataclass(frozen=True, slots=True)
class LegOpened:
    """The controller leg is there; nothing was sent on it."""


@dataclass(frozen=True, slots=True)
class LegLost:
    """The controller leg could not be opened, or broke, or was silent for too long."""

    error: JimmError


@dataclass(frozen=True, slots=True)
class ControllerSpoke:
    """The first whole message arrived on the controller leg."""

    message: bytes


@dataclass(frozen=True, slots=True)
class AccessRequired:
    """The pipe wants a leg whose login holds what was granted meanwhile."""


Event = (
    login.DeviceEvent
    | ClientSpoke
    | Admitted
    | Denied
    | LegOpened
    | LegLost
    | ControllerSpoke
    | AccessRequired
)


@dataclass(frozen=True, slots=True)
class Tell:
    """Send the client this message."""

    message: bytes


@dataclass(frozen=True, slots=True)
class Admit:
    """Ask the doorkeeper about this attempt."""

    attempt: login.Attempt


@dataclass(frozen=True, slots=True)
class Readmit:
    """Ask the doorkeeper once more about whom it admitted."""


@dataclass(frozen=True, slots=True)
class OpenLeg:
    """Open a leg to the controller of the last admission."""


@dataclass(frozen=True, slots=True)
class Introduce:
    """Send this message on the leg just opened."""

    message: bytes


@dataclass(frozen=True, slots=True)
class DropLeg:
    """Close the leg just opened; nothing was agreed on it."""


@dataclass(frozen=True, slots=True)
class OpenPipe:
    """Let frames pass between the client and the leg just opened."""


@dataclass(frozen=True, slots=True)
class ResumePipe:
    """Put the leg just opened in the place of the old one."""


@dataclass(frozen=True, slots=True)
class RefusePipe:
    """There is no better leg to be had; the old one stays."""

    error: JimmError


Command = (
    login.DeviceCommand
    | Tell
    | Admit
    | Readmit
    | OpenLeg
    | Introduce
    | DropLeg
    | OpenPipe
    | ResumePipe
    | RefusePipe
)


class Porter:
    """Lets one client in, to one model."""

    __slots__ = ("_dialogue", "_introduction", "_piped", "state")

    def __init__(self) -> None:
        self.state = State.WAITING
        self._dialogue = login.Dialogue(login.Door.MODEL)
        self._piped = False
        self._introduction: Introduction | None = None

    @property
    def checking(self) -> int:
        """The number of the request whose login is being checked, or was last."""
        return self._dialogue.checking

    def receive(self, event: Event) -> list[Command]:
        """What is to be done now.

        Raises:
            ValueError: the event can't happen in this state.
        """
        step = _STEPS.get((self.state, type(event)))
        if step is None:
            raise ValueError(f"{type(event).__name__} while {self.state.value}")
        return step(self, event)

    def _listen(self, event: ClientSpoke) -> list[Command]:
        try:
            request = envelope.decode(event.message)
            if not isinstance(request, envelope.Request):
                raise ProtocolError("a request was expected, this is an answer")
        except ProtocolError as error:
            return [Tell(login.unreadable(error))]
        return self._obey(self._dialogue.receive(login.RequestReceived(request)))

    def _dial(self, event: Admitted) -> list[Command]:
        self._introduction = event.introduction
        self.state = State.DIALLING
        return [OpenLeg()]

    def _introduce(self, _: LegOpened) -> list[Command]:
        self.state = State.INTRODUCING
        request = envelope.Request(
            request_id=_LOGIN_ID,
            type=login.ADMIN,
            version=login.VERSION,
            request="Login",
            params=self._known().login,
        )
        return [Introduce(envelope.encode_request(request))]

    def _hear(self, event: ControllerSpoke) -> list[Command]:
        introduction = self._known()
        try:
            result = read_welcome(event.message, introduction)
        except JimmError as error:
            return [DropLeg(), *self._fail(error)]
        self.state = State.OPEN
        self._introduction = None  # an open pipe waits for years, and needs no login
        if self._piped:
            return [ResumePipe()]
        self._piped = True
        shown = show(result, introduction)
        return [*self._obey(self._dialogue.receive(login.Accepted(shown))), OpenPipe()]

    def _hear_of_device(self, event: login.DeviceEvent) -> list[Command]:
        return self._obey(self._dialogue.receive(event))

    def _ask_again(self, _: AccessRequired) -> list[Command]:
        self.state = State.ADMITTING
        return [Readmit()]

    def _give_up(self, event: Denied | LegLost) -> list[Command]:
        return self._fail(event.error)

    def _fail(self, error: JimmError) -> list[Command]:
        if self._piped:
            self.state = State.OPEN
            return [RefusePipe(error)]
        self.state = State.WAITING
        return self._obey(self._dialogue.receive(login.Refused(error)))

    def _obey(self, commands: list[login.Command]) -> list[Command]:
        obeyed: list[Command] = []
        for command in commands:
            match command:
                case login.Reply(message):
                    obeyed.append(Tell(message))
                case login.Authenticate(attempt):
                    self.state = State.ADMITTING
                    obeyed.append(Admit(attempt))
                case login.BeginDevice() | login.AwaitDevice() | login.DropDevices():
                    obeyed.append(command)
                case login.Serve():
                    raise ValueError("a message was read after the pipe was opened")
                case _:
                    assert_never(command)
        return obeyed

    def _known(self) -> Introduction:
        if self._introduction is None:
            raise ValueError("nobody was admitted")
        return self._introduction


def read_welcome(message: bytes, introduction: Introduction) -> dict[str, object]:
    """The login result in a controller's first message, as plain JSON.

    Raises:
        ControllerUnavailable: it is no login result, another controller or model answers, or
            the refusal is none of the client's business.
        RemoteError: a refusal that the client may see, such as ``model migration in progress``.
    """
    name = introduction.controller_name
    try:
        answer = envelope.decode(message)
        if not isinstance(answer, envelope.Response) or answer.request_id != _LOGIN_ID:
            raise ProtocolError("something else than an answer to the login")
        _check_refusal(answer, introduction)
        result = convert(answer.response, _Welcome)
        if result.discharge_required is not None:
            raise ControllerUnavailable(f"controller {name} wants a login elsewhere first")
        if parse_controller_tag(result.controller_tag) != introduction.controller_uuid:
            raise ControllerUnavailable(f"wrong controller: another one answers for {name}")
    except (ProtocolError, NotValid) as error:
        raise ControllerUnavailable(f"controller {name} answers strangely: {error}") from error
    if result.model_tag != model_tag(introduction.model_uuid):
        raise ControllerUnavailable(f"controller {name} answers for another model")
    return cast("dict[str, object]", answer.response)


def show(result: dict[str, object], introduction: Introduction) -> dict[str, object]:
    """The controller's login result as the client sees it: JIMM's identity and addresses in
    place of the controller's, the rest as it came."""
    shown = introduction.shown
    told = result.get("user-info")
    user = dict(told) if isinstance(told, dict) else {"display-name": ""}
    user["identity"] = introduction.user_tag
    mine: dict[str, object] = {
        "controller-tag": controller_tag(shown.controller_uuid),
        "servers": [list(server) for server in shown.servers],
        "public-dns-name": shown.public_dns_name,
        "user-info": user,
        "facades": _harmless(result.get("facades")),
    }
    if not shown.public_dns_name:
        mine.pop("public-dns-name")
    theirs = {key: value for key, value in result.items() if key != "public-dns-name"}
    return theirs | mine


def _check_refusal(answer: envelope.Response, introduction: Introduction) -> None:
    if answer.error is None:
        return
    if introduction.going and answer.error_code in codes.GONE:
        raise ModelNotFound(f'unknown model: "{introduction.model_uuid}"')
    name = introduction.controller_name
    if answer.error_code in _HIDDEN:
        raise ControllerUnavailable(
            f"controller {name} does not let this model be used just now: {answer.error}"
        )
    raise RemoteError(answer.error, answer.error_code)


def _harmless(facades: object) -> list[object]:
    kept: list[object] = []
    for facade in facades if isinstance(facades, list) else []:
        limit = _LEAKY_FACADES.get(str(facade.get("name"))) if isinstance(facade, dict) else None
        if limit is None:
            kept.append(facade)
            continue
        versions = [version for version in facade.get("versions") or [] if version < limit]
        if versions:
            kept.append(facade | {"versions": versions})
    return kept


_Step = Callable[[Porter, Any], list[Command]]

_STEPS: Final[dict[tuple[State, type], _Step]] = {
    (State.WAITING, ClientSpoke): Porter._listen,
    (State.ADMITTING, ClientSpoke): Porter._listen,
    (State.ADMITTING, Admitted): Porter._dial,
    (State.ADMITTING, Denied): Porter._give_up,
    (State.DIALLING, ClientSpoke): Porter._listen,
    (State.DIALLING, LegOpened): Porter._introduce,
    (State.DIALLING, LegLost): Porter._give_up,
    (State.INTRODUCING, ClientSpoke): Porter._listen,
    (State.INTRODUCING, ControllerSpoke): Porter._hear,
    (State.INTRODUCING, LegLost): Porter._give_up,
    (State.OPEN, AccessRequired): Porter._ask_again,
    **{
        (state, kind): Porter._hear_of_device
        for state in State
        for kind in (login.DeviceBegun, login.DeviceConfirmed, login.DeviceFailed)
    },
}
