"""Registering controllers: each thing that is wrong has its own clear refusal."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from jimm.errors import (
    AlreadyExists,
    ControllerUnavailable,
    JimmError,
    NotFound,
    NotValid,
    RemoteError,
    Unauthorized,
    WrongController,
)
from jimm.fleet import controllers
from jimm.fleet.controllers import Registration
from jimm.net.certificates import Authority
from jimm.registry.words import Trust
from jimm.simulator.server import Simulator
from jimm.wire.secret import Secret
from tests.fix_fleet import ADMIN, ALICE
from tests.system.fleet.conftest import Scene

OTHER = "11111111-2222-4333-8444-555555555555"


def asked(peer: Simulator, **changed: Any) -> Registration:
    """What its administrator would say of a controller, or something else."""
    told: dict[str, Any] = peer.registration()
    true = Registration(
        name=told["name"],
        uuid="",
        public_address="",
        tls_hostname="",
        addresses=tuple(told["api-addresses"]),
        ca_certificate=told["ca-certificate"],
        username=told["username"],
        password=Secret(told["password"]),
    )
    return replace(true, **changed)


async def refused(scene: Scene, what: Registration, kind: type[JimmError]) -> JimmError:
    """Why a registration is refused; nothing may be left of it."""
    before = await controllers.list_controllers(scene.fleet, ADMIN)
    with pytest.raises(kind) as error:
        await controllers.register(scene.fleet, ADMIN, what)
    assert await controllers.list_controllers(scene.fleet, ADMIN) == before
    assert what.password.reveal() not in str(error.value)
    return error.value


@asynccontextmanager
async def speaks_http() -> AsyncIterator[str]:
    """A port on which something else answers; its address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_controller_that_does_not_know_jimm_is_trusted_by_password(empty: Scene) -> None:
    peer = await empty.simulate("a")
    added = await controllers.register(empty.fleet, ADMIN, asked(peer))
    assert (added.name, added.trust, added.admin_username) == ("a", Trust.PASSWORD, "admin")
    assert (added.cloud, added.region, added.agent_version) == ("metro", "north", "3.6.9")
    assert added.available
    (row,) = await empty.trail()
    assert (row.identity, row.action, row.controller) == ("admin@jimm", "add-controller", "a")


async def test_the_wrong_ca(empty: Scene) -> None:
    peer = await empty.simulate("a")
    wrong = asked(peer, ca_certificate=Authority.create("somebody").certificate_pem)
    error = await refused(empty, wrong, ControllerUnavailable)
    assert "certificate" in str(error).lower()
    await refused(empty, asked(peer, ca_certificate="no PEM at all"), NotValid)


async def test_another_s_uuid(empty: Scene) -> None:
    peer = await empty.simulate("a")
    error = await refused(empty, asked(peer, uuid=OTHER), WrongController)
    assert peer.store.controller.uuid in str(error)
    assert OTHER in str(error)
    await refused(empty, asked(peer, uuid="not-a-uuid"), NotValid)


async def test_another_cloud_under_a_known_name(scene: Scene) -> None:
    peer = await scene.simulate("c")
    for kind, definition in (
        ("ec2", '{"type": "ec2"}'),
        ("manual", '{"type": "manual", "endpoint": "https://elsewhere"}'),
    ):
        await scene.change_cloud("metro", definition, kind)
        error = await refused(scene, asked(peer), NotValid)
        assert 'its cloud "metro" is another cloud' in str(error)


async def test_a_name_or_a_uuid_that_is_registered(scene: Scene) -> None:
    other = await scene.simulate("c")
    await refused(scene, asked(other, name="a"), AlreadyExists)
    await refused(scene, asked(scene.peers["a"], name="d"), AlreadyExists)


@pytest.mark.parametrize("name", ["", "jimm", "has space", "a/b", "-x"])
async def test_a_name_that_cannot_be(empty: Scene, name: str) -> None:
    peer = await empty.simulate("a")
    error = await refused(empty, asked(peer, name=name), NotValid)
    assert error.field == "name"


async def test_what_is_no_controller(empty: Scene) -> None:
    peer = await empty.simulate("a")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        await refused(empty, asked(peer, addresses=(address,)), ControllerUnavailable)
    async with speaks_http() as address:
        await refused(empty, asked(peer, addresses=(address,)), ControllerUnavailable)
    for addresses in ((), ("nonsense",), ("127.0.0.1",), ("127.0.0.1:99999",)):
        error = await refused(empty, asked(peer, addresses=addresses), NotValid)
        assert error.field == "api-addresses"


async def test_a_login_that_is_refused(empty: Scene) -> None:
    peer = await empty.simulate("a")
    error = await refused(empty, asked(peer, password=Secret("wrong-one")), RemoteError)
    assert "invalid entity name or password" in str(error)
    await refused(empty, asked(peer, username=""), NotValid)
    await refused(empty, asked(peer, username="", uuid=peer.store.controller.uuid), RemoteError)


async def test_only_administrators_register_and_remove(scene: Scene) -> None:
    peer = await scene.simulate("c")
    for attempt in (
        controllers.register(scene.fleet, ALICE, asked(peer)),
        controllers.remove(scene.fleet, ALICE, "a", force=True),
        controllers.set_deprecated(scene.fleet, ALICE, "a", True),
    ):
        with pytest.raises(Unauthorized):
            await attempt
    with pytest.raises(NotFound):
        await controllers.remove(scene.fleet, ADMIN, "none-such", force=False)


async def test_two_at_once_under_one_name(empty: Scene) -> None:
    peers = [await empty.simulate(name) for name in "ab"]
    done = await asyncio.gather(
        *(controllers.register(empty.fleet, ADMIN, asked(each, name="same")) for each in peers),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in done) == ["AlreadyExists", "Controller"]


async def test_a_removed_controller_can_be_registered_again(scene: Scene) -> None:
    assert await controllers.remove(scene.fleet, ADMIN, "b", force=False) == []
    assert [each.name for each in await controllers.list_controllers(scene.fleet, ADMIN)] == ["a"]
    added = await controllers.register(scene.fleet, ADMIN, asked(scene.peers["b"]))
    assert added.uuid == scene.controllers["b"].uuid
