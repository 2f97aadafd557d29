"""No secret among the parameters that are kept: markers in every field of every method."""

import json
import random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.audit.kept import KEPT, LEFT_OUT, LONGEST, keep
from jimm.audit.lines import WITHHELD
from tests.juju_calls import Call, calls, named, seeded

NEVER = {
    ("Admin", "Login"),
    ("Application", "SetConfigs"),
    ("Cloud", "AddCredentials"),
    ("Cloud", "CheckCredentialsModels"),
    ("Cloud", "UpdateCredentialsCheckModels"),
    ("Controller", "ConfigSet"),
    ("Controller", "InitiateMigration"),
    ("JIMM", "AddController"),
    ("ModelConfig", "ModelSet"),
    ("ModelManager", "SetModelDefaults"),
    ("Secrets", "CreateSecrets"),
    ("Secrets", "UpdateSecrets"),
}


def test_these_never_leave_any() -> None:
    assert not NEVER & KEPT.keys()
    assert not any(facade in ("Admin", "Secrets", "SecretBackends") for facade, _ in KEPT)


@pytest.mark.parametrize("call", calls(), ids=lambda call: f"{call.facade}-{call.method}")
def test_only_declared_fields_are_kept(call: Call) -> None:
    shape = KEPT.get((call.facade, call.method))
    if shape is None:
        return
    filled = seeded(call, random.Random(7))
    kept = keep(json.dumps(filled.params).encode(), shape)
    allowed = set(named(shape))
    for path, marker in filled.markers.items():
        assert (marker in kept) == (path in allowed), path


def test_what_is_declared_is_there() -> None:
    there: dict[tuple[str, str], set[str]] = {}
    for call in calls():
        filled = seeded(call, random.Random(7))
        paths = there.setdefault((call.facade, call.method), set())
        paths |= {*filled.markers, *filled.others}
    for method, shape in KEPT.items():
        assert set(named(shape)) <= there[method], method


@pytest.mark.parametrize(
    ("params", "kept"),
    [
        ({"users": [{"username": "bob", "password": "x"}]}, {"users": [{"username": "bob"}]}),
        ({"USERS": [{"UserName": "bob"}]}, {"users": [{"username": "bob"}]}),
        ({"users": {"username": "bob"}}, {}),
        ({"users": [{"username": {"password": "x"}}]}, {"users": [{}]}),
        ({"users": [{"username": ["x"]}]}, {"users": [{}]}),
        ({"users": [{"username": "x" * (LONGEST + 1)}]}, {"users": [{}]}),
        ({"users": ["x", 7, None]}, {"users": ["redacted"] * 3}),
    ],
)
def test_values_of_another_kind_are_left_out(params: object, kept: object) -> None:
    told = json.loads(keep(json.dumps(params).encode(), KEPT["UserManager", "AddUser"]))
    assert _without_marks(told) == kept


@pytest.mark.parametrize("params", [b"{", b"[]", b"7", b"\xff", b"[" * 2000, b'{"a":"\\ud800"}'])
def test_what_can_t_be_read_is_not_kept(params: bytes) -> None:
    assert keep(params, KEPT["UserManager", "AddUser"]) == WITHHELD


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("tag"), inner),
)


@given(st.sampled_from(sorted(KEPT)), JSON)
def test_whatever_comes_something_that_postgres_takes_is_kept(
    method: tuple[str, str], value: object
) -> None:
    kept = keep(msgspec.json.encode(value), KEPT[method])
    assert isinstance(json.loads(kept), dict)
    assert "\\u0000" not in kept


def _without_marks(value: Any) -> Any:
    match value:
        case dict():
            return {key: _without_marks(each) for key, each in value.items() if key != LEFT_OUT}
        case list():
            return [_without_marks(each) for each in value]
    return value
