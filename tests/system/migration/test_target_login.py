"""The login that sources are given: one for each batch, and of no use after it."""

import asyncio
import uuid

import pytest
from sqlalchemy import text

from jimm.controllers.calls import user_manager
from jimm.migration import target_login
from jimm.migration.target_login import USER
from jimm.net.tasks import Tasks
from jimm.registry import migrations
from jimm.registry.migrations import NewMigration
from jimm.registry.words import MigrationState
from jimm.wire.secret import Secret
from jimm.wire.tags import ModelUUID
from tests.eventually import eventually
from tests.juju_client import Refused, Registration, dialled
from tests.system.migration.conftest import Scene


async def under_way(scene: Scene, model: ModelUUID, to: str = "b") -> str:
    """A migration that is written down as begun, and that nobody works on."""
    source, target = scene.controllers["a"], scene.controllers[to]
    new = NewMigration(
        id=str(uuid.uuid4()),
        model_uuid=model,
        model_name="alice@jimm/m1",
        source_id=source.id,
        source_name=source.name,
        target_id=target.id,
        target_name=target.name,
        requested_by="admin@jimm",
    )
    async with scene.fleet.registry.write() as session:
        await migrations.request(session, new)
    await change(scene, new.id, "state = 'starting'")
    return new.id


async def change(scene: Scene, migration_id: str, assignment: str) -> None:
    """Writes something else down about a migration."""
    async with scene.fleet.registry.write() as session:
        statement = text(f"UPDATE migrations SET {assignment} WHERE id = :id")
        await session.execute(statement, {"id": migration_id})


async def over(scene: Scene, migration_id: str) -> None:
    """The migration has ended."""
    await change(scene, migration_id, "state = 'failed', ended = now()")


async def can_log_in(scene: Scene, password: Secret, on: str = "b") -> bool:
    """Whether a source could log in with it."""
    told = Registration.of(scene.peers[on].registration())
    async with dialled(told) as socket:
        try:
            await socket.login(USER, password.reveal())
        except Refused:
            return False
    return True


async def is_disabled(scene: Scene, on: str = "b") -> bool:
    link = scene.fleet.link(scene.controllers[on])
    return (await user_manager.user_info(link, USER)).disabled


async def test_a_batch_shares_a_login_and_the_next_one_has_another(scene: Scene) -> None:
    target = scene.controllers["b"]
    first = await under_way(scene, await scene.model("m1"))
    one = await target_login.lend(scene.fleet, target)
    second = await under_way(scene, await scene.model("m2"))
    assert await target_login.lend(scene.fleet, target) == one
    await over(scene, first)
    await target_login.give_back(scene.fleet, target)
    assert await can_log_in(scene, one)
    await over(scene, second)
    await target_login.give_back(scene.fleet, target)
    assert not await can_log_in(scene, one)
    assert await is_disabled(scene)
    await under_way(scene, await scene.model("m3"))
    other = await target_login.lend(scene.fleet, target)
    assert other != one
    assert await can_log_in(scene, other)
    assert not await can_log_in(scene, one)


async def test_a_target_of_juju_4_is_given_the_next_password_too(scene: Scene) -> None:
    await scene.start("c", version="4.0.13")
    first = await under_way(scene, await scene.model("m1"), to="c")
    one = await target_login.lend(scene.fleet, scene.controllers["c"])
    assert await can_log_in(scene, one, on="c")
    await over(scene, first)
    await target_login.give_back(scene.fleet, scene.controllers["c"])
    assert await is_disabled(scene, on="c")
    await under_way(scene, await scene.model("m2"), to="c")
    other = await target_login.lend(scene.fleet, scene.controllers["c"])
    assert other != one
    assert await can_log_in(scene, other, on="c")
    assert not await can_log_in(scene, one, on="c")


async def test_two_replicas_at_once_lend_the_same(scene: Scene) -> None:
    target = scene.controllers["b"]
    await under_way(scene, await scene.model())
    lent = await asyncio.gather(*(target_login.lend(scene.fleet, target) for _ in range(4)))
    assert len(set(lent)) == 1
    assert await can_log_in(scene, lent[0])


async def test_a_target_that_is_away_is_told_when_it_is_back(scene: Scene) -> None:
    target = scene.controllers["b"]
    migration = await under_way(scene, await scene.model())
    password = await target_login.lend(scene.fleet, target)
    await over(scene, migration)
    away = scene.fault("b", "UserManager.DisableUser", "refuse", times=0)
    await target_login.give_back(scene.fleet, target)
    await target_login.sweep(scene.fleet)
    assert await can_log_in(scene, password)
    scene.peers["b"].faults.clear(away.id)
    await target_login.sweep(scene.fleet)
    assert not await can_log_in(scene, password)


async def test_a_login_whose_worker_died_is_found(scene: Scene) -> None:
    migration = await under_way(scene, await scene.model())
    password = await target_login.lend(scene.fleet, scene.controllers["b"])
    await target_login.sweep(scene.fleet)
    assert await can_log_in(scene, password)
    await over(scene, migration)
    await target_login.sweep(scene.fleet)
    assert not await can_log_in(scene, password)


async def test_a_batch_that_begins_while_the_last_one_is_given_back_waits_for_that(
    scene: Scene,
) -> None:
    """Or a source would be given a login that is about to be disabled."""
    target = scene.controllers["b"]
    await over(scene, await lend_for(scene, "m1"))
    stall = scene.fault("b", "UserManager.DisableUser", "stall")
    back = scene.fleet.tasks.spawn(target_login.give_back(scene.fleet, target), name="gives back")
    await eventually(lambda: not scene.peers["b"].faults.list())
    await under_way(scene, await scene.model("m2"))
    lending = scene.fleet.tasks.spawn(target_login.lend(scene.fleet, target), name="lends")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(lending), 0.5)
    scene.peers["b"].faults.clear(stall.id)
    password = await lending
    assert await can_log_in(scene, password)
    await back
    assert await can_log_in(scene, password)


async def test_a_slow_worker_does_not_leave_the_last_batchs_password(scene: Scene) -> None:
    target = scene.controllers["b"]
    first = await lend_for(scene, "m1")
    await over(scene, first)
    await target_login.give_back(scene.fleet, target)
    second = await under_way(scene, await scene.model("m2"))
    stall = scene.fault("b", "UserManager.SetPassword", "stall")
    slow = scene.fleet.tasks.spawn(target_login.lend(scene.fleet, target), name="is slow")
    await eventually(lambda: not scene.peers["b"].faults.list())
    await over(scene, second)
    await target_login.give_back(scene.fleet, target)
    await under_way(scene, await scene.model("m3"))
    password = await target_login.lend(scene.fleet, target)
    assert await can_log_in(scene, password)
    scene.peers["b"].faults.clear(stall.id)  # now comes the password of m2's batch
    assert await slow == password
    assert await can_log_in(scene, password)


async def test_a_worker_that_dies_while_it_gives_back_takes_nobody_elses_login(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target_login, "LOOKS", 2)
    target = scene.controllers["b"]
    await over(scene, await lend_for(scene, "m1"))
    stall = scene.fault("b", "UserManager.DisableUser", "stall")
    dying = Tasks()
    dying.spawn(target_login.give_back(scene.fleet, target), name="gives back")
    await eventually(lambda: not scene.peers["b"].faults.list())
    await dying.aclose()
    await under_way(scene, await scene.model("m2"))
    password = await target_login.lend(scene.fleet, target)
    scene.peers["b"].faults.clear(stall.id)

    async def hit() -> bool:
        return await is_disabled(scene)

    await eventually(hit)
    assert not await can_log_in(scene, password)
    await target_login.sweep(scene.fleet)
    assert await can_log_in(scene, password)


async def test_a_batch_is_made_once_and_anew_only_when_it_is_refused(scene: Scene) -> None:
    target = scene.controllers["b"]
    await under_way(scene, await scene.model())
    password = await target_login.lend(scene.fleet, target)
    refused = scene.fault("b", "UserManager.*", "refuse", times=0)
    assert await target_login.lend(scene.fleet, target) == password
    scene.peers["b"].faults.clear(refused.id)
    await user_manager.disable_user(scene.fleet.link(target), USER)
    assert await target_login.lend(scene.fleet, target, anew=True) == password
    assert await can_log_in(scene, password)


async def test_nothing_is_asked_of_controllers_that_have_no_login(scene: Scene) -> None:
    await target_login.sweep(scene.fleet)
    refused = scene.fault("b", "UserManager.*", "refuse", times=0)
    await target_login.sweep(scene.fleet)
    await target_login.give_back(scene.fleet, scene.controllers["b"])
    assert scene.peers["b"].faults.list() == [refused]


async def test_only_what_is_under_way_towards_a_controller_counts(scene: Scene) -> None:
    target = scene.controllers["b"]
    migration = await under_way(scene, await scene.model())
    async with scene.fleet.registry.read() as session:
        begun = {MigrationState.STARTING, MigrationState.RUNNING}
        assert await migrations.is_towards(session, target.id, begun)
        assert not await migrations.is_towards(session, scene.controllers["a"].id, begun)
        assert not await migrations.is_towards(session, target.id, {MigrationState.RUNNING})
    await over(scene, migration)
    async with scene.fleet.registry.read() as session:
        assert not await migrations.is_towards(session, target.id, {*begun, MigrationState.FAILED})


async def lend_for(scene: Scene, model: str) -> str:
    """A migration of a new model, with the login lent."""
    migration = await under_way(scene, await scene.model(model))
    await target_login.lend(scene.fleet, scene.controllers["b"])
    return migration
