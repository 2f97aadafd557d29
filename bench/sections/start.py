"""From the start of ``jimm serve`` to the first answered login, the database being there."""

import time
from typing import Final

from bench.ground import Ground
from bench.processes import cpu, memory
from bench.stage import small
from bench.table import JIMM, Goal, Report, Row, Sense

SECTION: Final = "start"


def measure(ground: Ground, report: Report) -> None:
    """Four controllers are registered; what Python compiles was compiled by an earlier start."""
    seconds, spent, held = [], [], []
    made, _ = small(ground)
    jimm = made.jimm
    load = made.load("start", jimm.target())
    for _ in range(ground.rounds):
        jimm.stop()
        began = time.monotonic()
        jimm.start()
        load.await_login(60)
        seconds.append(time.monotonic() - began)
        spent.append(cpu(jimm.pid))
        held.append(memory(jimm.pid) / 1e6)
    goal = Goal(Sense.AT_MOST, 1.5)
    report.add(Row(SECTION, "start to the first answered login", "s", {JIMM: seconds}, goal))
    report.add(Row(SECTION, "CPU until then", "s", {JIMM: spent}))
    report.add(Row(SECTION, "memory then", "MB", {JIMM: held}))
