"""What the machine has done for it, and what it is told back: values, nothing else.

An *order* is given to whoever drives the machine, an *answer* is what came of it. Whatever goes
wrong with a controller is an answer too; only a lost lease ends a drive.
"""

from dataclasses import dataclass
from enum import StrEnum

from jimm.migration.prechecks import Finding
from jimm.registry.migration_records import Step


class Side(StrEnum):
    """One of the two controllers."""

    SOURCE = "source"
    TARGET = "target"


@dataclass(frozen=True, slots=True)
class Look:
    """Ask a controller where the model is. Told back: a :data:`~jimm.migration.verdict.View`."""

    at: Side


@dataclass(frozen=True, slots=True)
class Check:
    """Ask all that must hold before anything moves. Told back: :class:`Checked`."""


@dataclass(frozen=True, slots=True)
class MakeReady:
    """Make on the target what the source will need there: people, a login. Told back:
    :class:`Ready` or :class:`Unready`."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the source to begin, with what :class:`MakeReady` made (Juju
    ``Controller.InitiateMigration``). Told back: :class:`Begun`, :class:`Refused` or
    :class:`Lost`.

    ``within`` is how long its answer is waited for, in seconds.
    """

    within: float


@dataclass(frozen=True, slots=True)
class AbortImport:
    """Have the target drop its half import (Juju ``MigrationTarget.Abort``). Told back: the
    refusal, empty if there was none; whether the import is gone is seen by looking."""


@dataclass(frozen=True, slots=True)
class Admit:
    """Make the access of the model's people what it should be by now: on the target, or on the
    source if the model stays there. Nothing is told back."""

    at: Side = Side.TARGET


@dataclass(frozen=True, slots=True)
class Undo:
    """Take back what was made on the target for this migration. Nothing is told back."""


@dataclass(frozen=True, slots=True)
class Write:
    """Write a step down at once. Told back: the migration as it is then."""

    step: Step


@dataclass(frozen=True, slots=True)
class Rest:
    """Write a step down if it says anything new, then wait as long as it asks. Told back: the
    migration as it is then."""

    step: Step


Order = Look | Check | MakeReady | Ask | AbortImport | Admit | Undo | Write | Rest


@dataclass(frozen=True, slots=True)
class Checked:
    """``findings`` are all that was found, advice included. ``leftover``: the target holds a
    half import that nobody works on. ``start`` is the start of the last attempt as the source
    shows it, empty for none; ``machines`` and ``units`` are the model's size.
    """

    findings: tuple[Finding, ...]
    leftover: bool = False
    start: str = ""
    machines: int = 0
    units: int = 0


@dataclass(frozen=True, slots=True)
class Ready:
    """The source may be asked."""


@dataclass(frozen=True, slots=True)
class Unready:
    """Nothing can be asked. ``away``: a controller did not answer, which may pass."""

    why: str
    away: bool


@dataclass(frozen=True, slots=True)
class Begun:
    """The source has begun; ``juju_id`` is its own id of the attempt."""

    juju_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The source said no; ``text`` as it said it."""

    text: str


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer came, or none was asked for: looking tells."""

    why: str
