"""Processes that are started, watched and ended together, and found again after a crash.

Each carries a mark in its environment from the moment it exists, so that after a SIGKILL of ours
the next start ends what is left, and nothing else. The mark is looked for in ``/proc``.
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
from typing import Final

from jimm.errors import ConfigurationError

Condition = Callable[[], Awaitable[bool]]
"""Something that can be waited for."""

GRACE: Final = 10.0
"""Seconds that a process gets between SIGTERM and SIGKILL."""

LOOK_EVERY: Final = 0.05
"""Seconds between two looks at something that is waited for."""

MARK: Final = "JIMM_DEV_RUN"
"""The variable that says for which folder a process was started."""


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

    async def stop(self) -> None:
        """Asks it to end, and ends it when it doesn't."""
        if self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        try:
            async with asyncio.timeout(GRACE):
                await self._process.wait()
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
        return lines[-1].removeprefix("ERROR ") if lines else ""


async def start(program: Program, folder: Path) -> Running:
    """Starts a program; its output is added to ``<folder>/<name>.log``."""
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
            env={**os.environ, **program.environment, MARK: str(folder)},
            start_new_session=True,  # Ctrl-C is for us; we end the rest in order
        )
    return Running(program, process, log)


async def stop_all(running: Sequence[Running]) -> None:
    """Ends these, all at once."""
    await asyncio.gather(*(each.stop() for each in running))


def end_leftovers(folder: Path) -> None:
    """Ends what an earlier run on this folder left running; blocks until it is gone.

    Raises:
        ConfigurationError: something does not end.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in leftovers(folder):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + GRACE
        while found := leftovers(folder):
            if time.monotonic() > deadline:
                break
            time.sleep(LOOK_EVERY)
        else:
            return
    raise ConfigurationError(f"processes of an earlier run do not end: {found}")


def leftovers(folder: Path) -> list[int]:
    """The processes that were started with this folder and still run."""
    mark = os.fsencode(f"{MARK}={folder}")
    return [int(each.name) for each in Path("/proc").glob("[0-9]*") if mark in _environment(each)]


def _environment(process: Path) -> list[bytes]:
    """What a process was started with; nothing for one that is gone, or somebody else's."""
    try:
        return (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return []


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
        await asyncio.sleep(LOOK_EVERY)
