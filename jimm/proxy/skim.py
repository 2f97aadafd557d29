"""The top level of one JSON object, however long and however deep, in bounded memory.

What is nested is only skipped, so there is no recursion, and nothing is kept of it.
"""

import json
import re
import sys
from collections.abc import Callable
from typing import Final

DEEPEST: Final = 10_000
"""How deep values may be nested (``maxNestingDepth`` of Go's ``encoding/json``)."""

LONGEST: Final = 4096
"""Bytes of a key or of a plain value that are kept."""

_SPACE: Final = re.compile(rb"[ \t\r\n]*")
_MARK: Final = re.compile(rb'["\[\]{}]')
_PLAIN: Final = re.compile(rb"[^,}\]\s]*")
_OPENS: Final = frozenset(b"[{")
_BEGINS: Final = frozenset(b'"[{')
_QUOTE: Final = ord('"')
_BACKSLASH: Final = ord("\\")
_ESCAPED_QUOTES: Final = 16
_MARKS: Final = 256
_FAR: Final = 1024
_NEAR_MARKS: Final = 16
_NO_UTF8: Final = re.compile("[\udc80-\udcff]")

_Step = Callable[[bytes, int], int]


def text_of(raw: bytes) -> str:
    """Bytes as Go reads them: each one that is no UTF-8 is one U+FFFD."""
    return _NO_UTF8.sub("\ufffd", raw.decode(errors="surrogateescape"))


class Skimmer:
    """Feed it the parts of the text.

    ``tell`` is called with each key and its value, ``...`` in place of what is nested, too long
    or no JSON. ``whole`` says that the object has ended: what follows is not looked at;
    ``broken`` that it is no object.
    """

    def __init__(self, tell: Callable[[str, object], None]) -> None:
        self.whole = False
        self.broken = False
        self._tell = tell
        self._step: _Step = self._begin
        self._token = bytearray()
        self._escaped = False
        self._key: str | None = None
        self._depth = 0

    def feed(self, part: bytes) -> None:
        """The next part of the text."""
        at, end = 0, len(part)
        while at < end and not (self.whole or self.broken):
            at = self._step(part, at)

    def _begin(self, part: bytes, at: int) -> int:
        return self._expect(part, at, {b"{": self._first_key})

    def _first_key(self, part: bytes, at: int) -> int:
        return self._expect(part, at, {b'"': self._string, b"}": None})

    def _next_key(self, part: bytes, at: int) -> int:
        return self._expect(part, at, {b'"': self._string})

    def _colon(self, part: bytes, at: int) -> int:
        return self._expect(part, at, {b":": self._value})

    def _after(self, part: bytes, at: int) -> int:
        return self._expect(part, at, {b",": self._next_key, b"}": None})

    def _expect(self, part: bytes, at: int, steps: dict[bytes, _Step | None]) -> int:
        at = _after_space(part, at)
        found = part[at : at + 1]
        if not found:
            return at
        if found not in steps:
            self.broken = True
        elif (step := steps[found]) is None:
            self.whole = True
        else:
            self._step = step
        return at + 1

    def _value(self, part: bytes, at: int) -> int:
        at = _after_space(part, at)
        if at == len(part):
            return at
        if part[at] == _QUOTE:
            self._step = self._string
            return at + 1
        self._step = self._nested if part[at] in _OPENS else self._scalar
        return at

    def _scalar(self, part: bytes, at: int) -> int:
        found = _PLAIN.match(part, at)
        end = at if found is None else found.end()
        self._keep(part, at, end)
        if end < len(part):
            self._tell_value(bytes(self._token))
        return end

    def _string(self, part: bytes, at: int) -> int:
        end = self._string_end(part, at)
        if end < 0:
            self._keep(part, at, len(part))
            return len(part)
        self._keep(part, at, end)
        quoted = b'"' + bytes(self._token) + b'"'
        if self._key is not None:
            self._tell_value(quoted)
            return end + 1
        key = self._read(quoted)
        self._token.clear()
        self._key = key if isinstance(key, str) else ""
        self._step = self._colon
        return end + 1

    def _nested(self, part: bytes, at: int) -> int:
        found = _MARK.search(part, at)
        if found is None:
            return len(part)
        mark = part[found.start()]
        if mark == _QUOTE:
            self._step = self._nested_string
            return found.end()
        self._depth += 1 if mark in _OPENS else -1
        if self._depth >= DEEPEST:
            self.broken = True
        elif not self._depth:
            self._tell_value(b"")
        return found.end()

    def _nested_string(self, part: bytes, at: int) -> int:
        end = self._string_end(part, at)
        if end < 0:
            return len(part)
        self._step = self._nested
        return end + 1

    def _string_end(self, part: bytes, at: int) -> int:
        """Where the quote is that ends a string; -1 if it is not in this part."""
        if self._escaped:
            self._escaped = False
            at += 1
        end = _closing_quote(part, at)
        self._escaped = end < 0 and _is_escaped(part, at, len(part))
        return end

    def _keep(self, part: bytes, start: int, end: int) -> None:
        room = LONGEST + 1 - len(self._token)
        if room > 0:
            self._token += part[start : min(end, start + room)]

    def _tell_value(self, raw: bytes) -> None:
        self._tell(self._key or "", self._read(raw))
        self._token.clear()
        self._key = None
        self._step = self._after

    def _read(self, raw: bytes) -> object:
        if not raw or len(raw) > LONGEST:
            return Ellipsis
        try:
            return json.loads(text_of(raw), parse_int=whole_number)
        except ValueError:
            return Ellipsis


def value_end(text: bytes | bytearray, at: int) -> int:
    """Where the value ends that begins here: a string, a list or an object of JSON.

    To skip a long string is cheaper than to read it; where there are few of them it gives up,
    with -1. Of what is no JSON it may give anything.
    """
    if at + 1 >= len(text) or text[at] not in _BEGINS:
        return -1
    depth = near = 0
    for _ in range(_MARKS):
        found = _MARK.search(text, at)
        if found is None:
            return -1
        before, at = at, found.end()
        mark = text[at - 1]
        if mark == _QUOTE:
            at = _closing_quote(text, at, _ESCAPED_QUOTES) + 1
            if not at:
                return -1
        else:
            depth += 1 if mark in _OPENS else -1
        if not depth:
            return at
        near = near + 1 if at - before < _FAR else 0
        if near > _NEAR_MARKS:
            return -1
    return -1


def whole_number(digits: str) -> int:
    """A number of any length; one too long for Juju's fields is 0, whatever it is."""
    return int(digits) if len(digits) <= 20 else 0


def _closing_quote(text: bytes | bytearray, at: int, tries: int = sys.maxsize) -> int:
    """Where the quote is that ends a string; -1 if it is not there, or behind so many others."""
    for _ in range(tries):
        end = text.find(b'"', at)
        if end < 0 or not _is_escaped(text, at, end):
            return end
        at = end + 1
    return -1


def _is_escaped(text: bytes | bytearray, start: int, end: int) -> bool:
    """Whether what comes at the end is escaped: by an odd number of backslashes before it."""
    if end <= start or text[end - 1] != _BACKSLASH:
        return False
    before = text[start:end]
    return (len(before) - len(before.rstrip(b"\\"))) % 2 == 1


def _after_space(part: bytes, at: int) -> int:
    found = _SPACE.match(part, at)
    return at if found is None else found.end()
