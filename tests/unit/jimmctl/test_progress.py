"""What a migration's events and rows mean, and how a row is read."""

import io
import sys

import pytest

from jimmctl import progress, rows, watch
from jimmctl.arguments import Model
from jimmctl.attempt import Attempt
from jimmctl.drawing import Bars
from jimmctl.errors import Check, Refused, Unreachable
from jimmctl.sse import Event
from jimmctl.watch import Lines

UUID = "982b16d9-a945-4762-b684-fd4fd885aa11"


def test_a_line_says_when_which_and_what() -> None:
    change: rows.Row = {
        "at": "2026-01-02T03:04:05Z",
        "state": "running",
        "phase": "IMPORT",
        "message": "importing model",
    }
    assert progress.line("alice/m1", change) == (
        "2026-01-02T03:04:05Z alice/m1: running IMPORT: importing model"
    )
    assert progress.line("alice/m1", {"state": "checking", "phase": None}) == "alice/m1: checking"


def test_only_a_moved_model_is_no_failure() -> None:
    assert progress.failure({"state": "done", "message": "moved"}) == ""
    assert progress.failure({"state": "failed", "error": "no room"}) == "no room"
    assert progress.failure({"state": "failed", "error": {"message": "no room"}}) == "no room"
    assert progress.failure({"state": "refused"}) == "the migration is refused"
    assert progress.failure({}) == "the migration is in an unknown state"


def test_data_that_is_no_object_is_empty() -> None:
    assert progress.data(Event("1", "end", "[1]")) == {}
    assert progress.data(Event("1", "end", "{")) == {}


def test_a_row_of_migrate_always_has_its_tag_and_id() -> None:
    attempt = Attempt(Model(owner="alice", name="m1"))
    attempt.refuse(Unreachable("nothing answers"))
    assert attempt.document() == {
        "model-tag": "alice/m1",
        "migration-id": "",
        "error": {"message": "nothing answers", "code": ""},
    }
    attempt = Attempt(Model(uuid=UUID), UUID)
    check = Check("version", "c2 is older", "upgrade it")
    attempt.refuse(Refused("not now", status=409, code="conflict", checks=[check]))
    assert attempt.document() == {
        "model-tag": f"model-{UUID}",
        "migration-id": "",
        "error": {
            "message": "not now",
            "code": "conflict",
            "checks": [{"code": "version", "found": "c2 is older", "remedy": "upgrade it"}],
        },
    }


def test_keys_come_in_order_and_null_is_absent() -> None:
    row: rows.Row = {"more": 1, "state": "done", "error": None, "id": "m", "ended": None}
    arranged = rows.arranged(row, ("id", "state", "error"), ("error",))
    assert list(arranged) == ["id", "state", "more", "ended"]


def test_rows_of_unexpected_types_do_no_harm() -> None:
    row: rows.Row = {"checks": [1, {"found": None}], "status": "up", "flag": True, "count": 3}
    assert rows.checks(row) == (Check("", "", ""),)
    assert rows.child(row, "status") == {}
    assert [rows.text(row, key) for key in ("flag", "count", "none")] == ["yes", "3", ""]


class Terminal(io.StringIO):
    """A stderr that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("term", "is_drawn"), [("xterm", True), ("dumb", False), ("", False)])
def test_only_a_terminal_that_can_be_drawn_on_gets_bars(
    monkeypatch: pytest.MonkeyPatch, term: str, is_drawn: bool
) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", term)
    with watch.screen() as shown:
        assert isinstance(shown, Bars if is_drawn else Lines)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with watch.screen() as shown:
        assert isinstance(shown, Lines)


def test_what_goes_on_is_said_of_each_or_of_all() -> None:
    assert watch.all_go_on(["a", "b"]) == [watch.goes_on("a"), watch.goes_on("b")]
    (sentence,) = watch.all_go_on(["a"] * 6)
    assert sentence == "6 migrations go on: look with `jimmctl migrations`"
