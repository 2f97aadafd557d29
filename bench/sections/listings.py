"""Listings for alice, in fleets of which she sees all or a tenth."""

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from bench import population
from bench.ground import Ground
from bench.load import Load
from bench.processes import cpu
from bench.stage import Stage, stage
from bench.statements import Statements, typical
from bench.table import JIMM, Goal, Report, Row, Sense
from bench.taking import turns

SECTION: Final = "listings"

LOOKED_AT: Final = 5.0
"""Seconds in which JIMM looks once at each controller, whoever asks."""


@dataclass(frozen=True, slots=True)
class Size:
    """A fleet: so many models on so many controllers, of which alice sees so many."""

    models: int
    controllers: int
    seen: int

    @property
    def text(self) -> str:
        """As it is called in the table."""
        return f"fleet of {self.models:,}"


COUNTED: Final = 7
"""Listings of a kind whose statements and calls to controllers are counted."""

_SUMMARIES: Final = Goal(Sense.AT_MOST, 50)
_INFO: Final = Goal(Sense.AT_MOST, 500)

SIZES: Final = (Size(100, 4, 100), Size(1_000, 20, 1_000), Size(10_000, 20, 1_000))


@dataclass(frozen=True, slots=True)
class Call:
    """A listing."""

    method: str
    params: Mapping[str, Any]

    @property
    def text(self) -> str:
        """As it is called in the table."""
        entities = self.params.get("entities")
        return f"{self.method} of {len(entities):,}" if entities else self.method


class Fleet:
    """A fleet that runs, and what it does while nobody asks."""

    def __init__(self, size: Size, made: Stage, load: Load, uuids: Sequence[str]) -> None:
        self.size = size
        self.stage = made
        self.load = load
        self.uuids = uuids
        self.idle: tuple[float, ...] = (0.0, 0.0)
        self.idle_calls = Counter[str]()
        self.rested = 1.0

    def calls(self) -> list[Call]:
        """The listings that are measured; in a quick bench those with a goal."""
        tag = "user-alice"
        entities = [{"tag": f"model-{uuid}"} for uuid in self.uuids]
        found = [
            Call("ListModelSummaries", {"user-tag": tag, "all": False}),
            Call("ModelInfo", {"entities": entities}),
        ]
        return found if self.stage.ground.quick else [Call("ListModels", {"tag": tag}), *found]

    def spent(self) -> tuple[float, float]:
        """CPU seconds until now: of this fleet's JIMM, and of Postgres for it."""
        return cpu(self.stage.jimm.pid), self.stage.jimm.postgres_cpu()

    def ask(self, call: Call) -> float:
        """Asks once; the seconds that it took."""
        told = self.load.call("ModelManager", 10, call.method, call.params)
        return told.seconds


@dataclass(frozen=True, slots=True)
class Run:
    """One call: CPU seconds of JIMM and of Postgres, seconds by the clock."""

    cpu: float
    postgres: float
    seconds: float


def measure(ground: Ground, report: Report) -> None:
    """All fleets run at once, so that they take turns."""
    with ExitStack() as stack:
        sizes = SIZES[1:] if ground.quick else SIZES
        fleets = [stack.enter_context(_fleet(ground, size)) for size in sizes]
        _rest(ground, fleets)
        for fleet in fleets:
            for of, idle in zip(("JIMM", "Postgres"), fleet.idle, strict=True):
                work = f"{fleet.size.text}: CPU of {of} while nobody asks"
                report.add(Row(SECTION, work, "ms a second", {JIMM: [idle * 1e3]}))
        found: dict[tuple[int, str], list[Run]] = {}
        for at, call in enumerate(fleets[-1].calls()):
            for size, runs in _taken(ground, fleets, at).items():
                found[size, call.method] = runs
        _rows(fleets, found, report)
        for fleet in fleets[-1:] if ground.quick else fleets:
            _count(ground, fleet, report)


@contextmanager
def _fleet(ground: Ground, size: Size) -> Iterator[Fleet]:
    with stage(ground) as made:
        made.start_standin(size.controllers)
        jimm = made.prepare_jimm()
        jimm.start()
        jimm.await_ready()
        jimm.log_in()
        made.register(jimm)
        jimm.stop()
        models = population.models(size.models, size.seen)
        population.spread(made, jimm, models)
        jimm.start()
        jimm.await_ready()
        jimm.await_available(size.controllers)
        uuids = [each.uuid for each in models if each.owner == population.ALICE]
        yield Fleet(size, made, made.load("listings", jimm.target()), uuids)


def _rest(ground: Ground, fleets: Sequence[Fleet]) -> None:
    """What goes on while nobody asks, kept with each fleet."""
    for fleet in fleets:
        for call in fleet.calls():
            fleet.ask(call)
    spent = [fleet.spent() for fleet in fleets]
    asked = [fleet.stage.calls() for fleet in fleets]
    seconds = LOOKED_AT if ground.quick else 2 * LOOKED_AT
    time.sleep(seconds)
    for fleet, before, calls in zip(fleets, spent, asked, strict=True):
        fleet.idle = tuple((b - a) / seconds for a, b in zip(before, fleet.spent(), strict=True))
        fleet.idle_calls, fleet.rested = fleet.stage.calls() - calls, seconds


def _taken(ground: Ground, fleets: Sequence[Fleet], at: int) -> dict[int, list[Run]]:
    """A run is the middle one of some calls: what JIMM does besides comes in bursts."""
    runs = defaultdict[int, list[Run]](list)
    for number in range(ground.rounds):
        for fleet in turns(fleets, number):
            call = fleet.calls()[at]
            single = [_once(fleet, call) for _ in range(3 if ground.quick else 7)]
            runs[fleet.size.models].append(sorted(single, key=_in_all)[len(single) // 2])
    return dict(runs)


def _once(fleet: Fleet, call: Call) -> Run:
    before = fleet.spent()
    seconds = fleet.ask(call)
    own, postgres = (now - base for now, base in zip(fleet.spent(), before, strict=True))
    return Run(own, postgres, seconds)


def _rows(
    fleets: Sequence[Fleet], found: Mapping[tuple[int, str], list[Run]], report: Report
) -> None:
    largest = fleets[-1].size.models
    for call in fleets[-1].calls():
        for fleet in fleets:
            runs = found[fleet.size.models, call.method]
            shown = next(c for c in fleet.calls() if c.method == call.method)
            work = f"{shown.text}, {fleet.size.text}"
            is_largest = fleet.size.models == largest
            is_summaries = call.method == "ListModelSummaries" and is_largest
            is_info = call.method == "ModelInfo" and is_largest
            summed = [run.cpu + run.postgres for run in runs]
            goal = _SUMMARIES if is_summaries else None
            report.add(_row(f"{work}: CPU, Postgres included", summed, goal))
            report.add(_row(f"{work}: CPU of Postgres", [run.postgres for run in runs]))
            goal = _INFO if is_info else None
            report.add(_row(f"{work}: time", [run.seconds for run in runs], goal))
    large = found[largest, "ListModelSummaries"]
    small = found[fleets[-2].size.models, "ListModelSummaries"]
    ratios = [_in_all(a) / _in_all(b) for a, b in zip(large, small, strict=True) if _in_all(b)]
    work = f"ListModelSummaries, {fleets[-1].size.text} beside {fleets[-2].size.text}: CPU"
    report.add(Row(SECTION, work, "times", {JIMM: ratios}, Goal(Sense.AT_MOST, 1.3)))


def _count(ground: Ground, fleet: Fleet, report: Report) -> None:
    """Calls to controllers and statements, for one listing each."""
    with Statements(fleet.stage.jimm.database, ground) as log:
        for call in fleet.calls():
            is_goal = call.method == "ListModelSummaries" and fleet.size == SIZES[-1]
            work = f"{call.text}, {fleet.size.text}"
            asked = _Asked(fleet, call)
            goal = Goal(Sense.AT_MOST, 3) if is_goal else None
            report.add(log.row(work, asked.once, COUNTED, goal))
            told = typical(asked.windows, fleet.idle_calls, median(asked.seconds) / fleet.rested)
            goal = Goal(Sense.AT_MOST, 0) if is_goal else None
            work = f"{work}: calls to controllers"
            report.add(Row(SECTION, work, "each", {JIMM: [sum(told.values())]}, goal, told))


class _Asked:
    """What a listing asked of controllers, and how long it took, each time."""

    def __init__(self, fleet: Fleet, call: Call) -> None:
        self._fleet = fleet
        self._call = call
        self.windows: list[Counter[str]] = []
        self.seconds: list[float] = []

    def once(self) -> None:
        """Asks for it."""
        before = self._fleet.stage.calls()
        self.seconds.append(self._fleet.ask(self._call))
        self.windows.append(self._fleet.stage.calls() - before)


def _row(work: str, seconds: Sequence[float], goal: Goal | None = None) -> Row:
    return Row(SECTION, work, "ms", {JIMM: [1e3 * value for value in seconds]}, goal)


def _in_all(run: Run) -> float:
    return run.cpu + run.postgres
