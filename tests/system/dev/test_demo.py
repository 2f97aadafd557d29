"""`make demo`: the whole tour, with the clients that people have."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.dev.left import left

IN_UNDER = 120.0


@pytest.fixture(name="temporary")
def _temporary() -> Iterator[Path]:
    """A temporary folder that the database's user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="jimm-test-demo-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_the_tour_shows_all_and_leaves_nothing(temporary: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(temporary), "HOME": str(temporary)}
    environment.pop("JUJU_DATA", None)
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "jimm.demo"],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=IN_UNDER,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert time.monotonic() - began < IN_UNDER
    assert "Traceback" not in done.stderr
    shown = done.stdout
    for number in (1, 2, 3):
        assert re.search(rf"controller-{number} .*available", shown)
    moved = re.search(r"migrate --wait controller-3 ([0-9a-f-]{36})", shown)
    assert moved
    assert re.search(rf"{moved[1]} +[0-9a-f-]{{36}} +done", shown)
    assert re.search(r"demo-\d runs Juju 3\.6\.\d+, and is on controller-[12]$", shown, re.M)
    assert re.search(r"demo-\d runs Juju 3\.6\.\d+, and is on controller-3 now$", shown, re.M)
    assert "destroyed: demo-1, demo-2, demo-3, demo-4, demo-5, demo-6" in shown
    assert list(temporary.iterdir()) == []
    assert not left(temporary)
