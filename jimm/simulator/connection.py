"""One websocket: the login, then calls, many at a time."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from jimm.errors import (
    BadRequest,
    JimmError,
    MigrationUnderway,
    ModelNotFound,
    NotImplementedHere,
    NotSupported,
    ProtocolError,
)
from jimm.simulator.core import Core
from jimm.simulator.dialects import Dialect
from jimm.simulator.faults import Fault, mentions
from jimm.simulator.logins import Admin, Tokens, check_version
from jimm.simulator.migration.faults import points_of
from jimm.simulator.session import Answering, Session
from jimm.wire.envelope import Request, decode, encode_error, encode_result
from jimm.wire.facade import Method, Table
from jimm.wire.params.admin import FacadeVersions
from jimm.wire.tags import ModelUUID

log = logging.getLogger(__name__)

CONTROLLER_FACADES: Final = frozenset(
    {
        "AllModelWatcher",
        "ApplicationOffers",
        "Cloud",
        "Controller",
        "CrossController",
        "MigrationTarget",
        "ModelManager",
        "ModelSummaryWatcher",
        "ModelUpgrader",
        "SecretBackends",
        "UserManager",
    }
)
"""What only a controller's socket answers (Juju ``apiserver/restrict_controller.go``)."""

COMMON_FACADES: Final = frozenset(
    {"Pinger", "Bundle", "NotifyWatcher", "ModelConfig", "SSHServer", "HighAvailability"}
)
"""What both kinds of sockets answer (Juju ``apiserver/restrict_controller.go``)."""


@dataclass(frozen=True)
class Tables:
    """What each kind of socket answers: before its login, on ``/api``, on a model."""

    admin: Table
    controller: Table
    model: Table
    dialect: Dialect

    def of(self, model_uuid: ModelUUID | None) -> Table:
        """The table after the login."""
        return self.controller if model_uuid is None else self.model

    def listing(self, model_uuid: ModelUUID | None) -> list[FacadeVersions]:
        """The facades of a login's result."""
        on_model = model_uuid is not None
        return self.dialect.listing(self.of(model_uuid), on_model=on_model)

    def find(self, model_uuid: ModelUUID | None, request: Request) -> Method:
        """The method that a request names; raises what :meth:`Dialect.find` raises."""
        on_model = model_uuid is not None
        return self.dialect.find(self.of(model_uuid), request, on_model=on_model)


class Connection:
    """One websocket on ``/api`` (``model_uuid`` is ``None``) or on a model's path."""

    def __init__(
        self,
        core: Core,
        tables: Tables,
        tokens: Tokens,
        websocket: WebSocket,
        model_uuid: ModelUUID | None,
        cut: Callable[[], None],
    ) -> None:
        self._core = core
        self._tables = tables
        self._tokens = tokens
        self._websocket = websocket
        self._model_uuid = model_uuid
        self._cut = cut
        self._writing = asyncio.Lock()
        self._session: Session | None = None

    @property
    def model_uuid(self) -> ModelUUID | None:
        """The model in the socket's path."""
        return self._model_uuid

    async def run(self) -> None:
        """Serves the socket until one side ends it.

        Calls under way go on when the client has gone, as they do on a controller.
        """
        await self._websocket.accept()
        self._core.clients.add(self)
        try:
            await self._read()
        finally:
            self._core.clients.discard(self)
            if self._session is not None:
                self._session.watchers.stop_all()

    async def close(self, code: int) -> None:
        """Ends it with a close frame."""
        try:
            await self._websocket.close(code)
        except (RuntimeError, OSError, WebSocketDisconnect):
            return  # the client was faster

    def cut(self) -> None:
        """Ends it without one."""
        self._cut()

    async def _read(self) -> None:
        while True:
            event = await self._websocket.receive()
            if event["type"] == "websocket.disconnect":
                return
            data = event.get("text") or event.get("bytes") or ""
            try:
                message = decode(data)
            except ProtocolError:
                await self.close(1000)
                return
            if isinstance(message, Request):
                name = f"{message.type}.{message.request}"
                self._core.tasks.spawn(self._serve(message), name=name)

    async def _serve(self, request: Request) -> None:
        fault = self._core.faults.take(*points_of(request), about=self._about(request))
        reply = await self._reply(request, fault)
        if fault is not None:
            reply = await self._suffer_after(request, fault, reply)
        if fault is not None and fault.is_cut:
            self.cut()
            return
        await self._send(reply)

    def _about(self, request: Request) -> Callable[[str], bool]:
        return lambda uuid: uuid == self._model_uuid or mentions(request.params, uuid)

    async def _reply(self, request: Request, fault: Fault | None) -> bytes:
        try:
            if fault is not None:
                await self._suffer(fault)
            if fault is not None and fault.action in ("drop-before", "lie"):
                return b""
            return encode_result(request.request_id, await self._carry_out(request))
        except BadRequest as error:
            # Go answers parameters that it cannot read with its own text and no code.
            return encode_error(request.request_id, str(error))
        except JimmError as error:
            return encode_error(request.request_id, str(error), error.juju_code, error.info)
        except Exception:
            log.exception("%s(%d).%s failed", request.type, request.version, request.request)
            return encode_error(request.request_id, "internal error of the simulator")

    async def _suffer(self, fault: Fault) -> None:
        match fault.action:
            case "refuse":
                raise fault.error
            case "stall" | "delay":
                await self._core.faults.hold(fault)
            case "crash":
                await self._core.crash()
            case _:
                return

    async def _suffer_after(self, request: Request, fault: Fault, reply: bytes) -> bytes:
        match fault.action:
            case "lie" | "lie-after":
                return _lie(request, fault)
            case "stall-after":
                await self._core.faults.hold(fault)
            case "crash-after":
                await self._core.crash()
            case _:
                pass
        return reply

    async def _carry_out(self, request: Request) -> object:
        self._check_model()
        if self._session is None:
            return await self._log_in(request)
        self._restrict(self._session, request)
        found = self._tables.find(self._model_uuid, request)
        if not issubclass(found.facade, Answering):
            raise TypeError(f"{found.facade.__name__} is no facade of the simulator")
        dialect = self._tables.dialect
        result = await found.call(found.facade(self._session), dialect.heard(request))
        return dialect.said(request, result)

    async def _log_in(self, request: Request) -> object:
        check_version(request)
        if request.type != "Admin" and self._core.release.is_four:
            text = f'unknown version {request.version} for facade type "{request.type}"'
            raise NotImplementedHere(text)
        found = self._tables.admin.find(request)
        listing = self._tables.listing(self._model_uuid)
        admin = Admin(self._core, self._tokens, self._model_uuid, listing)
        result = await found.call(admin, request)
        self._session = admin.session
        return result

    def _check_model(self) -> None:
        store = self._core.store
        uuid = self._model_uuid
        if uuid is None or uuid in store.models or uuid in store.former:
            return
        raise ModelNotFound(f'unknown model: "{uuid}"')

    def _restrict(self, session: Session, request: Request) -> None:
        name = request.type
        refusal = session.restriction.refusal(name, request.request)
        if refusal:
            raise MigrationUnderway(refusal)
        if self._model_uuid is None and name not in CONTROLLER_FACADES | COMMON_FACADES:
            raise NotSupported(f'facade "{name}" not supported for controller API connection')
        if self._model_uuid is not None and name in CONTROLLER_FACADES:
            raise NotSupported(f'facade "{name}" not supported for model API connection')

    async def _send(self, data: bytes) -> None:
        async with self._writing:
            try:
                await self._websocket.send_text(data.decode())
            except (RuntimeError, OSError, WebSocketDisconnect):
                return  # the client has gone; what it asked for is done all the same


def _lie(request: Request, fault: Fault) -> bytes:
    try:
        return encode_result(request.request_id, fault.lied)
    except JimmError as error:
        return encode_error(request.request_id, str(error), error.juju_code, error.info)
