"""What is taken out of the trail's parameters."""

from hypothesis import given
from hypothesis import strategies as st

from jimm.audit.redact import REDACTED, redact

SECRET = "s3cr3t-text"

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["name", "force"]), inner),
)


def test_secrets_go_at_any_depth_and_in_any_spelling() -> None:
    for key in ("password", "Password", "login_token", "login-token", "attrs", "ca-cert"):
        told = redact({"rows": [{"name": "x", key: SECRET}, ({key: {"deep": SECRET}},)]})
        assert SECRET not in str(told)
        assert told == {"rows": [{"name": "x", key: REDACTED}, [{key: REDACTED}]]}


@given(plain)
def test_what_is_no_secret_stays(value: object) -> None:
    assert redact(value) == value
