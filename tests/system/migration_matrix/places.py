"""Where a real controller can be held in each phase, and where a fault waits for it there.

All are points of the simulator (``docs/simulator.md``).
"""

from collections.abc import Iterator, Mapping
from typing import Final

from jimm.migration.phases import Phase
from tests.migration_matrix import EXPECTED, OWN, Outcome, cells
from tests.unit.migration.juju import Fault, Party

HOLDS: Final[Mapping[Phase, str]] = {
    Phase.NONE: "initiate",
    Phase.QUIESCE: "message.performing source prechecks",
    Phase.IMPORT: "message.exporting model",
    Phase.PROCESSRELATIONS: "message.processing relations",
    Phase.VALIDATION: "message.activating model*",
    Phase.SUCCESS: "message.transferring ownership*",
    Phase.LOGTRANSFER: "message.successful, transferring logs*",
    Phase.REAP: "message.successful, removing*",
    Phase.ABORT: "message.aborted*",
}
"""The source stops there, with the phase's own work still to do, and all the world sees it."""

BEFORE: Final[Mapping[Phase, Phase]] = {
    Phase.DONE: Phase.REAP,
    Phase.REAPFAILED: Phase.REAP,
    Phase.ABORTDONE: Phase.ABORT,
}
"""The source rests in a last phase by itself. What can be held is JIMM, which looks at it from
the phase before on."""

CALLS: Final[Mapping[Phase, str]] = {
    Phase.NONE: "MigrationTarget.Prechecks",
    Phase.QUIESCE: "MigrationTarget.Prechecks",
    Phase.IMPORT: "MigrationTarget.Import",
    Phase.VALIDATION: "MigrationTarget.Activate",
    Phase.SUCCESS: "MigrationTarget.AdoptResources",
    Phase.LOGTRANSFER: "MigrationTarget.LatestLogTime",
    Phase.ABORT: "MigrationTarget.Abort",
}
"""What the source, held there, calls the target for next."""

IN_CALL: Final = frozenset(
    {(Party.TARGET, "stall"), (Party.TARGET, "crash"), (Party.SOURCE, "crash:late")}
)
"""Faults that strike while such a call is under way."""

WHOLE: Final = frozenset(
    {
        *((party, kind) for party in (Party.SOURCE, Party.TARGET) for kind in ("stall", "crash")),
        (Party.SOURCE, "crash:late"),
        *((party, kind) for party in (Party.WORKER, Party.DATABASE) for kind in OWN),
    }
)
"""Faults of a whole process, which strike whatever is under way at once."""

OTHERWISE: Final[Mapping[tuple[Phase, Party, str], Outcome]] = {
    # it dies while it activates, and the source takes any failure of that call for a refusal
    (Phase.VALIDATION, Party.TARGET, "crash"): Outcome.RETURNED,
    # the checks are over when the connections are cut
    (Phase.NONE, Party.WORKER, "cut"): Outcome.MOVED,
}
"""What comes of a cell here and not in the machine's table, whose controllers are simpler."""


def point(phase: Phase) -> str:
    """Where the source's own work in a phase may be refused."""
    return f"phase.source.{phase}"


def outcome(cell: Fault) -> Outcome:
    """What is to come of a cell."""
    row = EXPECTED[cell.phase]
    usual = row.but.get((cell.party, cell.kind), row.usual)
    return OTHERWISE.get((cell.phase, cell.party, cell.kind), usual)


def rounds() -> Iterator[tuple[str, list[Fault]]]:
    """The whole table by party and kind: what is played at once, in all phases, by name."""
    found: dict[str, list[Fault]] = {}
    for cell in cells():
        found.setdefault(f"{cell.party}-{cell.kind}", []).append(cell)
    yield from found.items()
