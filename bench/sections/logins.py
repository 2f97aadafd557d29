"""What a login costs: connecting, TLS, the login itself, and goodbye."""

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from bench.ground import Ground
from bench.load import Load
from bench.sections.pipe import SETTLE
from bench.stage import Stage, small
from bench.statements import Statements
from bench.table import HAPROXY, JIMM, STRAIGHT, Goal, Report, Row, Sense
from bench.taking import turns

SECTION: Final = "logins"

RESUMED: Final = "TLS sessions resumed, of all legs"
OF_POSTGRES: Final = "CPU of Postgres"

AT_ONCE: Final = 4
"""Logins at any time."""

_CPU: Final = Goal(Sense.AT_MOST, 6)
_STATEMENTS: Final = Goal(Sense.AT_MOST, 2)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of login; ``fresh`` has a whole TLS handshake each time, ``proxied`` a leg to a
    controller."""

    work: str
    loads: dict[str, Load]
    proxied: bool = True
    fresh: bool = False
    goal: Goal | None = None

    @property
    def legs(self) -> int:
        """TLS connections for each login through the middle."""
        return 2 if self.proxied else 1


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one peer: per login, CPU seconds of the middle and of Postgres."""

    rate: float
    p50: float
    middle: float
    postgres: float
    resumed: float
    """The share of whole TLS handshakes that were spared, on both legs (on the one, where there
    is no other)."""


def measure(ground: Ground, report: Report) -> None:
    """Logins to a model beside the peers', and to ``/api``."""
    made, loads = small(ground)
    jimms = made.jimms.items()
    api = {peer: made.load(f"{peer}-api", its.target()) for peer, its in jimms}
    kinds = [
        Kind("model, token", loads, goal=_CPU),
        Kind("model, token, whole TLS handshake", loads, fresh=True),
        Kind("/api, token", api, proxied=False),
    ]
    if not ground.quick:
        password = {
            peer: made.load(f"{peer}-password", its.target(password=True)) for peer, its in jimms
        }
        kinds.append(Kind("/api, password", password, proxied=False))
    for kind, runs in zip(kinds, _taken(made, kinds), strict=True):
        _rows(kind, runs, report)
    _count(made, loads[JIMM], api[JIMM], report)


def _count(made: Stage, model: Load, api: Load, report: Report) -> None:
    def call() -> None:
        model.call("Client", 8, "FullStatus", {"patterns": ["bench:200"]}, count=1000, conns=16)
        time.sleep(SETTLE)

    with Statements(made.jimm.database, made.ground) as log:
        for work, load, goal in (
            ("login to a model, token", model, _STATEMENTS),
            ("login to /api, token", api, None),
        ):
            report.add(log.row(work, partial(load.logins, conns=1, count=1), 15, goal))
        report.add(log.row("1,000 proxied calls", call, 3))


def _taken(made: Stage, kinds: Sequence[Kind]) -> list[dict[str, list[Run]]]:
    """The runs of each kind; kinds and peers take turns."""
    ground = made.ground
    count = 40 if ground.quick else 200
    for kind in kinds:
        for load in kind.loads.values():
            load.logins(conns=AT_ONCE, count=2 * AT_ONCE)
    taken = [defaultdict[str, list[Run]](list) for _ in kinds]
    for number in range(ground.rounds):
        for at, kind in turns(list(enumerate(kinds)), number):
            for peer in turns(list(kind.loads), number):
                taken[at][peer].append(_run(made, kind, peer, count))
    return [dict(runs) for runs in taken]


def _run(made: Stage, kind: Kind, peer: str, count: int) -> Run:
    middle, base, resumed = made.spent(peer), made.postgres_spent(peer), made.resumed()
    told = kind.loads[peer].logins(conns=AT_ONCE, count=count, fresh=kind.fresh)
    return Run(
        rate=told.rate,
        p50=told.p50,
        middle=(made.spent(peer) - middle) / count,
        postgres=(made.postgres_spent(peer) - base) / count,
        resumed=(told.resumed + made.resumed() - resumed) / count / kind.legs,
    )


def _rows(kind: Kind, runs: Mapping[str, list[Run]], report: Report) -> None:
    def row(what: str, unit: str, of: Callable[[Run], float], goal: Goal | None = None) -> None:
        values = {peer: [of(run) for run in done] for peer, done in runs.items()}
        if what.startswith("CPU"):
            values.pop(STRAIGHT, None)
        if what == RESUMED:
            values.pop(STRAIGHT, None)
        if what == OF_POSTGRES:
            values.pop(HAPROXY, None)
        report.add(Row(SECTION, f"{kind.work}: {what}", unit, values, goal))

    row("CPU, Postgres included", "ms each", lambda r: (r.middle + r.postgres) * 1e3, kind.goal)
    row(OF_POSTGRES, "ms each", lambda run: run.postgres * 1e3)
    row("logins", "a second", lambda run: run.rate)
    row("p50", "ms", lambda run: run.p50 * 1e3)
    row(RESUMED, "share", lambda run: run.resumed)
