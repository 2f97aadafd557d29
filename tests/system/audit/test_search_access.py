"""Who may read the audit log, what a model is called there, and taking it away."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from jimm.errors import ModelNotFound, NotSupported, NotValid, Unauthorized, UserNotFound
from jimm.fleet import audit_log
from jimm.fleet.audit_log import Seen, Wanted
from jimm.fleet.caller import Caller
from jimm.fleet.fleet import Fleet as Replica
from jimm.registry import identities, models
from jimm.registry.words import ObjectKind, Relation
from jimm.wire.tags import ModelUUID
from tests.fix_fleet import ADMIN, ALICE, BOB, replica
from tests.fix_registry import Fleet
from tests.system.audit.past import Past, at, own, write

__all__ = ["replica"]


async def found(given: Replica, caller: Caller = ADMIN, **wanted: str) -> list[Seen]:
    """What a search finds, the oldest first."""
    return await audit_log.find(given, caller, Wanted(**wanted))  # type: ignore[arg-type]


async def hosts(given: Replica, model: str, *, anywhere: bool = False) -> list[str]:
    """The models of the calls that a name finds."""
    rows = await audit_log.find(given, ADMIN, Wanted(model=model), anywhere=anywhere)
    return [each.model for each in rows]


async def actions(given: Replica) -> list[tuple[str, str, dict[str, object]]]:
    """Who did what, of JIMM's own."""
    rows = [each.event for each in await audit_log.find(given, ADMIN, Wanted(), limit=2000)]
    return [(each.identity, each.action, each.params) for each in rows if each.action != "call"]


async def test_administrators_read_it_and_whom_they_let(fleet: Fleet, replica: Replica) -> None:
    await write(fleet.registry, [Past(at(1))])
    assert len(await found(replica)) == 1
    for act in (
        found(replica, BOB),
        audit_log.begin_export(replica, BOB, Wanted()),
        audit_log.purge(replica, BOB, at(0)),
        audit_log.grant(replica, BOB, "bob"),
        audit_log.revoke(replica, BOB, "alice"),
    ):
        with pytest.raises(Unauthorized, match=r"^unauthorized$"):
            await act
    await audit_log.grant(replica, ADMIN, "bob")
    await audit_log.grant(replica, ADMIN, "bob")  # Go JIMM doesn't mind either
    assert len(await found(replica, BOB)) == 3
    for act in (audit_log.purge(replica, BOB, at(0)), audit_log.grant(replica, BOB, "alice")):
        with pytest.raises(Unauthorized):
            await act
    with pytest.raises(Unauthorized):
        await found(replica, ALICE)
    await audit_log.revoke(replica, ADMIN, "bob@jimm")
    with pytest.raises(Unauthorized):
        await found(replica, BOB)
    assert await actions(replica) == [
        ("admin@jimm", "grant-audit-log", {"user": "bob@jimm"}),
        ("admin@jimm", "grant-audit-log", {"user": "bob@jimm"}),
        ("admin@jimm", "revoke-audit-log", {"user": "bob@jimm"}),
    ]


async def test_what_everyone_is_lets_nobody_read_it(fleet: Fleet, replica: Replica) -> None:
    from jimm.registry import relations
    from jimm.registry.relations import Object

    async with fleet.registry.write() as session:
        await relations.add(session, "everyone", Relation.AUDIT_LOG_VIEWER, Object.jimm())
        about = Object(ObjectKind.CONTROLLER, fleet.a.uuid)
        await relations.add(session, BOB.identity, Relation.AUDIT_LOG_VIEWER, about)
    with pytest.raises(Unauthorized):
        await found(replica, BOB)


async def test_users_who_can_t_be_let(fleet: Fleet, replica: Replica) -> None:
    for change in (audit_log.grant, audit_log.revoke):
        with pytest.raises(NotValid):
            await change(replica, ADMIN, "no_name")
        with pytest.raises(UserNotFound, match='"nobody"'):
            await change(replica, ADMIN, "nobody")
    with pytest.raises(NotSupported):
        await audit_log.grant(replica, ADMIN, "everyone@external")
    await audit_log.grant(replica, ADMIN, "carol@corp")  # who has not come yet
    async with fleet.registry.read() as session:
        assert (await identities.by_name(session, "carol@corp")).name == "carol@corp"
    assert await found(replica, Caller("carol@corp", admin=False, door="rest"))


async def test_a_model_is_called_by_its_place_and_name(fleet: Fleet, replica: Replica) -> None:
    first, second = await fleet.model("m1"), await fleet.model("m2", on=fleet.b)
    gone = ModelUUID("00000000-0000-4000-8000-000000000001")
    calls = [Past(at(n), model_uuid=each) for n, each in enumerate((first, second, gone, None))]
    await write(fleet.registry, calls)
    assert [each.model for each in await found(replica)] == ["a/m1", "b/m2", gone, ""]
    for name in (first, f"model-{first}", first.upper(), "a/m1", "alice/m1", "alice@jimm/m1", "m1"):
        assert await hosts(replica, name) == ["a/m1"], name
    assert await hosts(replica, gone) == [gone]
    assert await hosts(replica, "a/m2") == ["b/m2"]  # it may have been there
    for unknown in ("c/m1", "bob/m1", "a/m3", "m3", "/m3", "a/", "/", "a/b/m1"):
        with pytest.raises(ModelNotFound) as refused:
            await hosts(replica, unknown)
        assert refused.value.field == "model"


async def test_the_first_controller_stands_for_all_of_them(fleet: Fleet, replica: Replica) -> None:
    """The Dashboard asks so for each model, wherever it lives."""
    alices = await fleet.model("m1", on=fleet.b)
    async with fleet.registry.write() as session:
        row = await models.add(session, models.NewModel("m1", fleet.bob.id, "metro", "north", None))
        bobs = ModelUUID("00000000-0000-4000-8000-000000000002")
        await models.complete(session, row, uuid=bobs, controller_id=fleet.a.id, region="north")
    await write(fleet.registry, [Past(at(1), model_uuid=alices), Past(at(2), model_uuid=bobs)])
    assert await hosts(replica, "a/m1") == ["a/m1"]
    assert await hosts(replica, "a/m1", anywhere=True) == ["b/m1", "a/m1"]
    assert await hosts(replica, "b/m1", anywhere=True) == ["b/m1"]
    assert await hosts(replica, "bob/m1", anywhere=True) == ["a/m1"]


async def test_users_are_found_by_the_names_that_people_know(
    fleet: Fleet, replica: Replica
) -> None:
    await write(fleet.registry, [Past(at(1)), Past(at(2), identity="alice@corp")])
    for name, who in (("alice", "alice@jimm"), ("alice@corp", "alice@corp")):
        assert [each.event.identity for each in await found(replica, user=name)] == [who]
    with pytest.raises(NotValid) as refused:
        await found(replica, user="no_name")
    assert refused.value.field == "user"


async def exported(given: Replica, wanted: Wanted, recheck: Callable[[], Awaitable[Caller]]) -> int:
    """How many events an export has."""
    begun = await audit_log.begin_export(given, ADMIN, wanted)
    return sum([len(some) async for some in audit_log.export(given, recheck, begun)])


async def admin() -> Caller:
    """Who may."""
    return ADMIN


async def test_an_export_is_whole_and_ends_where_the_next_one_begins(
    fleet: Fleet, replica: Replica
) -> None:
    # Many at one time, so that pages break between equals.
    await write(fleet.registry, [Past(at(n // 90), message_id=n) for n in range(900)])
    begun = await audit_log.begin_export(replica, ADMIN, Wanted(method="FullStatus"))
    assert timedelta() < replica.now() - begun.before < timedelta(seconds=60)
    numbers: list[int] = []
    async for some in audit_log.export(replica, admin, begun):
        if not numbers:
            late = [Past(begun.before, message_id=-1), Past(replica.now(), message_id=-2)]
            await write(fleet.registry, late)
        assert len(some) <= 100
        numbers += [each.event.message_id for each in some]
    assert numbers == list(range(900))
    rest = await audit_log.begin_export(
        replica, ADMIN, Wanted(after=begun.before, before=replica.now(), method="FullStatus")
    )
    events = [each.event async for some in audit_log.export(replica, admin, rest) for each in some]
    assert [each.message_id for each in events] == [-1, -2]
    assert await exported(replica, Wanted(after=at(3), before=at(5)), admin) == 180
    assert await exported(replica, Wanted(user="bob"), admin) == 0
    did = await actions(replica)
    assert [action for _, action, _ in did] == ["export-audit-events"] * 4
    assert did[0][2] == {"method": "FullStatus", "before": begun.before.isoformat()}


async def test_an_export_breaks_off_when_its_reader_may_not_any_more(
    fleet: Fleet, replica: Replica
) -> None:
    await write(fleet.registry, [Past(at(n)) for n in range(500)])
    begun = await audit_log.begin_export(replica, ADMIN, Wanted())
    who = ADMIN

    async def whoever() -> Caller:
        return who

    pages = audit_log.export(replica, whoever, begun)
    assert len(await anext(pages)) == 100
    who = BOB
    with pytest.raises(Unauthorized):
        await anext(pages)


async def test_a_purge_takes_what_is_older_and_is_on_record(fleet: Fleet, replica: Replica) -> None:
    past = [Past(at(n)) for n in range(100)]  # over the end of a month
    await write(fleet.registry, past)
    assert await audit_log.purge(replica, ADMIN, at(-1)) == 0
    assert await audit_log.purge(replica, ADMIN, at(60)) == 60
    rows = [each.event for each in await found(replica)]
    assert [each.at for each in rows[:40]] == [at(n) for n in range(60, 100)]
    assert await audit_log.purge(replica, ADMIN, replica.now() + timedelta(days=1)) == 42
    assert await actions(replica) == [
        ("admin@jimm", "purge-audit-log", {"before": did, "removed": 42})
        for did in [(await actions(replica))[0][2]["before"]]
    ]


async def test_what_failed(fleet: Fleet, replica: Replica) -> None:
    call = Past(at(1))
    failed = replace(call, is_response=True, outcome="failed", error="no such machine")
    await write(
        fleet.registry,
        [call, failed, own(2, "create-model"), own(3, "create-model", outcome="failed")],
    )
    rows = await audit_log.find(replica, ADMIN, Wanted(failed=True))
    assert [(each.event.at, each.failed) for each in rows] == [(at(1), True), (at(3), True)]
    assert [each.failed for each in await found(replica)] == [False, True, False, True]
