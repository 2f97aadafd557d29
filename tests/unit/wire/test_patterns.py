"""Patterns against Python's own matcher, and against what would stop that one."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.errors import NotValid
from jimm.wire.patterns import compiled

SIGNS = st.sampled_from(["a", "b", "-", ".", "[ab]", "[^a]", "[a-c]", r"\.", r"\$", r"\-"])
PIECES = st.tuples(SIGNS, st.sampled_from(["", "", "*", "+", "?"])).map("".join)
PATTERNS = st.tuples(
    st.sampled_from(["", "^"]),
    st.lists(PIECES, max_size=6).map("".join),
    st.sampled_from(["", "$"]),
).map("".join)


@given(PATTERNS, st.text("abc-.$", max_size=12))
def test_it_finds_what_python_finds(pattern: str, text: str) -> None:
    assert compiled(pattern).found_in(text) == bool(re.search(pattern, text))


@given(st.text(string.ascii_lowercase + string.digits + ".+*?()|[]{}^$\\-", max_size=12))
def test_a_quoted_name_is_found_exactly(name: str) -> None:
    quoted = "".join("\\" + sign if sign in r"\.+*?()|[]{}^$" else sign for sign in name)
    pattern = compiled(f"^{quoted}$")
    assert pattern.found_in(name)
    assert not pattern.found_in(name + "x")
    assert not pattern.found_in("x" + name)


@given(st.text(max_size=30), st.text(max_size=10))
def test_any_pattern_is_refused_or_answers(pattern: str, text: str) -> None:
    try:
        compiled(pattern).found_in(text)
    except NotValid:
        return


def test_many_stars_take_no_time() -> None:
    assert not compiled("a*" * 100 + "b").found_in("a" * 5000)


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "a|b", "a{2}", "*", "[", "[]", "a**", "a\\", "x" * 257]
)
def test_what_is_refused(pattern: str) -> None:
    with pytest.raises(NotValid):
        compiled(pattern)
