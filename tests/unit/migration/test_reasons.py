"""What a user may read of a failure; no value of a map or of a secret is in it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.migration.reasons import LONGEST, REDACTED, redact_reason


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "failed: credential attribute mismatch: map[password:one u:x] != map[password:2]",
            f"failed: credential attribute mismatch: map[{REDACTED}]",
        ),
        ("mismatch: map[key:a]b c] and more", f"mismatch: map[{REDACTED}] and more"),
        ("cut off: map[key:abc", f"cut off: map[{REDACTED}]"),
        ('login with password="a b" refused', f"login with password={REDACTED} refused"),
        ("access-token: abc, next", f"access-token: {REDACTED} next"),
        ('{"client-secret":"x y"}', f'{{"client-secret":{REDACTED}}}'),
        (
            "key -----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY----- there",
            f"key {REDACTED} there",
        ),
        (
            "dial https://admin:hunter2@north:17070 failed",
            f"dial https://{REDACTED}@north:17070 failed",
        ),
        ("Authorization: Bearer abcdefgh1234==", f"Authorization: {REDACTED} {REDACTED}"),
        ('cannot load secret backend "vault"', 'cannot load secret backend "vault"'),
        ("invalid entity name or password", "invalid entity name or password"),
        ('credential "metro/alice/c" is revoked', 'credential "metro/alice/c" is revoked'),
        (
            "machine sanity check failed, 1 error found",
            "machine sanity check failed, 1 error found",
        ),
    ],
)
def test_secrets_go_and_reasons_stay(text: str, shown: str) -> None:
    assert redact_reason(text) == shown
    assert redact_reason(shown) == shown


VALUE = "qqqVALUEqqq"
NAMES = st.from_regex(r"[a-z-]{1,10}", fullmatch=True)
SHORT = st.text(max_size=12)
VALUES = SHORT.flatmap(lambda before: SHORT.map(lambda after: f"{before}{VALUE}{after}"))


@given(
    st.dictionaries(NAMES, VALUES, min_size=1, max_size=3),
    st.dictionaries(NAMES, VALUES, min_size=1, max_size=3),
)
def test_no_value_of_a_go_map_is_shown_whatever_is_in_it(
    here: dict[str, str], coming: dict[str, str]
) -> None:
    text = f"credential attribute mismatch: {_go_map(here)} != {_go_map(coming)}"
    assert VALUE not in redact_reason(text)
    assert VALUE not in redact_reason(f"aborted, it failed: {text}; see the log")


@given(
    st.dictionaries(NAMES, VALUES, min_size=1, max_size=3), st.integers(min_value=5, max_value=400)
)
def test_no_value_is_shown_of_two_maps_that_were_cut_off(
    attributes: dict[str, str], at: int
) -> None:
    opening = "credential attribute mismatch: map[username:a]"
    text = f"{opening} != {_go_map(attributes)}"
    assert "VALUE" not in redact_reason(text[: len(opening) + at])


@given(NAMES, NAMES, VALUES)
def test_no_value_is_shown_of_a_map_within_a_map(outer: str, inner: str, value: str) -> None:
    nested = f"map[{outer}:map[{inner}:{value}] {inner}:[{value} {value}]]"
    assert VALUE not in redact_reason(f"cannot use {nested}")
    assert VALUE not in redact_reason(f"cannot use {nested}: not valid")


@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=3))
def test_no_value_is_shown_of_a_map_in_the_words_of_go(attributes: dict[str, str]) -> None:
    pairs = ", ".join(f'"{key}":"{value}"' for key, value in attributes.items())
    assert VALUE not in redact_reason(f"cannot use map[string]string{{{pairs}}}")
    assert VALUE not in redact_reason(f"cannot use map[string]interface {{}}{{{pairs}}}: no")


@given(st.text(alphabet=st.characters(blacklist_characters="-")))
def test_nothing_of_a_key_is_shown(inside: str) -> None:
    block = f"-----BEGIN RSA PRIVATE KEY-----\n{inside}{VALUE}\n"
    assert VALUE not in redact_reason(f"bad key {block}-----END RSA PRIVATE KEY----- here")
    assert VALUE not in redact_reason(f"bad key {block}")


@given(
    st.sampled_from(["password", "client-secret", "access-token", "private_key", "ApiKey"]),
    st.sampled_from([": ", "=", '":"', " = ", ': "']),
    st.from_regex(r"[A-Za-z0-9+/=.!@#$%^&*-]{0,20}", fullmatch=True),
)
def test_what_is_named_as_a_secret_is_not_shown(name: str, joint: str, before: str) -> None:
    assert VALUE not in redact_reason(f"login with {name}{joint}{before}{VALUE} was refused")


@given(st.text())
def test_what_was_redacted_stays_as_it_is(text: str) -> None:
    once = redact_reason(text)
    assert redact_reason(once) == once


@pytest.mark.parametrize(
    "lie", ["a", "token", "token: ", "map[", "-----BEGIN ", "://", "://a:", ": ", '"', "basic "]
)
def test_a_text_without_end_is_cut_and_takes_no_time(lie: str) -> None:
    began = time.perf_counter()
    assert len(redact_reason(lie * 1_000_000)) <= LONGEST * 3
    assert time.perf_counter() - began < 2.0


def _go_map(attributes: dict[str, str]) -> str:
    """As Go's ``fmt`` prints a map."""
    return f"map[{' '.join(f'{key}:{value}' for key, value in sorted(attributes.items()))}]"
