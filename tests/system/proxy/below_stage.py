"""A controller of raw HTTP, a gate that knows three people, and uvicorn between: what passes
below a model's path."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.asyncio.client import ClientConnection, connect

from jimm.access.identity import Identity
from jimm.controllers.endpoint import Endpoint
from jimm.errors import InvalidLogin, MigrationUnderway, ModelNotFound
from jimm.net.certificates import Authority
from jimm.net.tasks import Tasks
from jimm.net.tls import client_context, server_context
from jimm.proxy.below import BelowModels
from jimm.proxy.carrier import Pace
from jimm.proxy.doorkeeper import Admission
from jimm.proxy.entrance import uvicorn_protocol
from jimm.proxy.passing import Turnstile
from jimm.proxy.paths import Forbidden, Level
from jimm.proxy.pipes import Pipes
from jimm.proxy.porter import Shown
from jimm.proxy.streams import Streams
from jimm.proxy.uploads import Uploads
from jimm.proxy.visitors import Visitors
from jimm.wire.params.admin import LoginRequest
from jimm.wire.secret import Secret
from jimm.wire.tags import ControllerUUID
from tests.eventually import eventually
from tests.system.proxy.stage import CONTROLLER, JIMM, MODEL, OneUser, application

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
WRITER, READER = "alice@jimm", "bob@jimm"


class RawController:
    """Does with each connection what ``script`` says; keeps the heads that it was sent."""

    def __init__(self) -> None:
        self.script: Script = self.swallow
        self.heads: list[bytes] = []
        self.received = 0
        self.open = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.open += 1
        try:
            await self.script(reader, writer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the other side cut it
        finally:
            self.open -= 1
            writer.transport.abort() if writer.is_closing() else writer.close()

    async def head(self, reader: asyncio.StreamReader) -> dict[str, str]:
        """The headers of a request; its first line is under the empty name."""
        raw = await reader.readuntil(b"\r\n\r\n")
        self.heads.append(raw)
        first, *lines = raw.decode().strip().split("\r\n")
        return {"": first} | {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines)
        }

    async def swallow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Reads a body of known length, or chunks, then says how much it was."""
        headers = await self.head(reader)
        if "content-length" in headers:
            left = int(headers["content-length"])
            while left:
                piece = await reader.readexactly(min(left, 65536))
                self.received += len(piece)
                left -= len(piece)
        elif headers.get("transfer-encoding") == "chunked":
            while size := int(await reader.readuntil(b"\r\n"), 16):
                self.received += len((await reader.readexactly(size + 2))[:-2])
            await reader.readuntil(b"\r\n")
        writer.write(answer(f'{{"got":{self.received}}}'.encode()))


class Gate(OneUser):
    """Alice may write, bob read; the model moves when the test says so."""

    def __init__(self, admission: Admission) -> None:
        super().__init__(admission)
        self.moving = False

    async def admit_http(
        self, model: str, identity: str, level: Level, *, changes: bool
    ) -> Admission:
        if model != MODEL:
            raise ModelNotFound(f'unknown model: "{model}"')
        if level != "read" and identity == READER:
            raise Forbidden
        if changes and self.moving:
            raise MigrationUnderway
        return self.admission


class Proofs:
    """The password is the name."""

    def welcomes(self, origin: str) -> bool:
        return origin in ("", "https://own")

    async def by_basic(self, user: str, password: Secret) -> Identity:
        if user not in ("user-alice", "user-bob") or password != Secret(user):
            raise InvalidLogin
        return Identity(f"{user.removeprefix('user-')}@jimm", "", admin=False)

    async def by_token(self, text: str) -> Identity:
        if text != "token":
            raise InvalidLogin
        return Identity(WRITER, "", admin=False)


@dataclass
class BelowStage:
    """All that a test needs to look at."""

    port: int
    authority: Authority
    controller: RawController
    gate: Gate
    pipes: Pipes
    server: uvicorn.Server
    headers: dict[str, str] = field(default_factory=lambda: login("user-alice"))

    @contextlib.asynccontextmanager
    async def http(self, **options: str) -> AsyncIterator[httpx.AsyncClient]:
        """An HTTP client that logs in as alice."""
        async with httpx.AsyncClient(
            base_url=f"https://localhost:{self.port}",
            verify=client_context(self.authority.certificate_pem),
            headers=self.headers | options,
            timeout=20,
            trust_env=False,
        ) as made:
            yield made

    @contextlib.asynccontextmanager
    async def raw(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection without a client's manners."""
        reader, writer = await asyncio.open_connection(
            "localhost", self.port, ssl=client_context(self.authority.certificate_pem)
        )
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    @contextlib.asynccontextmanager
    async def log(
        self, query: str = "", *, user: str = "user-bob", **options: int
    ) -> AsyncIterator[ClientConnection]:
        """A client of the log."""
        async with connect(
            f"wss://localhost:{self.port}/model/{MODEL}/log{query}",
            ssl=client_context(self.authority.certificate_pem),
            additional_headers=login(user),
            compression=None,
            proxy=None,
            close_timeout=5,
            **options,  # type: ignore[arg-type]  # integers are what the test gives
        ) as connection:
            yield connection

    async def is_quiet(self) -> bool:
        """Whether nothing is under way any more, on any side."""
        return not len(self.pipes) and not self.controller.open and not self.server_tasks

    @property
    def server_tasks(self) -> int:
        """Requests at work in uvicorn."""
        return len(self.server.server_state.tasks)


def login(user: str) -> dict[str, str]:
    """The header of a user whose password is their name."""
    pair = base64.b64encode(f"{user}:{user}".encode()).decode()
    return {"Authorization": f"Basic {pair}"}


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """An answer in one piece."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    if not any(each.lower().startswith("content-type") for each in headers):
        lines.insert(2, "Content-Type: application/json")
    return "\r\n".join(lines).encode() + body


@contextlib.asynccontextmanager
async def staged(folder: Path, pace: Pace) -> AsyncIterator[BelowStage]:
    """The whole stage, up and running."""
    authority = Authority.create("test")
    issued = authority.issue(["localhost"])
    (folder / "chain.pem").write_text(issued.chain_pem)
    (folder / "key.pem").write_text(issued.key_pem.reveal())
    controller, pipes, tasks = RawController(), Pipes(), Tasks()
    behind = await asyncio.start_server(
        controller.serve, "127.0.0.1", 0, ssl=server_context(issued), limit=65536
    )
    address = f"127.0.0.1:{behind.sockets[0].getsockname()[1]}"
    gate = Gate(_admission(address, authority))
    visitors = Visitors(Proofs())
    turnstile = Turnstile(visitors, gate, pipes)
    below = BelowModels(
        application,  # type: ignore[arg-type]  # one application, typed by two libraries
        uploads=Uploads(turnstile, pace),
        streams=Streams(turnstile, pace),
    )
    config = uvicorn.Config(
        below,
        host="127.0.0.1",
        port=0,
        ssl_certfile=folder / "chain.pem",
        ssl_keyfile=folder / "key.pem",
        ws=uvicorn_protocol(gate, pipes, tasks=tasks, fallback=WebSocketsSansIOProtocol),
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    serving = tasks.spawn(server.serve(), name="uvicorn")
    await eventually(lambda: server.started)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield BelowStage(port, authority, controller, gate, pipes, server)
    finally:
        server.should_exit = True
        async with asyncio.timeout(20):
            await serving
        behind.close()
        await tasks.aclose()


def _admission(address: str, authority: Authority) -> Admission:
    return Admission(
        identity=WRITER,
        user_tag="user-alice",
        model_uuid=MODEL,
        endpoint=Endpoint(
            "north", ControllerUUID(CONTROLLER), (address,), authority.certificate_pem
        ),
        login=LoginRequest(
            auth_tag="user-alice@jimm", credentials="", nonce="", user_data="", token="jwt"
        ),
        shown=Shown(JIMM, (), ""),
    )
