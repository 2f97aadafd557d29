"""Offers of simulated models as values."""

from datetime import UTC, datetime

import msgspec
import pytest

from jimm.errors import Conflict, NotFound, NotValid
from jimm.simulator import offers
from jimm.simulator.migration import description
from jimm.simulator.state import (
    Application,
    Charm,
    Model,
    ModelUser,
    Offer,
    OfferConnection,
    Status,
)
from jimm.wire.tags import ModelUUID

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ACTIVE = Status(status="active", since=NOW)
PG = Offer(
    uuid="11111111-1111-4111-8111-111111111111",
    name="pg",
    application="db",
    endpoints={"server": "db"},
    users={"alice": "admin"},
)
MODEL = Model(
    uuid=ModelUUID("22222222-2222-4222-8222-222222222222"),
    name="m1",
    owner="alice",
    cloud="metro",
    status=Status(status="available", since=NOW),
    users={"alice": ModelUser(access="admin")},
    applications={"db": Application(name="db", charm="local:db-0", status=ACTIVE)},
    charms={
        "local:db-0": Charm(
            url="local:db-0",
            name="db",
            revision=0,
            meta={"provides": {"db": {"interface": "pgsql"}}, "requires": {"log": "syslog"}},
        )
    },
    agent_version="3.6.9",
    created=NOW,
)


def test_endpoints_are_those_of_the_charm() -> None:
    found = offers.endpoints_of(MODEL, MODEL.applications["db"])
    assert [(each.name, each.role, each.interface) for each in found] == [
        ("db", "provider", "pgsql"),
        ("log", "requirer", "syslog"),
    ]
    wrong = msgspec.structs.replace(PG, endpoints={"x": "no-such"})
    with pytest.raises(Conflict, match='has no "no-such" relation'):
        offers.offered(MODEL, wrong)


def test_offering_again_changes_the_offer() -> None:
    model = offers.offered(MODEL, PG)
    again = msgspec.structs.replace(PG, uuid="another", description="new", users={})
    changed = offers.offered(model, again).offers["pg"]
    assert changed == msgspec.structs.replace(PG, description="new")


def test_what_can_t_be_offered() -> None:
    with pytest.raises(NotFound, match='application "x" not found'):
        offers.offered(MODEL, msgspec.structs.replace(PG, application="x"))
    with pytest.raises(NotValid, match='offer name "P" not valid'):
        offers.offered(MODEL, msgspec.structs.replace(PG, name="P"))
    with pytest.raises(Conflict, match="no longer alive"):
        offers.offered(msgspec.structs.replace(MODEL, life="dying"), PG)


def test_an_offer_in_use_goes_by_force_only() -> None:
    used = OfferConnection(
        relation_id=1, model=MODEL.uuid, user="bob", endpoint="db", status=ACTIVE
    )
    model = offers.offered(MODEL, msgspec.structs.replace(PG, connections=(used,)))
    with pytest.raises(Conflict, match=r"offer has 1 relation$"):
        offers.removed(model, "pg", force=False)
    assert not offers.removed(model, "pg", force=True).offers


def test_access_goes_up_and_down_a_step() -> None:
    granted = offers.granted(PG, "bob", "consume")
    with pytest.raises(Conflict, match='already has "read" access or greater'):
        offers.granted(granted, "bob", "read")
    assert offers.revoked(granted, "bob", "consume").users["bob"] == "read"
    assert "bob" not in offers.revoked(granted, "bob", "read").users
    with pytest.raises(NotFound):
        offers.revoked(PG, "bob", "read")


def test_offers_go_with_a_model_that_moves() -> None:
    moved = description.read(
        description.write(offers.offered(MODEL, PG), None, version=11), newest=11
    )
    assert moved.model.offers == {"pg": PG}
