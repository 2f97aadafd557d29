"""Parameters of the wrong shape, for every method there is: an answer each time, and the
connection goes on."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import pytest

from jimm.facades.dispatch import TABLE
from jimm.simulator.tables import make_tables
from jimm.wire.facade import Method
from tests import malformed
from tests.fix_dev import Dev
from tests.fix_simulator import SimulatorFactory
from tests.juju_client import Registration, Socket, dialled, logged_in
from tests.juju_schema import Schema, Signature
from tests.replies import judge

AT_ONCE = 40
DEADLINE = 20.0

USERS = ("admin", "alice", "bob")

OBJECTS = ("", "1", "\u0000", "x" * 1000, malformed.NOBODY)
"""Ids of watchers that are not there."""

SIMULATED = make_tables()

Methods = Mapping[tuple[str, int, str], Method]


@pytest.fixture(scope="module")
def schema() -> Schema:
    """Read once."""
    return Schema()


def facades(methods: Methods) -> list[str]:
    """The names of the facades."""
    return sorted({facade for facade, _, _ in methods})


def cases(schema: Schema, methods: Methods, facade: str) -> dict[tuple[int, str], list[Any]]:
    """What to send to each method of a facade, its newest version; the others have what is
    wrong as a whole."""
    newest = {
        name: max(version for known, version, other in methods if (known, other) == (facade, name))
        for known, _, name in methods
        if known == facade
    }
    found: dict[tuple[int, str], list[Any]] = {}
    for (known, version, name), method in methods.items():
        if known != facade:
            continue
        signature = schema.find(facade, version, name) or malformed.declared(method.params)
        tried = malformed.of(signature)
        found[version, name] = tried if version == newest[name] else list(malformed.WHOLE)
    return found


async def try_all(socket: Socket, facade: str, version: int, name: str, tried: list[Any]) -> None:
    """Sends them, some at a time; each must be answered as a client can read it."""
    for start in range(0, len(tried), AT_ONCE):
        sent = tried[start : start + AT_ONCE]
        calls = [
            socket.send(facade, version, name, each, object_id=OBJECTS[number % len(OBJECTS)])
            for number, each in enumerate(sent)
        ]
        replies = await asyncio.wait_for(asyncio.gather(*calls), DEADLINE)
        for params, reply in zip(sent, replies, strict=True):
            try:
                judge(reply)
            except AssertionError as error:
                text = f"{facade}({version}).{name} {str(params)[:300]}: {str(reply)[:300]}"
                raise AssertionError(text) from error


def share(tried: Iterable[Any], number: int, of: int) -> list[Any]:
    """Every n-th one, so that the users together send all of them."""
    return list(tried)[number::of]


@pytest.fixture
async def clouds_as_before(dev: Dev) -> AsyncIterator[None]:
    """Removes the clouds that were added: some of what is tried is right, for administrators."""

    async def clouds(socket: Socket) -> set[str]:
        return set((await socket.call("Cloud", 7, "Clouds"))["clouds"])

    async with dev.socket("admin") as admin:
        before = await clouds(admin)
        yield
        added = [{"tag": tag} for tag in await clouds(admin) - before]
        told = await admin.call("Cloud", 7, "RemoveClouds", {"entities": added})
        assert told["results"] == [{}] * len(added)


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("facade", facades(TABLE.methods()))
@pytest.mark.usefixtures("clouds_as_before")
async def test_no_parameters_break_a_facade(
    dev: Dev, schema: Schema, facade: str, user: str
) -> None:
    async with dev.socket(user) as socket:
        for (version, name), tried in cases(schema, TABLE.methods(), facade).items():
            mine = share(tried, USERS.index(user), len(USERS))
            await try_all(socket, facade, version, name, mine)
        await socket.call("Pinger", 1, "Ping")


async def test_no_parameters_break_a_login(dev: Dev, schema: Schema) -> None:
    login = schema.find("Admin", 3, "Login")
    assert login is not None
    token = Signature({"session-token": "string"}, None, {})
    account = Signature({"client-id": "string", "client-secret": "string"}, None, {})
    nothing = Signature(None, None, {})
    async with dialled(dev.registration()) as socket:
        for version, name, signature in (
            (3, "Login", login),
            (3, "RedirectInfo", nothing),
            (4, "GetDeviceSessionToken", nothing),  # none was begun, so there is none to wait for
            (4, "LoginWithSessionToken", token),
            (4, "LoginWithClientCredentials", account),
            (4, "LoginWithSessionCookie", nothing),
        ):
            await try_all(socket, "Admin", version, name, malformed.of(signature))
        await socket.login("alice", dev.password("alice"))
        await socket.call("Pinger", 1, "Ping")


async def test_no_parameters_break_what_passes_through_a_pipe(dev: Dev, schema: Schema) -> None:
    async with dev.socket() as alice:
        params = {"name": "malformed", "owner-tag": "user-alice"}
        model = (await alice.call("ModelManager", 10, "CreateModel", params))["uuid"]
        tag = f"model-{model}"
        try:
            async with dev.socket("alice", f"/model/{model}/api") as pipe:
                for facade in ("Application", "Block", "Client", "ModelConfig"):
                    tries = cases(schema, SIMULATED.model.methods(), facade)
                    for (version, name), tried in tries.items():
                        await try_all(pipe, facade, version, name, share(tried, 0, 4))
                await pipe.call("Pinger", 1, "Ping")
        finally:
            await alice.call("ModelManager", 10, "DestroyModels", {"models": [{"model-tag": tag}]})


async def test_no_parameters_break_the_simulator(
    simulator: SimulatorFactory, schema: Schema
) -> None:
    made = Registration.of((await simulator(name="robust")).registration())
    async with logged_in(made) as door:
        params = {"name": "malformed", "owner-tag": "user-admin"}
        model = (await door.call("ModelManager", 10, "CreateModel", params))["uuid"]
        for path, table in (
            (f"/model/{model}/api", SIMULATED.model),
            ("/api", SIMULATED.controller),
        ):
            for facade in facades(table.methods()):
                async with logged_in(made, path) as socket:
                    for (version, name), tried in cases(schema, table.methods(), facade).items():
                        await try_all(socket, facade, version, name, tried)
                    await socket.call("Pinger", 1, "Ping")
