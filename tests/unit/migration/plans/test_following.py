"""What comes next for a model of a plan, and how a failure is told."""

from datetime import UTC, datetime
from typing import Any

import pytest

from jimm.errors import (
    ChecksFailed,
    ControllerUnavailable,
    JimmError,
    LostAnswer,
    MigrationUnderway,
    ModelNotFound,
    RemoteError,
    TryAgain,
    Unauthorized,
)
from jimm.migration.plans.following import (
    Failure,
    Next,
    failed,
    following,
    is_away,
    not_upgraded,
    refused,
    settled,
)
from jimm.registry.plan_records import Followed, Item, Plan
from jimm.registry.words import ENDED, MigrationState, PlanItemState, PlanKind, PlanState
from jimm.wire.tags import ModelUUID

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RETRY = "jimmctl plan retry p"


def item(state: PlanItemState = PlanItemState.MIGRATING, **more: Any) -> Item:
    usual: dict[str, Any] = {
        "plan_id": "p",
        "seq": 1,
        "job": 1,
        "revision": 1,
        "model_uuid": ModelUUID("m"),
        "model_name": "alice@jimm/m1",
        "source_name": "a",
        "target_name": "b",
        "together": 1,
        "machines": 0,
        "state": state,
        "migration_id": "x",
        "attempts": 1,
        "message": "",
        "error_code": "",
        "error": "",
        "remedy": "",
        "started": NOW,
        "ended": None,
    }
    return Item(**{**usual, **more})


def plan(kind: PlanKind) -> Plan:
    return Plan("p", kind, {}, PlanState.RUNNING, "", "admin@jimm", 5, 3, 0, 1, NOW, None, 1)


@pytest.mark.parametrize("state", MigrationState)
def test_a_migration_is_waited_for_until_it_ends(state: MigrationState) -> None:
    expected = Next.WAIT
    if state in ENDED:
        expected = Next.ARRIVED if state is MigrationState.DONE else Next.FAILED
    assert following(Followed(item(), state)) is expected
    assert following(Followed(item(PlanItemState.UPGRADING), state)) is Next.UPGRADE


def test_one_without_a_migration_is_asked_for() -> None:
    assert following(Followed(item())) is Next.ASK


@pytest.mark.parametrize(
    ("kind", "controller", "told"),
    [
        (PlanKind.DRAIN, "a", ""),
        (PlanKind.DRAIN, "b", "it is on b"),
        (PlanKind.DRAIN, "c", "it is on c: it was moved meanwhile"),
        (PlanKind.REBALANCE, "c", "it is on c: it was moved meanwhile"),
        (PlanKind.UPGRADE_TO, "c", ""),
        (PlanKind.UPGRADE_TO, "b", "it is on b"),
        (PlanKind.DRAIN, None, ""),
    ],
)
def test_a_model_that_is_elsewhere_need_not_be_moved(
    kind: PlanKind, controller: str | None, told: str
) -> None:
    assert settled(plan(kind), item(), controller) == told


def test_a_failed_migration_is_told_with_its_code_and_remedy() -> None:
    whole = Followed(item(), MigrationState.FAILED, "", "", "aborted", "no room", "make room")
    assert failed(whole) == Failure("aborted", "no room", f"make room; then: {RETRY}")
    bare = failed(Followed(item(), MigrationState.REFUSED))
    assert bare.code == "failed"
    assert bare.sentence == "the migration is refused"
    assert bare.remedy == f"jimmctl show-migration x; then: {RETRY}"


def checks(*codes: str, **more: bool) -> ChecksFailed:
    return ChecksFailed(
        "no", [{"code": code, "found": f"{code}!", "remedy": "mend it", **more} for code in codes]
    )


def test_checks_are_told_without_advice_and_without_what_is_mended() -> None:
    assert refused(checks("one", "two"), item(), prepare=False) == Failure(
        "checks-failed", "one!; two!", f"mend it; then: {RETRY}"
    )
    error = checks("one", "two")
    error.checks = [*checks("one").checks, *checks("two", mendable=True).checks]
    assert refused(error, item(), prepare=True).code == "one"
    assert refused(error, item(), prepare=False).code == "checks-failed"
    error.checks = [*checks("one").checks, *checks("two", advice=True).checks]
    assert refused(error, item(), prepare=False).sentence == "one!"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MigrationUnderway(), "already-migrating"),
        (Unauthorized(), "unauthorized"),
        (ModelNotFound("gone"), "not-found"),
        (RemoteError("no"), "not-begun"),
    ],
)
def test_every_refusal_has_a_code_and_a_remedy(error: JimmError, code: str) -> None:
    told = refused(error, item(), prepare=False)
    assert (told.code, bool(told.sentence), bool(told.remedy)) == (code, True, True)


def test_no_credential_is_told() -> None:
    leak = 'credential attribute mismatch: map["key":"hunter2"] != map["key":"other"]'
    assert "hunter2" not in refused(RemoteError(leak), item(), prepare=False).sentence
    assert "hunter2" not in not_upgraded(item(), leak).sentence


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (ControllerUnavailable("a"), True),
        (LostAnswer("a"), True),
        (TryAgain("a"), True),
        (RemoteError("a"), False),
        (checks("source-unavailable", "target-unavailable"), True),
        (checks("source-unavailable", "name-taken"), False),
        (checks(), False),
    ],
)
def test_who_is_away_may_be_back_in_a_moment(error: JimmError, away: bool) -> None:
    assert is_away(error, prepare=False) is away
