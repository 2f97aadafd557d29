"""The table of states, and Juju's phases as its messages tell them.

All that may happen to a migration is in ``MOVES``; the diagram in the documentation is drawn
from it. Juju never names a phase to a client: ``phase_of`` reads it off the status message
(Juju 3.6 ``internal/worker/migrationmaster``).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from jimm.errors import Conflict
from jimm.registry.words import ENDED, MigrationState

State = MigrationState
"""How far JIMM's operation has come; the registry spells the words."""

MOVES: Final[Mapping[State, frozenset[State]]] = {
    State.REQUESTED: frozenset({State.CHECKING}),
    State.CHECKING: frozenset({State.STARTING, State.REFUSED}),
    # confirming, cleaning: the outcome of a lost answer may be found already decided
    State.STARTING: frozenset({State.RUNNING, State.CONFIRMING, State.CLEANING, State.FAILED}),
    State.RUNNING: frozenset({State.CONFIRMING, State.CLEANING, State.STUCK}),
    State.CONFIRMING: frozenset({State.DONE, State.RUNNING, State.STUCK}),
    # running, confirming: what the controllers said then was not so
    State.CLEANING: frozenset({State.FAILED, State.STUCK, State.RUNNING, State.CONFIRMING}),
    # it leaves by itself when the controllers agree, or by an administrator's word
    State.STUCK: frozenset(
        {State.RUNNING, State.CONFIRMING, State.CLEANING, State.DONE, State.FAILED}
    ),
    State.DONE: frozenset(),
    State.FAILED: frozenset(),
    State.REFUSED: frozenset(),
}
"""From each state, the states that may follow. Staying is no move."""


def move(current: State, following: State) -> State:
    """``following``, if the table allows it from ``current``.

    Raises:
        Conflict: it does not.
    """
    if following not in MOVES[current]:
        raise Conflict(f"a migration that is {current} cannot become {following}")
    return following


UNDER_WAY: Final = frozenset(
    {State.STARTING, State.RUNNING, State.CONFIRMING, State.CLEANING, State.STUCK}
)
"""States in which a controller may have begun: the target's login is kept, and an
administrator may decide."""


def decide(current: State, *, moved: bool) -> State:
    """What an administrator's word makes of a migration that never ends.

    It goes beyond ``MOVES``, for it is said of what JIMM can't find out.

    Raises:
        Conflict: nothing has begun, or it is over.
    """
    if current not in UNDER_WAY:
        raise Conflict(f"a migration that is {current} has nothing to resolve")
    return State.DONE if moved else State.FAILED


class Phase(StrEnum):
    """Where Juju is (3.6; 4.0 has no ``PROCESSRELATIONS``)."""

    NONE = ""
    QUIESCE = "QUIESCE"
    IMPORT = "IMPORT"
    PROCESSRELATIONS = "PROCESSRELATIONS"
    VALIDATION = "VALIDATION"
    SUCCESS = "SUCCESS"
    LOGTRANSFER = "LOGTRANSFER"
    REAP = "REAP"
    DONE = "DONE"
    ABORT = "ABORT"
    ABORTDONE = "ABORTDONE"
    REAPFAILED = "REAPFAILED"


POINT_OF_NO_RETURN: Final = frozenset(
    {Phase.SUCCESS, Phase.LOGTRANSFER, Phase.REAP, Phase.DONE, Phase.REAPFAILED}
)
"""Phases that cannot end in ``ABORT``: the model is the target's."""

_OPENINGS: Final = (
    ("aborted", Phase.ABORT),
    ("removing exported model failed", Phase.REAPFAILED),
    ("successful, removing", Phase.REAP),
    ("successful, transferr", Phase.LOGTRANSFER),
    ("successful", Phase.SUCCESS),
    ("transferring ownership", Phase.SUCCESS),
    ("validating", Phase.VALIDATION),
    ("checking machines", Phase.VALIDATION),
    ("activating", Phase.VALIDATION),
    ("machine sanity check", Phase.VALIDATION),
    ("model activation failed", Phase.VALIDATION),
    ("processing relations", Phase.PROCESSRELATIONS),
    ("exporting", Phase.IMPORT),
    ("importing", Phase.IMPORT),
    ("uploading", Phase.IMPORT),
    ("model data transfer failed", Phase.IMPORT),
    ("starting", Phase.QUIESCE),
    ("performing", Phase.QUIESCE),
    ("quiescing", Phase.QUIESCE),
    ("source prechecks failed", Phase.QUIESCE),
    ("target prechecks failed", Phase.QUIESCE),
)


def phase_of(message: str, *, ended: bool = False) -> Phase:
    """The phase that a status message belongs to; ``NONE`` for a message never seen before."""
    for opening, phase in _OPENINGS:
        if message.startswith(opening):
            return Phase.ABORTDONE if phase is Phase.ABORT and ended else phase
    return Phase.NONE


def diagram() -> str:
    """The table as a Mermaid state diagram, for the documentation."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.REQUESTED}"]
    for state in State:
        lines += [f"    {state} --> {each}" for each in State if each in MOVES[state]]
    lines += [f"    {state} --> [*]" for state in State if state in ENDED]
    return "\n".join(lines)
