"""The `jimm` command: what it loads, what it refuses."""

import subprocess
import sys

import pytest

from jimm.registry import revision, schema

# typer itself imports pydantic where it is installed
HEAVY = {"fastapi", "httpx", "msgspec", "psycopg", "rich", "sqlalchemy", "uvicorn", "uvloop"}

PROGRAM = """
import sys
sys.argv = ["jimm", *{words!r}]
from jimm.cli import main
try:
    main()
except SystemExit as end:
    status = end.code
loaded = {{name.partition(".")[0] for name in sys.modules}}
print("LOADED", *sorted(loaded & {heavy!r}))
print("OURS", *sorted(name for name in sys.modules if name.startswith("jimm.")))
sys.exit(status)
"""


def run(*words: str) -> subprocess.CompletedProcess[str]:
    program = PROGRAM.format(words=words, heavy=HEAVY)
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    "words",
    [("--help",), ("simulate", "--help"), ("dev", "--help"), ("db", "--help"), ("user", "--help")],
    ids=" ".join,
)
def test_help_loads_nothing_heavy(words: tuple[str, ...]) -> None:
    done = run(*words)
    assert done.returncode == 0, done.stderr
    assert "LOADED\nOURS jimm.cli jimm.errors\n" in done.stdout


def test_help_names_every_command() -> None:
    shown = run("--help").stdout
    for command in ("serve", "dev", "simulate", "ca", "db", "user"):
        assert f"  {command} " in shown


@pytest.mark.parametrize(
    "words",
    [
        ("--unknown",),
        ("unknown",),
        ("dev", "--port", "17070"),
        ("dev", "--data", "/tmp/d", "--port", "70000"),
        ("simulate", "--name", "a", "--port", "x"),
        ("simulate", "--name", "a", "--port", "0", "--speed", "0"),
        ("db", "downgrade"),
    ],
    ids=" ".join,
)
def test_misuse_is_exit_status_2(words: tuple[str, ...]) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert "Usage: " in done.stderr


def test_a_simulator_loads_nothing_of_the_server() -> None:
    done = run("simulate", "--name", "a", "--port", "1", "--host", "203.0.113.1")
    assert done.returncode == 1
    assert "ERROR the controller can't start on 203.0.113.1:1" in done.stderr
    assert "Traceback" not in done.stderr
    ours = done.stdout.partition("OURS ")[2].split()
    rooms = {name.split(".")[1] for name in ours}
    assert rooms <= {"cli", "errors", "logs", "net", "simulator", "wire"}
    assert "sqlalchemy" not in done.stdout


def test_a_start_loads_nothing_that_it_does_not_need_yet() -> None:
    """REST and the pages are made at their first request, and nobody signs in elsewhere here."""
    later = ["alembic", "fastapi", "httpx", "jinja2", "mako", "rich"]
    program = f"import sys, jimm.app; print(*sorted(set({later!r}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr


def test_the_parent_of_workers_loads_no_server() -> None:
    program = "import sys, jimm.workers; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    loaded = set(done.stdout.split())
    assert "jimm.workers" in loaded, done.stderr
    assert not loaded & {"jimm.app", "psycopg", "sqlalchemy", "uvicorn", "uvloop", "cryptography"}


def test_the_revision_that_is_needed_is_alembics_head() -> None:
    assert revision.needed() == schema.head()
