import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.arithmetic import Spread, each, less, ratio, spread

RUNS = st.lists(st.tuples(st.floats(0.001, 1e6), st.floats(0.001, 1e6)), min_size=1, max_size=9)


def test_a_spread_is_the_median_between_the_extremes() -> None:
    assert spread([5.0, 1.0, 3.0]) == Spread(3.0, 1.0, 5.0)
    assert spread([1.0, 2.0]) == Spread(1.5, 1.0, 2.0)


def test_a_spread_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no runs"):
        spread([])


def test_a_ratio_is_of_medians_and_its_extremes_are_of_single_runs() -> None:
    assert ratio([2.0, 4.0, 9.0], [1.0, 4.0, 3.0]) == Spread(4.0 / 3.0, 1.0, 3.0)


def test_there_is_no_ratio_to_nothing() -> None:
    assert ratio([1.0, 1.0, 1.0], [1.0, 0.0, 0.0]) is None
    assert ratio([1.0, 1.0], [-1.0, 0.5]) is None


def test_a_run_without_a_ratio_is_no_extreme() -> None:
    assert ratio([2.0, 2.0, 3.0], [1.0, -1.0, 1.0]) == Spread(2.0, 2.0, 3.0)


def test_runs_are_paired() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratio([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="shorter"):
        less([1.0, 2.0], [1.0])


@given(RUNS)
def test_the_medians_ratio_to_itself_is_one(runs: list[tuple[float, float]]) -> None:
    values = [run for run, _ in runs]
    assert ratio(values, values) == Spread(1.0, 1.0, 1.0)


@given(RUNS)
def test_the_extremes_are_in_order(runs: list[tuple[float, float]]) -> None:
    told = ratio([our for our, _ in runs], [their for _, their in runs])
    assert told is not None
    assert told.least <= told.most
    assert min(told.least, told.middle, told.most) > 0


def test_what_is_left_is_taken_run_by_run() -> None:
    assert less([3.0, 5.0], [1.0, 1.5]) == [2.0, 3.5]


def test_what_goes_by_anyway_is_taken_away_from_each() -> None:
    assert each(spent=10.0, idle=1.0, elapsed=4.0, count=3) == 2.0
    assert each(spent=1.0, idle=1.0, elapsed=4.0, count=3) == 0.0
    with pytest.raises(ValueError, match="no operations"):
        each(1.0, 0.0, 1.0, 0)
