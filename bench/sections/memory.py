"""What an idle proxied connection costs in memory, TLS on both its legs."""

import time
from collections import defaultdict
from typing import Final

from bench.ground import Ground
from bench.processes import memory
from bench.stage import small
from bench.table import JIMM, STRAIGHT, Goal, Report, Row, Sense
from bench.taking import turns

SECTION: Final = "memory"

FIRST: Final = 50
"""Connections that are there before anything is measured: pools and caches are filled then."""

SETTLE: Final = 0.7
"""Seconds after which nothing of the logins goes on any more."""


def measure(ground: Ground, report: Report) -> None:
    """Connections come in batches; each batch is a run."""
    batch = 60 if ground.quick else 200
    grown = defaultdict[str, list[float]](list)
    made, loads = small(ground)
    peers = [peer for peer in loads if peer != STRAIGHT]
    at_first = memory(made.jimm.pid)
    for peer in peers:
        loads[peer].open(FIRST)
    for number in range(ground.rounds):
        before = {peer: memory(made.pid(peer)) for peer in peers}
        for peer in turns(peers, number):
            loads[peer].open(FIRST + (number + 1) * batch)
        time.sleep(SETTLE)
        for peer in peers:
            grown[peer].append((memory(made.pid(peer)) - before[peer]) / batch / 1000)
    in_all = memory(made.jimm.pid) - at_first
    for load in loads.values():
        load.close()
    count = FIRST + ground.rounds * batch
    work = f"idle proxied connection, {count} of them"
    report.add(Row(SECTION, work, "kB", dict(grown), Goal(Sense.AT_MOST, 60)))
    share = in_all / count / 1000
    report.add(Row(SECTION, f"the same, the first {FIRST} included", "kB", {JIMM: [share]}))
