"""The table of states, walked whole; Juju's messages, read as phases."""

from itertools import product

import pytest

from jimm.errors import Conflict
from jimm.migration.phases import (
    MOVES,
    UNDER_WAY,
    Phase,
    State,
    decide,
    diagram,
    move,
    phase_of,
)
from jimm.registry.words import ENDED


@pytest.mark.parametrize(("current", "following"), list(product(State, State)))
def test_a_move_is_allowed_by_the_table_or_refused(current: State, following: State) -> None:
    if following in MOVES[current]:
        assert move(current, following) is following
    else:
        with pytest.raises(Conflict, match=f"{current} cannot become {following}"):
            move(current, following)


def test_every_state_is_in_the_table_and_only_ends_have_no_way_on() -> None:
    assert set(MOVES) == set(State)
    assert {state for state in State if not MOVES[state]} == ENDED


def test_every_state_is_reached_and_every_state_reaches_an_end() -> None:
    reached = {State.REQUESTED}
    while more := {each for state in reached for each in MOVES[state]} - reached:
        reached |= more
    assert reached == set(State)
    for state in State:
        ahead = {state}
        while more := {each for seen in ahead for each in MOVES[seen]} - ahead:
            ahead |= more
        assert ahead & ENDED


def test_the_diagram_draws_every_move() -> None:
    drawn = diagram()
    for state, following in MOVES.items():
        assert all(f"    {state} --> {each}" in drawn for each in following)


@pytest.mark.parametrize(
    ("message", "phase"),
    [
        ("starting", Phase.QUIESCE),
        ("performing source prechecks", Phase.QUIESCE),
        ("quiescing, no reports from agents yet", Phase.QUIESCE),
        ("exporting model", Phase.IMPORT),
        ("importing model into target controller", Phase.IMPORT),
        ("uploading model binaries into target controller", Phase.IMPORT),
        ("processing relations", Phase.PROCESSRELATIONS),
        ("validating, waiting for agents to report back", Phase.VALIDATION),
        ("checking machines in migrated model", Phase.VALIDATION),
        ("activating model in target controller", Phase.VALIDATION),
        ("successful, all agents reported success", Phase.SUCCESS),
        ("transferring ownership of cloud resources to target controller", Phase.SUCCESS),
        ("successful, transferring logs to target controller (0 sent)", Phase.LOGTRANSFER),
        ("successful, transferred logs to target controller (7 sent)", Phase.LOGTRANSFER),
        ("successful, removing model from source controller", Phase.REAP),
        ("removing exported model failed: disk full", Phase.REAPFAILED),
        ("aborted, removing model from target controller: x", Phase.ABORT),
        ("something that Juju has never said", Phase.NONE),
    ],
)
def test_a_message_tells_its_phase(message: str, phase: Phase) -> None:
    assert phase_of(message) is phase


def test_an_abort_is_over_once_its_end_is_set() -> None:
    assert phase_of("aborted, removing model …", ended=True) is Phase.ABORTDONE


@pytest.mark.parametrize("state", list(State))
def test_a_word_ends_what_has_begun_and_nothing_else(state: State) -> None:
    if state in UNDER_WAY:
        assert decide(state, moved=True) is State.DONE
        assert decide(state, moved=False) is State.FAILED
    else:
        with pytest.raises(Conflict, match="nothing to resolve"):
            decide(state, moved=True)
