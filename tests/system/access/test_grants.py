import pytest

from jimm.access import grants
from jimm.errors import (
    AlreadyExists,
    Conflict,
    ModelNotFound,
    NotFound,
    NotSupported,
    NotValid,
    Unauthorized,
    UserNotFound,
)
from jimm.registry import relations
from jimm.registry.relations import Object
from jimm.registry.words import Relation
from jimm.wire.tags import ModelUUID
from tests.fix_registry import Fleet

ALICE, BOB = "alice@jimm", "bob@jimm"


@pytest.fixture
async def model(fleet: Fleet) -> ModelUUID:
    """A model that alice owns."""
    return await fleet.model()


async def grant(fleet: Fleet, by: str, model: ModelUUID, subject: str, level: str) -> None:
    async with fleet.registry.write() as session:
        await grants.grant(session, by, model, subject, level, local_domain="jimm")


async def revoke(fleet: Fleet, by: str, model: ModelUUID, subject: str, level: str) -> None:
    async with fleet.registry.write() as session:
        await grants.revoke(session, by, model, subject, level, local_domain="jimm")


async def held(fleet: Fleet, subject: str, model: ModelUUID) -> set[Relation]:
    async with fleet.registry.read() as session:
        return await relations.relations_of(session, subject, Object.model(model))


async def test_alice_lets_bob_in_step_by_step(fleet: Fleet, model: ModelUUID) -> None:
    await grant(fleet, ALICE, model, BOB, "read")
    assert await held(fleet, BOB, model) == {Relation.READER}
    await grant(fleet, ALICE, model, "bob", "admin")
    assert await held(fleet, BOB, model) == {Relation.ADMINISTRATOR}
    with pytest.raises(AlreadyExists, match='already has "write" access or greater'):
        await grant(fleet, ALICE, model, BOB, "write")
    await revoke(fleet, ALICE, model, BOB, "admin")
    assert await held(fleet, BOB, model) == {Relation.WRITER}
    await revoke(fleet, ALICE, model, BOB, "read")
    assert await held(fleet, BOB, model) == set()
    with pytest.raises(NotFound, match='model user "bob" does not exist'):
        await revoke(fleet, ALICE, model, BOB, "read")


@pytest.mark.parametrize("level", ["read", "write"])
async def test_who_only_uses_a_model_shares_nothing(
    fleet: Fleet, model: ModelUUID, level: str
) -> None:
    await grant(fleet, ALICE, model, BOB, level)
    for act in (grant, revoke):
        with pytest.raises(Unauthorized):
            await act(fleet, BOB, model, BOB, "admin")


async def test_who_may_not_read_it_hears_of_no_model(fleet: Fleet, model: ModelUUID) -> None:
    unknown = ModelUUID("a0a0a0a0-0000-4000-8000-000000000001")
    for uuid in (model, unknown, ModelUUID("no uuid")):
        with pytest.raises(ModelNotFound, match=f'^model "{uuid}" not found$'):
            await grant(fleet, BOB, uuid, BOB, "admin")


@pytest.mark.parametrize("about", ["jimm", "controller"])
async def test_higher_administrators_share_it_too(
    fleet: Fleet, model: ModelUUID, about: str
) -> None:
    place = Object.jimm() if about == "jimm" else Object.controller(fleet.a.uuid)
    async with fleet.registry.write() as session:
        await relations.add(session, BOB, Relation.ADMINISTRATOR, place)
    await grant(fleet, BOB, model, BOB, "write")
    assert await held(fleet, BOB, model) == {Relation.WRITER}


async def test_people_of_other_domains_may_come_later(fleet: Fleet, model: ModelUUID) -> None:
    await grant(fleet, ALICE, model, "carol@corp", "read")
    assert await held(fleet, "carol@corp", model) == {Relation.READER}
    with pytest.raises(UserNotFound):
        await grant(fleet, ALICE, model, "carol", "read")


async def test_what_makes_no_sense_is_refused(fleet: Fleet, model: ModelUUID) -> None:
    with pytest.raises(NotValid, match='"root" model access not valid'):
        await grant(fleet, ALICE, model, BOB, "root")
    with pytest.raises(NotValid, match="not a valid user name"):
        await grant(fleet, ALICE, model, "b_b", "read")
    with pytest.raises(NotSupported):
        await grant(fleet, ALICE, model, "everyone@external", "read")
    with pytest.raises(AlreadyExists):
        await grant(fleet, ALICE, model, ALICE, "admin")
    with pytest.raises(Conflict, match="owner"):
        await revoke(fleet, ALICE, model, ALICE, "read")
