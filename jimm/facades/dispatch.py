"""One websocket on ``/api``: the login dialogue, then calls, many at once."""

import asyncio
import logging
from typing import Final, Protocol, assert_never

from jimm.access.device_outcomes import begun, confirmed
from jimm.access.devices import Code
from jimm.errors import JimmError, ProtocolError
from jimm.facades.application_offers import ApplicationOffers
from jimm.facades.cloud import Cloud
from jimm.facades.connections import Connections
from jimm.facades.controller import Controller
from jimm.facades.jimm import Jimm
from jimm.facades.model_config import ModelConfig
from jimm.facades.model_manager import ModelManager
from jimm.facades.model_summary_watcher import ModelSummaryWatcher
from jimm.facades.model_upgrader import ModelUpgrader
from jimm.facades.pinger import Pinger
from jimm.facades.recorded import Record
from jimm.facades.session import Session, SessionFacade
from jimm.facades.user_manager import UserManager
from jimm.net.tasks import Tasks
from jimm.wire.envelope import Request, decode, encode_error, encode_result, number_of
from jimm.wire.facade import Facade, Table
from jimm.wire.login import (
    ADMIN,
    Accepted,
    Attempt,
    Authenticate,
    AwaitDevice,
    BeginDevice,
    Command,
    DeviceBegun,
    DeviceFailed,
    Dialogue,
    Door,
    DropDevices,
    Refused,
    Reply,
    RequestReceived,
    Serve,
)
from jimm.wire.params.admin import FacadeVersions, LoginResult
from jimm.wire.secret import Secret

log = logging.getLogger(__name__)

TABLE: Final = Table(
    [
        ApplicationOffers,
        Cloud,
        Controller,
        Jimm,
        ModelConfig,
        ModelManager,
        ModelSummaryWatcher,
        ModelUpgrader,
        Pinger,
        UserManager,
    ]
)

AT_ONCE: Final = 64
"""Calls under way on one connection; more wait in the socket's own buffer."""

ANSWERED_WITHIN: Final = 1.0
"""Seconds that a connection which is to be closed waits for the answers under way."""

_OF_DEVICES: Final = frozenset({"LoginDevice", "GetDeviceSessionToken"})
"""Calls that are no attempts to log in, and lead to one."""

FAILED: Final = "JIMM failed on this request; its log says why"


class Socket(Protocol):
    """One websocket, whole text messages in and out."""

    async def receive(self) -> bytes | str | None:
        """The next message; ``None`` when the client is gone."""

    async def send(self, message: bytes) -> None:
        """Sends one text message; a client that is gone is no error."""

    async def close(self, reason: str) -> None:
        """Tells the client to connect again; one that is gone is no error."""


class Guest(Protocol):
    """How one client is let in."""

    async def log_in(
        self, attempt: Attempt, facades: list[FacadeVersions]
    ) -> tuple[Session, LoginResult]:
        """The session of a true attempt, and what to answer.

        Raises:
            JimmError: it is not true.
        """

    async def begin_device(self) -> Code:
        """A code for a person to enter."""

    async def await_device(self, login_id: str) -> Secret:
        """The session token that the person lets the client have.

        Raises:
            JimmError: none.
        """


class Connection:
    """Drives one socket until the client leaves."""

    def __init__(
        self, socket: Socket, guest: Guest, open_ones: Connections, record: Record
    ) -> None:
        self._socket = socket
        self._guest = guest
        self._open_ones = open_ones
        self._record = record
        self._dialogue = Dialogue(Door.CONTROLLER)
        self._session: Session | None = None
        self._instances: dict[type[Facade], SessionFacade] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._tasks = Tasks()
        self._devices = Tasks()

    async def run(self) -> None:
        """Returns when the client is gone; what it had under way is cancelled then."""
        try:
            while (message := await self._socket.receive()) is not None:
                await self._read(message)
        finally:
            self._open_ones.discard(self)
            if self._session is not None:
                self._session.watchers.stop_all()
            await self._devices.aclose()
            await self._tasks.aclose()

    async def close(self, reason: str) -> None:
        """Tells the client to connect, and log in, again; first what it asked is answered,
        for it may be what it asked (another password) that ends its sessions."""
        self._tasks.spawn(self._close_when_idle(reason), name="close a connection")

    async def _close_when_idle(self, reason: str) -> None:
        try:
            async with asyncio.timeout(ANSWERED_WITHIN):
                for _ in range(AT_ONCE):
                    await self._slots.acquire()
        except TimeoutError:
            pass  # a watcher waits for news
        await self._socket.close(reason)

    async def _read(self, message: bytes | str) -> None:
        await self._record.room()
        try:
            request = decode(message)
        except ProtocolError as error:
            self._record.unreadable(number_of(message), error)
            await self._socket.send(encode_error(number_of(message), str(error), error.code))
            return
        if not isinstance(request, Request):
            return  # an answer to nothing we asked; Juju drops it too
        await self._slots.acquire()
        self._tasks.spawn(self._take(request), name=f"{request.type}.{request.request}")

    async def _take(self, request: Request) -> None:
        if request.type == ADMIN and request.request in _OF_DEVICES and self._session is None:
            self._record.asked(request)
        try:
            await self._obey(self._dialogue.receive(RequestReceived(request)))
        finally:
            self._slots.release()

    async def _obey(self, commands: list[Command]) -> None:
        for command in commands:
            match command:
                case Reply(message):
                    await self._socket.send(message)
                case Authenticate(attempt):
                    await self._obey(self._dialogue.receive(await self._outcome(attempt)))
                case Serve(request):
                    await self._socket.send(await self._answer(request))
                case BeginDevice(ticket):
                    await self._obey(self._dialogue.receive(await self._begun(ticket)))
                case AwaitDevice(ticket, login_id):
                    self._devices.spawn(self._device(ticket, login_id), name="device login")
                case DropDevices():
                    await self._devices.aclose()
                case _:
                    assert_never(command)

    async def _outcome(self, attempt: Attempt) -> Accepted | Refused:
        number = self._dialogue.checking
        try:
            self._session, result = await self._guest.log_in(attempt, TABLE.listing())
        except JimmError as error:
            self._record.tried(number, attempt, "", error)
            return Refused(error)
        except Exception:
            log.exception("a login failed")
            self._record.tried(number, attempt, "", JimmError(FAILED))
            return Refused(JimmError(FAILED))
        identity = self._session.caller.identity
        self._record.tried(number, attempt, identity, None)
        self._open_ones.add(self, identity)
        return Accepted(result)

    async def _begun(self, ticket: int) -> DeviceBegun | DeviceFailed:
        return await begun(ticket, self._guest.begin_device(), JimmError(FAILED))

    async def _device(self, ticket: int, login_id: str) -> None:
        waiting = self._guest.await_device(login_id)
        outcome = await confirmed(ticket, waiting, JimmError(FAILED))
        await self._obey(self._dialogue.receive(outcome))

    async def _answer(self, request: Request) -> bytes:
        self._record.asked(request)
        try:
            method = TABLE.find(request)
            result = await method.call(self._instance(method.facade), request)
        except JimmError as error:
            self._record.failed(request.request_id, error)
            return encode_error(request.request_id, str(error), error.juju_code, error.info)
        except Exception:
            log.exception("%s.%s failed", request.type, request.request)
            self._record.failed(request.request_id, JimmError(FAILED))
            return encode_error(request.request_id, FAILED)
        return encode_result(request.request_id, result)

    def _instance(self, facade: type[Facade]) -> SessionFacade:
        if facade not in self._instances:
            if self._session is None or not issubclass(facade, SessionFacade):
                raise RuntimeError("a call was served before the login")
            self._instances[facade] = facade(self._session)
        return self._instances[facade]
