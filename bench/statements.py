"""Statements to Postgres for one operation, counted in its own log.

(The embedded Postgres has no ``pg_stat_statements``.) What begins and ends a transaction is not
counted. The operation is done several times; of each statement the median counts, less what JIMM
sends in such a time while nobody asks it for anything.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from types import TracebackType
from typing import Final

from bench.ground import Ground
from bench.table import JIMM, LAST, Goal, Row

BACKGROUND: Final = 2.0
"""Seconds for which the background is listened to."""

_PREFIX: Final = "bench=%d "
_LINE: Final = re.compile(r"^bench=(\S*) LOG:  (?:statement|execute [^:]*): (.*)$")
_FRAME: Final = re.compile(
    r"(?i)(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|DEALLOCATE|SET)\b|;|SELECT 1$"
)


class Statements:
    """Counts what one JIMM sends; entering it takes some seconds."""

    def __init__(self, database: str, ground: Ground) -> None:
        self._database = database
        self._ground = ground
        self._background: Counter[str] = Counter()

    def __enter__(self) -> "Statements":
        self._switch(on=True)
        start = self._size()
        time.sleep(BACKGROUND)
        self._background = self._read(start)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._switch(on=False)

    def row(
        self, work: str, operation: Callable[[], object], times: int, goal: Goal | None = None
    ) -> Row:
        """Does an operation so many times, one after the other, and gives the statements of one,
        as a row."""
        windows, seconds = [], []
        for _ in range(times):
            start, began = self._size(), time.monotonic()
            operation()
            windows.append(self._read(start))
            seconds.append(time.monotonic() - began)
        told = typical(windows, self._background, median(seconds) / BACKGROUND)
        return Row(LAST, work, "statements", {JIMM: [sum(told.values())]}, goal, told)

    def _switch(self, *, on: bool) -> None:
        ground = self._ground
        ground.execute(f"ALTER SYSTEM SET log_statement = '{'all' if on else 'none'}'")
        ground.execute(f"ALTER SYSTEM SET log_line_prefix = '{_PREFIX}'")
        ground.execute("SELECT pg_reload_conf()")
        time.sleep(0.2)  # idle sessions hear of it in their own time

    def _size(self) -> int:
        return self._ground.postgres_log.stat().st_size

    def _read(self, start: int) -> Counter[str]:
        with self._ground.postgres_log.open("rb") as log:
            log.seek(start)
            text = log.read().decode(errors="replace")
        # A statement of several lines goes on with a tab.
        lines = text.replace("\n\t", " ").splitlines()
        found = Counter[str]()
        for line in lines:
            match = _LINE.match(line)
            if match and match[1] == self._database and not _FRAME.match(match[2]):
                found[" ".join(match[2].split())] += 1
        return found


def typical(
    windows: Sequence[Mapping[str, int]], background: Mapping[str, int], share: float
) -> dict[str, int]:
    """How often each thing was seen in the middle one of some windows, less what is seen
    anyway: ``share`` of ``background``. What is not seen then is left out."""
    names = dict.fromkeys(name for window in windows for name in window)
    told = {
        name: round(
            median(window.get(name, 0) for window in windows) - background.get(name, 0) * share
        )
        for name in names
    }
    return {name: times for name, times in told.items() if times > 0}
