from collections import Counter

from bench.statements import typical
from bench.taking import turns


def test_each_round_begins_with_another_peer() -> None:
    assert [turns(["a", "b", "c"], number) for number in range(4)] == [
        ["a", "b", "c"],
        ["b", "c", "a"],
        ["c", "a", "b"],
        ["a", "b", "c"],
    ]


def test_what_happens_by_the_way_is_not_counted() -> None:
    windows = [Counter(a=1, poll=1), Counter(a=1), Counter(a=1, b=1, look=20)]
    assert typical(windows, {}, 0.1) == {"a": 1}


def test_what_goes_on_anyway_is_taken_away() -> None:
    windows = [Counter(a=3, poll=5), Counter(a=3, poll=6), Counter(a=3, poll=7)]
    assert typical(windows, Counter(poll=60), 0.1) == {"a": 3}
    assert typical(windows, Counter(a=20), 0.1) == {"a": 1, "poll": 6}
