"""The controller on its socket: TLS, routes, start and stop."""

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import AsyncIterator, Iterator
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket

from jimm.net.certificates import Issued
from jimm.net.tasks import Tasks
from jimm.net.tls import server_context
from jimm.simulator import control, http, log_stream
from jimm.simulator.beginnings import begin
from jimm.simulator.clock import Clock
from jimm.simulator.connection import Connection
from jimm.simulator.core import Core, Options
from jimm.simulator.identity import load_identity
from jimm.simulator.logins import Tokens
from jimm.simulator.migration.http import routes as migration_routes
from jimm.simulator.migration.worker import resume
from jimm.simulator.reaper import Reaper
from jimm.simulator.settling import Settler
from jimm.simulator.tables import make_tables
from jimm.wire.tags import ModelUUID

log = logging.getLogger(__name__)

STOP_DEADLINE: Final = 2
"""Seconds that open connections are given to close before they are cut."""

_UNLIMITED: Final = 1 << 40  # Juju limits neither side's messages


class Simulator(Core):
    """A simulated controller: in-process in tests, or as a process of its own."""

    def __init__(self, options: Options | None = None, *, clock: Clock | None = None) -> None:
        super().__init__(options or Options(), clock=clock)
        self._tables = make_tables(self.options.version)
        self._tokens = Tokens(self)
        self._undertaker = Tasks()
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Opens the state and listens; returns when clients can connect.

        Raises:
            OSError: the port is taken.
        """
        self.store.open()
        self._identity = load_identity(self.store, self.options)
        begin(self.store, self._identity, self.options, self.clock.now())
        self.store.listen(self.on_change)
        self.store.listen(self.logs.on_change)
        Reaper(self).start()
        Settler(self).start()
        listener = socket.create_server((self.options.host, self.options.port))
        # asyncio does it only for sockets made with a protocol number; Nagle costs 40 ms a dial.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._port = listener.getsockname()[1]
        self._server = _Server(self._config())
        self._serving = self._undertaker.spawn(
            self._server.serve(sockets=[listener]), name="simulator's server"
        )
        await self._server.listening.wait()
        resume(self)

    async def stop(self) -> None:
        """Closes everything; whatever is under way is cancelled. Safe to call twice."""
        server, self._server = self._server, None
        if server is not None:
            server.leave()
        if self._serving is not None:
            await asyncio.wait([self._serving])
        if server is not None:
            server.cut_all()
        await self.tasks.aclose()
        self.store.close()
        self.blobs.close()

    async def kill(self) -> None:
        """Dies as by SIGKILL, in-process: sockets are cut, nothing more is written."""
        self.store.close()
        if self._server is not None:
            self._server.stop_listening()
            self._server.cut_all()
            self._server.force_exit = True
        await self.stop()

    def cut(self, connection: HTTPConnection) -> None:
        """Cuts it without a close frame."""
        if self._server is not None and connection.client is not None:
            self._server.cut(connection.client.host, connection.client.port)

    async def crash(self) -> None:
        """Kills itself from within; never returns."""
        self._undertaker.spawn(self.kill(), name="crash")
        await asyncio.Event().wait()

    def registration(self) -> dict[str, object]:
        """What an administrator needs to register this controller."""
        return {
            "name": self.options.name,
            "uuid": self.uuid,
            "api-addresses": [self.address],
            "ca-certificate": self.identity.authority_pem,
            "username": "admin",
            "password": self.identity.admin_password.reveal(),
        }

    def _config(self) -> uvicorn.Config:
        issued = Issued(self.identity.chain_pem, self.identity.key)
        return uvicorn.Config(
            Starlette(routes=self._routes()),
            ws="websockets-sansio",
            ws_max_size=_UNLIMITED,
            ws_per_message_deflate=False,
            ws_ping_interval=None,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_DEADLINE,
            ssl_context_factory=lambda _config, _default: server_context(issued),
        )

    def _routes(self) -> list[BaseRoute]:
        return [
            WebSocketRoute("/", self._on_controller),
            WebSocketRoute("/api", self._on_controller),
            WebSocketRoute("/model/{uuid}/api", self._on_model),
            *http.routes(self),
            *log_stream.routes(self),
            *migration_routes(self),
            *control.routes(self),
        ]

    async def _on_controller(self, websocket: WebSocket) -> None:
        await self._serve(websocket, None)

    async def _on_model(self, websocket: WebSocket) -> None:
        await self._serve(websocket, ModelUUID(websocket.path_params["uuid"]))

    async def _serve(self, websocket: WebSocket, model_uuid: ModelUUID | None) -> None:
        def cut() -> None:
            self.cut(websocket)

        await Connection(self, self._tables, self._tokens, websocket, model_uuid, cut).run()


class _Server(uvicorn.Server):
    """uvicorn's server without its signal handlers, with a knife, and that ends at once: uvicorn
    itself looks ten times a second whether it is over."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        """Begins the shutdown."""
        self.should_exit = True
        self._leaving.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._leaving.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.stop_listening()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._until_gone()
        for task in self.server_state.tasks:
            task.cancel()

    async def _until_gone(self) -> None:
        state, end = self.server_state, time.monotonic() + STOP_DEADLINE
        pause = 0.001
        while (state.connections or state.tasks) and not self.force_exit:
            if time.monotonic() > end:
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, 0.05)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def cut(self, host: str, port: int) -> None:
        """Cuts one client's connection without a close frame."""
        for connection in list(self.server_state.connections):
            transport = connection.transport
            if transport.is_closing():  # one that has been cut can't tell any more whose it was
                continue
            peer = transport.get_extra_info("peername")
            if peer is not None and peer[:2] == (host, port):
                transport.abort()

    def stop_listening(self) -> None:
        """Lets nobody in any more."""
        for listener in self.servers:
            listener.close()

    def cut_all(self) -> None:
        """Cuts every connection."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()


@contextlib.asynccontextmanager
async def simulated(options: Options | None = None) -> AsyncIterator[Simulator]:
    """A controller for the length of a block."""
    simulator = Simulator(options)
    try:
        await simulator.start()
        yield simulator
    finally:
        await simulator.stop()
