"""``jimm serve --workers N``: a small parent, and N processes that serve on one port.

Each worker is a new interpreter and a whole replica, with a listening socket of its own on the
port, over which the system spreads new connections. The parent holds these sockets too: while a
worker is started again, its clients wait in its queue instead of being refused. When one dies
again and again, its socket is closed until the next start, and the others get its clients.
"""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jimm import logs
from jimm.errors import ConfigurationError
from jimm.listeners import shared_listener, shared_listeners
from jimm.serving import READY
from jimm.settings import Settings

log = logging.getLogger(__name__)

READY_WITHIN: Final = 60.0
"""Seconds that a worker may take to start; the database's own deadlines come first."""

STOPS_WITHIN: Final = 20.0
"""Seconds from a stop to SIGKILL; a worker's own deadlines come first."""

LIVED: Final = 60.0
"""Seconds after which a death is not held against the worker that follows."""

LONGEST_PAUSE: Final = 30.0
"""Seconds before another start, at most."""


async def run(settings: Settings) -> int:
    """Runs the workers until told to stop; the exit status.

    Raises:
        ConfigurationError: nobody can listen there, or a worker can't start.
    """
    logs.to_stderr(settings.log_level)
    places = [_Place(number, each) for number, each in enumerate(shared_listeners(settings), 1)]
    workers = _Workers(settings, places)
    with workers.told_by(signal.SIGINT, signal.SIGTERM):
        return await workers.run()


@dataclass
class _Place:
    """A worker's: its number, its listening socket while there is one, and its process.

    ``settled`` tells whether a worker was ever ready here.
    """

    number: int
    listener: socket.socket | None
    process: asyncio.subprocess.Process | None = None
    settled: bool = False

    def close(self) -> None:
        if self.listener is not None:
            self.listener.close()
            self.listener = None

    def send(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self.process is not None:
                self.process.send_signal(number)


class _Workers:
    """All workers, from the first start to the last end."""

    def __init__(self, settings: Settings, places: list[_Place]) -> None:
        self._settings = settings
        self._places = places
        self._stopping = asyncio.Event()
        self._failed = ""

    @contextmanager
    def told_by(self, *numbers: signal.Signals) -> Iterator[None]:
        """Passes each of these on to the workers, who stop; at once when told once more."""
        loop = asyncio.get_running_loop()
        for number in numbers:
            loop.add_signal_handler(number, self._stop)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)

    async def run(self) -> int:
        """Until all have ended.

        Raises:
            ConfigurationError: one can't start.
        """
        async with asyncio.TaskGroup() as group:
            late = group.create_task(self._kill_the_late())
            async with asyncio.TaskGroup() as inner:
                kept = [inner.create_task(self._keep(each)) for each in self._places]
            late.cancel()
        if self._failed:
            raise ConfigurationError(self._failed)
        return int(not all(each.result() in {0, -signal.SIGTERM} for each in kept))

    def _stop(self) -> None:
        self._stopping.set()
        for place in self._places:
            place.close()  # or clients would still be let into a queue that nobody empties
            place.send(signal.SIGTERM)

    async def _kill_the_late(self) -> None:
        await self._stopping.wait()
        await asyncio.sleep(STOPS_WITHIN)
        for place in self._places:
            place.send(signal.SIGKILL)

    async def _keep(self, place: _Place) -> int:
        """Has a worker run here until all stop; how the last one ended."""
        loop, deaths = asyncio.get_running_loop(), 0
        while True:
            began = loop.time()
            if place.listener is None:
                place.listener = shared_listener(self._settings)
            said, status = await self._live(place, place.listener)
            if self._stopping.is_set():
                return status
            why = said or _ended(status)
            if not place.settled:
                self._failed = said or f"worker {place.number} does not start: {why}"
                self._stop()
                return status
            deaths = 1 if loop.time() - began > LIVED else deaths + 1
            pause = pause_after(deaths)
            log.error("worker %d has ended (%s); another in %.0f s", place.number, why, pause)
            if pause:
                place.close()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._stopping.wait()
            if self._stopping.is_set():
                return 0

    async def _live(self, place: _Place, listener: socket.socket) -> tuple[str, int]:
        """One worker's life: what it said of why it can't start, and how it ended."""
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                place.process = await self._spawn(place.number, listener, theirs)
            if self._stopping.is_set():
                place.send(signal.SIGTERM)
            said = await _first_words(ours)
            if said == READY:
                place.settled = True
                log.info("worker %d serves (process %d)", place.number, place.process.pid)
                said = ""
            elif said == "":
                place.send(signal.SIGKILL)  # it is dead, or hangs
            status = await place.process.wait()
            place.process = None
            return said, status

    async def _spawn(
        self, number: int, listener: socket.socket, line: socket.socket
    ) -> asyncio.subprocess.Process:
        """A new interpreter, which finds our modules where this one does.

        It has a session of its own: Ctrl-C is for the parent, who tells it.
        """
        apart = [] if {"", str(Path.cwd())} & set(sys.path) else ["-P"]
        passed = (listener.fileno(), line.fileno())
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *apart,
            *("-m", "jimm.serving", str(number), *map(str, passed)),
            env={**os.environ, "JIMM_WORKERS": str(self._settings.workers)},
            stdin=asyncio.subprocess.DEVNULL,
            pass_fds=passed,
            start_new_session=True,
        )


async def _first_words(line: socket.socket) -> str:
    """A line; empty when the worker ends without one, or takes too long."""
    loop, said = asyncio.get_running_loop(), b""
    line.setblocking(False)
    with contextlib.suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(READY_WITHIN):
            while not said.endswith(b"\n"):
                part = await loop.sock_recv(line, 4096)
                if not part:
                    break
                said += part
    return said.decode().strip()


def pause_after(deaths: int) -> float:
    """Seconds before the next start, after so many deaths that came soon one after another."""
    return 0.0 if deaths == 1 else min(2.0 ** min(deaths - 2, 10), LONGEST_PAUSE)


def _ended(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"exit status {status}"
