"""From what a provider says to a user id that Juju takes, and that nobody else can have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.access.oidc_claims import ClaimNames, client_identity, identity_of, person
from jimm.errors import InvalidLogin
from jimm.wire.tags import is_user_id

NAMES = ClaimNames(username="email", groups="groups", domain="", local_domain="jimm")
PREFERRED = ClaimNames(
    username="preferred_username", groups="roles", domain="corp.example", local_domain="jimm"
)


def test_a_person() -> None:
    claims = {"email": "Alice@Corp.example", "name": "Alice A.", "groups": ["b", "a", 7]}
    found = person(claims, NAMES)
    assert found.identity == "alice@corp.example"
    assert (found.display_name, found.groups) == ("Alice A.", ("a", "b"))


def test_a_name_without_a_domain_gets_the_configured_one() -> None:
    found = person({"preferred_username": "alice", "roles": "ops"}, PREFERRED)
    assert (found.identity, found.groups) == ("alice@corp.example", ("ops",))
    own = person({"preferred_username": "alice@other.example"}, PREFERRED)
    assert own.identity == "alice@other.example"


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({}, "told no"),
        ({"email": ""}, "told no"),
        ({"email": 7}, "told no"),
        ({"email": "alice"}, "has no domain"),
        ({"email": "alice@"}, "has no domain"),
        ({"email": "admin@jimm"}, "not the identity provider's"),
        ({"email": "admin@JIMM"}, "not the identity provider's"),
        ({"email": "admin@local"}, "not the identity provider's"),
        ({"email": "x@serviceaccount"}, "not the identity provider's"),
        ({"email": "alice@cörp"}, "can't have a user"),
        ({"email": "alice@corp.example", "email_verified": False}, "not verified"),
    ],
)
def test_who_may_not_come(claims: dict[str, object], why: str) -> None:
    with pytest.raises(InvalidLogin, match=why):
        person(claims, NAMES)


@pytest.mark.parametrize("name", ["john_smith", "a+b", "x", "été", "-", "a b", "a@b"])
def test_a_name_that_juju_does_not_take_is_changed_and_marked(name: str) -> None:
    found = identity_of(name, "corp.example", "jimm")
    assert is_user_id(found)
    assert found.endswith("@corp.example")
    # Nobody gets it by taking the changed name at the provider.
    assert identity_of(found.partition("@")[0], "corp.example", "jimm") != found


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_two_names_are_two_people(one: str, other: str) -> None:
    same = one.lower() == other.lower()
    first, second = (identity_of(each, "corp.example", "jimm") for each in (one, other))
    assert (first == second) == same
    assert is_user_id(first)


def test_clients() -> None:
    assert client_identity("0af3-terraform") == "0af3-terraform@serviceaccount"
    for bad in ("", "x", "a_b", "a@b", "A-Client", "a" * 300):
        with pytest.raises(InvalidLogin):
            client_identity(bad)
