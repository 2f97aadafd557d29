import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.access.names import (
    SERVICE_ACCOUNT,
    is_local,
    new_local_identity,
    qualify,
    require_identity,
    shown,
)
from jimm.errors import NotValid
from jimm.wire.tags import is_user_id

names = st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9.-]{0,8}[a-zA-Z0-9]", fullmatch=True)
domains = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,8}[a-z0-9])?", fullmatch=True).filter(
    lambda domain: domain != "local"
)


@given(names, domains)
def test_a_bare_name_is_of_the_local_domain_and_shown_bare(name: str, domain: str) -> None:
    identity = qualify(name, domain)
    assert identity == f"{name}@{domain}"
    assert shown(identity, domain) == name
    assert is_local(identity, domain)
    assert is_user_id(identity)


@given(names, domains, domains)
def test_another_domain_is_kept(name: str, theirs: str, ours: str) -> None:
    identity = qualify(f"{name}@{theirs}", ours)
    assert identity == f"{name}@{theirs}"
    assert qualify(shown(identity, ours), ours) == identity
    assert is_local(identity, ours) == (theirs == ours)


def test_jujus_own_local_is_the_bare_name() -> None:
    assert qualify("alice@local", "jimm") == "alice@jimm"


def test_a_domain_that_ends_like_ours_is_another() -> None:
    assert shown("alice@not-jimm", "jimm") == "alice@not-jimm"
    assert not is_local(f"robot@{SERVICE_ACCOUNT}", "jimm")


@pytest.mark.parametrize(
    "name", ["", "a", "al_ice", "a+b", "-alice", "alice@", "alice@a@b", "al ice"]
)
def test_what_juju_would_not_take_is_refused(name: str) -> None:
    with pytest.raises(NotValid, match="not a valid user name"):
        require_identity(name, "jimm")
    with pytest.raises(NotValid) as refused:
        new_local_identity(name, "jimm")
    assert refused.value.field == "name"


def test_a_new_user_is_of_the_local_domain() -> None:
    assert new_local_identity("alice", "jimm") == "alice@jimm"
    assert new_local_identity("alice@jimm", "jimm") == "alice@jimm"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("alice@corp", "another domain"),
        ("Alice", 'use "alice"'),
        ("everyone", "a meaning of its own"),
    ],
)
def test_a_new_user_may_not_be_taken_for_another(name: str, text: str) -> None:
    with pytest.raises(NotValid, match=text):
        new_local_identity(name, "jimm")
