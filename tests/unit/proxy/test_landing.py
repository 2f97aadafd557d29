"""What several legs read in one turn of the loop goes on as if each had been alone."""

import logging
from collections import deque
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.proxy.landing import LANDING, Landing

LONG = b"l" * 20_000


class Turns:
    """A loop, as far as landings know it."""

    def __init__(self) -> None:
        self.soon: deque[Callable[[], None]] = deque()

    def call_soon(self, step: Callable[[], None]) -> None:
        self.soon.append(step)

    def end(self) -> None:
        while self.soon:
            self.soon.popleft()()


class OneLeg:
    """It lets pass what begins with a small letter, and knows in which order it was dealt with;
    ``!`` is more than it can take."""

    def __init__(self, name: int, told: list[tuple[int, str, bytes]]) -> None:
        self.passes: Callable[[bytes], bool] = self._decide
        self.forward: Callable[[bytes], object] = partial(self._tell, "forwarded")
        self.aborted = False
        self._name = name
        self._told = told

    def receive(self, data: bytes) -> None:
        self._fail_at(data, b"?!")
        self._tell("received", data)

    def abort(self) -> None:
        self.aborted = True

    def _decide(self, data: bytes) -> bool:
        self._fail_at(data, b"!")
        return data[:1].islower()

    def _tell(self, what: str, data: bytes) -> None:
        self._fail_at(data, b"w!")
        self._told.append((self._name, what, data))

    def _fail_at(self, data: bytes, bad: bytes) -> None:
        if data.startswith(bad):
            raise ValueError(data)


class Field:
    """Some legs of one landing."""

    def __init__(self, count: int) -> None:
        self.turns = Turns()
        self.landing = Landing(self.turns.call_soon)
        self.told: list[tuple[int, str, bytes]] = []
        self.legs = [OneLeg(number, self.told) for number in range(count)]

    def land(self, leg: int, data: bytes) -> None:
        self.landing.place(1)[: len(data)] = data
        self.landing.landed(self.legs[leg], len(data))

    def of(self, leg: int) -> bytes:
        return b"".join(data for name, _, data in self.told if name == leg)


CHUNKS = st.one_of(st.sampled_from([b"a", b"bc", b"A", b"Bc", LONG]), st.none())
"""What arrives, or the end of a turn."""


@given(st.lists(st.tuples(st.integers(0, 3), CHUNKS), max_size=60))
def test_each_leg_goes_on_with_all_it_read_in_order(events: list[tuple[int, bytes | None]]) -> None:
    field = Field(4)
    order: list[tuple[int, bytes]] = []
    for leg, data in events:
        if data is None:
            field.turns.end()
        else:
            order.append((leg, data))
            field.land(leg, data)
    field.turns.end()
    for leg in range(4):
        assert field.of(leg) == b"".join(data for name, data in order if name == leg)
    for at, (name, what, data) in enumerate(field.told):
        assert what == ("forwarded" if data[:1].islower() else "received")
        assert (name, data) in order
        # What passed before a message that does not pass is written before it.
        assert what == "forwarded" or [(n, d) for n, _, d in field.told[:at]] == order[:at]


def test_within_a_turn_nothing_goes_on_before_its_end() -> None:
    field = Field(2)
    field.land(0, b"a")
    field.land(1, b"b")
    assert field.told == []
    field.turns.end()
    assert field.told == [(0, "forwarded", b"a"), (1, "forwarded", b"b")]


def test_who_is_lost_in_the_middle_of_a_turn_is_heard_before() -> None:
    field = Field(2)
    field.land(0, b"a")
    field.landing.settle()
    assert field.told == [(0, "forwarded", b"a")]
    field.turns.end()
    assert field.told == [(0, "forwarded", b"a")]


def test_a_long_chunk_does_not_wait_and_overtakes_nothing() -> None:
    field = Field(2)
    field.land(0, b"a")
    field.land(0, LONG)
    assert field.of(0) == b"a" + LONG


@pytest.mark.parametrize("bad", [b"!", b"?!", b"w!"])
def test_a_leg_that_fails_is_cut_and_no_other_feels_it(
    bad: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    field = Field(3)
    for leg, data in ((0, b"a"), (1, bad), (2, b"b"), (2, b"C")):
        field.land(leg, data)
    with caplog.at_level(logging.ERROR):
        field.turns.end()
    assert field.of(0) == b"a"
    assert field.of(2) == b"bC"
    assert [leg.aborted for leg in field.legs] == [False, True, False]
    assert "it is cut" in caplog.text


def test_it_takes_as_much_as_it_says() -> None:
    field = Field(1)
    whole = b"x" * LANDING
    field.land(0, whole)
    assert field.of(0) == whole
