"""Offers while controllers are away, slow, or know better; and where a user is a local one."""

import time
from datetime import UTC, datetime

import msgspec
import pytest

from jimm.errors import (
    ControllerUnavailable,
    LostAnswer,
    NotFound,
    NotSupported,
    RemoteError,
    Unauthorized,
)
from jimm.fleet import offer_access, offer_consuming, offering, offers
from jimm.fleet.caller import Caller
from jimm.fleet.offer_filters import Wanted
from jimm.fleet.offering import NewOffer
from jimm.registry import entries, models, relations
from jimm.registry.relations import Object
from jimm.simulator import offers as simulated
from jimm.simulator.faults import Action
from jimm.simulator.state import Model, Offer, OfferConnection, Status
from jimm.wire.offer_urls import OfferURL
from jimm.wire.tags import ModelUUID
from tests.eventually import eventually
from tests.fix_fleet import ADMIN, ALICE, BOB, add_model
from tests.system.fleet.conftest import Scene

URL = OfferURL("alice@jimm", "m1", "pg")
OFFER = "ApplicationOffers.Offer"
DESTROY = "ApplicationOffers.DestroyOffers"
LIST = "ApplicationOffers.ListApplicationOffers"


@pytest.fixture
async def model(scene: Scene) -> ModelUUID:
    """alice's model ``m1`` on controller a."""
    return await add_model(scene.fleet, scene.controllers["a"])


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks after a lost answer come soon."""
    monkeypatch.setattr(offering, "ASK_AGAIN", (0.0, 0.1, 0.2))


def asked(model: ModelUUID, name: str = "pg") -> NewOffer:
    """The model's application, offered."""
    return NewOffer(model, name, "ubuntu", "a database", {"server": "server"}, ALICE.identity)


async def offered(scene: Scene, model: ModelUUID, name: str = "pg") -> None:
    """Makes an offer in alice's name."""
    await offering.offer(scene.fleet, ALICE, asked(model, name))


def hosted(scene: Scene, model: ModelUUID, on: str = "a") -> Model:
    """The model as its controller has it."""
    return scene.peers[on].store.models[model]


def put(scene: Scene, model: Model, offer: Offer) -> None:
    """Changes an offer behind JIMM's back."""
    scene.peers["a"].store.put(simulated.with_offer(model, offer))


def related(scene: Scene, model: ModelUUID, count: int = 1) -> None:
    """Gives the offer relations of bob's model."""
    there = hosted(scene, model)
    relation = OfferConnection(
        relation_id=7,
        model=ModelUUID("22222222-2222-4222-8222-222222222222"),
        user=scene.fleet.trust.local_name(BOB.identity),
        endpoint="server",
        status=Status(status="joined", since=datetime.now(UTC)),
    )
    offer = msgspec.structs.replace(there.offers["pg"], connections=(relation,) * count)
    put(scene, there, offer)


async def listed(scene: Scene, caller: Caller = ALICE) -> list[offers.Known]:
    """What the model is said to offer."""
    return await offers.list_(scene.fleet, caller, [Wanted(owner=ALICE.identity, model="m1")])


async def names(scene: Scene, caller: Caller = ALICE) -> list[str]:
    """What the caller finds."""
    return [each.offer.name for each in await offers.find(scene.fleet, caller, [Wanted()])]


async def share(scene: Scene, access: str, action: str = "grant") -> None:
    """Changes bob's access."""
    await offer_access.modify(
        scene.fleet, ALICE, URL, identity=BOB.identity, action=action, access=access
    )


async def test_what_was_promised_is_on_the_controller_and_in_the_registry(
    scene: Scene, model: ModelUUID
) -> None:
    await offered(scene, model)
    assert list(hosted(scene, model).offers) == ["pg"]
    assert await names(scene) == ["pg"]
    trail = await scene.trail()
    assert (trail[0].action, trail[0].identity) == ("offer", "alice@jimm")
    await offering.destroy(scene.fleet, ALICE, URL, force=False)
    assert not hosted(scene, model).offers
    assert await names(scene) == []
    assert (await scene.trail())[0].action == "remove-offer"


@pytest.mark.parametrize("action", ["drop-after", "drop-before"])
async def test_a_lost_answer_is_asked_for(scene: Scene, model: ModelUUID, action: Action) -> None:
    scene.fault("a", OFFER, action)
    if action == "drop-after":
        await offered(scene, model)
        assert await names(scene) == ["pg"]
    else:
        with pytest.raises(LostAnswer):
            await offered(scene, model)
        assert await names(scene) == []
        await offered(scene, model)
    scene.fault("a", DESTROY, action)
    if action == "drop-after":
        await offering.destroy(scene.fleet, ALICE, URL, force=False)
        assert await names(scene) == []
    else:
        with pytest.raises(LostAnswer):
            await offering.destroy(scene.fleet, ALICE, URL, force=False)
        assert await names(scene) == ["pg"], "it is still there"


async def test_offers_of_a_controller_that_is_away_are_listed_and_shown(
    scene: Scene, model: ModelUUID
) -> None:
    await offered(scene, model)
    await scene.peers["a"].stop()

    async def is_away() -> bool:
        try:
            scene.fleet.link(scene.controllers["a"])
        except ControllerUnavailable:
            return True
        return False

    assert await eventually(is_away)
    began = time.monotonic()
    assert [each.offer.name for each in await listed(scene)] == ["pg"]
    assert await names(scene) == ["pg"]
    shown = await offers.show(scene.fleet, ALICE, URL)
    assert (shown.offer.name, shown.connections) == ("pg", ())
    assert time.monotonic() - began < 1
    for what in (
        offering.offer(scene.fleet, ALICE, asked(model, "more")),
        offering.destroy(scene.fleet, ALICE, URL, force=True),
    ):
        with pytest.raises(ControllerUnavailable):
            await what
    assert await names(scene) == ["pg"]
    await share(scene, "read")
    assert await names(scene, BOB) == ["pg"], "JIMM itself knows who may see it"


async def test_a_slow_controller_holds_up_no_listing(scene: Scene, model: ModelUUID) -> None:
    await offered(scene, model)
    fault = scene.fault("a", LIST, "stall", times=0)
    began = time.monotonic()
    assert [each.offer.name for each in await listed(scene)] == ["pg"]
    assert time.monotonic() - began < 1
    scene.peers["a"].faults.clear(fault.id)


async def test_the_controller_has_the_last_word(scene: Scene, model: ModelUUID) -> None:
    await offered(scene, model)
    await share(scene, "read")
    uuid = (await listed(scene))[0].offer.uuid
    there = hosted(scene, model)
    put(scene, there, msgspec.structs.replace(there.offers["pg"], description="another text"))
    assert (await offers.show(scene.fleet, ALICE, URL)).offer.description == "another text"
    scene.peers["a"].store.put(simulated.removed(hosted(scene, model), "pg", force=True))
    assert await names(scene) == ["pg"], "a search does not ask"
    with pytest.raises(NotFound):
        await offers.show(scene.fleet, BOB, URL)
    assert await names(scene) == []
    async with scene.fleet.registry.read() as session:
        assert await relations.about(session, [Object.offer(uuid)]) == []
    put(scene, hosted(scene, model), Offer(uuid=uuid, name="late", application="ubuntu"))
    assert [each.offer.name for each in await listed(scene)] == ["late"]


async def test_an_offer_of_the_same_name_is_another_one(scene: Scene, model: ModelUUID) -> None:
    await offered(scene, model)
    await share(scene, "consume")
    there = hosted(scene, model)
    fresh = msgspec.structs.replace(there.offers["pg"], uuid="11111111-1111-4111-8111-111111111111")
    put(scene, there, fresh)
    assert [each.offer.uuid for each in await listed(scene)] == [fresh.uuid]
    assert await names(scene, BOB) == []


async def test_relations_are_shown_to_administrators_by_jimm_s_names(
    scene: Scene, model: ModelUUID
) -> None:
    await offered(scene, model)
    await share(scene, "consume")
    bob = await scene.fleet.trust.local_user(
        scene.controllers["a"], BOB.identity, scene.fleet.link(scene.controllers["a"])
    )
    assert bob.username == scene.fleet.trust.local_name(BOB.identity)
    related(scene, model)
    for row in [*await listed(scene), await offers.show(scene.fleet, ALICE, URL)]:
        assert [each.username for each in row.connections] == ["bob@jimm"]
    connected = [Wanted(connected=frozenset({"bob@jimm"}))]
    assert len(await offers.find(scene.fleet, ALICE, connected)) == 1
    assert await offers.find(scene.fleet, BOB, connected) == []
    assert (await offers.show(scene.fleet, BOB, URL)).connections == ()


@pytest.mark.parametrize(("count", "text"), [(1, "1 relation"), (2, "2 relations")])
async def test_an_offer_in_use_goes_by_force_only(
    scene: Scene, model: ModelUUID, count: int, text: str
) -> None:
    await offered(scene, model)
    related(scene, model, count)
    with pytest.raises(RemoteError) as refused:
        await offering.destroy(scene.fleet, ALICE, URL, force=False)
    wanted = f'cannot delete application offer "pg": offer has {text}'
    assert str(refused.value) == wanted
    newer = (
        f'cannot delete offer "11111111-1111-4111-8111-111111111111", it has {count} connections'
    )
    scene.fault("a", DESTROY, "refuse", message=newer)
    with pytest.raises(RemoteError) as refused:
        await offering.destroy(scene.fleet, ALICE, URL, force=False)
    assert str(refused.value) == wanted, "4.0's words become 3.6's"
    assert await names(scene) == ["pg"]
    await offering.destroy(scene.fleet, ALICE, URL, force=True)
    assert await names(scene) == []


async def test_a_consumer_is_let_in_and_shut_out_on_the_controller_too(
    scene: Scene, model: ModelUUID
) -> None:
    await offered(scene, model)
    there = scene.fleet.trust.local_name(BOB.identity)
    await share(scene, "read")
    with pytest.raises(Unauthorized):
        await offer_consuming.details(scene.fleet, BOB, URL, bakery_version=3)
    await share(scene, "consume")
    with pytest.raises(NotSupported, match="another controller"):
        await offer_consuming.details(scene.fleet, BOB, URL, bakery_version=3)
    await add_model(scene.fleet, scene.controllers["b"], "far", BOB.identity)
    with pytest.raises(NotSupported, match="another controller"):
        await offer_consuming.details(scene.fleet, BOB, URL, bakery_version=3)
    await add_model(scene.fleet, scene.controllers["a"], "near", BOB.identity)
    for _ in range(2):
        _, told = await offer_consuming.details(scene.fleet, BOB, URL, bakery_version=3)
        assert told.macaroon is not None
        assert str(told.macaroon["identifier"]).endswith(f" for {there}")
        assert hosted(scene, model).offers["pg"].users[there] == "consume"
    await share(scene, "consume", "revoke")
    assert there not in hosted(scene, model).offers["pg"].users
    with pytest.raises(Unauthorized):
        await offer_consuming.details(scene.fleet, BOB, URL, bakery_version=3)


async def test_an_administrator_of_the_offer_need_not_administer_the_model(
    scene: Scene, model: ModelUUID
) -> None:
    await offered(scene, model)
    await share(scene, "admin")
    await offering.destroy(scene.fleet, BOB, URL, force=False)
    assert not hosted(scene, model).offers
    assert scene.fleet.trust.local_name(BOB.identity) not in hosted(scene, model).users


async def test_jimm_s_administrators_administer_all_offers(scene: Scene, model: ModelUUID) -> None:
    await offering.offer(scene.fleet, ADMIN, asked(model))
    assert [each.level for each in await listed(scene, ADMIN)] == ["admin"]
    assert [each.users for each in await listed(scene)] == [{"alice@jimm": "admin"}]
    await offering.destroy(scene.fleet, ADMIN, URL, force=False)
    assert await names(scene, ADMIN) == []


async def test_a_model_that_goes_takes_its_offers_along(scene: Scene, model: ModelUUID) -> None:
    await offered(scene, model)
    await share(scene, "consume")
    about = Object.offer((await listed(scene))[0].offer.uuid)
    async with scene.fleet.registry.read() as session:
        row = (await models.by_uuid(session, model)).id
        assert len(await relations.about(session, [about])) == 2
    async with scene.fleet.registry.write() as session:
        await models.remove(session, row)
    assert await names(scene, ADMIN) == []
    async with scene.fleet.registry.read() as session:
        assert await relations.about(session, [about]) == []


async def test_a_login_on_the_model_holds_what_is_granted_on_its_offers(
    scene: Scene, model: ModelUUID
) -> None:
    await offered(scene, model)
    await share(scene, "consume")
    uuid = (await listed(scene))[0].offer.uuid
    async with scene.fleet.registry.read() as session:
        entry = await entries.find(session, model, BOB.identity)
    assert uuid in {each.object_key for each in entry.held}
