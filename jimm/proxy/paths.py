"""What may pass below a model's path besides its websocket, and in which words it is refused.

Paths are matched as they were sent, before anybody decodes them: what looks like one path to JIMM
and like another to the controller would carry a strong login to where it does not belong. Only
the templates here pass (Juju ``apiserver/apiserver.go``), with the query parameters and headers
named here; Juju's own router keeps the parts of a path among the query parameters.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import Final, Literal
from urllib.parse import parse_qsl, urlencode

from jimm.errors import (
    BadRequest,
    ControllerError,
    JimmError,
    MigrationUnderway,
    NotFound,
    NotValid,
    RemoteError,
    SessionTokenInvalid,
    TryAgain,
    Unauthorized,
)
from jimm.wire import codes
from jimm.wire.tags import ModelUUID, is_uuid

Level = Literal["read", "write", "admin"]
Headers = list[tuple[bytes, bytes]]


class Forbidden(Unauthorized):
    """The caller may see the model, and not do this with it."""

    code = codes.FORBIDDEN


class Kind(Enum):
    """What a path is for."""

    LOG = "log"
    CHARM = "charm"
    CHARMS = "charms"
    RESOURCE = "resource"
    TOOLS = "tools"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class Passage:
    """A request that has a way to a controller.

    ``target`` is path and query as the controller is to get them; ``level`` is the access to the
    model that it needs; ``changes`` tells whether it changes the model.
    """

    kind: Kind
    method: str
    model: ModelUUID
    target: str
    level: Level
    changes: bool


class Refusal(Exception):
    """A request that goes nowhere, with its HTTP status and Juju's code."""

    def __init__(
        self,
        status: HTTPStatus,
        message: str,
        code: str,
        *,
        old_form: bool = False,
        allow: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.old_form = old_form
        self.allow = allow

    @property
    def body(self) -> Mapping[str, object]:
        """What the JSON body says; charms have kept a form of their own (Juju
        ``rpc/params/internal.go``, ``CharmsResponse``)."""
        if self.old_form:
            return {"error": str(self), "error-code": self.code}
        return {"error": {"message": str(self), "code": self.code}}


_READ: Final[tuple[Level, bool]] = ("read", False)
_WRITE: Final[tuple[Level, bool]] = ("write", True)

_Methods = Mapping[str, tuple[Level, bool]]

_SHAPES: Final[tuple[tuple[Kind, re.Pattern[str], _Methods], ...]] = (
    (Kind.LOG, re.compile(r"/model/([^/]*)/log"), {"GET": _READ}),
    (
        Kind.CHARM,
        re.compile(r"/model-([^/]*)/charms/[A-Za-z0-9][A-Za-z0-9-]*-[0-9a-f]{7,64}"),
        {"GET": _READ, "PUT": _WRITE},
    ),
    (Kind.CHARMS, re.compile(r"/model/([^/]*)/charms"), {"GET": _READ, "POST": _WRITE}),
    (
        Kind.RESOURCE,
        re.compile(
            r"/model/([^/]*)/applications/[a-z0-9][a-z0-9-]*/resources/[A-Za-z0-9_][A-Za-z0-9._+-]*"
        ),
        {"GET": _READ, "PUT": _WRITE},
    ),
    (Kind.TOOLS, re.compile(r"/model/([^/]*)/tools"), {"POST": ("admin", True)}),
    (Kind.TOOL, re.compile(r"/model/([^/]*)/tools/[0-9][A-Za-z0-9.-]*"), {"GET": _READ}),
)

_CHARMS: Final = frozenset({"series", "schema", "revision", "name", "arch", "url", "file", "icon"})
_QUERY: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.LOG: frozenset(
        {
            "includeEntity",
            "excludeEntity",
            "includeModule",
            "excludeModule",
            "includeLabel",
            "excludeLabel",
            "includeLabels",
            "excludeLabels",
            "replay",
            "noTail",
            "maxLines",
            "backlog",
            "level",
            "startTime",
            "version",
            "firehose",
        }
    ),
    Kind.CHARM: frozenset({"file", "icon"}),
    Kind.CHARMS: _CHARMS,
    Kind.RESOURCE: frozenset({"pendingid"}),
    Kind.TOOLS: frozenset({"binaryVersion", "series"}),
    Kind.TOOL: frozenset(),
}

_TO_CONTROLLER: Final = frozenset(
    {
        b"accept",
        b"content-disposition",
        b"content-length",
        b"content-sha384",
        b"content-type",
        b"juju-curl",
        b"x-juju-clientversion",
    }
)
_TO_CLIENT: Final = frozenset(
    {
        b"content-disposition",
        b"content-length",
        b"content-sha384",
        b"content-type",
        b"etag",
        b"juju-curl",
        b"last-modified",
    }
)

_PRINTABLE: Final = re.compile(r"[!-~]*")
_BAD_PERCENT: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_DISGUISED: Final = re.compile(r"\\|%(?:2f|5c|[01][0-9a-f]|7f|[89a-f][0-9a-f])", re.IGNORECASE)
_DOTS: Final = re.compile(r"(?:\.|%2e){1,2}", re.IGNORECASE)


def concerns(raw_path: bytes) -> bool:
    """Whether a path, as it was sent, is below a model's."""
    return raw_path.startswith((b"/model/", b"/model-"))


def find(method: str, raw_path: bytes, query: bytes = b"") -> Passage:
    """The way of a request below a model's path.

    Raises:
        Refusal: it has none: 400 for a path that could be read in two ways and for a model's
            uuid that is none, 404 for another path, 405 for another method.
    """
    path = _sound(raw_path)
    for kind, shape, methods in _SHAPES:
        if (found := shape.fullmatch(path)) is None:
            continue
        if not is_uuid(found[1]):
            raise _bad(f'invalid model UUID "{found[1]}"', kind)
        if method not in methods:
            raise Refusal(
                HTTPStatus.METHOD_NOT_ALLOWED,
                f'unsupported method: "{method}"',
                codes.METHOD_NOT_ALLOWED,
                old_form=_is_old(kind),
                allow=tuple(methods),
            )
        level, changes = methods[method]
        target = path + _query(kind, query)
        return Passage(kind, method, ModelUUID(found[1]), target, level, changes)
    raise Refusal(HTTPStatus.NOT_FOUND, "not found", codes.NOT_FOUND)


def refusal(error: JimmError, passage: Passage) -> Refusal:
    """How an error is told on a passage. A controller's own text may hold what is secret."""
    return Refusal(
        _status(error),
        "the controller refused it" if isinstance(error, RemoteError) else str(error),
        error.juju_code,
        old_form=_is_old(passage.kind),
    )


def to_controller(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The headers of a request that its controller gets: no login, no cookie, no address."""
    return [(name, value) for name, value in headers if name.lower() in _TO_CONTROLLER]


def to_client(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The headers of an answer that the client gets: none that names the controller."""
    return [(name, value) for name, value in headers if name.lower() in _TO_CLIENT]


def needs_superuser(agent_version: str) -> bool:
    """Whether a controller of this version looks for a superuser's token below a model's path.

    It was mended in 3.6.24; before, the token's level on the model was not looked at there
    (Juju ``apiserver/authentication/jwt``). The oldest 4.0 known to be well is 4.0.13.
    """
    numbers = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", agent_version)
    if numbers is None:
        return True
    version = (int(numbers[1]), int(numbers[2]), int(numbers[3] or 0))
    return version < (3, 6, 24) or (4, 0, 0) <= version < (4, 0, 13)


def _sound(raw_path: bytes) -> str:
    path = raw_path.decode("latin-1")
    if (
        not _PRINTABLE.fullmatch(path)
        or _BAD_PERCENT.search(path)
        or _DISGUISED.search(path)
        or "//" in path
        or any(_DOTS.fullmatch(segment) for segment in path.split("/"))
    ):
        raise _bad("the path can't be read in one way only", None)
    return path


def _query(kind: Kind, raw: bytes) -> str:
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=256
        )
    except ValueError as error:
        raise _bad("the query can't be read", kind) from error
    kept = [(name, value) for name, value in pairs if name in _QUERY[kind]]
    return f"?{urlencode(kept)}" if kept else ""


def _status(error: JimmError) -> HTTPStatus:
    match error:
        case Forbidden():
            return HTTPStatus.FORBIDDEN
        case Unauthorized() | SessionTokenInvalid():
            return HTTPStatus.UNAUTHORIZED
        case NotFound():
            return HTTPStatus.NOT_FOUND
        case MigrationUnderway():
            return HTTPStatus.CONFLICT
        case BadRequest() | NotValid():
            return HTTPStatus.BAD_REQUEST
        case RemoteError():
            return HTTPStatus.BAD_GATEWAY
        case TryAgain() | ControllerError():
            return HTTPStatus.SERVICE_UNAVAILABLE
        case _:
            return HTTPStatus.INTERNAL_SERVER_ERROR


def _is_old(kind: Kind | None) -> bool:
    return kind in (Kind.CHARM, Kind.CHARMS)


def _bad(message: str, kind: Kind | None) -> Refusal:
    return Refusal(HTTPStatus.BAD_REQUEST, message, codes.BAD_REQUEST, old_form=_is_old(kind))
