"""Every call that passes, recorded at next to no cost.

A call is one line of text in a list (:mod:`jimm.audit.backlog`); lists go to Postgres by COPY, a
few times a second. What waits is bounded: at the bound the recorder is ``full`` until half of it
is written, and whoever can cause records waits meanwhile.
"""

import asyncio
import contextlib
import logging
import random
import secrets
import time
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple, Protocol

from jimm.audit import lines
from jimm.audit.backlog import Backlog, Batch, Conversation, Detail
from jimm.net.tasks import soon
from jimm.registry.audit_writer import Away, Refused

__all__ = ["SKIPPED", "Conversation", "Recorder"]

log = logging.getLogger(__name__)

BATCH: Final = 4000
"""Records in one batch."""

BATCHES: Final = 25
"""Batches that wait at most."""

EVERY: Final = 0.5
"""Seconds that a record waits for others."""

LONGEST_PAUSE: Final = 5.0
"""Seconds between attempts to write, at most."""

LAST_WORDS: Final = 5.0
"""Seconds that the rest gets at a stop."""

AT_ONCE: Final = 16
"""Details finished before others have their turn."""

SKIPPED: Final = ("Pinger.Ping", "*.Next")
"""Calls that say nothing: that a client is there, and that it waits for news."""

_REMEMBERED: Final = 256


class Writer(Protocol):
    """Where batches go (:class:`jimm.registry.audit_writer.AuditWriter`)."""

    async def write(self, columns: tuple[str, ...], data: bytes) -> None:
        """Writes a batch, whole and once, however often it is tried.

        Raises:
            Away: it is not known to be written; try the same batch again.
            Refused: Postgres does not take what is in it.
        """
        ...

    async def aclose(self) -> None:
        """Closes its connection."""
        ...


class _Part(NamedTuple):
    """Lines that are written in one transaction."""

    columns: tuple[str, ...]
    lines: list[str]


class Recorder:
    """Records what passes through this process.

    ``hide`` takes the secrets out of an error's text. ``skip`` names calls that leave no record,
    as ``Facade.Method`` or ``*.Method``. With ``drop`` nobody waits: what does not fit is
    dropped, and a record says how much. ``batch`` is in records, ``batches`` how many of them
    may wait, ``every`` seconds, ``now`` seconds since 1970.
    """

    def __init__(
        self,
        writer: Writer,
        *,
        hide: Callable[[str], str],
        skip: Iterable[str] = SKIPPED,
        drop: bool = False,
        batch: int = BATCH,
        batches: int = BATCHES,
        every: float = EVERY,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.full = False
        self._writer = writer
        self._hide = hide
        self._every = every
        self._backlog = Backlog(
            batch=batch,
            batches=batches,
            drop=drop,
            skip=skip,
            now=now,
            stirred=self._stirred,
            soon=soon,
        )
        self._taken: Batch | None = None
        self._parts: list[_Part] = []
        self._followers: list[Callable[[], None]] = []
        self._awake = asyncio.Event()
        self._hurry = asyncio.Event()
        self._room = asyncio.Event()
        self._hidden: dict[str, str] = {}

    def __len__(self) -> int:
        """How many records are not written yet."""
        taken = len(self._taken) if self._taken else 0
        return len(self._backlog) + taken + sum(len(part.lines) for part in self._parts)

    def follow(self, changed: Callable[[], None]) -> None:
        """Calls ``changed`` on the loop whenever ``full`` has changed."""
        self._followers.append(changed)

    async def room(self) -> None:
        """Waits while it is full."""
        while self.full:
            self._room.clear()
            await self._room.wait()

    def conversation(
        self,
        *,
        identity: str,
        door: str,
        model_uuid: str = "",
        controller: str = "",
        client: str = "",
    ) -> Conversation:
        """A new connection; ``client`` is where it comes from."""
        made = Conversation(self._backlog, self._without_secrets, secrets.token_hex(8))
        made.is_of(
            identity=identity,
            door=door,
            model_uuid=model_uuid,
            controller=controller,
            client=client,
        )
        return made

    async def run(self) -> None:
        """Writes, for ever."""
        while True:
            await self._awake.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every):
                    await self._hurry.wait()
            self._hurry.clear()
            await self._write_all()
            if self._backlog.rest():
                self._awake.clear()

    async def aclose(self, deadline: float = LAST_WORDS) -> None:
        """Writes what is left, in so many seconds; :meth:`run` has ended before."""
        try:
            async with asyncio.timeout(deadline):
                while len(self):
                    await self._write_all()
        except TimeoutError:
            log.error("%d records of the audit trail could not be written", len(self))
        finally:
            await self._writer.aclose()

    async def _write_all(self) -> None:
        """Writes all there is; what was begun before first, for a run may be cancelled."""
        await self._deliver()
        if not self._backlog.whole:
            self._backlog.cut()
        while batch := self._taken or self._backlog.take():
            self._taken = batch
            detailed = _Part(lines.DETAILED, await self._finished(batch.details))
            # The last one goes first: calls, which are plain as a rule, before their answers.
            self._parts = [detailed, _Part(lines.PLAIN, batch.lines)]
            self._taken = None
            await self._deliver()
            self._own_up()

    async def _finished(self, details: list[Detail]) -> list[str]:
        found: list[str] = []
        for number, detail in enumerate(details, 1):
            found.append(detail.head + detail.ending())
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        return found

    async def _deliver(self) -> None:
        """Writes the parts of a batch, the last one first; one that is refused is halved until
        what can't be written stands alone."""
        while self._parts:
            columns, part = self._parts[-1]
            try:
                if part:
                    await self._write(columns, "".join(part).encode())
            except Refused as error:
                self._halve(columns, part, error)
            else:
                self._parts.pop()

    def _halve(self, columns: tuple[str, ...], part: list[str], error: Refused) -> None:
        middle = len(part) // 2
        halves = [_Part(columns, part[middle:]), _Part(columns, part[:middle])]
        self._parts[-1:] = halves if middle else []
        if not middle:
            self._backlog.lost(1)
            log.error("a record of the audit trail can't be written: %s", error)

    async def _write(self, columns: tuple[str, ...], data: bytes) -> None:
        pause = 0.1
        while True:
            try:
                await self._writer.write(columns, data)
                return
            except Away as error:
                log.warning("the audit trail waits, %d records: %s", len(self), error)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
            pause = min(pause * 2, LONGEST_PAUSE)

    def _own_up(self) -> None:
        count = self._backlog.dropped()
        if count:
            own = self.conversation(identity="", door="jimm")
            own.noted("drop-audit-records", f'{{"records": {count}}}')

    def _stirred(self) -> None:
        self._awake.set()
        if self._backlog.whole:
            self._hurry.set()
        if self.full is not self._backlog.full:
            self.full = self._backlog.full
            if not self.full:
                self._room.set()
            for changed in list(self._followers):
                changed()

    def _without_secrets(self, text: str) -> str:
        found = self._hidden.get(text)
        if found is None:
            if len(self._hidden) >= _REMEMBERED:
                self._hidden.clear()
            found = self._hidden[text] = self._hide(text)
        return found
