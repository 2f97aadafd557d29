"""The routes that a source uploads to (Juju ``apiserver/{charms,tools,resources}.go`` and
``logtransfer.go``), at the root of the controller. What is uploaded is dropped."""

import datetime
import uuid
from collections.abc import Awaitable, Callable

import msgspec
from msgspec.structs import replace
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from jimm.errors import JimmError, ProtocolError
from jimm.simulator.core import Core
from jimm.simulator.faults import Fault
from jimm.simulator.http_login import Rejected, authenticate
from jimm.simulator.logins import Tokens
from jimm.simulator.migration.faults import on_target, on_upload
from jimm.simulator.migration.outbound import MODEL_HEADER, VERSION_HEADER
from jimm.simulator.migration.phases import Phase
from jimm.simulator.migration.uploads import CHARM_HEADER, ErrorBody, LogLine
from jimm.simulator.migration.views import rfc3339
from jimm.simulator.state import MigrationMode, Model
from jimm.wire import codes
from jimm.wire.fold import convert
from jimm.wire.params.common import Error
from jimm.wire.tags import ModelUUID

Answer = Callable[[Request, Model], Awaitable[Response]]


def routes(core: Core) -> list[BaseRoute]:
    """The routes below ``/migrate``."""
    dock = _Dock(core)
    return [
        Route("/migrate/charms", dock.old_charm, methods=["POST"]),
        Route("/migrate/charms/{charm}", dock.charm, methods=["PUT"]),
        Route("/migrate/tools", dock.tools, methods=["POST"]),
        Route("/migrate/resources", dock.resource, methods=["POST"]),
        WebSocketRoute("/migrate/logtransfer", dock.log),
    ]


class _Dock:
    def __init__(self, core: Core) -> None:
        self._core = core
        self._tokens = Tokens(core)

    async def charm(self, request: Request) -> Response:
        return await self._take(request, "charms", _charm)

    async def old_charm(self, request: Request) -> Response:
        """Juju 3.3 and older."""
        return await self._take(request, "charms", _old_charm)

    async def tools(self, request: Request) -> Response:
        return await self._take(request, "tools", _tools)

    async def resource(self, request: Request) -> Response:
        return await self._take(request, "resources", _resource)

    async def log(self, websocket: WebSocket) -> None:
        """The log of a model that lives here now; errors come after the upgrade, as the first
        frame."""
        await websocket.accept()
        try:
            if not websocket.headers.get(VERSION_HEADER):
                text = f'initial connection does not have "{VERSION_HEADER}" header'
                raise Rejected(400, text, codes.BAD_REQUEST)
            await self._authorise(websocket)
            fault = await self._suffer(websocket, on_upload("log"), Phase.LOGTRANSFER)
            model = self._find(websocket, "")
        except JimmError as error:
            await websocket.send_text(_text(_body(error)) + "\n")
            await websocket.close()
            return
        if fault is not None and fault.action == "drop-before":
            self._core.cut(websocket)
            return
        await websocket.send_text("{}\n")
        if fault is not None and fault.action == "drop-after":
            await websocket.receive()
            self._core.cut(websocket)
            return
        if fault is not None and fault.action == "lie":
            await _drain(websocket)
            return
        await self._keep(websocket, model.uuid)

    async def _take(self, request: Request, kind: str, answer: Answer) -> Response:
        fault: Fault | None = None
        try:
            await self._authorise(request)
            fault = await self._suffer(request, on_upload(kind), Phase.IMPORT)
            if fault is not None and fault.action == "lie":
                return _lie(fault)
            response = await self._answer(request, answer, fault)
            if fault is not None and fault.action == "lie-after":
                return _lie(fault)
        except JimmError as error:
            status = error.status if isinstance(error, Rejected) else 500
            return _json(_body(error), status)
        if fault is not None and fault.is_cut:
            self._core.cut(request)
        if fault is not None and fault.action == "stall-after":
            await self._core.faults.hold(fault)
        if fault is not None and fault.action == "crash-after":
            await self._core.crash()
        return response

    async def _answer(self, request: Request, answer: Answer, fault: Fault | None) -> Response:
        if fault is not None and fault.action == "drop-before":
            return Response(status_code=500)
        model = self._find(request, "importing")
        async for _ in request.stream():
            pass
        return await answer(request, model)

    async def _suffer(self, connection: HTTPConnection, point: str, phase: Phase) -> Fault | None:
        """What is left to do of the fault that waits for this upload.

        Raises:
            RemoteError: it wants it refused.
        """
        uuid = connection.headers.get(MODEL_HEADER, "")
        fault = self._core.faults.take(point, on_target(phase), about=lambda wanted: wanted == uuid)
        if fault is None:
            return None
        match fault.action:
            case "refuse":
                raise fault.error
            case "stall" | "delay":
                await self._core.faults.hold(fault)
            case "crash":
                await self._core.crash()
            case _:
                return fault
        return None

    async def _authorise(self, connection: HTTPConnection) -> None:
        """Lets superusers pass.

        Raises:
            Rejected: anybody else.
        """
        caller = await authenticate(self._core, self._tokens, connection)
        if not caller.is_superuser(self._core):
            text = f"authorization failed: user {caller.user} is not a controller admin"
            raise Rejected(403, text, codes.FORBIDDEN)

    def _find(self, connection: HTTPConnection, mode: MigrationMode) -> Model:
        """The model that an upload is for.

        Raises:
            Rejected: there is none, or its mode is another.
        """
        found = connection.headers.get(MODEL_HEADER, "")
        model = self._core.store.models.get(ModelUUID(found))
        if model is None:
            raise Rejected(404, "model not found", codes.MODEL_NOT_FOUND)
        if model.mode != mode:
            text = f'model migration mode is "{model.mode}" instead of "{mode}"'
            raise Rejected(400, text, codes.BAD_REQUEST)
        return model

    async def _keep(self, websocket: WebSocket, model_uuid: ModelUUID) -> None:
        received: list[datetime.datetime] = []
        try:
            while True:
                data = await websocket.receive_text()
                line = convert(msgspec.json.decode(data), LogLine)
                received.append(datetime.datetime.fromisoformat(line.t))
        except (WebSocketDisconnect, ProtocolError, ValueError):
            pass  # the end of the log, or of its sense; there are no acknowledgements
        model = self._core.store.models.get(model_uuid)
        if received and model is not None:
            count = model.log_sent + len(received)
            self._core.store.put(replace(model, log_sent=count, log_time=max(received)))


async def _drain(websocket: WebSocket) -> None:
    """Takes lines and forgets them."""
    event = await websocket.receive()
    while event["type"] != "websocket.disconnect":
        event = await websocket.receive()


def _lie(fault: Fault) -> Response:
    """An upload's answer as a fault has it; a charm's url goes into its header, too."""
    lied = fault.lied
    url = lied.get("charm-url") if isinstance(lied, dict) else None
    return _json(lied, headers={CHARM_HEADER: str(url)} if url else None)


async def _charm(request: Request, _model: Model) -> Response:
    url = request.headers.get(CHARM_HEADER, "")
    if not url:
        raise Rejected(400, "missing Juju-Curl header", codes.BAD_REQUEST)
    return _json({"charm-url": url}, headers={CHARM_HEADER: url})


async def _old_charm(request: Request, _model: Model) -> Response:
    query = request.query_params
    schema, name = query.get("schema", "ch"), query.get("name", "")
    if not name:
        raise Rejected(400, "missing name", codes.BAD_REQUEST)
    return _json({"charm-url": f"{schema}:{name}-{query.get('revision', '0')}"})


async def _tools(request: Request, _model: Model) -> Response:
    version = request.query_params.get("binaryVersion", "")
    if not version:
        raise Rejected(400, "expected binaryVersion argument", codes.BAD_REQUEST)
    return _json({"tools": [{"version": version, "url": "", "sha256": "", "size": 0}]})


async def _resource(request: Request, _model: Model) -> Response:
    query = request.query_params
    if not (query.get("application") or query.get("unit")):
        raise Rejected(400, "must specify either application or unit", codes.BAD_REQUEST)
    if not query.get("name"):
        raise Rejected(400, "missing name", codes.BAD_REQUEST)
    stamp = query.get("timestamp", "")
    seconds = int(stamp) / 1e9 if stamp.isdecimal() else 0.0
    time = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return _json({"id": str(uuid.uuid4()), "timestamp": rfc3339(time)})


def _body(error: JimmError) -> ErrorBody:
    return ErrorBody(error=Error.of(error))


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _json(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(_text(value), status, headers, "application/json")
