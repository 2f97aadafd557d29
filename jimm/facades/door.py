"""``/api`` as a websocket of the ASGI application."""

from fastapi import WebSocket, WebSocketDisconnect
from starlette.websockets import WebSocketState

from jimm.access.logins import Logins
from jimm.facades.connections import Connections
from jimm.facades.dispatch import Connection
from jimm.facades.session import Session
from jimm.fleet import versions
from jimm.fleet.caller import Caller
from jimm.fleet.fleet import Fleet
from jimm.wire import tags
from jimm.wire.frames import GOING_AWAY
from jimm.wire.login import PasswordLogin
from jimm.wire.params.admin import FacadeVersions, HostPort, LoginResult, UserInfo


class ApiDoor:
    """Lets clients in, each on a connection of its own."""

    def __init__(
        self,
        fleet: Fleet,
        logins: Logins,
        servers: list[list[HostPort]],
        open_ones: Connections,
    ) -> None:
        self._fleet = fleet
        self._logins = logins
        self._servers = servers
        self._open_ones = open_ones

    async def enter(self, websocket: WebSocket) -> None:
        """One client, until it leaves."""
        await websocket.accept()
        await Connection(_Socket(websocket), self, self._open_ones).run()

    async def log_in(
        self, attempt: PasswordLogin, facades: list[FacadeVersions]
    ) -> tuple[Session, LoginResult]:
        """Checks a login; what is answered names JIMM wherever a controller would be named.

        Raises:
            InvalidLogin, TryAgain: as :meth:`jimm.access.logins.Logins.by_password`.
        """
        identity = await self._logins.by_password(attempt.name, attempt.password)
        session = Session(self._fleet, Caller(identity.name, identity.admin, "api"))
        result = LoginResult(
            servers=self._servers,
            controller_tag=tags.controller_tag(self._fleet.uuid),
            user_info=UserInfo(
                display_name=identity.display_name,
                identity=session.user_tag(identity.name),
                controller_access="superuser" if identity.admin else "login",
                model_access="",
            ),
            facades=facades,
            server_version=await versions.reported(self._fleet),
        )
        return session, result


class _Socket:
    """A Starlette websocket as the dialogue wants it."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def receive(self) -> bytes | str | None:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        text = message.get("text")
        return text if isinstance(text, str) else bytes(message.get("bytes") or b"")

    async def send(self, message: bytes) -> None:
        if self._websocket.application_state is not WebSocketState.CONNECTED:
            return
        try:
            await self._websocket.send_text(message.decode())
        except (WebSocketDisconnect, RuntimeError):
            return  # it left before its answer came

    async def close(self, reason: str) -> None:
        if self._websocket.application_state is not WebSocketState.CONNECTED:
            return
        try:
            await self._websocket.close(GOING_AWAY, reason)
        except (WebSocketDisconnect, RuntimeError):
            return  # it left by itself
