"""What a migration's events and rows mean, and how a row is read."""

from jimmctl import progress, rows
from jimmctl.arguments import Model
from jimmctl.attempt import Attempt
from jimmctl.errors import Check, Refused, Unreachable
from jimmctl.sse import Event

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
