"""Which stalled pipes have to go."""

from jimm.proxy.stalled import Stalled


def test_as_many_as_the_limit_may_stand_still_for_ever() -> None:
    stalled = Stalled(2, 10)
    for name in ("a", "b"):
        stalled.add(name, 0)
    assert not any(stalled.has_to_go(name, 1e6) for name in ("a", "b"))


def test_one_too_many_has_to_go_once_it_stood_still_for_long_enough() -> None:
    stalled = Stalled(2, 10)
    for at, name in enumerate(("a", "b", "c")):
        stalled.add(name, at)
    stalled.add("a", 9)  # it is told again, and has been stalled all the time
    assert not any(stalled.has_to_go(name, 9.9) for name in ("a", "b", "c", "d"))
    assert not stalled.has_to_go("d", 1e6)
    assert not stalled.has_to_go("c", 11)
    assert stalled.has_to_go("b", 11)
    assert not stalled.has_to_go("a", 1e6)  # there is room again
    assert len(stalled) == 2


def test_one_that_went_on_begins_anew() -> None:
    stalled = Stalled(0, 10)
    stalled.add("a", 0)
    stalled.discard("a")
    stalled.add("a", 5)
    assert not stalled.has_to_go("a", 14)
    assert stalled.has_to_go("a", 15)
