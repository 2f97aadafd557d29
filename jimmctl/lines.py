"""Lines that come one after the other, and where they go."""

import sys
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from jimmctl.errors import JimmctlError

_UNFINISHED = ".part"


class Destination(AbstractContextManager["Destination"]):
    """A file, or standard output. The file is there when all of it is: what is broken off stays
    beside it, as ``NAME.part``."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._stream: BinaryIO = sys.stdout.buffer
        self.count = 0

    def __enter__(self) -> "Destination":
        if self._file is not None:
            try:
                self._stream = self._part(self._file).open("wb")
            except OSError as error:
                raise self._unwritable(error) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stream.flush()
        if self._file is None:
            return
        self._stream.close()
        if error is None:
            self._part(self._file).replace(self._file)

    def add(self, some: bytes) -> None:
        """Writes the next bytes, and counts the lines that end there.

        Raises:
            JimmctlError: there is no room, or the like.
        """
        try:
            self._stream.write(some)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._unwritable(error) from error
        self.count += some.count(b"\n")

    def _unwritable(self, error: OSError) -> JimmctlError:
        return JimmctlError(f"{self._file or 'the output'} can't be written: {error.strerror}")

    @staticmethod
    def _part(file: Path) -> Path:
        return file.with_name(f"{file.name}{_UNFINISHED}")
