"""The tables of states: every pair is allowed or refused, and every end can be reached."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.errors import Conflict
from jimm.migration.plans.states import (
    ITEM_MOVES,
    PLAN_MOVES,
    ending,
    move_item,
    move_plan,
    report,
)
from jimm.registry.plan_records import Counts
from jimm.registry.words import PLAN_ENDED, PlanItemState, PlanState

numbers = st.integers(0, 3)
counts_ = st.builds(
    Counts,
    waiting=numbers,
    migrating=numbers,
    upgrading=numbers,
    done=numbers,
    failed=numbers,
    cancelled=numbers,
)


def test_both_tables_name_every_state() -> None:
    assert set(PLAN_MOVES) == set(PlanState)
    assert set(ITEM_MOVES) == set(PlanItemState)


@pytest.mark.parametrize(("one", "other"), list(product(PlanState, PlanState)))
def test_a_plan_moves_as_the_table_says(one: PlanState, other: PlanState) -> None:
    if other in PLAN_MOVES[one]:
        assert move_plan(one, other) is other
    else:
        with pytest.raises(Conflict, match=f"a plan that is {one} cannot become {other}"):
            move_plan(one, other)


@pytest.mark.parametrize(("one", "other"), list(product(PlanItemState, PlanItemState)))
def test_an_item_moves_as_the_table_says(one: PlanItemState, other: PlanItemState) -> None:
    if other in ITEM_MOVES[one]:
        assert move_item(one, other) is other
    else:
        with pytest.raises(Conflict, match=f"that is {one} cannot become {other}"):
            move_item(one, other)


@given(counts_)
def test_a_plan_ends_when_nothing_is_left_to_do(counts: Counts) -> None:
    end = ending(counts)
    assert (end is None) == bool(counts.waiting or counts.migrating or counts.upgrading)
    assert end is None or end in PLAN_ENDED
    assert (end is PlanState.DONE) == (counts.total == counts.done)
    assert str(counts.total) in report(counts) or not counts.total


def test_the_report_tells_the_numbers() -> None:
    assert report(Counts(done=3, failed=1)) == "4 models: 3 done, 1 failed"
    assert report(Counts()) == "there was nothing to move"
