"""The phases of a migration as the source controller walks them (Juju ``core/migration``).

Everything about the order is in :data:`MOVES`; nothing here knows a clock or a socket.
"""

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final


class Phase(enum.StrEnum):
    """Where an attempt stands. No client reply ever holds one of these names."""

    QUIESCE = "QUIESCE"
    IMPORT = "IMPORT"
    PROCESSRELATIONS = "PROCESSRELATIONS"
    VALIDATION = "VALIDATION"
    SUCCESS = "SUCCESS"
    LOGTRANSFER = "LOGTRANSFER"
    REAP = "REAP"
    DONE = "DONE"
    REAPFAILED = "REAPFAILED"
    ABORT = "ABORT"
    ABORTDONE = "ABORTDONE"


MOVES: Final[Mapping[Phase, tuple[Phase, ...]]] = MappingProxyType(
    {
        Phase.QUIESCE: (Phase.IMPORT, Phase.ABORT),
        Phase.IMPORT: (Phase.PROCESSRELATIONS, Phase.ABORT),
        Phase.PROCESSRELATIONS: (Phase.VALIDATION, Phase.ABORT),
        Phase.VALIDATION: (Phase.SUCCESS, Phase.ABORT),
        Phase.SUCCESS: (Phase.LOGTRANSFER,),
        Phase.LOGTRANSFER: (Phase.REAP,),
        Phase.REAP: (Phase.DONE, Phase.REAPFAILED),
        Phase.DONE: (),
        Phase.REAPFAILED: (),
        Phase.ABORT: (Phase.ABORTDONE,),
        Phase.ABORTDONE: (),
    }
)
"""The allowed moves; the first one is the way forward."""


MOVES_OF_FOUR: Final[Mapping[Phase, tuple[Phase, ...]]] = MappingProxyType(
    {
        **{phase: moves for phase, moves in MOVES.items() if phase is not Phase.PROCESSRELATIONS},
        Phase.IMPORT: (Phase.VALIDATION, Phase.ABORT),
    }
)
"""The same on Juju 4.0, which has no PROCESSRELATIONS."""


class IllegalPhaseChange(Exception):
    """A move that is not in the table; the text is Juju's (``state/modelmigration.go``)."""

    def __init__(self, current: Phase, following: Phase) -> None:
        super().__init__(f"illegal phase change: {current} -> {following}")
        self.current = current
        self.following = following


def move(
    current: Phase, following: Phase, moves: Mapping[Phase, tuple[Phase, ...]] = MOVES
) -> Phase:
    """``following``, if the table allows it.

    Raises:
        IllegalPhaseChange: it does not.
    """
    if following not in moves[current]:
        raise IllegalPhaseChange(current, following)
    return following


def onward(current: Phase, moves: Mapping[Phase, tuple[Phase, ...]] = MOVES) -> Phase:
    """The phase after ``current`` when all goes well.

    Raises:
        ValueError: ``current`` is the last one.
    """
    if is_terminal(current):
        raise ValueError(f"nothing follows {current}")
    return moves[current][0]


def is_terminal(phase: Phase) -> bool:
    """Whether the attempt is over."""
    return not MOVES[phase]


def can_abort(phase: Phase) -> bool:
    """Whether a failure in this phase brings the model back to the source."""
    return Phase.ABORT in MOVES[phase]


def can_fail(phase: Phase) -> bool:
    """Whether a failure in this phase ends the attempt; in others it is tried again."""
    return can_abort(phase) or phase is Phase.REAP


WAITS_FOR_AGENTS: Final[Mapping[Phase, str]] = MappingProxyType(
    {
        Phase.QUIESCE: "quiescing",
        Phase.VALIDATION: "validating",
        Phase.SUCCESS: "successful",
    }
)
"""Phases that each machine and unit reports on, with the word that begins their messages."""

SOURCE_PRECHECKS: Final = "performing source prechecks"
TARGET_PRECHECKS: Final = "performing target prechecks"
EXPORTING: Final = "exporting model"
IMPORTING: Final = "importing model into target controller"
UPLOADING: Final = "uploading model binaries into target controller"
PROCESSING_RELATIONS: Final = "processing relations"
CHECKING_MACHINES: Final = "checking machines in migrated model"
ACTIVATING: Final = "activating model in target controller"
ADOPTING: Final = "transferring ownership of cloud resources to target controller"
REMOVING: Final = "successful, removing model from source controller"
STARTING: Final = "starting"


def waiting(phase: Phase) -> str:
    """The first message of a wait for agents."""
    return f"{WAITS_FOR_AGENTS[phase]}, waiting for agents to report back"


def progress(phase: Phase, *, succeeded: int, failed: int, outstanding: int) -> str:
    """What a wait for agents tells every 30 s."""
    word = WAITS_FOR_AGENTS[phase]
    if not succeeded and not failed:
        return f"{word}, no reports from agents yet"
    text = (
        f"{word}, waiting for agents to report back: "
        f"{succeeded} succeeded, {outstanding} still to report"
    )
    return f"{text}, {failed} failed" if failed else text


def all_reported(phase: Phase) -> str:
    """The last message of a wait that went well."""
    return f"{WAITS_FOR_AGENTS[phase]}, all agents reported success"


def some_failed(phase: Phase) -> str:
    """An agent said no. Ends the attempt in QUIESCE and VALIDATION, is only noted in SUCCESS."""
    return f"{WAITS_FOR_AGENTS[phase]}, some agents reported failure"


def timed_out(phase: Phase) -> str:
    """An agent said nothing within the wait limit."""
    return f"{WAITS_FOR_AGENTS[phase]}, timed out waiting for agents to report"


def transferring(sent: int) -> str:
    """The log transfer at its start, and every 30 s."""
    return f"successful, transferring logs to target controller ({sent} sent)"


def transferred(sent: int) -> str:
    """The log transfer at its end."""
    return f"successful, transferred logs to target controller ({sent} sent)"


def aborted(reason: str) -> str:
    """What ABORT says. A worker that was started in ABORT knows no reason: pass ``""``."""
    return f"aborted, removing model from target controller: {reason}"


def reap_failed(reason: str) -> str:
    """What REAPFAILED says."""
    return f"removing exported model failed: {reason}"


def messages(phase: Phase) -> tuple[str, ...]:
    """What an untroubled worker says in this phase, in order, for a model without logs.

    Terminal phases say nothing of their own; ABORT's text holds the reason, here empty.
    """
    match phase:
        case Phase.QUIESCE:
            prechecks = (SOURCE_PRECHECKS, TARGET_PRECHECKS)
            return (*prechecks, waiting(phase), all_reported(phase), *prechecks)
        case Phase.IMPORT:
            return (EXPORTING, IMPORTING, UPLOADING)
        case Phase.PROCESSRELATIONS:
            return (PROCESSING_RELATIONS,)
        case Phase.VALIDATION:
            return (waiting(phase), all_reported(phase), CHECKING_MACHINES, ACTIVATING)
        case Phase.SUCCESS:
            return (waiting(phase), all_reported(phase), ADOPTING)
        case Phase.LOGTRANSFER:
            return (transferring(0), transferred(0))
        case Phase.REAP:
            return (REMOVING,)
        case Phase.ABORT:
            return (aborted(""),)
        case Phase.DONE | Phase.REAPFAILED | Phase.ABORTDONE:
            return ()


def diagram() -> str:
    """The table as text, one line for each phase; the documentation holds just this."""
    width = max(len(phase) for phase in Phase)
    lines = []
    for phase, following in MOVES.items():
        ways = " | ".join(following) if following else "(the end)"
        lines.append(f"{phase:<{width}} -> {ways}")
    return "\n".join(lines) + "\n"
