"""Stretches of time: together they are all of it, each part once, and soon long."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.registry.audit_windows import LONGER, Window, windows

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
A_YEAR = timedelta(days=365)


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def test_each_is_longer_than_the_one_before() -> None:
    assert list(windows(at(0), at(10), at(300))) == [
        Window(None, at(10)),
        Window(at(10), at(10 + 10 * LONGER)),
        Window(at(10 + 10 * LONGER), at(10 + 10 * LONGER + 10 * LONGER**2)),
        Window(at(10 + 10 * LONGER + 10 * LONGER**2), None),
    ]


def test_the_first_may_be_all() -> None:
    assert list(windows(at(0), None, at(1000))) == [Window(None, None)]


@given(first=st.integers(0, 10**6), rest=st.integers(0, 10**12), towards=st.sampled_from((1, -1)))
def test_every_time_is_in_one_of_them(first: int, rest: int, towards: int) -> None:
    microsecond = timedelta(microseconds=towards)
    made = list(windows(BEGIN, BEGIN + first * microsecond, BEGIN + (first + rest) * microsecond))
    assert made[0].begin is None
    assert made[-1].end is None
    assert [each.end for each in made[:-1]] == [each.begin for each in made[1:]]
    ends = [each.end for each in made if each.end is not None]
    assert ends == sorted(ends, reverse=towards < 0)


@pytest.mark.parametrize("towards", [1, -1])
def test_a_year_is_gone_through_in_a_few_steps(towards: int) -> None:
    """However many records there are in one moment."""
    assert len(list(windows(BEGIN, BEGIN, BEGIN + towards * A_YEAR))) < 25
