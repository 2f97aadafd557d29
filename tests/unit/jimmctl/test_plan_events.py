"""Events of a plan's models, as those of migrations."""

import pytest

from jimmctl import plan_events
from jimmctl.rows import Row


def item(state: str, **more: object) -> Row:
    return {"at": "2026-01-01T00:00:00Z", "state": state, "target": "b", "message": "", **more}


@pytest.mark.parametrize(
    ("event", "state", "message"),
    [
        (item("waiting"), "requested", "to b"),
        (item("migrating"), "requested", "to b"),
        (item("migrating", **{"migration-state": "requested"}), "requested", "to b"),
        (item("migrating", **{"migration-state": "running", "message": "x"}), "running", "x"),
        (item("migrating", **{"migration-state": "done"}), "confirming", "to b"),
        (item("migrating", **{"migration-state": "failed"}), "cleaning", "to b"),
        (item("upgrading"), "upgrading", "to b"),
        (item("done", message="it runs 3.6.9"), "done", "it runs 3.6.9"),
        (item("failed", error={"code": "x", "message": "no room"}), "failed", "no room"),
        (item("cancelled", target=None), "refused", ""),
    ],
)
def test_a_model_of_a_plan_is_told_as_a_migration(event: Row, state: str, message: str) -> None:
    change = plan_events.change(event)
    assert (change["state"], change["message"]) == (state, message)


@pytest.mark.parametrize(
    ("state", "counts", "rests"),
    [
        ("running", {}, False),
        ("done", {}, True),
        ("failed", {}, True),
        ("cancelled", {}, True),
        ("paused", {"migrating": 0, "upgrading": 0, "waiting": 3}, True),
        ("paused", {"migrating": 1}, False),
        ("paused", {"upgrading": 1}, False),
    ],
)
def test_a_plan_rests_when_nothing_more_happens(
    state: str, counts: dict[str, int], rests: bool
) -> None:
    assert plan_events.is_at_rest({"state": state, "counts": counts}) is rests


@pytest.mark.parametrize(
    ("state", "message", "sentence"),
    [
        ("running", "", "plan p is running"),
        ("done", "3 models: 3 done", "plan p is done: 3 models: 3 done"),
        ("paused", "paused by admin", "plan p is paused by admin"),
    ],
)
def test_a_plan_in_one_line(state: str, message: str, sentence: str) -> None:
    told: Row = {"plan-id": "p", "state": state, "message": message}
    assert plan_events.sentence(told) == sentence
