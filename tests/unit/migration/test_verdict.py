"""Situations and their one meaning; each trap of Juju's is a named test."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.migration.phases import POINT_OF_NO_RETURN, Phase
from jimm.migration.verdict import (
    SOURCE_GRACE,
    Absent,
    Attempt,
    Moved,
    NotStarted,
    Present,
    Progress,
    Returned,
    Silent,
    Situation,
    Unclear,
    asks_target,
    is_exporting,
    judge,
)

BEFORE = datetime(2026, 1, 1, tzinfo=UTC)
START = BEFORE + timedelta(minutes=5)
END = START + timedelta(minutes=1)

ABORTED = "aborted, removing model from target controller: machine sanity check failed"
LIVES = Present("target")
IMPORTING = Present("target", importing=True)
NOWHERE = Absent("not found")


def on_source(message: str, *, start: datetime = START, end: datetime | None = None) -> Present:
    return Present("source", attempt=Attempt(message, start, end))


def situation(source: Present | Absent | Silent, target: Present | Absent | Silent) -> Situation:
    return Situation(
        source=source,
        target=target,
        source_uuid="source",
        target_uuid="target",
        known_start=BEFORE,
        phase=Phase.NONE,
        in_phase_for=timedelta(0),
    )


def test_a_running_attempt_is_progress() -> None:
    seen = situation(on_source("exporting model"), NOWHERE)
    assert judge(seen) == Progress(Phase.IMPORT, "exporting model")


def test_the_end_of_an_earlier_attempt_says_nothing_of_ours() -> None:
    stale = on_source(ABORTED, start=BEFORE, end=BEFORE + timedelta(minutes=1))
    assert judge(situation(stale, NOWHERE)) == NotStarted()


def test_an_aborted_attempt_of_ours_has_returned_with_its_reason() -> None:
    assert judge(situation(on_source(ABORTED, end=END), NOWHERE)) == Returned(
        "machine sanity check failed"
    )


def test_an_abort_is_not_over_before_its_end() -> None:
    assert judge(situation(on_source(ABORTED), IMPORTING)) == Progress(Phase.ABORT, ABORTED)


def test_a_reap_that_failed_is_a_move_with_debris() -> None:
    message = "removing exported model failed: no space"
    assert judge(situation(on_source(message, end=END), LIVES)) == Moved(debris=message)


@pytest.mark.parametrize(
    "code", ["redirection required", "unauthorized access", "not found", "model not found"]
)
def test_whatever_the_source_says_when_it_is_gone_the_target_decides(code: str) -> None:
    assert judge(situation(Absent(code), LIVES)) == Moved()
    assert isinstance(judge(situation(Absent(code), NOWHERE)), Unclear)
    assert isinstance(judge(situation(Absent(code), IMPORTING)), Unclear)


@pytest.mark.parametrize("phase", sorted(POINT_OF_NO_RETURN))
def test_a_source_that_died_when_it_could_not_abort_holds_nothing_back(phase: Phase) -> None:
    seen = replace(situation(Silent("no route to host"), LIVES), phase=phase)
    verdict = judge(seen)
    assert isinstance(verdict, Moved)
    assert verdict.debris
    assert isinstance(judge(replace(seen, opaque=True)), Moved) is (phase is Phase.DONE)


@pytest.mark.parametrize("phase", sorted(set(Phase) - POINT_OF_NO_RETURN))
def test_a_source_that_died_before_it_was_seen_there_may_come_back_and_abort(phase: Phase) -> None:
    seen = replace(situation(Silent("no route to host"), LIVES), phase=phase)
    assert isinstance(judge(seen), Unclear)


def test_a_source_that_died_before_settles_nothing() -> None:
    assert isinstance(judge(situation(Silent("no route to host"), IMPORTING)), Unclear)
    assert isinstance(judge(situation(Silent("x"), Silent("y"))), Unclear)


def test_a_source_at_its_last_phases_is_followed_and_then_left() -> None:
    logs = "successful, transferring logs to target controller (0 sent)"
    fresh = situation(on_source(logs), LIVES)
    assert judge(fresh) == Progress(Phase.LOGTRANSFER, logs)
    late = replace(fresh, in_phase_for=SOURCE_GRACE + timedelta(seconds=1))
    assert isinstance(judge(late), Moved)


def test_a_model_on_a_third_controller_is_not_moved() -> None:
    assert isinstance(judge(situation(NOWHERE, Present("third"))), Unclear)


def test_a_model_on_both_without_an_attempt_is_nobodys_guess() -> None:
    assert isinstance(judge(situation(Present("source"), LIVES)), Unclear)


def test_the_target_is_asked_once_it_can_have_the_model() -> None:
    assert not asks_target(on_source("exporting model"), BEFORE)
    assert not asks_target(on_source("validating, x", start=BEFORE), BEFORE)
    assert asks_target(on_source("activating model in target controller"), BEFORE)
    assert asks_target(on_source("new words"), BEFORE)
    assert asks_target(on_source(ABORTED, end=END), None)
    assert asks_target(NOWHERE, BEFORE)


def test_exporting_is_an_attempt_without_an_end() -> None:
    assert is_exporting(on_source("exporting model"))
    assert not is_exporting(on_source(ABORTED, end=END))
    assert not is_exporting(Present("source"))
    assert not is_exporting(NOWHERE)


attempts = st.builds(
    Attempt,
    message=st.sampled_from(["starting", ABORTED, "successful, removing", "new words"]),
    start=st.sampled_from([BEFORE, START]),
    end=st.sampled_from([None, END]),
)
views = st.one_of(
    st.builds(
        Present,
        controller_uuid=st.sampled_from(["source", "target", "third"]),
        importing=st.booleans(),
        attempt=st.none() | attempts,
    ),
    st.builds(Absent, code=st.sampled_from(["not found", "unauthorized access"])),
    st.builds(Silent, why=st.just("no answer")),
)


@given(views, views, st.booleans())
def test_moved_is_said_only_of_a_model_that_lives_on_the_target(
    source: Present | Absent | Silent, target: Present | Absent | Silent, late: bool
) -> None:
    seen = replace(
        situation(source, target), in_phase_for=timedelta(hours=1) if late else timedelta(0)
    )
    if isinstance(judge(seen), Moved):
        assert isinstance(target, Present)
        assert not target.importing
        assert target.controller_uuid == "target"


@given(views, views)
def test_returned_is_said_only_of_our_own_attempt(
    source: Present | Absent | Silent, target: Present | Absent | Silent
) -> None:
    if isinstance(judge(situation(source, target)), Returned):
        assert isinstance(source, Present)
        assert source.attempt is not None
        assert source.attempt.start > BEFORE
        assert source.attempt.end is not None
