"""JIMM's links against simulated controllers: everything that registering one needs, calls in
anybody's name, and a controller that goes away and comes back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from jimm.controllers.calls import (
    client,
    cloud,
    controller,
    migration_target,
    model_config,
    model_manager,
    user_manager,
)
from jimm.controllers.deadlines import Timing
from jimm.controllers.dial import dial
from jimm.controllers.endpoint import Endpoint
from jimm.controllers.health import Reading
from jimm.controllers.link import Link
from jimm.controllers.pool import Pool
from jimm.controllers.probe import probe
from jimm.errors import ControllerError, RemoteError
from jimm.simulator.core import Options
from jimm.simulator.server import Simulator, simulated
from jimm.wire.params.admin import LoginRequest
from jimm.wire.params.model_manager import CreateModel, DestroyModel, ModifyModelAccess
from jimm.wire.secret import Secret
from jimm.wire.tags import ModelUUID, model_tag
from tests.eventually import eventually

UNKNOWN = ModelUUID("aaaaaaaa-2222-4333-8444-555555555555")


@pytest.fixture
async def peer(tmp_path: Path) -> AsyncIterator[Simulator]:
    options = Options(name="north-1", speed=50.0, state=tmp_path / "state")
    async with simulated(options) as running:
        yield running


def login_of(peer: Simulator) -> LoginRequest:
    password = peer.identity.admin_password.reveal()
    return LoginRequest(auth_tag="user-admin", credentials=password, nonce="", user_data="")


def registered(peer: Simulator) -> Endpoint:
    return Endpoint("north-1", peer.uuid, (peer.address,), peer.identity.authority_pem)


@pytest.fixture
async def link(peer: Simulator) -> AsyncIterator[Link]:
    opened = await dial(registered(peer), login_of(peer))
    opened.start()
    async with opened:
        yield opened


async def test_a_probe_learns_what_registering_needs(peer: Simulator) -> None:
    found = await probe([peer.address], peer.identity.authority_pem, "", login_of(peer))
    assert found.uuid == peer.uuid
    assert found.agent_version == "3.6.9"
    assert set(found.clouds) == {"metro"}
    assert (found.cloud, found.region) == ("metro", "north")
    assert found.controller_model_uuid is not None
    assert found.addresses == (peer.address,)


async def test_the_calls_about_models_in_one_life(peer: Simulator, link: Link) -> None:
    model = CreateModel(name="m1", owner_tag="user-admin", config={}, cloud_tag="cloud-metro")
    made = await model_manager.create_model(link, model)
    uuid = ModelUUID(made.uuid)
    assert (await model_manager.model_info(link, uuid)).name == "m1"
    assert (await model_manager.model_info_plain(link, uuid))["name"] == "m1"
    assert (await model_manager.model_status(link, uuid)).life == "alive"
    assert (await controller.model_status(link, uuid)).life == "alive"
    summaries = await model_manager.list_model_summaries(link)
    assert "m1" in {row["name"] for row in summaries.summaries}
    assert not summaries.errors
    for listed in (
        await model_manager.list_models(link, "admin"),
        await controller.all_models(link),
    ):
        assert "m1" in {row.model.name for row in listed}
    await _the_model_itself(peer, uuid)
    request = DestroyModel(model_tag=model_tag(uuid), destroy_storage=True)
    await model_manager.destroy_model(link, request)

    async def gone() -> bool:
        try:
            await model_manager.model_info(link, uuid)
        except RemoteError as error:
            return error.juju_code in {"not found", "unauthorized access"}
        return False

    condition: Callable[[], bool | Awaitable[bool]] = gone
    await eventually(condition)


async def _the_model_itself(peer: Simulator, uuid: ModelUUID) -> None:
    opened = await dial(registered(peer), login_of(peer), model=uuid)
    opened.start()
    async with opened:
        assert "model" in await client.full_status(opened)
        assert "agent-version" in await model_config.model_get(opened)


async def test_local_users_are_kept_in_step(peer: Simulator, link: Link) -> None:
    await user_manager.add_user(link, "jimm-migration", Secret("first"))
    with pytest.raises(RemoteError) as caught:
        await user_manager.add_user(link, "jimm-migration", Secret("again"))
    assert caught.value.juju_code == "already exists"
    assert await controller.get_controller_access(link, "jimm-migration") == "login"
    await user_manager.set_password(link, "jimm-migration", Secret("second"))
    login = LoginRequest(
        auth_tag="user-jimm-migration", credentials="second", nonce="", user_data=""
    )
    await (await dial(registered(peer), login)).aclose()
    await user_manager.disable_user(link, "jimm-migration")
    assert (await user_manager.user_info(link, "jimm-migration")).disabled
    with pytest.raises(RemoteError):
        await dial(registered(peer), login)
    await user_manager.enable_user(link, "jimm-migration")
    await (await dial(registered(peer), login)).aclose()


async def test_what_is_not_there_is_refused_in_the_controllers_words(link: Link) -> None:
    change = ModifyModelAccess(
        user_tag="user-admin", action="grant", access="read", model_tag=model_tag(UNKNOWN)
    )
    with pytest.raises(RemoteError):
        await model_manager.modify_model_access(link, change)
    with pytest.raises(RemoteError) as caught:
        await migration_target.abort(link, UNKNOWN)
    assert caught.value.juju_code == "not found"
    with pytest.raises(RemoteError):
        await cloud.cloud(link, "nowhere")
    assert (await controller.controller_config(link))["controller-uuid"] == link.endpoint.uuid
    assert (await controller.controller_version(link)).version == "3.6.9"


async def test_a_killed_controller_is_away_at_once_and_found_again(peer: Simulator) -> None:
    readings: list[Reading] = []

    async def take(reading: Reading) -> None:
        readings.append(reading)

    async def log_in(_: Endpoint) -> LoginRequest:
        return login_of(peer)

    timing = Timing(retry_first=0.02, retry_most=0.1)
    pool = Pool(log_in, report=take, timing=timing)
    pool.set_endpoints([registered(peer)])
    async with asyncio.TaskGroup() as group:
        task = group.create_task(pool.run())
        await eventually(lambda: _is_linked(pool, peer) and readings)
        await peer.kill()
        await eventually(lambda: not _is_linked(pool, peer))
        await peer.start()  # on another port, with the same state
        pool.set_endpoints([registered(peer)])
        await eventually(lambda: _is_linked(pool, peer))
        await eventually(lambda: readings[-1].reachable)
        task.cancel()
    assert [reading.reachable for reading in readings[:2]] == [True, False]
    assert readings[0].agent_version == "3.6.9"


def _is_linked(pool: Pool, peer: Simulator) -> bool:
    try:
        pool.link(peer.uuid)
    except ControllerError:
        return False
    return True
