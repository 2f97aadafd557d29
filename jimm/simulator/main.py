"""A simulated controller as a process of its own."""

import asyncio
import os
import signal
import sys
import tempfile
from pathlib import Path

import yaml

from jimm.simulator.core import Options
from jimm.simulator.server import Simulator


class Process(Simulator):
    """A simulator that is a whole process: a crash is a SIGKILL."""

    async def crash(self) -> None:
        """Kills the process."""
        os.kill(os.getpid(), signal.SIGKILL)
        await asyncio.Event().wait()


async def serve(options: Options) -> None:
    """Runs a controller until SIGTERM or SIGINT.

    When clients can connect, its registration is written to ``options.registration`` (readable
    by its owner only, renamed into place), or printed on stdout as one YAML document.

    Raises:
        OSError: the port is taken, or a file can't be written.
    """
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    simulator = Process(options)
    try:
        await simulator.start()
        document = yaml.safe_dump(simulator.registration(), sort_keys=False)
        if options.registration is not None:
            _write_private(options.registration, document)
        else:  # it holds a password, so it goes to one place only
            sys.stdout.write(f"---\n{document}...\n")
            sys.stdout.flush()
        await stopped.wait()
    finally:
        await simulator.stop()


def _write_private(path: Path, text: str) -> None:
    """A file that nobody else can read and that is never there in part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    Path(name).replace(path)
