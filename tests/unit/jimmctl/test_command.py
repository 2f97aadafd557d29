"""The console script as a user starts it: its help, its refusals, its exit status."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jimmctl import app

UUID = "982b16d9-a945-4762-b684-fd4fd885aa11"
SCRIPT = str(Path(sys.executable).with_name("jimmctl"))
COMMANDS = (
    "login",
    "logout",
    "whoami",
    "tokens",
    "revoke-token",
    "add-service-account",
    "list-service-accounts",
    "service-accounts",
    "remove-service-account",
    "add-controller",
    "list-controllers",
    "controllers",
    "show-controller",
    "remove-controller",
    "set-controller-deprecated",
    "list-models",
    "models",
    "show-model",
    "migrate",
    "migrations",
    "list-migrations",
    "show-migration",
    "list-migration-targets",
    "update-migrated-model",
    "resolve-migration",
    "forget-model",
)

Here = Callable[..., int]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs jimmctl in a home of its own, against an address where nobody listens."""

    def started(*arguments: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "HOME": str(tmp_path),
            "JIMMCTL_ADDRESS": "127.0.0.1:1",
            "JIMMCTL_TOKEN": "t",
            **more,
        }
        return subprocess.run(
            [SCRIPT, *arguments],
            input=stdin,
            env={key: value for key, value in environment.items() if value},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    return started


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Here:
    """The same inside this process, which is quicker."""
    for name in [name for name in os.environ if name.startswith(("JIMMCTL_", "JUJU_", "XDG_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("JIMMCTL_ADDRESS", "127.0.0.1:1")
    monkeypatch.setenv("JIMMCTL_TOKEN", "t")

    def started(*arguments: str, stdin: str = "") -> int:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        return app.run(arguments)

    return started


def test_help_names_every_command(run: Run) -> None:
    done = run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(f"  {name}  " in done.stdout for name in COMMANDS)
    assert "completion" not in done.stdout
    assert run().stdout == done.stdout


@pytest.mark.parametrize("arguments", [[], ["migrate"], ["login"]])
def test_help_loads_neither_httpx_nor_jimm(arguments: list[str]) -> None:
    code = (
        "import sys; from jimmctl.app import run\n"
        f"status = run([*{arguments!r}, '--help'])\n"
        "names = {name.partition('.')[0] for name in sys.modules}\n"
        "print(status, sorted(names & {'httpx', 'jimm', 'yaml', 'asyncio', 'ssl', 'rich'}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.splitlines()[-1] == "0 []"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["bogus"], "No such command 'bogus'."),
        (["controllers", "--bogus"], "No such option: --bogus"),
        (["controllers", "--format", "xml"], 'unknown format "xml"'),
        (["--format", "xml", "controllers"], 'unknown format "xml"'),
        (["controllers", "--address", "a b"], '"a b" is not an address: give HOST:PORT'),
        (["show-controller"], "Missing argument 'NAME'."),
        (["show-controller", "a/b"], '"a/b" is not a valid controller name'),
        (["remove-controller", "a b"], '"a b" is not a valid controller name'),
        (["set-controller-deprecated", "/"], '"/" is not a valid controller name'),
        (["show-model", "m1"], '"m1" is not a model: give its uuid, model-<uuid> or owner/name'),
        (["migrate", "c1"], "Missing argument 'MODEL'."),
        (["migrate", "c/1", UUID], '"c/1" is not a valid controller name'),
        (["migrate", "c1", UUID, "zz"], '"zz" is not a model: give its uuid, model-<uuid> or '),
        (["migrate", "c1", UUID, "--timeout", "5"], "--timeout is how long to --wait: give both"),
        (["migrate", "c1", UUID, "--wait", "--timeout", "x"], '"x" is not a duration'),
        (["migrate", "c1", UUID, "--wait", "--dry-run"], "--dry-run moves nothing"),
        (["show-migration", "a/b"], '"a/b" is not a migration id'),
        (["list-migration-targets", "zz"], '"zz" is not a model'),
        (["update-migrated-model", "c1", "zz"], '"zz" is not a valid model uuid'),
        (["resolve-migration", "1", "--reason", "x"], "Missing option '--model-is-on'."),
        (["resolve-migration", "1", "--model-is-on", "c", "--reason", " "], "the reason is empty"),
        (["forget-model", "alice/m1"], '"alice/m1" is not a valid model uuid'),
        (["login"], "give the user's name with --user or JIMMCTL_USER"),
        (["login", "--user", "alice"], "give the password with --password-stdin or"),
        (["login", "--user", "alice", "--password-stdin"], "the password is empty"),
        (["add-controller", "/none.yaml"], "/none.yaml can't be read: No such file or directory"),
    ],
)
def test_wrong_usage_is_one_sentence_and_2(
    here: Here, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert here(*arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"ERROR {sentence}")
    assert said.err.count("\n") == 1


def test_the_script_itself_ends_in_2(run: Run) -> None:
    done = run("controllers", "--format", "xml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == 'ERROR unknown format "xml"\n'


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "stdin holds no controller"),
        ("[1]", "stdin holds no controller"),
        ("name: [s3cret", "stdin is neither YAML nor JSON: line"),
        ("name: c1\nagent: 3", 'stdin has the unknown key "agent"'),
        ("name: c1\nusername: admin", "stdin has no password"),
        ("name: c1\nusername: admin\npassword: 123", "password in stdin is not a text"),
        ("name: c/1\nusername: admin\npassword: a", '"c/1" is not a valid controller name'),
        ("name: c1\nusername: admin\npassword: a", "stdin has neither api-addresses nor"),
        (
            "name: c1\nusername: admin\npassword: a\napi-addresses: a:1",
            "api-addresses in stdin is not a list of host:port",
        ),
    ],
)
def test_a_controllers_file_is_checked_first(
    here: Here, capsys: pytest.CaptureFixture[str], content: str, sentence: str
) -> None:
    assert here("add-controller", "-", stdin=content) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"ERROR {sentence}")
    assert "s3cret" not in said.err


def test_nothing_known_is_usage_and_not_logged_in_is_failure(run: Run) -> None:
    done = run("whoami", JIMMCTL_ADDRESS="", JIMMCTL_TOKEN="")
    assert (done.returncode, done.stderr[:22]) == (2, "ERROR no JIMM is known")
    done = run("whoami", JIMMCTL_TOKEN="")
    assert (done.returncode, done.stderr[:19]) == (1, "ERROR not logged in")


def test_a_jimm_that_is_away_is_failure(run: Run) -> None:
    done = run("models")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "ERROR nothing answers at 127.0.0.1:1: check the address and that JIMM is running\n"
    )


def test_migrate_answers_for_every_model(run: Run) -> None:
    done = run("migrate", "c1", UUID, "alice/m1", f"model-{UUID}", "--format", "json")
    assert done.returncode == 1
    results = json.loads(done.stdout)["results"]
    assert [row["model-tag"] for row in results] == [f"model-{UUID}", "alice/m1"]
    assert all(row["migration-id"] == "" and row["error"]["message"] for row in results)
    assert done.stderr.count("ERROR ") == 2


def test_logout_without_a_login_is_done(run: Run) -> None:
    assert run("logout").returncode == 0
