"""Makes the secrets of a deployment in a folder, each once: ``keys.py FOLDER``.

Files, all readable by their owner alone: ``secret-key`` (seals what is secret in the registry),
``admin-password`` (the first administrator's), ``postgres-password`` and ``pgpass`` (the same,
as libpq wants it).
"""

import os
import secrets
import sys
from pathlib import Path

from jimm.registry.crypto import load_keys

DATABASE = "postgres:5432:jimm:jimm"
"""Host, port, database and user that the password in ``pgpass`` is for."""


def make(folder: Path) -> None:
    """Makes what is missing and leaves what is there."""
    load_keys(folder / "secret-key", create=True)
    _once(folder / "admin-password", secrets.token_urlsafe(18))
    password = _once(folder / "postgres-password", secrets.token_urlsafe(24))
    _once(folder / "pgpass", f"{DATABASE}:{password}\n")


def _once(path: Path, text: str) -> str:
    """The file's text; a run cut short leaves a partial file that the next one replaces."""
    if path.exists():
        return path.read_text()
    partial = path.with_name(f".{path.name}")
    partial.unlink(missing_ok=True)
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    partial.rename(path)
    return text


if __name__ == "__main__":
    make(Path(sys.argv[1]))
