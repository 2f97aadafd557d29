"""What a call through the middle costs: CPU, time and calls a second, audit on."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bench.arithmetic import each, less
from bench.ground import Ground
from bench.load import Load, Measured
from bench.stage import Stage, small
from bench.table import HAPROXY, JIMM, STRAIGHT, Goal, Report, Row, Sense
from bench.taking import idle_rate, turns

SECTION: Final = "pipe"

SMALL: Final = 200
LARGE: Final = 100_000
HUGE: Final = 5_000_000

SECONDS: Final = {True: 0.2, False: 1.0}
"""That one run takes, in a quick bench and in a whole one."""

SETTLE: Final = 1.5
"""Seconds after which the audit of what was called is written."""


@dataclass(frozen=True, slots=True)
class Cell:
    """So many connections that ask for replies of a size, or upload so much, one call at a time
    each."""

    conns: int
    size: int
    uploads: bool = False
    goal: Goal | None = None
    """For the CPU of the middle."""

    @property
    def work(self) -> str:
        """As it is called in the table."""
        name = {SMALL: "200 B", LARGE: "100 kB", HUGE: "5 MB"}[self.size]
        return f"{name} {'upload' if self.uploads else 'reply'}, {self.conns} conn."


_SMALL_CALLS: Final = Goal(Sense.AT_MOST, 1.5, HAPROXY)
_LARGE_ONES: Final = Goal(Sense.AT_MOST, 1.2, HAPROXY)
_RATE: Final = Goal(Sense.AT_LEAST, 0.7, HAPROXY)

CPU: Final = "CPU in the middle"

QUICK: Final = (
    Cell(1, SMALL),
    Cell(16, SMALL, goal=_SMALL_CALLS),
    Cell(16, LARGE, goal=_LARGE_ONES),
    Cell(16, LARGE, uploads=True, goal=_LARGE_ONES),
    Cell(1, HUGE, goal=_LARGE_ONES),
    Cell(1, HUGE, uploads=True, goal=_LARGE_ONES),
)

MORE: Final = (
    Cell(256, SMALL),
    Cell(16, SMALL, uploads=True),
    Cell(1, LARGE),
    Cell(256, LARGE),
    Cell(1, LARGE, uploads=True),
    Cell(256, LARGE, uploads=True),
    Cell(16, HUGE),
    Cell(16, HUGE, uploads=True),
    Cell(256, HUGE),
    Cell(256, HUGE, uploads=True),
)
"""An upload of 200 B is with 1 and 256 connections what a reply is: both are one small frame
each way."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one peer did in one run; ``spent`` are CPU seconds of the middle for a call."""

    measured: Measured
    spent: float


def measure(ground: Ground, report: Report) -> None:
    """All cells, and what the audit of the calls costs Postgres."""
    made, loads = small(ground)
    report.add(_idle(made))
    for cell in QUICK if ground.quick else (*QUICK, *MORE):
        rows(cell, taken(made, loads, cell), report)
    _audit(made, loads[JIMM], report)


def taken(made: Stage, loads: Mapping[str, Load], cell: Cell) -> dict[str, list[Run]]:
    """The runs of a cell; the peers take turns, each round begins with another."""
    ground = made.ground
    seconds = SECONDS[ground.quick]
    runs = defaultdict[str, list[Run]](list)
    for load in loads.values():
        _run(load, cell, seconds / 5)  # connections are opened, buffers grow
    for number in range(ground.rounds):
        for peer in turns(list(loads), number):
            before = made.spent(peer)
            measured = _run(loads[peer], cell, seconds)
            spent = made.spent(peer) - before
            runs[peer].append(Run(measured, spent / measured.count))
    return dict(runs)


def rows(cell: Cell, runs: Mapping[str, list[Run]], report: Report) -> None:
    """What the runs of a cell say."""

    def row(what: str, unit: str, of: Callable[[Run], float], goal: Goal | None = None) -> None:
        values = {peer: [of(each) for each in done] for peer, done in runs.items()}
        if what == CPU:
            values.pop(STRAIGHT)
        report.add(Row(SECTION, f"{cell.work}: {what}", unit, values, goal))

    row(CPU, "µs a call", lambda run: run.spent * 1e6, cell.goal)
    many = cell.size == SMALL and cell.conns == 16 and not cell.uploads
    row("calls", "a second", lambda run: run.measured.rate, _RATE if many else None)
    row("p50", "ms", lambda run: run.measured.p50 * 1e3)
    row("p99", "ms", lambda run: run.measured.p99 * 1e3)
    if cell.size == SMALL and cell.conns == 1 and not cell.uploads:
        for what, of in (("p50", lambda run: run.p50), ("p99", lambda run: run.p99)):
            _added(cell, runs, what, of, report)


def _added(
    cell: Cell,
    runs: Mapping[str, list[Run]],
    what: str,
    of: Callable[[Measured], float],
    report: Report,
) -> None:
    straight = [of(run.measured) for run in runs[STRAIGHT]]
    values = {
        peer: [each * 1e6 for each in less([of(run.measured) for run in done], straight)]
        for peer, done in runs.items()
        if peer != STRAIGHT
    }
    report.add(Row(SECTION, f"{cell.work}: added {what}", "µs", values, _LARGE_ONES))


def _run(load: Load, cell: Cell, seconds: float) -> Measured:
    answer, upload = (SMALL, cell.size) if cell.uploads else (cell.size, 0)
    return load.run(conns=cell.conns, seconds=seconds, reply=answer, upload=upload)


def _idle(made: Stage) -> Row:
    """What each spends while nobody asks: it is in the other numbers, too."""
    runs = defaultdict[str, list[float]](list)
    time.sleep(SETTLE)
    for _ in range(3):
        before = {peer: made.spent(peer) for peer in made.middles()}
        time.sleep(1)
        for peer, spent in before.items():
            runs[peer].append((made.spent(peer) - spent) * 1e3)
    return Row(SECTION, "CPU while nobody asks", "ms a second", dict(runs))


def _audit(made: Stage, load: Load, report: Report) -> None:
    """Postgres' share of each audited call, its batches written."""
    ground = made.ground
    count = 3_000 if ground.quick else 20_000
    idle = idle_rate(ground.postgres_cpu, 3 if ground.quick else 10)
    values, called = [], 0
    for _ in range(ground.rounds):
        before, began = ground.postgres_cpu(), time.monotonic()
        called += load.run_count(conns=16, count=count, reply=SMALL).count
        time.sleep(SETTLE)
        spent, elapsed = ground.postgres_cpu() - before, time.monotonic() - began
        values.append(each(spent, idle, elapsed, count) * 1e6)
    goal = Goal(Sense.AT_MOST, 10)
    written = made.jimm.count("SELECT count(*) FROM audit_events WHERE action = 'call'")
    if written < called:
        report.remarks.append(f"Of {called} proxied calls {written} are in the audit.")
    runs = {JIMM: values} if written else {}
    report.add(Row(SECTION, "Postgres CPU for the audit", "µs a call", runs, goal))
