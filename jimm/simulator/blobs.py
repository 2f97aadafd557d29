"""Archives and resources as files, named by their hash. Never whole in memory."""

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Digest:
    """What came in: hashes in hexadecimal, size in bytes."""

    sha256: str
    sha384: str
    size: int


class Blobs:
    """A folder of files; without one, a temporary folder that goes with :meth:`close`."""

    def __init__(self, folder: Path | None) -> None:
        self._kept = folder
        self._temporary: Path | None = None

    def intake(self) -> "Intake":
        """A place for a new file."""
        return Intake(self._folder())

    def path(self, name: str) -> Path | None:
        """The file with that hash, ``None`` if there is none."""
        found = self._folder() / name
        return found if name.isalnum() and found.is_file() else None

    def close(self) -> None:
        """Drops what was temporary."""
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None

    def _folder(self) -> Path:
        if self._kept is not None:
            self._kept.mkdir(mode=0o700, parents=True, exist_ok=True)
            return self._kept
        if self._temporary is None:
            self._temporary = Path(tempfile.mkdtemp(prefix="jimm-simulator-"))
        return self._temporary


class Intake:
    """A file on its way in; :meth:`drop` it in any case."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=".incoming-")
        self._file = os.fdopen(descriptor, "wb")
        self.path = Path(name)
        self._sha256 = hashlib.sha256()
        self._sha384 = hashlib.sha384()
        self._size = 0

    def write(self, piece: bytes) -> None:
        """Takes a piece."""
        self._file.write(piece)
        self._sha256.update(piece)
        self._sha384.update(piece)
        self._size += len(piece)

    def end(self) -> Digest:
        """The file is whole and can be read at ``path``."""
        self._file.close()
        return Digest(self._sha256.hexdigest(), self._sha384.hexdigest(), self._size)

    def keep(self, name: str) -> None:
        """Keeps the whole file under its hash."""
        self.path.replace(self._folder / name)

    def drop(self) -> None:
        """Removes what was not kept."""
        self._file.close()
        self.path.unlink(missing_ok=True)
