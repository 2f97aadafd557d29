"""Tags: what is written is read back; what Juju would refuse is refused in its words."""

import contextlib
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.errors import NotValid
from jimm.wire import tags
from jimm.wire.tags import CredentialId

users = st.from_regex(
    r"[a-z0-9][a-z0-9.-]{0,8}[a-z0-9](@[a-z][a-z0-9.-]{0,5}[a-z])?", fullmatch=True
)
clouds = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,8}", fullmatch=True)
credentials = st.from_regex(r"[a-zA-Z][a-zA-Z0-9.@_-]{0,8}", fullmatch=True)


@given(users.filter(lambda user: not user.endswith("@local")))
def test_users(user: str) -> None:
    assert tags.parse_user_tag(tags.user_tag(user)) == user


@given(st.uuids().map(str))
def test_models_and_controllers(value: str) -> None:
    assert tags.parse_model_tag(tags.model_tag(value)) == value
    assert tags.parse_controller_tag(tags.controller_tag(value)) == value


@given(clouds, users.filter(lambda user: not user.endswith("@local")), credentials)
def test_credentials(cloud: str, owner: str, name: str) -> None:
    credential = CredentialId(cloud, owner, name)
    assert tags.parse_credential_tag(tags.credential_tag(credential)) == credential


def test_an_underscore_in_a_credential_is_written_as_juju_writes_it() -> None:
    tag = tags.credential_tag(CredentialId("my_cloud", "alice@jimm", "a_b"))
    assert tag == "cloudcred-my%5fcloud_alice@jimm_a%5fb"


@pytest.mark.parametrize("user", ["a", "a_b", "a+b", "-ab", "ab@", "a b", "", "ab@x_y"])
def test_users_that_juju_refuses(user: str) -> None:
    with pytest.raises(NotValid):
        tags.parse_user_tag(f"user-{user}")


def test_jujus_own_local_domain_is_dropped() -> None:
    assert tags.parse_user_tag("user-bob@local") == "bob"


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("x", '"x" is not a valid tag'),
        ("machine-0", '"machine-0" is not a valid model tag'),
        ("model-x", '"model-x" is not a valid model tag'),
        (f"model-{str(uuid.UUID(int=1)).replace('-', '')}", "is not a valid model tag"),
    ],
)
def test_a_refusal_is_worded_as_jujus(tag: str, text: str) -> None:
    with pytest.raises(NotValid, match=text):
        tags.parse_model_tag(tag)


@given(st.text(), st.sampled_from(["user", "model", "controller", "cloud", "credential"]))
def test_any_text_is_read_or_refused(text: str, kind: str) -> None:
    with contextlib.suppress(NotValid):
        assert getattr(tags, f"parse_{kind}_tag")(text)
