"""What a check found."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

NAMED: Final = 5
"""How many things a finding names before it counts the rest."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A stable code, what was found, and what to do.

    ``advice`` is told and refuses nothing. ``mendable`` is made right by a migration that is
    asked for with ``--prepare``, and does not stand in such a one's way.
    """

    code: str
    found: str
    remedy: str
    advice: bool = False
    mendable: bool = False


def refusing(findings: Iterable[Finding], *, prepare: bool) -> list[Finding]:
    """Those that stand in the way."""
    return [each for each in findings if not (each.advice or (prepare and each.mendable))]


def named(things: Iterable[str]) -> str:
    """A list for people, in order, that stays short."""
    every = list(dict.fromkeys(things))
    if len(every) <= NAMED + 1:
        return ", ".join(every)
    return f"{', '.join(every[:NAMED])} and {len(every) - NAMED} more"
