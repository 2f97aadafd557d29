"""Processes that are started, watched and ended together, and found again after a crash.

Each leaves a pid file that tells its start time too, so that after a SIGKILL of ours the next
start ends what is left, and nothing else that got the number since.
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jimm.errors import ConfigurationError

Condition = Callable[[], Awaitable[bool]]
"""Something that can be waited for."""

GRACE = 10.0
"""Seconds that a process gets between SIGTERM and SIGKILL."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run: ``jimm`` with these arguments, in this environment besides our own."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]


class Running:
    """A started program."""

    def __init__(self, program: Program, process: asyncio.subprocess.Process, log: Path) -> None:
        self.program = program
        self.log = log
        self._process = process

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """How it ended; ``None`` while it runs."""
        return self._process.returncode

    async def wait(self) -> int:
        """Waits for its end."""
        return await self._process.wait()

    async def stop(self) -> None:
        """Asks it to end, and ends it when it doesn't."""
        if self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            await asyncio.wait_for(self._process.wait(), GRACE)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    def last_words(self) -> str:
        """The last line of its log, to say why it did not start."""
        try:
            lines = self.log.read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1] if lines else ""


async def start(program: Program, folder: Path) -> Running:
    """Starts a program; its output goes to ``<folder>/<name>.log``."""
    folder.mkdir(exist_ok=True)
    log = folder / f"{program.name}.log"
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "jimm",
            *program.arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **program.environment},
            start_new_session=True,  # Ctrl-C is for us; we end the rest in order
        )
    began = _began(process.pid)
    (folder / f"{program.name}.pid").write_text(f"{process.pid} {began}\n")
    return Running(program, process, log)


async def stop_all(running: Sequence[Running], folder: Path) -> None:
    """Ends these, all at once, and forgets them."""
    await asyncio.gather(*(each.stop() for each in running))
    for each in running:
        (folder / f"{each.program.name}.pid").unlink(missing_ok=True)


def end_leftovers(folder: Path) -> None:
    """Ends what an earlier run left running."""
    for file in folder.glob("*.pid"):
        with contextlib.suppress(ValueError, OSError):
            pid, began = file.read_text().split()
            if _began(int(pid)) == began:
                _end(int(pid), began)
        file.unlink(missing_ok=True)


def _end(pid: int, began: str) -> None:
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while _began(pid) == began:
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            return
        time.sleep(0.05)


def _began(pid: int) -> str:
    """When a process started, in the kernel's ticks; empty if there is none (or a zombie)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


async def ready(running: Running, condition: Condition, *, deadline: float) -> None:
    """Waits until the condition holds.

    Raises:
        ConfigurationError: the process ended first, or the deadline passed; says where its
            log is.
    """
    end = time.monotonic() + deadline
    while not await condition():
        if running.exit_status is not None or time.monotonic() > end:
            raise ConfigurationError(
                f"{running.program.name} does not start: {running.last_words()} (see {running.log})"
            )
        await asyncio.sleep(0.05)
