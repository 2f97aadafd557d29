"""Programs that run under Node.js, from the packages pinned in `tests/npm`.

Their scripts live in `tests/npm` too, where Node finds the packages.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

FOLDER = Path(__file__).parent / "npm"


@dataclass(frozen=True)
class Node:
    """An executable, and the folder with scripts and `node_modules`."""

    executable: str
    folder: Path

    def command(self, script: str, *arguments: str) -> list[str]:
        """The command line that runs one of our scripts."""
        return [self.executable, str(self.folder / script), *arguments]


@pytest.fixture(scope="session")
def node() -> Node:
    """Node.js with the pinned packages; skips where they are not installed, but not in CI."""
    executable = shutil.which("node")
    if executable is None or not (FOLDER / "node_modules" / ".installed").exists():
        missing("Node.js or its packages are not installed: `make tools` says what to do")
    return Node(executable, FOLDER)


def missing(what: str) -> NoReturn:
    """Skips a test whose tool is missing; in CI nothing may be."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)
