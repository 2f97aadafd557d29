"""Both ends of a pipe as bare TLS connections: bytes are written and read, and nothing is decided
for them. The login alone is spoken as it should be."""

import asyncio
import base64
import contextlib
import gc
import json
import secrets
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace

from jimm.net.tasks import Tasks
from jimm.net.tls import client_context, server_context
from jimm.proxy.controller_leg import ControllerLeg
from jimm.wire import handshake
from tests.eventually import eventually
from tests.system.proxy.stage import CONTROLLER, MODEL, Stage, request
from tests.unit.proxy.wild import TEXT, framed, heard

READ_AT_ONCE = 65_536

WITHIN = 30.0
"""Seconds for a login, on a busy machine."""


class Wire:
    """One end of a connection after the login; ``got`` is all that was read since."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.got = bytearray()
        self.ended = False

    async def send(self, data: bytes) -> None:
        """Writes, and waits while the other side takes nothing more."""
        self.writer.write(data)
        await self.writer.drain()

    async def read(self, size: int = READ_AT_ONCE) -> bytes:
        """What has come, up to ``size`` bytes; empty at the end."""
        try:
            data = await self.reader.read(size)
        except (ConnectionError, ssl.SSLError):
            data = b""
        self.ended = self.ended or not data
        self.got += data
        return data

    async def read_to_end(self) -> bytes:
        """Everything, until the other side is gone."""
        while await self.read():
            pass
        return bytes(self.got)

    def cut(self) -> None:
        """Breaks the connection."""
        self.writer.transport.abort()

    async def message(self, *, masked: bool) -> bytes:
        """The next whole message, for the time of the login."""
        while not (found := heard(bytes(self.got), masked=masked)).messages:
            assert await self.read(), "the connection ended before a message came"
        self.got = self.got[len(found.frames[0].raw) :]
        return found.messages[0].payload


class BareController:
    """Logs everybody in; :meth:`next` gives the connections afterwards, in their order."""

    def __init__(self) -> None:
        self._arrived: asyncio.Queue[Wire] = asyncio.Queue()
        self.port = 0
        self.accepted = 0

    async def next(self) -> Wire:
        """The other end of the next pipe."""
        async with asyncio.timeout(WITHIN):
            return await self._arrived.get()

    async def enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection's beginning."""
        self.accepted += 1
        wire = Wire(reader, writer)
        head = await reader.readuntil(b"\r\n\r\n")
        await wire.send(handshake.accept(handshake.parse_request(head)))
        login = json.loads(await wire.message(masked=True))
        result = {
            "controller-tag": f"controller-{CONTROLLER}",
            "model-tag": f"model-{MODEL}",
            "server-version": "3.6.9",
            "servers": [],
            "user-info": {"display-name": "", "identity": "user-alice@jimm"},
            "facades": [{"name": "Client", "versions": [6]}],
        }
        answer = {"request-id": login["request-id"], "response": result}
        await wire.send(framed(TEXT, json.dumps(answer).encode()).raw)
        self._arrived.put_nowait(wire)


@contextlib.asynccontextmanager
async def bare_controller(stage: Stage) -> AsyncIterator[BareController]:
    """A bare controller in the place of the stage's own."""
    controller = BareController()
    context = server_context(stage.authority.issue(["127.0.0.1"]))
    tasks = Tasks()

    def enter(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.spawn(controller.enter(reader, writer), name="a bare controller's connection")

    server = await asyncio.start_server(enter, "127.0.0.1", 0, ssl=context, limit=READ_AT_ONCE)
    controller.port = int(server.sockets[0].getsockname()[1])
    lead_to(stage, controller.port)
    others = set(_open_legs())
    try:
        yield controller
    finally:
        server.close()
        await tasks.aclose()
        await eventually(lambda: others.issuperset(_open_legs()))


def _open_legs() -> list[ControllerLeg]:
    """The legs to controllers whose connections are still there, whoever has forgotten them."""
    return [each for each in gc.get_objects() if type(each) is ControllerLeg and not each.lost]


def lead_to(stage: Stage, port: int) -> None:
    """From now on the stage's model is behind this port of this machine."""
    admission = stage.doorkeeper.admission
    there = replace(admission.endpoint, addresses=(f"127.0.0.1:{port}",))
    stage.doorkeeper.admission = replace(admission, endpoint=there)


async def bare_client(stage: Stage, port: int | None = None) -> Wire:
    """A client with an open pipe; ``port`` where it does not come straight."""
    async with asyncio.timeout(WITHIN):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1",
            port or stage.port,
            ssl=client_context(stage.authority.certificate_pem),
            server_hostname="juju-apiserver",
            limit=READ_AT_ONCE,
        )
        wire = Wire(reader, writer)
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        path = f"/model/{MODEL}/api"
        await wire.send(handshake.build_request(host="jimm", path=path, key=key, headers={}))
        await reader.readuntil(b"\r\n\r\n")
        params = {"auth-tag": "user-alice", "credentials": "right"}
        login = request("Login", params, facade="Admin", version=3).encode()
        await wire.send(framed(TEXT, login, secrets.token_bytes(4)).raw)
        answer = json.loads(await wire.message(masked=False))
        assert "error" not in answer, answer
        return wire


@contextlib.asynccontextmanager
async def joined(stage: Stage, controller: BareController) -> AsyncIterator[tuple[Wire, Wire]]:
    """A client and the controller behind it, the pipe between them open; cut in the end."""
    client = await bare_client(stage)
    behind = await controller.next()
    try:
        yield client, behind
    finally:
        client.cut()
        behind.cut()
