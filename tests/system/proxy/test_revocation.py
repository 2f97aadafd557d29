"""What is taken away closes the pipes that had it: at once where the database's notifications
arrive, and within ten seconds where they do not."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from jimm import accounts
from jimm.net.tasks import Tasks
from jimm.registry.session import Registry
from jimm.settings import Settings
from tests.juju_client import Registration, Socket, dialled
from tests.system.crash.house import PASSWORD, House, house

AT_ONCE = 2.0
"""Seconds; a second is promised, and the machine of a test may be busy."""

AT_WORST = 10.0
USERS = ("admin", "alice", "bob", "disabled", "tokened")


class DeafRelay:
    """In front of Postgres: everything passes but, once it is deaf, notifications."""

    def __init__(self, database_url: str) -> None:
        self._url = make_url(database_url)
        self._tasks = Tasks()
        self.deaf = False
        self.swallowed = 0
        self.url = ""

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator["DeafRelay"]:
        """Listens for the length of a block; then ``url`` leads through it."""
        server = await asyncio.start_server(self._enter, "127.0.0.1", 0)
        port = int(server.sockets[0].getsockname()[1])
        query = {"sslmode": "disable", "gssencmode": "disable"}
        through = self._url.set(host="127.0.0.1", port=port, query=query)
        self.url = through.render_as_string(hide_password=False)
        try:
            yield self
        finally:
            server.close()
            await self._tasks.aclose()

    def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.spawn(self._pass(reader, writer), name="a connection to Postgres")

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await self._dial()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_copy(reader, back))
                group.create_task(self._answers(there, writer))
        finally:
            writer.close()
            back.close()

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        folder = self._url.query.get("host")
        if folder is None:
            return await asyncio.open_connection(self._url.host, self._url.port or 5432)
        return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{self._url.port or 5432}")

    async def _answers(self, there: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Message by message: a byte for its type, and four for its length."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = await there.readexactly(5)
                message = head + await there.readexactly(int.from_bytes(head[1:], "big") - 4)
                if self.deaf and head.startswith(b"A"):
                    self.swallowed += 1
                    continue
                writer.write(message)
                await writer.drain()
        writer.close()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(65_536):
            writer.write(chunk)
            await writer.drain()
    writer.close()


@dataclass
class Scene:
    """A model on controller ``a`` that all may read, and one on ``b``."""

    house: House
    relay: DeafRelay
    database_url: str
    shared: str = ""
    other: str = ""

    @contextlib.asynccontextmanager
    async def socket(self, user: str, path: str = "/api", token: str = "") -> AsyncIterator[Socket]:
        """A login with the user's password, or with a session token."""
        house = self.house
        place = Registration("jimm", house.uuid, f"127.0.0.1:{house.port}", house.ca, user, "")
        async with dialled(place, path) as socket:
            if token:
                await socket.call("Admin", 4, "LoginWithSessionToken", {"session-token": token})
            else:
                await socket.login(user, PASSWORD)
            yield socket

    async def prepare(self) -> None:
        """Both controllers and models, and who may read them."""
        await self.house.add_controller("a")
        self.shared = await self._model("shared")
        await self.house.add_controller("b")
        for number in range(8):
            self.other = await self._model(f"m{number}")
            if (self.other, "b") in await self.house.on_controllers():
                break
        for user in ("bob", "disabled", "tokened"):
            await self.change(user, self.shared, "grant")

    async def _model(self, name: str) -> str:
        async with self.socket("alice") as alice:
            params = {"name": name, "owner-tag": "user-alice"}
            return str((await alice.call("ModelManager", 10, "CreateModel", params))["uuid"])

    async def change(self, user: str, model: str, action: str) -> None:
        """alice gives somebody reading, or takes it."""
        asked: dict[str, Any] = {"user-tag": f"user-{user}", "action": action, "access": "read"}
        asked["model-tag"] = f"model-{model}"
        async with self.socket("alice") as alice:
            told = await alice.call("ModelManager", 10, "ModifyModelAccess", {"changes": [asked]})
        assert told["results"] == [{}]

    async def disable(self) -> None:
        """`jimm user disable`, which does not go through the relay."""
        settings = Settings(
            database_url=SecretStr(self.database_url),
            secret_key_file=self.house.folder / "key",
        )
        await accounts.disable(settings, "disabled")

    async def issue_token(self) -> str:
        """One more session of the user who has such."""
        async with self.house.rest() as rest:
            login = {"username": "tokened", "password": PASSWORD}
            issued = await rest.post("/v1/tokens", json=login)
            assert issued.is_success, issued.text
            return str(issued.json()["token"])

    async def delete_token(self) -> None:
        """Ends that session."""
        async with self.house.rest() as rest:
            found = (await rest.get("/v1/tokens", params={"user": "tokened"})).json()["tokens"]
            gone = await rest.delete(f"/v1/tokens/{found[0]['id']}")
            assert gone.is_success, gone.text

    async def remove_controller(self, name: str) -> None:
        """Takes a controller out of JIMM, its models with it."""
        async with self.house.rest() as rest:
            gone = await rest.delete(f"/v1/controllers/{name}", params={"force": "true"})
            assert gone.is_success, gone.text


@pytest.fixture
async def scene(registry: Registry, database_url: str, tmp_path: Path) -> AsyncIterator[Scene]:
    async with (
        DeafRelay(database_url).open() as relay,
        house(registry, relay.url, tmp_path, users=USERS) as made,
    ):
        found = Scene(made, relay, database_url)
        await found.prepare()
        yield found


async def closes(socket: Socket, within: float) -> float:
    """Seconds until JIMM has closed it."""
    began = time.monotonic()
    assert await socket.closed(within) == 1001
    return time.monotonic() - began


async def test_a_revocation_reaches_open_pipes(scene: Scene) -> None:
    """The rest of the first part is in ``tests/system/facades/test_revocation.py``."""
    shared, other = f"/model/{scene.shared}/api", f"/model/{scene.other}/api"
    await scene.issue_token()
    async with scene.socket("tokened", shared) as tokened, scene.socket("alice", other) as alice:
        await scene.delete_token()
        print(f"a session token: {await closes(tokened, AT_ONCE):.2f} s")
        await scene.remove_controller("b")
        print(f"a controller: {await closes(alice, AT_ONCE):.2f} s")
    scene.relay.deaf = True
    async with (
        scene.socket("bob", shared) as bob,
        scene.socket("disabled", shared) as disabled,
        scene.socket("disabled") as door,
        scene.socket("alice", shared) as alice,
    ):
        await scene.change("bob", scene.shared, "revoke")
        await scene.disable()
        print(f"a relation, deaf: {await closes(bob, AT_WORST):.2f} s")
        print(f"a disabled user, deaf: {await closes(disabled, AT_WORST):.2f} s")
        print(f"the same on /api, deaf: {await closes(door, AT_WORST):.2f} s")
        await alice.call("Client", 6, "FullStatus", {"patterns": []})
        await scene.remove_controller("a")
        print(f"a controller, deaf: {await closes(alice, AT_WORST):.2f} s")
    assert scene.relay.swallowed


async def test_a_revoked_token_closes_its_pipe_without_a_notification(scene: Scene) -> None:
    token = await scene.issue_token()
    async with scene.socket("tokened", f"/model/{scene.shared}/api", token) as tokened:
        scene.relay.deaf = True
        await scene.delete_token()
        print(f"a session token, deaf: {await closes(tokened, AT_WORST):.2f} s")
