"""Where models go, and why: decisions, their reasons, and the rules of credentials."""

import pytest

from jimm.errors import (
    BadRequest,
    ControllerUnavailable,
    JimmError,
    NotFound,
    NotValid,
    Unauthorized,
)
from jimm.fleet import controllers, credentials, placing
from jimm.fleet.caller import Caller
from jimm.fleet.placing import Wanted
from jimm.registry import controllers as registered
from jimm.registry import relations
from jimm.registry.controllers import Health
from jimm.registry.relations import Object
from jimm.registry.words import EVERYONE, ControllerStatus, Relation
from jimm.wire.params.cloud import CloudCredential
from jimm.wire.tags import CredentialId
from tests.eventually import eventually
from tests.fix_fleet import ADMIN, ALICE, BOB
from tests.system.fleet.conftest import Scene


def key(name: str, owner: str = "alice@jimm", cloud: str = "metro") -> CredentialId:
    """A credential's id."""
    return CredentialId(cloud, owner, name)


async def add_credential(scene: Scene, name: str, caller: Caller = ALICE) -> CredentialId:
    """Adds a credential of the caller's."""
    attrs = {"username": "somebody", "password": "cloud-secret"}
    content = CloudCredential(auth_type="userpass", attrs=attrs)
    await credentials.update(scene.fleet, caller, key(name, caller.identity), content)
    return key(name, caller.identity)


async def test_a_deprecated_controller_gets_nothing(scene: Scene) -> None:
    await controllers.set_deprecated(scene.fleet, ADMIN, "a", True)
    made = [await scene.create(f"m{number}") for number in range(5)]
    assert {each.model.controller_name for each in made} == {"b"}
    (refused,) = (await placing.explain(scene.fleet, ALICE, Wanted())).refused
    assert refused.reasons == ("it is deprecated: it takes no new models",)
    await controllers.set_deprecated(scene.fleet, ADMIN, "b", True)
    with pytest.raises(NotValid, match=r"a: it is deprecated.*b: it is deprecated"):
        await scene.create()
    assert "m9" not in await scene.listed()


async def test_a_controller_of_the_region_comes_before_one_that_reaches_it(scene: Scene) -> None:
    await scene.start("c", regions=("south", "north"))
    for number in range(6):
        decision = await placing.decide_now(scene.fleet, ALICE, Wanted("metro", "north"))
        assert [each.candidate.name for each in decision.ranked][-1] == "c", number
        assert sorted(each.candidate.name for each in decision.ranked) == ["a", "b", "c"]
    there = await scene.create("s1", cloud="metro", region="south")
    assert (there.model.controller_name, there.model.region) == ("c", "south")
    for name in "ab":
        await controllers.set_deprecated(scene.fleet, ADMIN, name, True)
    far = await scene.create("n1", cloud="metro", region="north")
    assert (far.model.controller_name, far.model.region) == ("c", "north")


async def test_nobody_reaches_that_region(scene: Scene) -> None:
    with pytest.raises(NotValid, match="region west"):
        await scene.create(cloud="metro", region="west")
    decision = await placing.explain(scene.fleet, ALICE, Wanted("metro", "west"))
    assert not any("may not" in reason for each in decision.refused for reason in each.reasons)
    with pytest.raises(NotFound, match='cloud "other" not found'):
        await scene.create(cloud="other")


async def test_decisions_are_kept_with_their_reasons(scene: Scene) -> None:
    await controllers.set_deprecated(scene.fleet, ADMIN, "a", True)
    await scene.create()
    (kept,) = await scene.placements()
    assert (kept.owner, kept.name, kept.cloud, kept.policy) == (
        "alice@jimm",
        "m1",
        "metro",
        "random",
    )
    assert kept.chosen == "b"
    by_name = {str(each["controller"]): each for each in kept.candidates}
    assert by_name["a"]["eligible"] is False
    assert by_name["b"]["rank"] == 1
    assert by_name["b"]["reasons"] == ["region north is its own region"]
    assert [each["outcome"] for each in kept.attempts] == ["created"]


async def test_one_controller_may_be_asked_for(scene: Scene) -> None:
    for number in range(3):
        made = await scene.create(f"m{number}", on="b")
        assert made.model.controller_name == "b"
    with pytest.raises(NotValid, match="another controller was asked for"):
        await scene.create("m9", on="nowhere")


async def test_where_the_caller_may_not_add_models_none_are_added(scene: Scene) -> None:
    async with scene.fleet.registry.write() as session:
        await relations.remove(
            session,
            EVERYONE,
            Relation.CAN_ADDMODEL,
            Object.controller(scene.controllers["a"].uuid),
        )
    made = [await scene.create(f"m{number}") for number in range(4)]
    assert {each.model.controller_name for each in made} == {"b"}
    (refused,) = (await placing.explain(scene.fleet, ALICE, Wanted())).refused
    assert refused.reasons == ("the caller may not add models there",)
    assert len((await placing.explain(scene.fleet, ADMIN, Wanted())).ranked) == 2
    assert [each.name for each in await controllers.list_controllers(scene.fleet, ALICE)] == ["b"]
    with pytest.raises(NotFound):
        await controllers.show(scene.fleet, ALICE, "a")


async def test_who_may_add_on_none_is_told_who_can_help(scene: Scene) -> None:
    async with scene.fleet.registry.write() as session:
        for controller in scene.controllers.values():
            about = Object.controller(controller.uuid)
            await relations.remove(session, EVERYONE, Relation.CAN_ADDMODEL, about)
    with pytest.raises(Unauthorized, match="ask an administrator of JIMM for one"):
        await scene.create()
    async with scene.fleet.registry.write() as session:
        await relations.remove(session, EVERYONE, Relation.CAN_ADDMODEL, Object.cloud("metro"))
    with pytest.raises(NotFound, match="juju grant-cloud alice add-model <cloud>"):
        await scene.create()
    assert (await scene.create("m2", ADMIN)).model.name == "m2"


async def test_a_refusal_names_no_addresses_and_no_controllers_that_are_hidden(
    scene: Scene,
) -> None:
    hidden = Object.controller(scene.controllers["b"].uuid)
    async with scene.fleet.registry.write() as session:
        await relations.remove(session, EVERYONE, Relation.CAN_ADDMODEL, hidden)
        health = Health(ControllerStatus.UNAVAILABLE, "10.0.0.1:17070 refused")
        for controller in scene.controllers.values():
            await registered.record_health(session, controller.uuid, health)
    with pytest.raises(ControllerUnavailable) as refused:
        await scene.create()
    assert str(refused.value) == ("no controller can take the model (a: it is not available)")
    with pytest.raises(ControllerUnavailable, match=r"b: it is not available: 10\.0\.0\.1"):
        await scene.create("m2", ADMIN)


async def test_a_controller_that_is_away_is_not_asked(scene: Scene) -> None:
    await scene.peers["a"].stop()
    made = [await scene.create(f"m{number}") for number in range(4)]
    assert {each.model.controller_name for each in made} == {"b"}
    await scene.peers["b"].stop()

    async def is_refused() -> bool:
        try:
            await scene.create("m9")
        except ControllerUnavailable:
            return True
        return False

    assert await eventually(is_refused)
    assert "m9" not in await scene.listed()


async def test_the_only_credential_is_taken_and_several_must_be_named(scene: Scene) -> None:
    made = await scene.create("without")
    assert made.model.credential_name is None, "the cloud needs none"
    await add_credential(scene, "one")
    made = await scene.create("only")
    assert made.model.credential_name == "one"
    two = await add_credential(scene, "two")
    with pytest.raises(BadRequest, match="name one of them with --credential: one, two"):
        await scene.create("which")
    made = await scene.create("named", credential=two)
    assert made.model.credential_name == "two"
    there = scene.peers[str(made.model.controller_name)].store
    uploaded = there.models[made.model.uuid].credential
    assert uploaded is not None
    assert (uploaded.cloud, uploaded.name) == ("metro", "two")


async def test_a_credential_must_be_the_owner_s_and_the_cloud_s(scene: Scene) -> None:
    bobs = await add_credential(scene, "bobs", BOB)
    with pytest.raises(Unauthorized):
        await scene.create(credential=bobs)
    with pytest.raises(NotFound):
        await scene.create(credential=key("none-such"))
    with pytest.raises(NotValid):
        await scene.create(credential=key("x", cloud="other"))
    made = await scene.create(caller=ADMIN, owner=BOB.identity, credential=bobs)
    assert (made.model.owner, made.model.credential_owner) == ("bob@jimm", "bob@jimm")


async def test_a_cloud_that_needs_a_credential_says_so(scene: Scene) -> None:
    await scene.change_cloud("metro", '{"auth-types": ["userpass"]}')
    with pytest.raises(BadRequest, match="juju add-credential"):
        await scene.create()


async def test_a_changed_credential_reaches_the_controllers_that_have_it(scene: Scene) -> None:
    one = await add_credential(scene, "one")
    made = await scene.create(credential=one)
    attrs = {"username": "somebody", "password": "another"}
    await credentials.update(
        scene.fleet, ALICE, one, CloudCredential(auth_type="userpass", attrs=attrs)
    )
    store = scene.peers[str(made.model.controller_name)].store
    kept = store.models[made.model.uuid].credential
    assert kept is not None
    assert store.credentials[str(kept)].attrs == attrs


async def test_only_an_administrator_makes_models_for_others(scene: Scene) -> None:
    with pytest.raises(Unauthorized):
        await scene.create(caller=BOB, owner=ALICE.identity)
    assert (await scene.create(caller=ADMIN, owner=ALICE.identity)).model.owner == "alice@jimm"
    with pytest.raises(JimmError):
        await controllers.set_deprecated(scene.fleet, ALICE, "a", True)
