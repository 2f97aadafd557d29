import uuid

import pytest

from jimm.errors import AlreadyExists, Conflict, ModelNotFound, StillAlive
from jimm.registry import controllers, entries, intents, models, placements, relations
from jimm.registry import facts as registered
from jimm.registry.facts import Facts
from jimm.registry.models import NewModel
from jimm.registry.relations import Held, Object
from jimm.registry.words import IntentKind, IntentState, ModelState, ObjectKind, Relation
from jimm.wire.tags import ModelUUID
from tests.fix_registry import Fleet


def facts(uuid: ModelUUID, status: str = "available") -> Facts:
    return Facts(uuid, "alive", status, "", None, "3.6.9", "iaas", {"machines": 2}, None)


async def test_an_owner_has_one_model_of_a_name(fleet: Fleet) -> None:
    await fleet.model("m1")
    with pytest.raises(AlreadyExists, match='model "m1" already exists'):
        await fleet.model("m1")


async def test_a_login_on_a_model_needs_one_query(fleet: Fleet) -> None:
    uuid = await fleet.model()
    async with fleet.registry.write() as session:
        await relations.add(session, "bob@jimm", Relation.READER, Object.model(uuid))
        await relations.add(session, "everyone", Relation.CAN_ADDMODEL, Object.cloud("metro"))
        await relations.add(session, "bob@jimm", Relation.WRITER, Object.model("another"))
    async with fleet.registry.read() as session:
        entry = await entries.find(session, uuid, "bob@jimm")
    assert entry.model.controller_name == "a"
    assert entry.clouds == ("metro",)
    assert entry.held == {
        Held("bob@jimm", Relation.READER, ObjectKind.MODEL, uuid),
        Held("everyone", Relation.CAN_ADDMODEL, ObjectKind.CLOUD, "metro"),
    }
    async with fleet.registry.read() as session:
        for unknown in (str(uuid).replace("-", ""), "x"):
            with pytest.raises(ModelNotFound):
                await entries.find(session, unknown, "bob@jimm")


async def test_a_list_shows_what_one_may_see(fleet: Fleet) -> None:
    uuids = [await fleet.model(f"m{n}") for n in range(3)]
    async with fleet.registry.write() as session:
        await relations.add(session, "bob@jimm", Relation.WRITER, Object.model(uuids[1]))
        await models.add(session, NewModel("half", fleet.bob.id, "metro", "north", None))

    async with fleet.registry.read() as session:
        bobs = await models.visible(session, "bob@jimm", admin=False)
        assert [each.model.name for each in bobs] == ["m1"]
        assert bobs[0].held == {Relation.WRITER}
        alices = await models.visible(session, "alice@jimm", admin=False)
        assert [each.model.name for each in alices] == ["m0", "m1", "m2"]
        all_on_a = await models.visible(session, "x@jimm", admin=True, controller="a")
        assert [each.model.name for each in all_on_a] == ["m0", "m1", "m2"]
        assert await models.visible(session, "x@jimm", admin=True, controller="b") == []


async def test_facts_are_stored_and_bring_missing_models_back(fleet: Fleet) -> None:
    here, there = await fleet.model("m1"), await fleet.model("m2", on=fleet.b)
    async with fleet.registry.write() as session:
        assert await models.mark_missing(session, fleet.a.id, [here, there]) == [here]
        assert (await models.by_uuid(session, here)).state is ModelState.MISSING
        both = [facts(here, "busy"), facts(there)]
        assert await registered.record(session, fleet.a.id, both) == [here]
        assert await registered.record(session, fleet.a.id, []) == []
    async with fleet.registry.read() as session:
        seen = await models.by_uuid(session, here)
        assert (seen.state, seen.status) == (ModelState.LIVE, "busy")
        assert seen.counts == {"machines": 2}
        assert seen.migration is None
        assert (await models.by_uuid(session, there)).facts_at is None


async def test_a_controller_with_models_is_removed_by_force_only(fleet: Fleet) -> None:
    uuid = await fleet.model()
    with pytest.raises(StillAlive, match="1 model"):
        async with fleet.registry.write() as session:
            await controllers.remove(session, "a")
    async with fleet.registry.write() as session:
        left = await controllers.remove(session, "a", force=True)
    assert [(each.name, each.uuid, each.owner) for each in left] == [("m1", uuid, "alice@jimm")]
    async with fleet.registry.read() as session:
        model = await models.by_uuid(session, uuid)
    assert (model.state, model.controller_id) == (ModelState.UNMANAGED, None)


async def test_a_removed_model_leaves_no_relations(fleet: Fleet) -> None:
    uuid = await fleet.model()
    async with fleet.registry.write() as session:
        await relations.add(session, "bob@jimm", Relation.READER, Object.model(uuid))
        await models.remove(session, (await models.by_uuid(session, uuid)).id)
    async with fleet.registry.read() as session:
        assert await relations.about(session, [Object.model(uuid)]) == []


async def test_a_model_is_destroyed_or_not(fleet: Fleet) -> None:
    uuid = await fleet.model()
    async with fleet.registry.write() as session:
        assert await models.set_destroying(session, uuid)
        assert not await models.set_destroying(session, uuid)
        assert await models.mark_missing(session, fleet.a.id, [uuid]) == []
        assert await models.set_live(session, uuid)
        assert not await models.set_live(session, uuid)


async def test_a_model_is_made_by_an_intent(fleet: Fleet) -> None:
    made = ModelUUID(str(uuid.uuid4()))
    async with fleet.registry.write() as session:
        new = NewModel("m1", fleet.alice.id, "metro", "north", None)
        model_id = await models.add(session, new)
        intent = await intents.open_(
            session, str(uuid.uuid4()), IntentKind.CREATE, model_id, {}, owner="me", lease=30
        )
        placement = await placements.add(
            session,
            placements.NewPlacement(
                model_id, "alice@jimm", "m1", "metro", "north", "random", ({"x": 1},), "alice@jimm"
            ),
        )
    with pytest.raises(Conflict):
        async with fleet.registry.write() as session:
            await intents.open_(
                session, str(uuid.uuid4()), IntentKind.DESTROY, model_id, {}, owner="me", lease=30
            )
    async with fleet.registry.write() as session:
        assert await intents.claim(session, "other", 30) is None
        assert await intents.aim(session, intent.held, fleet.a.id, absent_before=True, deadline=120)
    async with fleet.registry.write() as session:
        assert await intents.settle(session, intent.held, IntentState.DONE, "created")
        await models.complete(
            session, model_id, uuid=made, controller_id=fleet.a.id, region="north"
        )
        await placements.finish(session, placement, chosen="a", attempts=[{"a": "ok"}])
    async with fleet.registry.write() as session:
        assert not await intents.renew(session, intent.held, 30)
        assert not await intents.settle(session, intent.held, IntentState.ABANDONED, "late")
        assert (await intents.by_id(session, intent.id)).state is IntentState.DONE
        (placed,) = await placements.page(session)
        assert (placed.chosen, placed.candidates) == ("a", ({"x": 1},))
        with pytest.raises(ModelNotFound):
            await models.complete(
                session, model_id, uuid=made, controller_id=fleet.a.id, region="north"
            )


async def test_a_dead_requests_intent_is_taken_over(fleet: Fleet) -> None:
    async with fleet.registry.write() as session:
        new = NewModel("m1", fleet.alice.id, "metro", "north", None)
        model_id = await models.add(session, new)
        dead = await intents.open_(
            session, str(uuid.uuid4()), IntentKind.CREATE, model_id, {}, owner="dead", lease=-1
        )
    assert await intents.are_due(fleet.registry)
    async with fleet.registry.write() as session:
        taken = await intents.claim(session, "next", 30)
    assert taken is not None
    assert not await intents.are_due(fleet.registry)
    async with fleet.registry.write() as session:
        late = intents.settle(session, dead.held, IntentState.DONE, "late")
        assert not await late
        assert await intents.put_off(session, taken.held, 100)
        assert await intents.claim(session, "next", 30) is None
