"""``/api`` as a websocket of the ASGI application."""

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from jimm.access.devices import Code, DeviceFlow
from jimm.access.logins import Logins
from jimm.access.names import alias
from jimm.access.visitor import Visitor, visitor
from jimm.audit.recorder import Recorder
from jimm.facades.connections import Connections
from jimm.facades.dispatch import Connection
from jimm.facades.recorded import Record
from jimm.facades.session import Session
from jimm.fleet import versions
from jimm.fleet.caller import Caller
from jimm.fleet.fleet import Fleet
from jimm.wire import tags
from jimm.wire.frames import GOING_AWAY
from jimm.wire.login import Attempt, PasswordLogin
from jimm.wire.params.admin import FacadeVersions, HostPort, LoginResult, UserInfo
from jimm.wire.secret import Secret


class ApiDoor:
    """Lets clients in, each on a connection of its own."""

    def __init__(
        self,
        fleet: Fleet,
        logins: Logins,
        servers: list[list[HostPort]],
        open_ones: Connections,
        devices: DeviceFlow,
        recorder: Recorder,
    ) -> None:
        self._fleet = fleet
        self._logins = logins
        self._devices = devices
        self._servers = servers
        self._open_ones = open_ones
        self._recorder = recorder

    async def enter(self, websocket: WebSocket) -> None:
        """One client, until it leaves."""
        address = websocket.client.host if websocket.client is not None else ""
        guest = _Guest(self, visitor(websocket.headers, address))
        await websocket.accept()
        record = Record(self._recorder, self._fleet.local_domain, address)
        await Connection(_Socket(websocket), guest, self._open_ones, record).run()

    async def log_in(
        self, attempt: Attempt, who: Visitor, facades: list[FacadeVersions]
    ) -> tuple[Session, LoginResult]:
        """Checks a login; what is answered names JIMM wherever a controller would be named.

        Raises:
            InvalidLogin, SessionTokenInvalid, Unauthorized, TryAgain: as
                :meth:`jimm.access.logins.Logins.by_attempt`.
        """
        identity = await self._logins.by_attempt(attempt, who)
        bare = alias(attempt.name, identity.name) if isinstance(attempt, PasswordLogin) else ""
        session = Session(self._fleet, Caller(identity.name, identity.admin, "api"), alias=bare)
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

    async def begin_device(self, who: Visitor) -> Code:
        """A device login, to be confirmed in a browser."""
        return await self._devices.begin(who.client)

    async def await_device(self, login_id: str) -> Secret:
        """The session token of whoever confirms it.

        Raises:
            FatalLogin: it was refused, ran out, or was collected already.
        """
        return (await self._devices.wait(login_id)).token


class _Guest:
    """The door as one client sees it."""

    def __init__(self, door: ApiDoor, who: Visitor) -> None:
        self._door = door
        self._who = who

    async def log_in(
        self, attempt: Attempt, facades: list[FacadeVersions]
    ) -> tuple[Session, LoginResult]:
        return await self._door.log_in(attempt, self._who, facades)

    async def begin_device(self) -> Code:
        return await self._door.begin_device(self._who)

    async def await_device(self, login_id: str) -> Secret:
        return await self._door.await_device(login_id)


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
