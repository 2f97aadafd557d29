import uuid
from dataclasses import replace

import pytest

from jimm.errors import AlreadyExists, NotFound
from jimm.registry import clouds, controllers, credentials, relations
from jimm.registry.clouds import Reach
from jimm.registry.controllers import Health
from jimm.registry.relations import Object
from jimm.registry.session import Registry
from jimm.registry.words import ControllerStatus, Relation
from jimm.wire.tags import CredentialId
from tests.fix_registry import AddController, Fleet, new_controller


async def test_names_and_uuids_are_taken_once(registry: Registry) -> None:
    new = new_controller("a")
    async with registry.write() as session:
        await controllers.add(session, new)
        with pytest.raises(AlreadyExists, match='controller "a" already exists'):
            await controllers.add(session, new_controller("a"))
        with pytest.raises(AlreadyExists, match="already registered under another name"):
            await controllers.add(session, replace(new, name="b"))
    async with registry.read() as session:
        assert [each.name for each in await controllers.every(session)] == ["a"]


async def test_health_is_stored_and_its_time_moves_with_the_status_only(fleet: Fleet) -> None:
    async with fleet.registry.write() as session:
        same = await controllers.record_health(
            session, fleet.a.uuid, Health(ControllerStatus.AVAILABLE, agent_version="3.6.9")
        )
    assert not same
    down = Health(ControllerStatus.UNAVAILABLE, "no answer", addresses=("10.0.0.1:17070",))
    async with fleet.registry.write() as session:
        assert await controllers.record_health(session, fleet.a.uuid, down)
        after = await controllers.by_name(session, "a")
    assert (after.status_info, after.addresses) == ("no answer", ("10.0.0.1:17070",))
    assert after.status_since > fleet.a.status_since
    assert after.seen_at is not None
    assert not after.available


async def test_unknown_controllers_are_not_found(fleet: Fleet) -> None:
    async with fleet.registry.write() as session:
        with pytest.raises(NotFound):
            await controllers.by_name(session, "x")
        with pytest.raises(NotFound):
            await controllers.by_uuid(session, "x")
        with pytest.raises(NotFound):
            await controllers.admin_login(session, str(uuid.uuid4()))
        with pytest.raises(NotFound):
            await controllers.set_deprecated(session, "x", True)
        with pytest.raises(NotFound):
            await controllers.remove(session, "x")


async def test_candidates_tell_what_the_choice_needs(
    fleet: Fleet, add_controller: AddController
) -> None:
    far = await add_controller("far")
    await fleet.model()
    async with fleet.registry.write() as session:
        await clouds.set_reach(session, far.id, [Reach("metro", "south", 1)])
        await relations.add(
            session, "alice@jimm", Relation.CAN_ADDMODEL, Object.controller(fleet.a.uuid)
        )
        await relations.add(session, "everyone", Relation.CAN_ADDMODEL, Object.cloud("metro"))
        await controllers.set_deprecated(session, "b", True)
    async with fleet.registry.read() as session:
        found = await clouds.candidates(session, "alice@jimm", cloud="metro", region="north")
        every = await clouds.candidates(session, "alice@jimm")
        pages = await controllers.page(session, may_add="alice@jimm")
        rest = await controllers.page(session, after="a", limit=1)
    assert [
        (each.name, each.region, each.priority, each.models, each.deprecated) for each in found
    ] == [
        ("a", "north", 10, 1, False),
        ("b", "north", 10, 0, True),
        ("far", None, None, 0, False),
    ]
    assert [each.may_add_controller for each in found] == [True, False, False]
    assert [each.may_add_cloud for each in found] == [True, True, False]
    assert not any(each.may_administer for each in found)
    assert [each.region for each in every] == ["north", "north", "south"]
    assert [each.name for each in pages] == ["a"]
    assert [each.name for each in rest] == ["b"]


async def test_clouds_are_seen_by_those_who_may_add_models(fleet: Fleet) -> None:
    async with fleet.registry.read() as session:
        assert await clouds.visible(session, "bob@jimm", admin=False) == []
        (metro,) = await clouds.visible(session, "bob@jimm", admin=True)
    assert [region.name for region in metro.regions] == ["north"]


async def test_local_users_are_remembered_before_they_are_made(fleet: Fleet) -> None:
    async with fleet.registry.write() as session:
        first = await controllers.add_local_user(session, fleet.a.id, fleet.alice.id, "x", b"1")
        again = await controllers.add_local_user(session, fleet.a.id, fleet.alice.id, "x", b"2")
        await controllers.mark_prepared(session, fleet.a.id, fleet.alice.id)
        user = await controllers.local_user(session, fleet.a.id, fleet.alice.id)
    assert first == again
    assert user is not None
    assert user.prepared_at is not None


async def test_a_credential_has_revisions(fleet: Fleet) -> None:
    key = CredentialId("metro", "alice@jimm", "cred")
    async with fleet.registry.write() as session:
        first = await credentials.get(session, key)
        second = await credentials.put(session, key, "userpass", b"changed")
        await credentials.mark_pushed(session, fleet.a.id, first.id, second.revision)
        await credentials.mark_pushed(session, fleet.a.id, first.id, first.revision)
        assert await credentials.pushed_revision(session, fleet.a.id, first.id) == 2
        assert await credentials.pushed_revision(session, fleet.b.id, first.id) is None
        assert [each.name for each in await credentials.holders(session, first.id)] == ["a"]
        assert [each.key for each in await credentials.of_owner(session, "alice@jimm")] == [key]
        assert await credentials.uses(session, first.id) == []
        await credentials.remove(session, key)
        assert await credentials.find(session, key) is None
    assert (first.revision, second.revision) == (1, 2)
