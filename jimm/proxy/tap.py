"""The tap: it names what passes, as Juju would understand it, and keeps nothing back.

Client messages are named by what Juju would execute. Go's decoder takes keys in any order and
case, with escapes, the last of several, and reads on until the first value ends; text and
binary messages are alike to it. The quick way reads the plain spelling that clients use; what
it can't read is read again the slow way, by Go's rules.

Controller messages are looked through for what only JIMM may see: two codes, and that a model
is unknown, which it can't be to whoever is connected to it.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from jimm.errors import JimmError, Unauthorized
from jimm.wire import codes, envelope
from jimm.wire.frames import Span, unmask

NAME_LIMIT: Final = 1024 * 1024
"""Bytes of a message in parts that are kept to name it; a longer one is named by its head."""

_ACCESS: Final = codes.ACCESS_REQUIRED.encode()
_REDIRECT: Final = codes.REDIRECT.encode()
_UNKNOWN: Final = b"unknown model"
"""In Juju's answer once a model is gone from a controller (``apiserver/errors``)."""

_KEY: Final = b'code"'
"""Each of them comes with a code, and few answers have one: one search clears all others."""

_CODE: Final = re.compile(rb'code"\s*:\s*"(?:' + _ACCESS + b"|" + _REDIRECT + rb')"')
OVERLAP: Final = 64
"""Bytes at the end of a part that may be the beginning of what :func:`mentions` looks for."""

_ABSENT: Final = Raw(b"null")
_HEAD_SIZE: Final = 4096
_HEAD: Final = re.compile(rb'"(type|request|id|version|request-id)"\s*:\s*("[^"\\]*"|[0-9]+)')


class Call(Struct, frozen=True, gc=False):
    """What a client asks the controller for. ``id`` is an object on the server, or empty.

    ``sure`` is false where the name is a guess: the message could not be read, or was too long
    to be kept and only its head was looked at.
    """

    request_id: int = 0
    type: str = ""
    version: int = 0
    request: str = ""
    id: str = ""
    sure: bool = True

    @property
    def watches(self) -> bool:
        """Whether it opens, or works on, an object that lives on this very leg."""
        return bool(self.id) or "Watch" in self.request or "Watch" in self.type

    @property
    def waits(self) -> bool:
        """Whether its answer comes when something happens, perhaps never."""
        return self.request == "Next"


class Finding(Struct, frozen=True):
    """A controller's message that JIMM must act on.

    ``code`` is ``access required``, ``redirection required``, or ``model not found`` where the
    answer is that this very model is unknown; ``whole`` tells whether it is the code of the
    answer itself, and not of rows in it.
    """

    request_id: int
    code: str
    whole: bool


class _Plain(Struct, rename="kebab", forbid_unknown_fields=True, frozen=True, gc=False):
    request_id: int
    type: str
    request: str
    version: int = 0
    id: str = ""
    params: Raw = _ABSENT
    trace_id: Raw = _ABSENT
    span_id: Raw = _ABSENT
    trace_flags: Raw = _ABSENT


class Tap:
    """Names the messages of one client, whatever frames and parts they come in."""

    def __init__(self, limit: int = NAME_LIMIT) -> None:
        self._limit = limit
        self._read = msgspec.json.Decoder(_Plain).decode
        self._parts: list[bytes] = []
        self._kept = 0
        self._offset = 0
        self._cut = False

    def see(self, data: bytes, span: Span) -> Call | None:
        """A part of a data frame went by; gives the call when its message is at its end."""
        header = span.header
        start = span.start + header.size if span.first else span.start
        if span.first:
            self._offset = 0
        ends = span.last and header.fin
        if self._kept + span.end - start > self._limit:
            self._cut = True
        if not self._cut or not self._parts:
            end = min(span.end, start + _HEAD_SIZE) if self._cut else span.end
            part = unmask(memoryview(data)[start:end], header.mask, self._offset)
            if ends and not self._parts and not self._cut:
                return self._name(part)
            if part:  # empty fragments, however many, take no room
                self._parts.append(part)
            self._kept += len(part)
        self._offset += span.end - start
        return self._end() if ends else None

    def _end(self) -> Call:
        message, cut = b"".join(self._parts), self._cut
        self._parts.clear()
        self._kept = 0
        self._cut = False
        return guess(message) if cut else self._name(message)

    def _name(self, message: bytes) -> Call:
        try:
            plain = self._read(message)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return name_slowly(message)
        return Call(plain.request_id, plain.type, plain.version, plain.request, plain.id)


def name_slowly(message: bytes) -> Call:
    """The call in a message, by the rules of Go's ``encoding/json`` and Juju's envelope
    (``rpc/jsoncodec/codec.go``), the old one in CamelCase included."""
    text = message.decode(errors="replace").lstrip(" \t\r\n")
    try:
        value, _ = json.JSONDecoder(object_pairs_hook=_Pairs).raw_decode(text)
    except (ValueError, RecursionError):
        return guess(message)
    found: dict[str, Any] = {}
    for key, each in value if isinstance(value, _Pairs) else ():
        if each is not None:  # Go leaves a field as it is at a null
            found[_fold(key)] = each
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


def _fold(key: str) -> str:
    # The two letters beyond ASCII that Go folds onto ASCII ones (Unicode simple folding).
    return key.replace("\u017f", "s").replace("\u212a", "k").lower()


def _text(value: object) -> str:
    if not isinstance(value, str):
        return ""
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
