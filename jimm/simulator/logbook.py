"""The logs of models: lines that agents would write, made from what happens to the model."""

import asyncio
import datetime
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from jimm.simulator.state import Application, Model, Unit
from jimm.simulator.store import Change
from jimm.wire.params.common import Params
from jimm.wire.tags import ModelUUID

KEPT: Final = 5000
"""Lines of one model that are remembered."""

LEVELS: Final = ("TRACE", "DEBUG", "INFO", "WARNING", "ERROR")


class Line(Params, kw_only=True):
    """A line as clients get it (Juju ``rpc/params``, ``LogMessage``)."""

    tag: str
    ts: datetime.datetime
    sev: str
    mod: str
    loc: str = ""
    msg: str
    lab: Sequence[str] | Mapping[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which lines somebody wants.

    Entities and modules may end in ``*``; a module stands for those below it, too. ``backlog``
    is how many lines that have been written come first, ``None`` for all; ``most`` is after how
    many it ends, 0 for never.
    """

    level: str = ""
    backlog: int | None = 0
    tail: bool = True
    most: int = 0
    start: datetime.datetime | None = None
    include_entity: Sequence[str] = ()
    exclude_entity: Sequence[str] = ()
    include_module: Sequence[str] = ()
    exclude_module: Sequence[str] = ()

    def has(self, line: Line) -> bool:
        """Whether the line is one of them."""
        if self.level and LEVELS.index(line.sev) < LEVELS.index(self.level):
            return False
        if self.start is not None and line.ts < self.start:
            return False
        return _passes(line.tag, self.include_entity, self.exclude_entity, _names) and _passes(
            line.mod, self.include_module, self.exclude_module, _is_below
        )


@dataclass
class _Log:
    lines: deque[Line] = field(default_factory=lambda: deque(maxlen=KEPT))
    written: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)


class Logbook:
    """The logs, and who reads on in them. Lines live as long as the process."""

    def __init__(self, now: Callable[[], datetime.datetime]) -> None:
        self._now = now
        self._logs: dict[ModelUUID, _Log] = {}

    def write(
        self, model: ModelUUID, tag: str, message: str, *, level: str = "INFO", module: str = "juju"
    ) -> None:
        """Writes a line."""
        log = self._log(model)
        line = Line(tag=tag, ts=self._now(), sev=level, mod=module, loc="simulator:1", msg=message)
        log.lines.append(line)
        log.written += 1
        log.news.set()
        log.news = asyncio.Event()

    async def read(self, model: ModelUUID, wanted: Wanted) -> AsyncIterator[Line]:
        """The backlog, then new lines as they are written; no more than are wanted."""
        told = 0
        async for line in self._all(model, wanted):
            yield line
            told += 1
            if told == wanted.most:
                return

    async def _all(self, model: ModelUUID, wanted: Wanted) -> AsyncIterator[Line]:
        log = self._log(model)
        seen = log.written
        old = [line for line in log.lines if wanted.has(line)]
        first = 0 if wanted.backlog is None else max(0, len(old) - wanted.backlog)
        for line in old[first:]:
            yield line
        while wanted.tail:
            if log.written == seen:
                await log.news.wait()
            fresh = min(log.written - seen, len(log.lines))
            seen = log.written
            for line in list(log.lines)[len(log.lines) - fresh :]:
                if wanted.has(line):
                    yield line

    def on_change(self, change: Change) -> None:
        """Writes what the agents of a changed model would."""
        before = change.before if isinstance(change.before, Model) else None
        if not isinstance(change.after, Model):
            if before is not None:
                self._logs.pop(before.uuid, None)
            return
        for tag, module, message in _news(before, change.after):
            self.write(change.after.uuid, tag, message, module=module)

    def _log(self, model: ModelUUID) -> _Log:
        return self._logs.setdefault(model, _Log())


def _news(before: Model | None, after: Model) -> Iterator[tuple[str, str, str]]:
    if before is None:
        yield "controller-0", "juju.apiserver", f"model {after.name} created"
    for name, application in after.applications.items():
        known = before.applications.get(name) if before is not None else None
        if known is None:
            yield (
                "controller-0",
                "juju.apiserver.application",
                f"deployed {name} from {application.charm}",
            )
        yield from _of_units(known, application)


def _of_units(before: Application | None, after: Application) -> Iterator[tuple[str, str, str]]:
    known: Mapping[str, Unit] = before.units if before is not None else {}
    for name, unit in after.units.items():
        tag = f"unit-{name.replace('/', '-')}"
        if name not in known:
            yield tag, "juju.worker.uniter", "unit agent started"
        if name not in known or known[name].workload != unit.workload:
            status = unit.workload
            text = f"{status.status}: {status.info}" if status.info else status.status
            yield tag, f"unit.{name}.juju-log", f"workload status is {text}"


def _passes(
    value: str,
    include: Sequence[str],
    exclude: Sequence[str],
    fits: Callable[[str, str], bool],
) -> bool:
    if include and not any(fits(value, each) for each in include):
        return False
    return not any(fits(value, each) for each in exclude)


def _names(tag: str, pattern: str) -> bool:
    if pattern.endswith("*"):
        return tag.startswith(pattern[:-1])
    return tag == pattern


def _is_below(module: str, pattern: str) -> bool:
    return module == pattern or module.startswith(f"{pattern}.")
