"""What Juju reads in a client's message: a small reference decoder, independent of JIMM's.

Juju reads one websocket message with Go's ``encoding/json``: the first JSON value in it (what
follows is dropped), then that value into a struct (``rpc/jsoncodec/codec.go``, ``readMessage``),
and where that has no ``request-id``, into the struct of the old spelling. So a key matches in any
case, by Unicode's simple folding; of several the last one counts, but a ``null`` leaves a text or
a number as it is; a field of the wrong type, a number out of range, or a value nested deeper than
10,000 makes the message unreadable, and Juju ends the connection without executing anything.

Written for plainness, not for speed.
"""

import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple

DEEPEST: Final = 10_000
"""How deep values may be nested (``maxNestingDepth`` of ``encoding/json``)."""

_SPACE: Final = re.compile(rb"[ \t\r\n]*")
_SCALAR: Final = re.compile(
    rb'(?P<text>"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9A-Fa-f]{4})*+")'
    rb"|(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)"
    rb"|(?P<word>true|false|null)"
)
_ESCAPE: Final = re.compile(
    r"\\u([dD][89abAB]..)\\u([dD][c-fC-F]..)|\\u(....)|\\(.)"  # halves that belong together first
)
_LETTERS: Final = dict(zip("bfnrt", "\b\f\n\r\t", strict=True))
_TEXTS: Final = ("type", "id", "request", "error", "error-code")
_NUMBERS: Final = {"request-id": (0, 2**64 - 1), "version": (-(2**63), 2**63 - 1)}
_ENDS: Final = {b"{": b"}", b"[": b"]"}


class Executed(NamedTuple):
    """A call as Juju takes it. ``params`` are its bytes, empty where there are none."""

    request_id: int
    type: str
    version: int
    request: str
    id: str
    params: bytes


def executed(message: bytes) -> Executed | None:
    """The call in a message; ``None`` where Juju executes nothing."""
    try:
        members = _members(message)
        header = _filled(members, old=False)
        if not header.numbers["request-id"]:
            header = _filled(members, old=True)
    except _Unreadable:
        return None
    texts, numbers = header.texts, header.numbers
    if not (texts["type"] or texts["request"]):  # an answer (Juju ``rpc.Header.IsRequest``)
        return None
    return Executed(
        request_id=numbers["request-id"],
        type=texts["type"],
        version=numbers["version"],
        request=texts["request"],
        id=texts["id"],
        params=header.params,
    )


class _Unreadable(Exception):
    """Juju ends the connection."""


class _Member(NamedTuple):
    key: str
    kind: str  # text, number, word or compound
    value: bytes


@dataclass
class _Header:
    texts: dict[str, str] = field(default_factory=lambda: dict.fromkeys(_TEXTS, ""))
    numbers: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_NUMBERS, 0))
    params: bytes = b""


def _filled(members: list[_Member], *, old: bool) -> _Header:
    header = _Header()
    names = {_folded(name.replace("-", "") if old else name): name for name in (*_TEXTS, *_NUMBERS)}
    for key, kind, value in members:
        if _folded(key) == "PARAMS":
            header.params = value
        name = names.get(_folded(key))
        if name is None or value == b"null":
            continue
        if kind != ("text" if name in _TEXTS else "number"):
            raise _Unreadable(f"a {kind} for {name}")
        if name in _TEXTS:
            header.texts[name] = _text(value)
        else:
            header.numbers[name] = _whole(value, *_NUMBERS[name])
    return header


def _folded(key: str) -> str:
    # Of all letters beyond ASCII only the long s and the kelvin sign fold onto ASCII ones.
    plain = key.replace("\u017f", "S").replace("\u212a", "K")
    return "".join(each.upper() if each.isascii() else each for each in plain)


def _whole(digits: bytes, least: int, most: int) -> int:
    signed = digits.startswith(b"-")
    if (signed and least == 0) or not re.fullmatch(rb"-?[0-9]{1,20}", digits):
        raise _Unreadable("no whole number")
    number = int(digits)
    if not least <= number <= most:
        raise _Unreadable("out of range")
    return number


def _text(quoted: bytes) -> str:
    """A string's value: every byte that is no UTF-8, and every surrogate without its other half,
    is one U+FFFD."""
    plain = quoted[1:-1].decode("utf-8", "surrogateescape")
    return _ESCAPE.sub(_unescaped, re.sub("[\udc80-\udcff]", "\ufffd", plain))


def _unescaped(escape: re.Match[str]) -> str:
    high, low, code, letter = escape.groups()
    if high:
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
    if code:
        return "\ufffd" if 0xD800 <= int(code, 16) < 0xE000 else chr(int(code, 16))
    return _LETTERS.get(letter, letter)


def _members(data: bytes) -> list[_Member]:
    """The members of the first value, which is an object, or a ``null``, which has none."""
    position = _after_space(data, 0)
    if data.startswith(b"null", position):
        return []
    if not data.startswith(b"{", position):
        raise _Unreadable("no object")
    members: list[_Member] = []
    position = _after_space(data, position + 1)
    if data.startswith(b"}", position):
        return members
    while True:
        key, position = _key(data, position)
        kind, end = _value(data, position)
        members.append(_Member(key, kind, data[position:end]))
        position = _after_space(data, end)
        if data.startswith(b"}", position):
            return members
        position = _past(b",", data, position)


def _value(data: bytes, position: int) -> tuple[str, int]:
    """The kind of the value that begins here, inside an object, and where it ends."""
    scalar = _SCALAR.match(data, position)
    if scalar is not None:
        return str(scalar.lastgroup), scalar.end()
    open_ones: list[bytes] = []
    while True:
        position = _begin(data, position, open_ones)
        while open_ones and data.startswith(_ENDS[open_ones[-1]], position):
            open_ones.pop()
            position = _after_space(data, position + 1) if open_ones else position + 1
        if not open_ones:
            return "compound", position
        position = _past(b",", data, position)
        if open_ones[-1] == b"{":
            _, position = _key(data, position)


def _begin(data: bytes, position: int, open_ones: list[bytes]) -> int:
    """Enters whatever opens here, down to the first scalar or empty compound; gives the place
    after it."""
    while (scalar := _SCALAR.match(data, position)) is None:
        opener = data[position : position + 1]
        if opener not in _ENDS:
            raise _Unreadable("no value")
        open_ones.append(opener)
        if len(open_ones) + 1 > DEEPEST:  # they all lie in one object
            raise _Unreadable("nested too deep")
        position = _after_space(data, position + 1)
        if data.startswith(_ENDS[opener], position):
            return position
        if opener == b"{":
            _, position = _key(data, position)
    return _after_space(data, scalar.end())


def _key(data: bytes, position: int) -> tuple[str, int]:
    key = _SCALAR.match(data, position)
    if key is None or key.lastgroup != "text":
        raise _Unreadable("no key")
    return _text(key[0]), _past(b":", data, _after_space(data, key.end()))


def _past(mark: bytes, data: bytes, position: int) -> int:
    if not data.startswith(mark, position):
        raise _Unreadable(f"no {mark.decode()}")
    return _after_space(data, position + 1)


def _after_space(data: bytes, position: int) -> int:
    found = _SPACE.match(data, position)
    assert found is not None
    return found.end()
