"""Offers' urls as Juju reads and writes them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.errors import NotValid
from jimm.wire.offer_urls import OfferURL, parse

OWNERS = st.from_regex(r"[a-z][a-z0-9.-]{0,6}[a-z0-9](@[a-z]{2,5}\.com)?", fullmatch=True)
MODELS = st.from_regex(r"[a-z0-9][a-z0-9-]{0,8}", fullmatch=True)
OFFERS = st.from_regex(r"[a-z][a-z0-9]{0,4}(-[a-z]{1,4}){0,2}", fullmatch=True)
CONTROLLERS = st.sampled_from(["jimm:", "my-controller:", "jimm.example.com:", ""])


@given(CONTROLLERS, st.one_of(st.just(""), OWNERS), MODELS, OFFERS)
def test_what_is_written_is_read_again(controller: str, owner: str, model: str, offer: str) -> None:
    url = OfferURL(owner, model, offer)
    assert parse(f"{controller}{url}") == url


@given(st.text(max_size=40))
def test_anything_else_is_refused_or_written_back_as_it_means(text: str) -> None:
    try:
        url = parse(text)
    except NotValid:
        return
    assert parse(str(url)) == url


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "missing model"),
        ("alice/m1", "missing application"),
        ("alice/.db", "missing model"),
        ("alice/m1.db:server", "shouldn't include endpoint"),
        ("jimm:alice/m1.db:server", "shouldn't include endpoint"),
        ("a/b/m1.db", "invalid form"),
        ("alice/m1.Db", 'application name "Db" not valid'),
        ("alice/M1.db", 'model name "M1" not valid'),
        ("a_b/m1.db", 'user name "a_b" not valid'),
    ],
)
def test_what_is_wrong_is_said_in_juju_s_words(text: str, why: str) -> None:
    with pytest.raises(NotValid, match=why):
        parse(text)


def test_an_owner_may_have_dots() -> None:
    assert parse("alice@corp.example.com/m1.db") == OfferURL("alice@corp.example.com", "m1", "db")
