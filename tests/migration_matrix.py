"""Each kind of fault, in each phase, with each party, and what comes of it.

The table is made from ``Phase``: a new phase grows it, and whatever is tested with it fails until
it says here what to expect. It is gone through with the machine alone in simulated time, and with
real processes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from jimm.migration.phases import Phase
from tests.unit.migration.juju import Fault, Party


class Outcome(Enum):
    """Where the model is in the end, and what else is left."""

    MOVED = auto()
    DEBRIS = auto()  # moved, and the source could not remove it
    HIDDEN = auto()  # the same, but the source says that it is gone
    RETURNED = auto()
    COPY = auto()  # returned, and the target had been told that it is its own


SOURCE: Final = (
    *("refuse", "stall", "crash", "crash:late", "cut"),
    *("lie:gone", "lie:nothing", "lie:stale", "lie:ended", "lie:garbage"),
)
ASKED: Final = ("refuse", "stall", "crash", "crash:late", "cut", "lie:begun", "lie:refused")
TARGET: Final = (
    *("refuse", "stall", "crash", "cut"),
    *("lie:gone", "lie:live", "lie:importing", "lie:other", "lie:garbage"),
)
OWN: Final = ("refuse", "stall", "crash", "cut", "lie")

RETURNING: Final = dict.fromkeys(
    [(Party.TARGET, kind) for kind in ("refuse", "crash", "cut")] + [(Party.SOURCE, "refuse")],
    Outcome.RETURNED,
)
"""Where the source's and the target's work may fail, and each other's answer counts."""


@dataclass(frozen=True)
class Row:
    """What comes of a phase: usually, and of certain faults. ``way`` leads there."""

    usual: Outcome = Outcome.MOVED
    but: Mapping[tuple[Party, str], Outcome] = field(default_factory=dict)
    way: tuple[Fault, ...] = ()


ABORTING: Final = (Fault(Phase.VALIDATION, Party.SOURCE, "refuse"),)
REAPING: Final = (Fault(Phase.REAP, Party.SOURCE, "refuse"),)

EXPECTED: Final[Mapping[Phase, Row]] = {
    Phase.NONE: Row(
        but=RETURNING | {(Party.SOURCE, "lie:begun"): Outcome.RETURNED},
    ),
    Phase.QUIESCE: Row(but=RETURNING),
    # begun anew, Import finds its own half import
    Phase.IMPORT: Row(but=RETURNING | {(Party.SOURCE, "crash:late"): Outcome.RETURNED}),
    Phase.PROCESSRELATIONS: Row(but={(Party.SOURCE, "refuse"): Outcome.RETURNED}),
    Phase.VALIDATION: Row(
        but={
            (Party.SOURCE, "refuse"): Outcome.RETURNED,
            (Party.TARGET, "refuse"): Outcome.RETURNED,
            # Activate was carried out, and the source does not know
            (Party.SOURCE, "crash:late"): Outcome.COPY,
            (Party.TARGET, "cut"): Outcome.COPY,
        }
    ),
    Phase.SUCCESS: Row(),
    Phase.LOGTRANSFER: Row(),
    Phase.REAP: Row(but={(Party.SOURCE, "refuse"): Outcome.DEBRIS}),
    Phase.DONE: Row(),
    Phase.ABORT: Row(usual=Outcome.RETURNED, way=ABORTING),
    Phase.ABORTDONE: Row(usual=Outcome.RETURNED, way=ABORTING),
    Phase.REAPFAILED: Row(
        usual=Outcome.DEBRIS,
        but={
            (Party.SOURCE, "refuse"): Outcome.HIDDEN,
            (Party.SOURCE, "lie:gone"): Outcome.HIDDEN,
        },
        way=REAPING,
    ),
}


def kinds(phase: Phase, party: Party) -> tuple[str, ...]:
    """The faults there are."""
    match party:
        case Party.SOURCE:
            return SOURCE if phase is not Phase.NONE else ASKED
        case Party.TARGET:
            return TARGET
        case Party.WORKER | Party.DATABASE:
            return OWN


def cells() -> Iterator[Fault]:
    """The whole table."""
    for phase in Phase:
        for party in Party:
            for kind in kinds(phase, party):
                yield Fault(phase, party, kind)


def named(fault: object) -> str:
    """A cell's name."""
    assert isinstance(fault, Fault)
    return f"{fault.phase or 'NONE'}-{fault.party}-{fault.kind}"


def expected(fault: Fault) -> tuple[Row, Outcome]:
    """The row of a cell, and what is to come of it."""
    row = EXPECTED[fault.phase]
    return row, row.but.get((fault.party, fault.kind), row.usual)
