"""What jimmctl makes of JIMM's answers about migrations: its words, its documents, its status."""

import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from jimmctl import app

UUID = "982b16d9-a945-4762-b684-fd4fd885aa11"
ID = "11111111-1111-4111-8111-111111111111"
Check = dict[str, object]

BOB: Check = {"code": "users-missing", "found": "bob has no user on c2", "remedy": "add bob there"}
OLD: Check = {"code": "version-model", "found": "c2 is older", "remedy": "upgrade c2"}
MANY: Check = {"code": "agent-wait", "found": "300 agents must report", "remedy": "wait longer"}

Answers = Mapping[str, object]
Said = tuple[int, str, list[str]]
Ctl = Callable[..., Said]


class Stub:
    """A JIMM that knows a few answers by heart; ``asked`` are the bodies it was sent."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.asked: list[Any] = []

    @contextmanager
    def served(self) -> Iterator[str]:
        """Its address."""
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer()

            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                stub.asked.append(json.loads(self.rfile.read(length)))
                self._answer()

            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                """Nothing: what is said on stderr is the test's."""

            def _answer(self) -> None:
                content = json.dumps(stub.answers[f"{self.command} {self.path}"]).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@pytest.fixture
def stub() -> Stub:
    """One that knows nothing yet."""
    return Stub({})


@pytest.fixture
def ctl(
    stub: Stub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Ctl]:
    """``jimmctl`` inside this process: its status, its output, the lines of its stderr."""
    with stub.served() as address:
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("JIMMCTL_ADDRESS", address)
        monkeypatch.setenv("JIMMCTL_TOKEN", "t")
        monkeypatch.setattr(sys, "stdin", io.StringIO())

        def run(*arguments: str) -> Said:
            status = app.run(arguments)
            said = capsys.readouterr()
            return status, said.out, said.err.splitlines()

        yield run


def dry(ready: bool, *checks: Mapping[str, object]) -> Answers:
    return {"POST /v1/migrations": {"ready": ready, "checks": checks}}


def test_a_dry_run_tells_refusals_and_advice_apart(ctl: Ctl, stub: Stub) -> None:
    stub.answers = dry(False, BOB | {"mendable": True}, MANY | {"advice": True}, OLD)
    status, out, err = ctl("migrate", "--dry-run", "c2", UUID, "--format", "json")
    assert status == 1
    assert err == [
        f"ERROR {UUID}: not ready to be migrated",
        "- bob has no user on c2. add bob there (or --prepare)",
        f"advice for {UUID}: 300 agents must report. wait longer",
        "- c2 is older. upgrade c2",
    ]
    (row,) = json.loads(out)["results"]
    assert row["checks"] == [BOB | {"mendable": True}, MANY | {"advice": True}, OLD]
    assert stub.asked == [{"model": UUID, "controller": "c2", "dry-run": True}]


def test_advice_refuses_nothing(ctl: Ctl, stub: Stub) -> None:
    stub.answers = dry(True, MANY | {"advice": True})
    status, out, err = ctl("migrate", "--dry-run", "c2", UUID, "--format", "tabular")
    assert (status, err) == (0, [f"advice for {UUID}: 300 agents must report. wait longer"])
    assert out.splitlines()[1].split() == [UUID, "-", "ready"]


def test_a_dry_run_with_prepare_says_what_it_would_make(ctl: Ctl, stub: Stub) -> None:
    lacks: Check = {"code": "credential-missing", "found": "c2 lacks c", "remedy": "x --prepare"}
    lacks |= {"advice": True, "mendable": True}
    stub.answers = dry(True, BOB | {"mendable": True}, lacks)
    command = ("migrate", "--dry-run", "--prepare", "c2", UUID, "--format", "tabular")
    status, out, err = ctl(*command)
    assert (status, err) == (
        0,
        [
            f"--prepare mends for {UUID}: bob has no user on c2",
            f"--prepare mends for {UUID}: c2 lacks c",
        ],
    )
    assert out.splitlines()[1].split() == [UUID, "-", "ready"]
    assert stub.asked == [{"model": UUID, "controller": "c2", "dry-run": True, "prepare": True}]
    stub.answers = dry(True, lacks)
    _, _, err = ctl("migrate", "--dry-run", "c2", UUID)
    assert err == [f"advice for {UUID}: c2 lacks c. x --prepare"]


def test_targets_say_ready_or_why_not(ctl: Ctl, stub: Stub) -> None:
    rest = {"uuid": UUID, "cloud-tag": "cloud-metro", "cloud-region": "north"}
    rest |= {"agent-version": "3.6.9"}
    wrong: list[Check] = [MANY | {"advice": True}, OLD]
    path = f"GET /v1/models/{UUID}/migration-targets"
    targets: list[dict[str, object]] = [
        {"name": "c2", "ready": True, "checks": [], **rest},
        {"name": "c3", "ready": False, "checks": wrong, **rest},
        {"name": "c4", "ready": False, "checks": [BOB | {"mendable": True}], **rest},
    ]
    stub.answers = {path: {"controllers": targets}}
    status, out, err = ctl("list-migration-targets", UUID, "--format", "tabular")
    assert (status, err) == (0, [])
    heads, two, three, four, *reasons = out.splitlines()
    assert heads.split()[-1] == "Ready"
    assert [line.rpartition("  ")[2] for line in (two, three, four)] == [
        "yes",
        "no",
        "with --prepare",
    ]
    assert reasons == [
        "",
        "c3:",
        "- c2 is older. upgrade c2",
        "- advice: 300 agents must report. wait longer",
        "",
        "c4:",
        "- bob has no user on c2. add bob there (or --prepare)",
    ]
    _, out, _ = ctl("list-migration-targets", UUID, "--format", "json")
    assert [one["ready"] for one in json.loads(out)] == [True, False, False]


def migration(**more: object) -> dict[str, object]:
    return {
        "migration-id": ID,
        "model-uuid": UUID,
        "model-name": "m1",
        "owner": "alice",
        "source": "c1",
        "target": "c2",
        "state": "running",
        "phase": "IMPORT",
        "message": "importing",
        "requested-by": "admin",
        "started": "2026-01-02T03:04:05Z",
        "phase-since": "2026-01-02T03:05:05Z",
        "slow": False,
        "checks": [],
        "prepare": False,
        "prepared": [],
        "machines": 0,
        "units": 0,
        **more,
    }


def facts(out: str) -> dict[str, str]:
    """The table of one object, up to the empty line."""
    lines = out.split("\n\n")[0].splitlines()
    at = lines[0].index(ID)
    return {line[:at].strip(): line[at:] for line in lines}


def test_one_under_way_shows_what_is_expected(ctl: Ctl, stub: Stub) -> None:
    made = [
        {"kind": "user", "name": "bob", "undone": True},
        {"kind": "credential", "name": "metro/alice/c", "undone": False},
    ]
    more = {"expected-rest": 95.4, "slow": True, "machines": 3, "units": 12, "prepared": made}
    stub.answers = {f"GET /v1/migrations/{ID}": migration(**more)}
    status, out, _ = ctl("show-migration", ID, "--format", "tabular")
    assert status == 0
    shown = facts(out)
    assert shown["Expected rest"] == "1:35, slower than others of its size"
    assert shown["In phase since"] == "2026-01-02T03:05:05Z"
    assert shown["Size"] == "3 machines, 12 units"
    assert shown["Prepared"] == "user bob (taken back), credential metro/alice/c"
    assert {"Ended", "Error", "Remedy", "Debris"}.isdisjoint(shown)


def test_one_that_is_over_shows_what_is_left_and_its_history(ctl: Ctl, stub: Stub) -> None:
    error = {"code": "aborted", "message": "no room", "remedy": "make room on c2"}
    line = {"seq": 1, "at": "2026-01-02T03:04:05Z", "state": "requested", "phase": ""}
    more: dict[str, object] = {"state": "failed", "ended": "2026-01-02T04:04:05Z", "error": error}
    more |= {"debris": "c2 kept a copy", "history": [line | {"message": "asked for"}]}
    stub.answers = {f"GET /v1/migrations/{ID}?history=true": migration(**more)}
    status, out, _ = ctl("show-migration", ID, "--history", "--format", "tabular")
    assert status == 0
    shown = facts(out)
    assert (shown["Error"], shown["Remedy"]) == ("no room", "make room on c2")
    assert (shown["Debris"], shown["Ended"]) == ("c2 kept a copy", "2026-01-02T04:04:05Z")
    assert {"In phase since", "Expected rest", "Size", "Prepared"}.isdisjoint(shown)
    assert out.splitlines()[-1] == "2026-01-02T03:04:05Z: requested: asked for"
    _, out, _ = ctl("show-migration", ID, "--history", "--format", "yaml")
    assert out.startswith(f"migration-id: {ID}\nmodel-uuid: {UUID}\nsource: c1\n")
    assert "debris: c2 kept a copy\n" in out
    assert "  remedy: make room on c2\n" in out
    assert "history:\n- seq: 1\n" in out
