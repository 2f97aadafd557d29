"""Programs that are started, measured and ended; and what they use, by ``/proc``."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

TICK: Final = os.sysconf("SC_CLK_TCK")
GRACE: Final = 15.0
"""Seconds that a program gets between SIGTERM and SIGKILL."""


class Ended(Exception):
    """A program of the bench ended, or said that it can't."""


class Program:
    """One started program; a group of its own, so that all of it ends with it."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        folder: Path,
        *,
        environment: Mapping[str, str] | None = None,
        working_folder: Path | None = None,
        talks: bool = False,
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        pipe = subprocess.PIPE if talks else subprocess.DEVNULL
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                list(command),
                stdin=pipe,
                stdout=pipe if talks else log,
                stderr=log,
                env=None if environment is None else dict(environment),
                cwd=working_folder,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def check(self) -> None:
        """Nothing while it runs.

        Raises:
            Ended: it does not run any more.
        """
        if self._process.poll() is not None:
            raise Ended(f"{self.name} has ended: {self.last_words()}")

    def last_words(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-2000:].strip()

    def ask(self, **order: object) -> Any:
        """Sends a line of JSON and gives the answer.

        Raises:
            Ended: it ended, or answered with an error.
        """
        return self.tell(order)

    def tell(self, order: Mapping[str, object]) -> Any:
        """As :meth:`ask`, with whatever keys."""
        self.give(order)
        source = self._process.stdout
        line = source.readline() if source is not None else b""
        if not line:
            raise Ended(f"{self.name} has ended: {self.last_words()}")
        answer = json.loads(line)
        if isinstance(answer, dict) and isinstance(answer.get("error"), str):
            raise Ended(f"{self.name}: {answer['error']}")
        return answer

    def give(self, order: Mapping[str, object]) -> None:
        """Sends a line of JSON that is not answered.

        Raises:
            Ended: it ended.
        """
        sink = self._process.stdin
        if sink is None:
            raise TypeError(f"{self.name} was not started to be talked to")
        try:
            sink.write(json.dumps(order).encode() + b"\n")
            sink.flush()
        except BrokenPipeError as error:
            raise Ended(f"{self.name} has ended: {self.last_words()}") from error

    def end(self) -> None:
        """Asks it to end, and ends all of it when it doesn't."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(GRACE)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def cpu(pid: int) -> float:
    """CPU seconds of a process and all below it, those that have ended and were waited for
    included."""
    return sum(_own_cpu(each) + _reaped_cpu(each) for each in tree(pid))


def cpu_titled(pid: int, word: str) -> float:
    """CPU seconds of those processes right below one that have a word in their title, as
    Postgres' have the name of their database."""
    wanted = word.encode()
    return sum(_own_cpu(each) for each in tree(pid)[1:] if wanted in _title(each).split())


def memory(pid: int) -> int:
    """Bytes of a process and all below it: what it shares is counted in parts (PSS)."""
    return sum(_pss(each) for each in tree(pid))


def tree(pid: int) -> list[int]:
    """A process and all below it that run."""
    found, waiting = [], [pid]
    while waiting:
        each = waiting.pop()
        found.append(each)
        for task in _listed(Path(f"/proc/{each}/task")):
            try:
                waiting += map(int, (task / "children").read_text().split())
            except OSError:
                continue
    return found


def _own_cpu(pid: int) -> float:
    try:
        # The clock of another process, ended threads included (Linux: posix-cpu-timers).
        return time.clock_gettime(~pid << 3 | 2)
    except OSError:
        return 0.0


def _reaped_cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[13]) + int(fields[14])) / TICK


def _title(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
