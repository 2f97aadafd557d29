"""A program that is loaded once and run many times, each time in a process of its own.

Most of what a short command costs is loading it. ``python -m tests.loaded LISTENER MODULE …`` loads
the modules and waits: each request is answered by a child that becomes the program, with the
arguments, the environment, the folder and the standard streams that it is told. Tests of how a
program starts, stops or deals with a terminal start the program itself.
"""

import asyncio
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

_LONGEST: Final = 1 << 20
_PATIENCE: Final = 120.0


@dataclass(frozen=True)
class Ended:
    """How a run ended, and what it wrote."""

    status: int
    out: str
    err: str


class Loaded:
    """A program that waits to be run."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def run(
        self, *arguments: str, env: Mapping[str, str], cwd: Path, stdin: str = ""
    ) -> Ended:
        """One run, to its end."""
        with _Run.begun(self._path, arguments, env, cwd, stdin) as begun:
            begun.line.setblocking(False)
            return begun.ended(await asyncio.get_running_loop().sock_recv(begun.line, 100))

    def run_now(self, *arguments: str, env: Mapping[str, str], cwd: Path, stdin: str = "") -> Ended:
        """The same outside of asyncio."""
        with _Run.begun(self._path, arguments, env, cwd, stdin) as begun:
            begun.line.settimeout(_PATIENCE)
            return begun.ended(begun.line.recv(100))


@dataclass(frozen=True)
class _Run:
    line: socket.socket
    out: IO[bytes]
    err: IO[bytes]

    @classmethod
    @contextmanager
    def begun(
        cls, path: Path, arguments: Sequence[str], env: Mapping[str, str], cwd: Path, stdin: str
    ) -> Iterator["_Run"]:
        asked = json.dumps({"arguments": arguments, "env": dict(env), "cwd": str(cwd)})
        with (
            tempfile.TemporaryFile() as given,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
            socket.socket(socket.AF_UNIX) as line,
        ):
            given.write(stdin.encode())
            given.seek(0)
            line.connect(str(path))
            socket.send_fds(line, [asked.encode()], [each.fileno() for each in (given, out, err)])
            yield cls(line, out, err)

    def ended(self, status: bytes) -> Ended:
        assert status, "the program was killed"
        self.out.seek(0)
        self.err.seek(0)
        return Ended(int(status), self.out.read().decode(), self.err.read().decode())


@contextmanager
def loaded(folder: Path, *modules: str) -> Iterator[Loaded]:
    """Loads a program for the length of a block. The first of its modules has the function
    ``main``; the others are those that it loads only when it needs them."""
    path = folder / "loaded.socket"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[1])}
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.loaded", str(listener.fileno()), *modules],
            env=environment,
            stdin=subprocess.PIPE,  # once it is closed, nobody asks any more
            stdout=subprocess.DEVNULL,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
    try:
        yield Loaded(path)
    finally:
        process.communicate(timeout=30)


def _wait(listener: socket.socket, program: Any) -> None:
    """Forks for each request, until the end of our input."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children
    while True:
        readable, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in readable:
            return
        line, _ = listener.accept()
        with line:
            if os.fork() == 0:
                listener.close()
                status = _become(program, line)
                line.sendall(str(status).encode())
                os._exit(0)


def _become(program: Any, line: socket.socket) -> int:
    asked, streams, _, _ = socket.recv_fds(line, _LONGEST, 3)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    told = json.loads(asked)
    os.environ.clear()
    os.environ.update(told["env"])
    time.tzset()
    os.chdir(told["cwd"])
    sys.argv[1:] = told["arguments"]
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    status = _run(program)
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def _run(program: Any) -> int:
    """Its exit status, and what Python itself would say about it."""
    try:
        program.main()
    except SystemExit as ended:
        if isinstance(ended.code, str):
            print(ended.code, file=sys.stderr)
            return 1
        return ended.code or 0
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def main() -> None:
    """Loads what it is told, and waits."""
    listener, *modules = sys.argv[1:]
    program, *_ = [importlib.import_module(each) for each in modules]
    _wait(socket.socket(fileno=int(listener)), program)


if __name__ == "__main__":
    main()
