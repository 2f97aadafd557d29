"""Placing and creating models, on four stand-ins that make one at once."""

import time
from collections.abc import Callable
from typing import Final

from bench.ground import Ground
from bench.load import Measured
from bench.processes import cpu
from bench.stage import CLOUD, Stage, small
from bench.statements import Statements
from bench.table import JIMM, Report, Row

SECTION: Final = "creation"

AT_ONCE: Final = 8
"""Models that are being created at any time."""


def measure(ground: Ground, report: Report) -> None:
    """Creations over ``/api``, and decisions alone over ``/v1``."""
    made, _ = small(ground)
    create = _Creations(made)
    _create(made, create, report)
    with made.jimm.rest("alice") as rest:

        def decide() -> None:
            rest.post("/v1/placements:explain", json={"cloud": CLOUD}).raise_for_status()

        _place(made, decide, report)
        with Statements(made.jimm.database, ground) as log:
            report.add(log.row("create a model", lambda: create(1, 1), 10))
            report.add(log.row("decide a placement over REST", decide, 10))


class _Creations:
    """Creates models of alice's, wherever JIMM places them."""

    def __init__(self, made: Stage) -> None:
        self._load = made.load("create", made.jimm.target())

    def __call__(self, count: int, conns: int = AT_ONCE) -> Measured:
        params = {"name": "m-{n}", "owner-tag": "user-alice", "cloud-tag": f"cloud-{CLOUD}"}
        call = self._load.call
        return call("ModelManager", 10, "CreateModel", params, count=count, conns=conns)


def _create(made: Stage, create: _Creations, report: Report) -> None:
    ground, jimm = made.ground, made.jimm
    create(AT_ONCE)
    count = 16 if ground.quick else 100
    rates, ours, theirs = [], [], []
    for _ in range(ground.rounds):
        before, base = cpu(jimm.pid), jimm.postgres_cpu()
        rates.append(create(count).rate)
        ours.append(1e3 * (cpu(jimm.pid) - before) / count)
        theirs.append(1e3 * (jimm.postgres_cpu() - base) / count)
    report.add(Row(SECTION, f"models created, {AT_ONCE} at once", "a second", {JIMM: rates}))
    report.add(Row(SECTION, "CPU of JIMM", "ms a model", {JIMM: ours}))
    report.add(Row(SECTION, "CPU of Postgres", "ms a model", {JIMM: theirs}))


def _place(made: Stage, decide: Callable[[], None], report: Report) -> None:
    ground, jimm = made.ground, made.jimm
    count = 15 if ground.quick else 100
    rates, spent = [], []
    for _ in range(ground.rounds):
        before, base = cpu(jimm.pid), jimm.postgres_cpu()
        began = time.monotonic()
        for _ in range(count):
            decide()
        rates.append(count / (time.monotonic() - began))
        used = cpu(jimm.pid) - before + jimm.postgres_cpu() - base
        spent.append(1e3 * used / count)
    work = "placements decided over REST, one at a time"
    report.add(Row(SECTION, work, "a second", {JIMM: rates}))
    report.add(Row(SECTION, "CPU of JIMM and Postgres", "ms a decision", {JIMM: spent}))
