"""The load and the stand-in, built from ``bench/go``."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

from bench.processes import Ended

SOURCE: Final = Path(__file__).parent / "go"
PROGRAM: Final = Path(__file__).parent / "bin" / "bench"
INSTALL: Final = "Go is not installed (1.22 or newer): https://go.dev/dl"


def build() -> None:
    """Builds the program unless it is newer than its sources.

    Raises:
        Ended: there is no Go, or it says why it can't.
    """
    newest = max(file.stat().st_mtime for file in SOURCE.iterdir())
    if PROGRAM.exists() and PROGRAM.stat().st_mtime > newest:
        return
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        raise Ended(INSTALL)
    PROGRAM.parent.mkdir(exist_ok=True)
    command = [go, "build", "-o", str(PROGRAM), "."]
    done = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Ended(f"go build: {done.stderr.strip()}")
