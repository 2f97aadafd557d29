"""Filters of offers, on values."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.fleet.offer_filters import EndpointTerm, Wanted
from jimm.registry.offers import Offer
from jimm.wire.patterns import compiled
from jimm.wire.tags import ControllerUUID, ModelUUID

DB = {"name": "db", "role": "provider", "interface": "pgsql", "limit": 0}
ADMIN = {"name": "db-admin", "role": "provider", "interface": "pgsql", "limit": 0}


def offer(**changed: Any) -> Offer:
    """``alice/m1.postgres``."""
    given = {
        "uuid": "11111111-1111-4111-8111-111111111111",
        "model_id": 1,
        "model_uuid": ModelUUID("22222222-2222-4222-8222-222222222222"),
        "model_name": "m1",
        "owner": "alice@jimm",
        "controller_id": 1,
        "controller_uuid": ControllerUUID("33333333-3333-4333-8333-333333333333"),
        "name": "postgres",
        "application": "postgresql",
        "description": "A database. With tables.",
        "charm_url": "ch:postgresql-1",
        "endpoints": (DB, ADMIN),
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return Offer(**{**given, **changed})


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(),
        Wanted(owner="alice@jimm", model="m1"),
        Wanted(name=compiled("^postgres$")),
        Wanted(name=compiled("gres")),
        Wanted(application="postgresql"),
        Wanted(description="With tables."),
        Wanted(endpoints=(EndpointTerm(interface="pgsql"),)),
        Wanted(endpoints=(EndpointTerm(name="db", interface="other"),)),
        Wanted(endpoints=(EndpointTerm(name="db-admin"), EndpointTerm(role="provider"))),
        Wanted(connected=frozenset({"bob@jimm", "carol@jimm"})),
        Wanted(allowed=frozenset({"bob@jimm"})),
    ],
)
def test_what_fits(wanted: Wanted) -> None:
    assert wanted.fits(offer(), {"bob@jimm": "consume"}, ["bob@jimm"])


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(owner="bob@jimm"),
        Wanted(model="m2"),
        Wanted(name=compiled("^post$")),
        Wanted(application="postgres"),
        Wanted(description="With.tables"),
        Wanted(endpoints=(EndpointTerm(interface="mysql"),)),
        Wanted(endpoints=(EndpointTerm(name="db"), EndpointTerm(name="db-admin"))),
        Wanted(endpoints=(EndpointTerm(),)),
        Wanted(connected=frozenset({"dave@jimm"})),
        Wanted(allowed=frozenset({"dave@jimm"})),
        Wanted(allowed=frozenset({"carol@jimm"})),
    ],
)
def test_what_does_not(wanted: Wanted) -> None:
    users = {"bob@jimm": "consume", "carol@jimm": "read"}
    assert not wanted.fits(offer(), users, ["bob@jimm"])


NAMES = st.sampled_from(["", "m1", "m2", "alice@jimm", "postgresql"])


@given(NAMES, NAMES, NAMES)
def test_more_conditions_never_find_more(owner: str, model: str, application: str) -> None:
    every = Wanted(owner=owner, model=model, application=application)
    parts = (Wanted(owner=owner), Wanted(model=model), Wanted(application=application))
    fits = [each.fits(offer(), {}, []) for each in parts]
    assert every.fits(offer(), {}, []) == all(fits)
