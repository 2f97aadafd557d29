"""What use cases tell of themselves: declared names alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import jimm
from jimm.audit.redact import DECLARED, LONGEST, REDACTED, redact

SECRET = "s3cr3t-text"

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["name", "force"]), inner),
)


@pytest.mark.parametrize(
    "key",
    ["password", "Password", "login_token", "attrs", "ca-cert", "config", "macaroon", "Name", ""],
)
def test_what_is_not_declared_goes_at_any_depth(key: str) -> None:
    told = redact({"models": [{"name": "x", key: SECRET}, ({key: {"name": SECRET}},)]})
    assert told == {"models": [{"name": "x", key: REDACTED}, [{key: REDACTED}]]}


@given(plain)
def test_what_is_declared_stays(value: object) -> None:
    assert redact(value) == value


def test_a_long_text_is_cut() -> None:
    assert redact({"reason": "x" * 10_000}) == {"reason": "x" * LONGEST}


def test_nothing_declared_is_called_as_secrets_are() -> None:
    words = ("password", "secret", "token", "macaroon", "attr", "config", "private", "cert")
    assert not [name for name in DECLARED if any(word in name for word in words)]


def test_every_use_case_tells_declared_names() -> None:
    told = set(_told())
    assert {"migration-id", "user", "cloud", "plan-id", "force"} <= told
    assert told <= DECLARED


def _told() -> Iterator[str]:
    """The keys of what is written as ``params`` of an action, in all of JIMM's source."""
    for file in Path(jimm.__path__[0]).rglob("*.py"):
        if "audit.record" not in (source := file.read_text()) and ".did(" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            match node:
                case ast.keyword(arg="params", value=ast.Dict(keys=keys)):
                    pass
                case ast.Assign(targets=[ast.Name(id="params")], value=ast.Dict(keys=keys)):
                    pass
                case _:
                    continue
            for key in keys:
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value
