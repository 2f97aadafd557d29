"""What stays in ``--data`` over restarts: ports, passwords, the key."""

import contextlib
import fcntl
import json
import os
import secrets
import socket
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jimm.errors import ConfigurationError

USERS: Final = ("admin", "alice", "bob")

DESCRIPTION: Final = "dev.json"
"""The file that tells where everything is, while all of it runs."""

KEPT: Final = "kept.json"

PORTS: Final = range(20000, 30000)
"""What the controllers' ports are chosen from."""


@dataclass(frozen=True, slots=True)
class Kept:
    """``ports`` by controller name; ``passwords`` by bare user name."""

    ports: dict[str, int]
    passwords: dict[str, str]


def is_new(folder: Path) -> bool:
    """Whether nothing was ever kept in a folder."""
    return not (folder / KEPT).exists()


def load(folder: Path, controllers: list[str]) -> Kept:
    """What was kept, with a port for each of these controllers and a password for each user."""
    file = folder / KEPT
    kept = json.loads(file.read_text()) if file.exists() else {"ports": {}, "passwords": {}}
    for name in controllers:
        kept["ports"].setdefault(name, _free_port(kept["ports"].values()))
    for name in USERS:
        kept["passwords"].setdefault(name, secrets.token_urlsafe(12))
    write_private(file, json.dumps(kept, indent=2))
    return Kept(ports=kept["ports"], passwords=kept["passwords"])


def write_private(file: Path, text: str) -> None:
    """Renames a new file into place that only its owner may read."""
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    partial.rename(file)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Holds the folder, made if need be, for one run; what a run that was killed has said of
    itself is taken away.

    Raises:
        ConfigurationError: another run has it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigurationError(f"another jimm dev runs on {folder}") from error
        (folder / DESCRIPTION).unlink(missing_ok=True)
        yield


def require_free(port: int) -> None:
    """Nothing, where JIMM can listen on that port.

    Raises:
        ConfigurationError: it can't.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise ConfigurationError(
                f"JIMM can't listen on 127.0.0.1:{port} ({why}): choose another --port"
            ) from error


def _free_port(taken: Collection[int]) -> int:
    """A port below those that systems give to outgoing connections: it must be free after each
    restart too."""
    while True:
        port = secrets.choice(PORTS)
        if port in taken:
            continue
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
