"""A controller that follows a script, a doorkeeper who knows one user, and uvicorn between."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from jimm.access.devices import Begun
from jimm.access.visitor import Visitor
from jimm.audit.call import Asked
from jimm.audit.recorder import Recorder
from jimm.controllers.endpoint import Endpoint
from jimm.errors import FatalLogin, InvalidLogin, ModelNotFound, Unauthorized
from jimm.net.certificates import Authority
from jimm.net.tasks import Tasks
from jimm.net.tls import client_context, server_context
from jimm.proxy.doorkeeper import Admission
from jimm.proxy.entrance import uvicorn_protocol
from jimm.proxy.limits import Limits
from jimm.proxy.pipes import Pipes
from jimm.proxy.porter import Shown
from jimm.wire.login import Attempt, PasswordLogin
from jimm.wire.params.admin import HostPort, LoginRequest
from jimm.wire.secret import Secret
from jimm.wire.tags import ControllerUUID, ModelUUID
from tests.eventually import eventually

JIMM = ControllerUUID("6bd9cd3b-0b6e-4f0c-8a25-8c0b0d8c9b34")
CONTROLLER = ControllerUUID("51ec7ac7-6f20-43d1-8a62-a685060223fe")
MODEL = ModelUUID("0d2ba4c6-0ee5-4bf6-8a29-74f3a9a4e1d5")
IDENTITY = "alice@jimm"
PASSWORD = Secret("right")

Answer = Callable[[ServerConnection, dict[str, Any]], Awaitable[None]]


class Controller:
    """A websocket server that logs everybody in and then does what it was told to."""

    def __init__(self) -> None:
        self.uuid: str = CONTROLLER
        self.silent = False
        self.logins: list[dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []
        self.connections: list[ServerConnection] = []
        self.answers: dict[str, Answer] = {"Echo": self.echo}

    async def serve(self, connection: ServerConnection) -> None:
        """One connection: a login, then requests, answered in their order."""
        self.connections.append(connection)
        with contextlib.suppress(ConnectionClosed):
            login = json.loads(await connection.recv())
            self.logins.append(login)
            if self.silent:
                await connection.wait_closed()
            result = {
                "controller-tag": f"controller-{self.uuid}",
                "model-tag": f"model-{MODEL}",
                "server-version": "3.6.9",
                "servers": [[{"value": "10.0.0.1", "type": "ipv4", "scope": "", "port": 1}]],
                "user-info": {
                    "display-name": "",
                    "identity": "user-alice@jimm",
                    "controller-access": "login",
                    "model-access": "admin",
                },
                "facades": [{"name": "Client", "versions": [6]}],
            }
            await self.reply(connection, login, response=result)
            async for message in connection:
                request = json.loads(message)
                self.requests.append(request)
                await self.answers[request["request"]](connection, request)

    async def echo(self, connection: ServerConnection, request: dict[str, Any]) -> None:
        """Answers with the parameters of the request."""
        await self.reply(connection, request, response=request["params"])

    async def reply(
        self, connection: ServerConnection, request: dict[str, Any], **body: Any
    ) -> None:
        """Sends one answer."""
        raw = json.dumps({"request-id": request["request-id"]} | body, separators=(",", ":"))
        await connection.send(raw)


class OneUser:
    """Lets alice in, to one model, with one password."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.readmits = False
        self.readmitted = 0

    async def admit(self, model: str, attempt: Attempt, visitor: Visitor) -> Admission:
        del visitor
        if not isinstance(attempt, PasswordLogin):
            raise InvalidLogin
        if (attempt.name, attempt.password) != ("alice", PASSWORD):
            raise InvalidLogin
        if model != MODEL:
            raise ModelNotFound(f'unknown model: "{model}"')
        return self.admission

    async def readmit(self, admission: Admission) -> Admission:
        if not self.readmits:
            raise Unauthorized
        self.readmitted += 1
        login = replace_token(admission.login, f"token {self.readmitted}")
        return replace(admission, login=login)

    async def begin_device(self, visitor: Visitor) -> Begun:
        """A device login whose code is what is known of the client."""
        return Begun("id", visitor.client, "https://jimm.local/login")

    async def await_device(self, login_id: str) -> Secret:
        """Nobody ever confirms one."""
        raise FatalLogin(f"{login_id} was refused")


def replace_token(login: LoginRequest, token: str) -> LoginRequest:
    """The same login with another token."""
    return LoginRequest(
        auth_tag=login.auth_tag, credentials="", nonce="", user_data="", token=token
    )


@dataclass
class Stage:
    """All that a test needs to look at."""

    port: int
    authority: Authority
    controller: Controller
    doorkeeper: OneUser
    pipes: Pipes
    server: uvicorn.Server
    calls: list[Asked] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def client(
        self, path: str = f"/model/{MODEL}/api", **options: Any
    ) -> AsyncIterator[ClientConnection]:
        """A client that has not logged in yet."""
        async with connect(
            f"wss://127.0.0.1:{self.port}{path}",
            ssl=client_context(self.authority.certificate_pem),
            server_hostname="juju-apiserver",
            **(
                {"compression": None, "max_size": None, "proxy": None, "close_timeout": 5} | options
            ),
        ) as connection:
            yield connection

    @contextlib.asynccontextmanager
    async def logged_in(self, **options: Any) -> AsyncIterator[ClientConnection]:
        """A client with an open pipe."""
        async with self.client(**options) as connection:
            answer = await log_in(connection)
            assert "error" not in answer, answer
            yield connection


async def log_in(connection: ClientConnection, password: str = "right") -> dict[str, Any]:
    """What the login answered."""
    params = {"auth-tag": "user-alice", "credentials": password}
    return await ask(connection, "Login", params, facade="Admin", version=3)


async def ask(
    connection: ClientConnection,
    method: str,
    params: object = None,
    *,
    number: int = 1,
    facade: str = "Client",
    version: int = 6,
) -> dict[str, Any]:
    """What a request answered."""
    await connection.send(request(method, params, number=number, facade=facade, version=version))
    found = json.loads(await connection.recv())
    assert isinstance(found, dict)
    return found


def request(
    method: str,
    params: object = None,
    *,
    number: int = 1,
    facade: str = "Client",
    version: int = 6,
) -> str:
    """A request as text."""
    body = {"request-id": number, "type": facade, "version": version, "request": method}
    return json.dumps(body | {"params": {} if params is None else params})


async def application(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """An ASGI application that echoes websockets and greets everybody else."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
        while (event := await receive())["type"] == "websocket.receive":
            text = f"{scope['path']}: {event.get('text')}"
            await send({"type": "websocket.send", "text": text, "bytes": None})
        return
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [], "trailers": False})
    await send({"type": "http.response.body", "body": b"hello", "more_body": False})


@contextlib.asynccontextmanager
async def staged(
    folder: Path, limits: Limits, recorder: Recorder | None = None
) -> AsyncIterator[Stage]:
    """The whole stage, up and running."""
    authority = Authority.create("test")
    issued = authority.issue(["127.0.0.1"])
    (folder / "chain.pem").write_text(issued.chain_pem)
    (folder / "key.pem").write_text(issued.key_pem.reveal())
    controller, pipes, tasks = Controller(), Pipes(), Tasks()
    calls: list[Asked] = []
    async with serve(
        controller.serve,
        "127.0.0.1",
        0,
        ssl=server_context(issued),
        compression=None,
        max_size=None,
        max_queue=1,
        ping_interval=None,
    ) as behind:
        doorkeeper = OneUser(admission_to(behind, authority))
        door = uvicorn_protocol(
            doorkeeper,
            pipes,
            limits=limits,
            tasks=tasks,
            note=lambda _, call: calls.append(call),
            recorder=recorder,
        )
        server = uvicorn.Server(configured(folder, door))
        serving = tasks.spawn(server.serve(), name="uvicorn")
        await eventually(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield Stage(port, authority, controller, doorkeeper, pipes, server, calls)
        finally:
            server.should_exit = True
            async with asyncio.timeout(limits.close + 10):
                await serving
            await tasks.aclose()


def configured(folder: Path, door: type[asyncio.Protocol]) -> uvicorn.Config:
    """uvicorn on a free port, with the certificate that lies in the folder."""
    return uvicorn.Config(
        application,
        host="127.0.0.1",
        port=0,
        ssl_certfile=folder / "chain.pem",
        ssl_keyfile=folder / "key.pem",
        ws=door,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
    )


def admission_to(behind: Server, authority: Authority) -> Admission:
    """Alice's admission to the model on this controller."""
    (socket,) = behind.sockets
    return Admission(
        identity=IDENTITY,
        user_tag="user-alice",
        model_uuid=MODEL,
        endpoint=Endpoint(
            "north",
            CONTROLLER,
            (f"127.0.0.1:{socket.getsockname()[1]}",),
            authority.certificate_pem,
        ),
        login=LoginRequest(
            auth_tag="user-alice@jimm", credentials="", nonce="", user_data="", token="token 0"
        ),
        shown=Shown(
            JIMM,
            ((HostPort(value="jimm.local", type="hostname", scope="public", port=17070),),),
            "jimm.local",
        ),
    )
