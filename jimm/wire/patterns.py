"""Searching in names by regular expression, in time that grows with pattern times name.

Juju lets a client filter offers by one. Python's own matcher takes exponential time for some,
and whoever may list could stop a whole replica with it. This is the part of the syntax that has
a use here: literals, ``\\`` before a sign, ``.``, ``[a-z]``, ``*``, ``+`` and ``?`` after one of
those, ``^`` at the start, ``$`` at the end. Groups, alternatives and counts are refused.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from jimm.errors import NotValid

_LONGEST: Final = 256
_REPEATS: Final = frozenset("*+?")
_REFUSED: Final = frozenset("(){}|*+?^$]")


@dataclass(frozen=True, slots=True)
class _Step:
    """One sign of the pattern. ``signs`` are ranges, ``None`` is any sign."""

    signs: tuple[tuple[str, str], ...] | None
    negated: bool = False
    skippable: bool = False
    repeatable: bool = False

    def takes(self, sign: str) -> bool:
        if self.signs is None:
            return True
        return any(low <= sign <= high for low, high in self.signs) is not self.negated


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled expression."""

    _steps: tuple[_Step, ...]
    _from_start: bool
    _to_end: bool

    def found_in(self, text: str) -> bool:
        """Whether it matches anywhere in the text, as far as its anchors allow."""
        states = self._reached({0})
        for sign in text:
            if len(self._steps) in states and not self._to_end:
                return True
            states = self._after(states, sign)
            if not self._from_start:
                states |= self._reached({0})
        return len(self._steps) in states

    def _after(self, states: set[int], sign: str) -> set[int]:
        moved: set[int] = set()
        for state in states:
            if state < len(self._steps) and self._steps[state].takes(sign):
                moved |= {state + 1, state} if self._steps[state].repeatable else {state + 1}
        return self._reached(moved)

    def _reached(self, states: set[int]) -> set[int]:
        found = set(states)
        for state in range(len(self._steps)):
            if state in found and self._steps[state].skippable:
                found.add(state + 1)
        return found


def compiled(expression: str) -> Pattern:
    """The pattern.

    Raises:
        NotValid: it is too long, or uses what is refused here.
    """
    if len(expression) > _LONGEST:
        raise NotValid(f"a pattern has at most {_LONGEST} signs")
    body = expression.removeprefix("^")
    to_end = body.endswith("$") and not _ends_escaped(body[:-1])
    steps = tuple(_steps(body[:-1] if to_end else body, expression))
    return Pattern(steps, expression.startswith("^"), to_end)


def _ends_escaped(text: str) -> bool:
    """Whether the sign after this text is escaped by it."""
    return (len(text) - len(text.rstrip("\\"))) % 2 == 1


def _steps(body: str, expression: str) -> Iterator[_Step]:
    at = 0
    while at < len(body):
        signs, negated, at = _one(body, at, expression)
        repeat = body[at] if at < len(body) and body[at] in _REPEATS else None
        at += repeat is not None
        yield _Step(signs, negated, skippable=repeat in ("*", "?"), repeatable=repeat in ("*", "+"))


def _one(
    body: str, at: int, expression: str
) -> tuple[tuple[tuple[str, str], ...] | None, bool, int]:
    """One sign, class or dot, and where the next begins."""
    sign = body[at]
    if sign == "\\" and at + 1 < len(body) and not body[at + 1].isalnum():
        return ((body[at + 1], body[at + 1]),), False, at + 2
    if sign == ".":
        return None, False, at + 1
    if sign == "[":
        return _class(body, at, expression)
    if sign == "\\" or sign in _REFUSED:
        raise _refused(expression)
    return ((sign, sign),), False, at + 1


def _class(body: str, at: int, expression: str) -> tuple[tuple[tuple[str, str], ...], bool, int]:
    end = body.find("]", at + 1)
    inside = body[at + 1 : end] if end > 0 else ""
    negated = inside.startswith("^")
    inside = inside.removeprefix("^")
    if not inside or "\\" in inside or "[" in inside:
        raise _refused(expression)
    ranges: list[tuple[str, str]] = []
    while inside:
        wide = len(inside) > 2 and inside[1] == "-"
        ranges.append((inside[0], inside[2] if wide else inside[0]))
        inside = inside[3 if wide else 1 :]
    return tuple(ranges), negated, end + 1


def _refused(expression: str) -> NotValid:
    return NotValid(
        f'pattern "{expression}" not valid: it may hold literals, ".", "[a-z]", "*", "+", "?", '
        'and "^" and "$" around it'
    )
