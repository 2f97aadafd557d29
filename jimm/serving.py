"""One process that serves: alone, or as one of the workers of :mod:`jimm.workers`.

``python -m jimm.serving NUMBER LISTENER LINE`` is a worker. ``LISTENER`` and ``LINE`` are
descriptors that it inherits: a listening socket of its own on the shared port, and a socket to its
parent. It writes one line there, ``ready`` once it serves or why it can't; when the other end is
closed the parent is gone, and it stops.
"""

import asyncio
import contextlib
import gc
import resource
import socket
import sys
from collections.abc import Callable

from jimm import logs
from jimm.errors import JimmError
from jimm.settings import Settings

READY = "ready"

Stop = Callable[[], None]


def alone(settings: Settings) -> None:
    """Serves until it is told to stop.

    Raises:
        ConfigurationError: as :func:`jimm.app.serve`.
    """
    logs.to_stderr(settings.log_level)
    _run(settings, None, lambda _: None)


def main() -> None:
    """A worker."""
    number, listener, line = map(int, sys.argv[1:])
    settings = Settings()
    logs.to_stderr(settings.log_level, who=f"worker {number}")
    with socket.socket(fileno=line) as parent:
        try:
            with socket.socket(fileno=listener) as listening:
                _run(settings, listening, lambda stop: _report(parent, stop))
        except JimmError as error:
            parent.sendall(f"{error}\n".encode())
            sys.exit(1)


def _run(
    settings: Settings, listener: socket.socket | None, on_ready: Callable[[Stop], None]
) -> None:
    """A start makes much that stays and drops next to nothing: looking for garbage among it
    would be a fifth of its time, and later a pause each time."""
    gc.disable()
    _open_many_files()
    import uvloop

    from jimm.app import serve

    def serving(stop: Stop) -> None:
        gc.freeze()
        gc.enable()
        on_ready(stop)

    uvloop.run(serve(settings, listener, serving))


def _open_many_files() -> None:
    """As many as the system lets us have: each open model is two."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # a bound that the system would not give again
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _report(parent: socket.socket, stop: Stop) -> None:
    """Says that it serves, and stops when nobody is there any more."""
    loop = asyncio.get_running_loop()

    def hung_up() -> None:
        loop.remove_reader(parent)
        stop()

    loop.add_reader(parent, hung_up)
    with contextlib.suppress(OSError):  # it has just hung up
        parent.sendall(f"{READY}\n".encode())


if __name__ == "__main__":
    main()
