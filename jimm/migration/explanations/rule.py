"""What the tables of explanations are made of."""

import re
from dataclasses import dataclass
from string import Formatter
from typing import Final, Protocol

_BULLET: Final = re.compile(r"(?:^|\n)\s*-\s+")
_SHOWN: Final = 10
"""How many names of a list are told."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why something failed: a stable code, one sentence that names what is at fault, and what
    to do about it."""

    code: str
    sentence: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One of Juju's texts. ``pattern`` is a regular expression for the whole of it; what its
    named groups found fills the places of ``code``, ``sentence`` and ``remedy``. Lines that begin
    with dashes, as Juju lists users, become one."""

    code: str
    pattern: str
    sentence: str
    remedy: str

    def explain(self, text: str) -> Explanation | None:
        """What the text means, if it is this one."""
        found = re.fullmatch(self.pattern, text, re.DOTALL)
        if found is None:
            return None
        told = {name: _told(value or "") for name, value in found.groupdict().items()}
        return Explanation(
            _filled(self.code, {name: kebab(value) for name, value in told.items()}),
            _filled(self.sentence, told),
            _filled(self.remedy, told),
        )


class Reading(Protocol):
    """Something that knows what some of Juju's texts mean."""

    def explain(self, text: str) -> Explanation | None:
        """What the text means, if it is one of these."""


@dataclass(frozen=True, slots=True)
class Place:
    """A part of Juju that texts come from: ``opening`` is what it puts before each of them (a
    regular expression), ``readings`` are of what follows; the first that fits counts."""

    opening: str
    readings: tuple[Reading, ...]

    def explain(self, text: str) -> Explanation | None:
        """What the text means, if it comes from here."""
        opened = re.match(self.opening, text, re.DOTALL)
        return None if opened is None else first(self.readings, text[opened.end() :].strip())


@dataclass(frozen=True, slots=True)
class Listing:
    """A text that lists several things that are wrong, each on a line that begins with a dash.
    The code is that of the first that is known."""

    opening: str
    readings: tuple[Reading, ...]

    def explain(self, text: str) -> Explanation | None:
        """What the lines mean together, if it is such a list."""
        opened = re.match(self.opening, text, re.DOTALL)
        if opened is None:
            return None
        lines = _split(text[opened.end() :])
        told = [each for each in (first(self.readings, line) for line in lines) if each]
        if not told:
            return None
        sentences = _shortened([each.sentence for each in told])
        remedies = "; ".join(dict.fromkeys(each.remedy for each in told))
        return Explanation(told[0].code, sentences, remedies)


def first(readings: tuple[Reading, ...], text: str) -> Explanation | None:
    """What the first that knows a text makes of it."""
    told = (each.explain(text) for each in readings)
    return next((each for each in told if each is not None), None)


def kebab(words: str) -> str:
    """Words as a part of a code: ``base model aspects`` as ``base-model-aspects``."""
    parts = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", words)
    return re.sub(r"[^a-z0-9]+", "-", parts.lower()).strip("-")


def _told(found: str) -> str:
    names = _split(found)
    return _shortened(sorted(names), ", ") if len(names) > 1 else "".join(names)


def _split(text: str) -> list[str]:
    return [line.strip() for line in _BULLET.split(text.strip()) if line.strip()]


def _shortened(parts: list[str], joint: str = "; ") -> str:
    more = len(parts) - _SHOWN
    return joint.join(parts[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _filled(template: str, values: dict[str, str]) -> str:
    """The template with its places filled; a value is never taken for a template itself."""
    parts = Formatter().parse(template)
    return "".join(text + (values[name] if name else "") for text, name, _, _ in parts)
