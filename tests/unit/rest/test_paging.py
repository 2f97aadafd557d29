"""Cursors: what is encoded decodes to itself, and everything else is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.errors import NotValid
from jimm.rest import paging

KEYS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=0))


@given(KEYS)
def test_a_key_survives(key: list[str]) -> None:
    assert paging.decode(paging.encode(*key), len(key)) == tuple(key) or not key


@given(st.text(min_size=1), st.integers(1, 3))
def test_anything_else_is_refused_in_one_way(text: str, parts: int) -> None:
    key, field = _decoded(text, parts)
    assert len(key) == parts or field == "cursor"


def _decoded(text: str, parts: int) -> tuple[tuple[str, ...], str]:
    """The key, or the field of the error."""
    try:
        return paging.decode(text, parts), ""
    except NotValid as error:
        return (), error.field


def test_no_cursor_is_the_beginning() -> None:
    assert paging.decode("", 2) == ("", "")


def test_a_key_that_the_database_can_t_hold() -> None:
    with pytest.raises(NotValid, match="another listing"):
        paging.decode(paging.encode("a\0"), 1)


def test_a_page_is_cut_where_one_more_row_was_read() -> None:
    assert paging.cut([1, 2, 3], 2) == ([1, 2], True)
    assert paging.cut([1, 2], 2) == ([1, 2], False)
