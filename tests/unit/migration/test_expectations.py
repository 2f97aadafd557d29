import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.migration import expectations
from jimm.migration.expectations import AGENT_WAIT, NONE, Forecast, Pastime, Pastimes
from jimm.migration.phases import Phase, State

STAGES = [*(state.value for state in State), *(phase.value for phase in Phase if phase)]

seconds = st.floats(min_value=0, max_value=1e6)
agents = st.integers(min_value=0, max_value=5000)
stages = st.sampled_from(STAGES)
pastimes = st.builds(
    Pastimes,
    st.dictionaries(
        st.tuples(stages, st.integers(0, len(expectations.SIZES))),
        st.builds(Pastime, seconds, seconds, seconds, st.integers(1, 500)),
    ),
)

SMALL, LARGE = 1, 3
"""Size classes: of one machine, and of hundreds."""


@given(pastimes, stages, seconds, seconds, agents, agents)
def test_the_rest_shrinks_with_time_and_is_never_negative(
    known: Pastimes, stage: str, early: float, later: float, machines: int, units: int
) -> None:
    early, later = sorted((early, later))
    first = expectations.remaining(known, stage, early, machines, units)
    second = expectations.remaining(known, stage, later, machines, units)
    assert (first is None) == (second is None)
    if first is not None and second is not None:
        assert first >= second >= 0


@given(pastimes, stages, agents, agents, agents)
def test_patience_grows_with_the_model_and_outlasts_jujus_own(
    known: Pastimes, stage: str, few: int, many: int, units: int
) -> None:
    few, many = sorted((few, many))
    small = expectations.patience(known, stage, few, units)
    large = expectations.patience(known, stage, many, units)
    assert AGENT_WAIT <= small <= large
    assert small >= expectations.patience(NONE, stage, few, units)


@given(pastimes, stages, seconds, agents, agents)
def test_what_is_stuck_was_slow_before(
    known: Pastimes, stage: str, more: float, machines: int, units: int
) -> None:
    limit = expectations.patience(known, stage, machines, units)
    assert expectations.is_slow(known, stage, limit + 1 + more, machines, units)
    assert not expectations.is_slow(known, stage, 0.0, machines, units)


@pytest.mark.parametrize("phase", [Phase.QUIESCE, Phase.VALIDATION, Phase.SUCCESS])
def test_phases_in_which_agents_report_may_take_jujus_wait_twice(phase: Phase) -> None:
    assert expectations.patience(NONE, phase, 0, 0) == 1800


def test_without_history_nothing_is_expected() -> None:
    assert expectations.remaining(NONE, Phase.IMPORT, 5.0, 1, 1) is None
    assert not expectations.is_slow(NONE, Phase.IMPORT, 60.0, 0, 0)
    assert expectations.is_slow(NONE, Phase.IMPORT, 901.0, 0, 0)


def test_the_rest_is_that_of_the_phase_and_of_what_comes_after_it() -> None:
    known = Pastimes(
        {("IMPORT", SMALL): Pastime(20, 30, 100, 5), ("checking", SMALL): Pastime(1, 2, 140, 5)}
    )
    assert expectations.remaining(known, "IMPORT", 5, 1, 0) == 115
    assert expectations.remaining(known, "IMPORT", 50, 1, 0) == 100
    assert expectations.remaining(known, "requested", 3600, 1, 0) == 141
    assert expectations.remaining(known, "ABORT", 5, 1, 0) is None


def test_a_model_is_compared_with_its_own_size_or_the_nearest() -> None:
    known = Pastimes(
        {("IMPORT", SMALL): Pastime(2, 3, 0, 50), ("IMPORT", LARGE): Pastime(600, 900, 0, 50)}
    )
    assert expectations.remaining(known, "IMPORT", 0, 2, 5) == 2
    assert expectations.remaining(known, "IMPORT", 0, 200, 500) == 600
    assert expectations.remaining(known, "IMPORT", 0, 20, 0) == 600  # between the two: the larger
    assert expectations.remaining(known, "IMPORT", 0, 0, 0) == 2
    assert expectations.is_slow(known, "IMPORT", 100, 2, 5)
    assert not expectations.is_slow(known, "IMPORT", 100, 200, 500)


def test_what_took_long_before_may_take_long_again() -> None:
    usual = expectations.patience(NONE, "IMPORT", 200, 0)
    often = Pastimes({("IMPORT", LARGE): Pastime(3000, 6000, 0, 10)})
    once = Pastimes({("IMPORT", LARGE): Pastime(3000, 6000, 0, 1)})
    assert expectations.patience(often, "IMPORT", 200, 0) == 24_000 > usual
    assert expectations.patience(once, "IMPORT", 200, 0) == usual


def test_a_stage_is_a_phase_where_there_is_one() -> None:
    assert expectations.stage(State.RUNNING, Phase.IMPORT) == "IMPORT"
    assert expectations.stage(State.RUNNING, Phase.NONE) == "running"


def test_what_goes_on_has_a_forecast_and_what_does_not_has_none() -> None:
    known = Pastimes(
        {("IMPORT", SMALL): Pastime(20, 30, 100, 5), ("checking", SMALL): Pastime(1, 2, 140, 5)}
    )
    assert expectations.forecast(known, State.RUNNING, "IMPORT", 50, 1, 0) == Forecast(100, True)
    waits = expectations.forecast(known, State.REQUESTED, "", 1e6, 1, 0)
    assert waits == Forecast(141, slow=False)
    for state in (State.STUCK, State.CLEANING, State.DONE, State.FAILED, State.REFUSED):
        assert expectations.forecast(known, state, "IMPORT", 1e6, 1, 0) == Forecast()
