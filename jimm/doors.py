"""All doors but the models' own as one ASGI application.

REST and the pages stand on FastAPI, whose loading takes as long as all the rest of a start does,
and much memory. So they are made when somebody first asks for one of them; whoever only speaks
the RPC never waits for them.
"""

import asyncio
import gc
from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketClose

from jimm.composition import Running
from jimm.net.tasks import Tasks
from jimm.proxy.below import BelowModels
from jimm.rest.health import Health

_API = frozenset({"/api", "/"})


def create_application(running: Running) -> ASGIApp:
    """The application that uvicorn serves."""

    def make() -> ASGIApp:
        gc.disable()  # as at the start: much is made, and nothing dropped
        try:
            from jimm.rest.application import create_rest
            from jimm.web.application import mount

            application = create_rest(running.services)
            mount(application, running.web)
            return application
        finally:
            gc.enable()

    pages = MadeLater(make, running.services.fleet.tasks)
    doors = Doors(running.api.enter, Health(running.services), pages)
    return BelowModels(doors, uploads=running.uploads, streams=running.streams)


class Doors:
    """Sends each to their door."""

    def __init__(
        self, enter: Callable[[WebSocket], Awaitable[None]], health: Health, pages: ASGIApp
    ) -> None:
        self._enter = enter
        self._health = health
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            if scope["path"] in _API:
                await self._enter(WebSocket(scope, receive, send))
            else:
                await WebSocketClose()(scope, receive, send)
        elif self._health.concerns(scope["path"]):
            await self._health(scope, receive, send)
        else:
            await self._pages(scope, receive, send)


class MadeLater:
    """An application that is made in a thread at its first request; who comes meanwhile waits."""

    def __init__(self, make: Callable[[], ASGIApp], tasks: Tasks) -> None:
        self._make = make
        self._tasks = tasks
        self._making: asyncio.Task[ASGIApp] | None = None
        self._made: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._made is None:
            self._made = await self._now()
        await self._made(scope, receive, send)

    async def _now(self) -> ASGIApp:
        """One task for all, so that a request that is given up does not spoil it for others."""
        if self._making is None:
            work = asyncio.to_thread(self._make)
            self._making = self._tasks.spawn(work, name="make REST and the pages")
        return await asyncio.shield(self._making)
