"""What a user may read of a failure; no value of a map or of a secret is in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.migration.reasons import REDACTED, redact_reason


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


@given(
    st.dictionaries(
        st.from_regex(r"[a-z-]{1,10}", fullmatch=True),
        st.text(min_size=1).map(lambda each: f"qqq{each}qqq"),
        min_size=1,
    )
)
def test_no_value_of_a_go_map_is_shown_whatever_is_in_it(attributes: dict[str, str]) -> None:
    printed = " ".join(f"{key}:{value}" for key, value in sorted(attributes.items()))
    text = f"credential attribute mismatch: map[{printed}] != map[{printed}]"
    assert "qqq" not in redact_reason(text)
