"""The tap: it names what passes, as Juju would understand it, and keeps nothing back.

Client messages are named by what Juju would execute. Go's decoder takes keys in any order and
case, with escapes, the last of several, and reads on until the first value ends; text and
binary messages are alike to it. The quick way reads the plain spelling that clients use; what
it can't read is read again the slow way, by Go's rules.

Controller messages are looked through for what only JIMM may see: two codes, and that a model
is unknown, which it can't be to whoever is connected to it.
"""

import contextlib
import json
import re
from collections.abc import Iterator
from typing import Any, ClassVar, Final

import msgspec
from msgspec import Raw, Struct

from jimm.audit.call import LONGEST_PARAMS, Call
from jimm.errors import JimmError, Unauthorized
from jimm.proxy.skim import Skimmer, text_of, value_end, whole_number
from jimm.wire import codes, envelope
from jimm.wire.frames import Span, unmask

NAME_LIMIT: Final = 1024 * 1024
"""Bytes of a message in parts that are kept to name it."""

_ACCESS: Final = codes.ACCESS_REQUIRED.encode()
_REDIRECT: Final = codes.REDIRECT.encode()
_UNKNOWN: Final = b"unknown model"
"""In Juju's answer once a model is gone from a controller (``apiserver/errors``)."""

_KEY: Final = b'code"'
"""Each of them comes with a code, and few answers have one: one search clears all others."""

_QUIRED: Final = b'quired"'
_TRIES: Final = 64
ANSWER: Final = b'{"request-id":'
ANSWER_SIZE: Final = len(ANSWER)
RESULT: Final = b',"response":'
DIGITS: Final = 20
_CODE: Final = re.compile(rb'code"\s*:\s*"(?:' + _ACCESS + b"|" + _REDIRECT + rb')"')
OVERLAP: Final = 64
"""Bytes at the end of a part that may be the beginning of what :func:`mentions` looks for."""

ABSENT: Final = Raw(b"null")
"""The parameters of a call that has none."""
_HEAD_SIZE: Final = 4096
_PARAMS: Final = re.compile(rb'"params"[ \t\r\n]*:[ \t\r\n]*')
_FILLER: Final = b'"%s"' % (b"." * LONGEST_PARAMS)
_FILLER_SIZE: Final = len(_FILLER)
LONG: Final = 32 * 1024
"""Bytes from which on a message is long."""
_NAMES: Final = frozenset({"type", "request", "id", "version", "request-id", "requestid"})
_HEAD: Final = re.compile(rb'"(type|request|id|version|request-id)"\s*:\s*("[^"\\]*"|[0-9]+)')


class Finding(Struct, frozen=True):
    """A controller's message that JIMM must act on.

    ``code`` is ``access required``, ``redirection required``, or ``model not found`` where the
    answer is that this very model is unknown; ``whole`` tells whether it is the code of the
    answer itself, and not of rows in it.
    """

    request_id: int
    code: str
    whole: bool


class Plain(Struct, rename="kebab", forbid_unknown_fields=True, frozen=True, gc=False):
    """A call as clients spell it, and nothing else; an :class:`jimm.audit.call.Asked`."""

    sure: ClassVar[bool] = True
    request_id: int
    type: str
    request: str
    version: int = 0
    id: str = ""
    params: Raw = ABSENT
    trace_id: Raw = ABSENT
    span_id: Raw = ABSENT
    trace_flags: Raw = ABSENT


class Failure(Struct, rename="kebab", frozen=True, gc=False):
    """An answer that is an error."""

    request_id: int
    error: str
    error_code: str = ""


_read_failure: Final = msgspec.json.Decoder(Failure).decode
read_plain: Final = msgspec.json.Decoder(Plain).decode
"""Reads a message that is spelled as clients do; raises what :mod:`msgspec` does for others."""


def read_long(message: bytes | bytearray) -> Plain:
    """The same for a long message, faster where its parameters are a few long values: these are
    not read, and it gives others in their place, also too long for any record. If they are no
    JSON, this is no error; Juju then does nothing at all."""
    found = _PARAMS.search(message, 0, _HEAD_SIZE)
    if found is not None:
        start = found.end()
        end = value_end(message, start)
        if end - start > _FILLER_SIZE and len(message) - end < _HEAD_SIZE:
            with contextlib.suppress(msgspec.DecodeError, UnicodeError):
                plain = read_plain(message[:start] + _FILLER + message[end:])
                if len(plain.params) == _FILLER_SIZE:
                    return plain
    return read_plain(message)


class Tap:
    """Names the messages of one client, whatever frames and parts they come in.

    A message is kept up to ``limit`` bytes; of a longer one only the top level is read as it
    passes.
    """

    __slots__ = ("_kept", "_limit", "_long", "_mask", "_offset")

    def __init__(self, limit: int = NAME_LIMIT) -> None:
        self._limit = limit
        self._kept: bytearray | None = None
        self._long: _Long | None = None
        self._mask = b""
        self._offset = 0

    def see(self, data: bytes, span: Span) -> Call | None:
        """A part of a data frame went by; gives the call when its message is at its end."""
        header = span.header
        start = span.start + header.size if span.first else span.start
        self._offset = 0 if span.first else self._offset
        part = unmask(memoryview(data)[start : span.end], header.mask, self._offset)
        self._offset += len(part)
        ends = span.last and header.fin
        if self._kept is None and self._long is None:
            if ends:
                return name(part)
            if header.length > self._limit:
                self._long = _Long()
        self._mask = header.mask
        self._keep(part)
        return self._end() if ends else None

    def more(self, part: bytes) -> None:
        """The data frame that was last seen goes on, and goes on after this."""
        self._keep(unmask(part, self._mask, self._offset))
        self._offset += len(part)

    def _keep(self, part: bytes) -> None:
        if self._long is None:
            kept = self._kept = bytearray() if self._kept is None else self._kept
            if len(kept) + len(part) <= self._limit:
                kept += part
                return
            self._long, self._kept = _Long(), None
            self._long.feed(bytes(kept))
        self._long.feed(part)

    def _end(self) -> Call:
        kept, long = self._kept, self._long
        self._kept = self._long = None
        return name(kept or b"") if long is None else long.call()


class _Long:
    """A message of which only the top level is read."""

    def __init__(self) -> None:
        self._head = b""
        self._found: dict[str, Any] = {}
        self._skimmer = Skimmer(self._hear)

    def feed(self, part: bytes) -> None:
        if len(self._head) < _HEAD_SIZE:
            self._head += part[:_HEAD_SIZE]
        self._skimmer.feed(part)

    def call(self) -> Call:
        names = ("type", "request", "id")
        lost = any(self._found.get(each) is ... for each in names)
        if lost or not self._skimmer.whole:
            return guess(self._head)
        return _call(self._found)

    def _hear(self, key: str, value: object) -> None:
        if value is not None and (key := _fold(key)) in _NAMES:
            self._found[key] = value


def name(message: bytes | bytearray) -> Call:
    """The call in a message."""
    return name_plainly(message) or name_slowly(bytes(message))


def name_plainly(message: bytes | bytearray) -> Call | None:
    """The call in a message that is spelled as clients do; ``None`` for any other."""
    try:
        plain = read_plain(message) if len(message) < LONG else read_long(message)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    params = bytes(memoryview(plain.params)[:LONGEST_PARAMS])
    return Call(plain.request_id, plain.type, plain.version, plain.request, plain.id, params)


def name_slowly(message: bytes) -> Call:
    """The call in a message, by the rules of Go's ``encoding/json`` and Juju's envelope
    (``rpc/jsoncodec/codec.go``), the old one in CamelCase included."""
    text = text_of(message).lstrip(" \t\r\n")
    try:
        value, _ = _go_like.raw_decode(text)
    except ValueError:
        return guess(message)
    except RecursionError:
        long = _Long()
        long.feed(message)
        return long.call()
    if not isinstance(value, _Pairs):
        return guess(message)
    found: dict[str, Any] = {}
    for key, each in value:
        if each is not None:  # Go leaves a field as it is at a null
            found[_fold(key)] = each
    return _call(found)


def _call(found: dict[str, Any]) -> Call:
    number = found.get("request-id") or found.get("requestid")
    version = found.get("version")
    return Call(
        request_id=number if type(number) is int else 0,
        type=_text(found.get("type")),
        version=version if type(version) is int else 0,
        request=_text(found.get("request")),
        id=_text(found.get("id")),
    )


def guess(message: bytes) -> Call:
    """What the head of a message seems to ask for."""
    found: dict[str, bytes] = {}
    for key, value in _HEAD.findall(message[:_HEAD_SIZE]):
        found.setdefault(key.decode(), value)
    text = {key: value.strip(b'"').decode(errors="replace") for key, value in found.items()}
    numbers = {key: int(each[:18]) for key, each in text.items() if each[:18].isdecimal()}
    return Call(
        request_id=numbers.get("request-id", 0),
        type=text.get("type", ""),
        version=numbers.get("version", 0),
        request=text.get("request", ""),
        id=text.get("id", ""),
        sure=False,
    )


def succeeds(data: bytes, position: int) -> bool:
    """Whether an answer begins as Juju writes a success (``rpc/jsoncodec/codec.go``): then it has
    no error of its own, and codes at most in its rows."""
    if not data.startswith(ANSWER, position):
        return False
    number = position + ANSWER_SIZE
    return data.startswith(RESULT, data.find(b",", number, number + DIGITS))


def requires(data: bytes, position: int = 0) -> bool:
    """Whether the bytes from here on hold the end of one of the two codes, as anybody's text or
    not; very cheap. The letter ``q`` is rare in what controllers write, and to look for one
    letter costs next to nothing; where it is not rare, all of the end is looked for."""
    at = data.find(b"q", position)
    for _ in range(_TRIES):
        if at < 0 or data.startswith(_QUIRED, at):
            return at >= 0
        at = data.find(b"q", at + 1)
    return at >= 0 and data.find(_QUIRED, at) >= 0


def suspicious(data: bytes | memoryview) -> bool:
    """Whether the bytes hold the words of what no client may see; cheap."""
    plain = bytes(data) if isinstance(data, memoryview) else data
    return _KEY in plain and (_ACCESS in plain or _REDIRECT in plain or _UNKNOWN in plain)


def mentions(data: bytes) -> bool:
    """Whether one of the codes is written there as a code, and not as anybody's text."""
    return _CODE.search(data) is not None


def find(message: bytes) -> Finding | None:
    """What a controller's whole message says that only JIMM may see, if anything."""
    try:
        answer = envelope.decode(message)
    except JimmError:
        return None
    if not isinstance(answer, envelope.Response):
        return None
    unknown = (answer.error or "").startswith(_UNKNOWN.decode())
    if unknown and answer.error_code == codes.MODEL_NOT_FOUND:
        return Finding(answer.request_id, codes.MODEL_NOT_FOUND, whole=True)
    inside = set(_inner_codes(answer.response))
    for code in (codes.REDIRECT, codes.ACCESS_REQUIRED):
        if answer.error is not None and answer.error_code == code:
            return Finding(answer.request_id, code, whole=True)
        if code in inside:
            return Finding(answer.request_id, code, whole=False)
    return None


def failure(message: bytes) -> Failure | None:
    """The error that a controller's whole message is, if it is one."""
    try:
        found = _read_failure(message)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return found if found.error else None


def denied(message: bytes) -> bytes:
    """A controller's answer with ``permission denied`` wherever it says ``access required``."""
    refusal = Unauthorized()
    whole = find(message)
    if whole is not None and whole.whole:
        return envelope.encode_error(whole.request_id, str(refusal), refusal.juju_code)
    answer = msgspec.json.decode(message)
    for row in _rows(answer):
        if row.get("code") == codes.ACCESS_REQUIRED:
            row.pop("info", None)
            row |= {"message": str(refusal), "code": refusal.juju_code}
    return msgspec.json.encode(answer)


def _inner_codes(value: object) -> Iterator[str]:
    for row in _rows(value):
        code = row.get("code")
        if isinstance(code, str) and "message" in row:
            yield code


def _rows(value: object) -> Iterator[dict[str, Any]]:
    waiting = [value]
    while waiting:
        match waiting.pop():
            case dict() as found:
                yield found
                waiting.extend(found.values())
            case list() as found:
                waiting.extend(found)


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as it was written, duplicates and all."""


def _no_constant(text: str) -> object:
    raise ValueError(f"{text} is no JSON")


_go_like: Final = json.JSONDecoder(
    object_pairs_hook=_Pairs, parse_int=whole_number, parse_constant=_no_constant
)


def _fold(key: str) -> str:
    # The two letters beyond ASCII that Go folds onto ASCII ones (Unicode simple folding).
    return key.replace("\u017f", "s").replace("\u212a", "k").lower()


def _text(value: object) -> str:
    if not isinstance(value, str):
        return ""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
