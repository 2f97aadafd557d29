"""Server-sent events, cut anywhere."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimmctl import sse
from jimmctl.errors import BadAnswer
from jimmctl.sse import Event, Parser

STREAM = (
    b": a comment each 15 s\n\n"
    b'id: 1\nevent: progress\ndata: {"seq": 1}\n\n'
    b"id:2\r\nevent:progress\r\ndata:one\r\ndata: two\r\n\r\n"
    b"retry: 3\nunknown\nevent: nothing\n\n"
    b"data: plain\r\r"
    b"event: end\ndata: {}\n\n"
    b"data: cut off"
)
EVENTS = [
    Event("1", "progress", '{"seq": 1}'),
    Event("2", "progress", "one\ntwo"),
    Event("2", "message", "plain"),
    Event("2", "end", "{}"),
]


@given(st.lists(st.integers(0, len(STREAM))))
def test_wherever_it_is_cut_the_events_are_the_same(cuts: list[int]) -> None:
    parser = Parser()
    edges = [0, *sorted(cuts), len(STREAM)]
    parts = [STREAM[start:end] for start, end in pairwise(edges)]
    assert [event for part in parts for event in parser.feed(part)] == EVENTS


@given(st.lists(st.binary()))
def test_any_bytes_give_events_and_nothing_else(parts: list[bytes]) -> None:
    parser = Parser()
    for part in parts:
        parser.feed(part)


def test_a_line_without_end_is_refused() -> None:
    parser = Parser()
    parser.feed(b"x" * sse.LONGEST_LINE)
    with pytest.raises(BadAnswer):
        parser.feed(b"x")
