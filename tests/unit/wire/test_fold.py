"""Plain values read into Structs as Go would read them."""

import contextlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.errors import ProtocolError
from jimm.wire.fold import convert
from jimm.wire.params import cloud, controller, jimm, model_manager
from jimm.wire.params.common import Entities, Params


class Tree(Params, kw_only=True):
    name: str
    children: list["Tree"] = []


def recase(value: object, upper: bool) -> object:
    """Struct keys in the other case; maps are not told apart, so use where there are none."""
    if isinstance(value, dict):
        return {(k.upper() if upper else k): recase(v, upper) for k, v in value.items()}
    return [recase(each, upper) for each in value] if isinstance(value, list) else value


@given(st.lists(st.text(), max_size=4), st.booleans())
def test_recased_keys_are_the_same_keys(tags: list[str], upper: bool) -> None:
    given_value = Entities.of(*tags)
    plain = msgspec.to_builtins(given_value)
    assert convert(recase(plain, upper), Entities) == given_value


def test_null_is_absent_and_absent_is_zero() -> None:
    sent = {"name": "m", "owner-tag": "user-a1", "config": None, "credential": None, "region": None}
    assert convert(sent, model_manager.CreateModel) == model_manager.CreateModel(
        name="m", owner_tag="user-a1", config={}
    )
    assert convert({}, model_manager.ModelInfo).status.status == ""
    assert convert(None, controller.InitiateMigration).specs == []


def test_the_keys_of_maps_keep_their_spelling() -> None:
    sent = {"NAME": "m", "owner-tag": "u", "Config": {"Default-Series": 1, "default-series": 2}}
    read = convert(sent, model_manager.CreateModel)
    assert read.config == {"Default-Series": 1, "default-series": 2}
    clouds = convert({"clouds": {"cloud-A": {"TYPE": "lxd"}}}, cloud.CloudsResult)
    assert clouds.clouds["cloud-A"].type == "lxd"


def test_unknown_keys_are_ignored() -> None:
    assert convert({"name": "c", "force": True, "more": 1}, jimm.RemoveController).force


@pytest.mark.parametrize("wrong", [{"name": 1}, {"name": []}, [], "x", 3, {"force": "yes"}])
def test_a_wrong_type_is_the_protocol_error(wrong: object) -> None:
    with pytest.raises(ProtocolError):
        convert(wrong, jimm.RemoveController)


def test_a_type_that_holds_itself_is_read_to_the_bottom_and_no_deeper_than_allowed() -> None:
    tree: dict[str, object] = {"NAME": "leaf"}
    for _ in range(20):
        tree = {"Name": "node", "Children": [tree]}
    read = convert(tree, Tree)
    while read.children:
        read = read.children[0]
    assert read.name == "leaf"
    for _ in range(5000):
        tree = {"name": "node", "children": [tree]}
    with pytest.raises(ProtocolError, match="too deep"):
        convert(tree, Tree)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["name", "results", "models", "x"]), inner, max_size=3)
    ),
)


@given(values)
def test_any_value_is_read_or_refused(value: object) -> None:
    with contextlib.suppress(ProtocolError):
        read = convert(value, model_manager.ModelInfoResults)
        assert isinstance(read, model_manager.ModelInfoResults)
