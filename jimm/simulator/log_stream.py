"""A model's log as a websocket (Juju ``apiserver/debuglog.go``)."""

import asyncio
import datetime
from typing import Final

import msgspec
from starlette.datastructures import QueryParams
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from jimm.errors import JimmError
from jimm.simulator.core import Core
from jimm.simulator.http import admit
from jimm.simulator.logbook import LEVELS, Wanted
from jimm.simulator.logins import Tokens
from jimm.wire.params.common import Error
from jimm.wire.tags import ModelUUID

_TRUE: Final = ("1", "t", "T", "TRUE", "true", "True")
_FALSE: Final = ("0", "f", "F", "FALSE", "false", "False")


def routes(core: Core) -> list[BaseRoute]:
    """The routes of logs: of one model, and of the controller's own."""
    door = _Door(core)
    return [WebSocketRoute("/model/{uuid}/log", door.serve), WebSocketRoute("/log", door.serve)]


class _Reader:
    """An open log."""

    def __init__(self, websocket: WebSocket, model_uuid: ModelUUID) -> None:
        self._websocket = websocket
        self._over = asyncio.Event()
        self._code = 1000
        self.model_uuid: ModelUUID | None = model_uuid

    async def close(self, code: int) -> None:
        self._code = code
        self._over.set()

    def cut(self) -> None:
        self._over.set()

    async def run(self, core: Core, wanted: Wanted) -> None:
        """Sends lines until one side ends it."""
        assert self.model_uuid is not None
        async with asyncio.TaskGroup() as group:
            waiting = [
                group.create_task(self._send_lines(core, self.model_uuid, wanted)),
                group.create_task(self._wait_for_end()),
                group.create_task(self._hear_client()),
            ]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for each in waiting:
                each.cancel()
        try:
            await self._websocket.close(self._code)
        except RuntimeError:
            return  # the client was faster

    async def _send_lines(self, core: Core, uuid: ModelUUID, wanted: Wanted) -> None:
        try:
            async for line in core.logs.read(uuid, wanted):
                await self._websocket.send_text(msgspec.json.encode(line).decode())
        except (WebSocketDisconnect, OSError):
            return

    async def _wait_for_end(self) -> None:
        await self._over.wait()

    async def _hear_client(self) -> None:
        while (await self._websocket.receive())["type"] != "websocket.disconnect":
            pass


class _Door:
    def __init__(self, core: Core) -> None:
        self._core = core
        self._tokens = Tokens(core)

    async def serve(self, websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            model, _ = await admit(self._core, self._tokens, websocket, "read")
            wanted = read_wanted(websocket.query_params)
        except JimmError as error:
            await websocket.send_text(_greeting(Error.of(error)))
            await websocket.close()
            return
        await websocket.send_text("{}\n")
        reader = _Reader(websocket, model.uuid)
        self._core.clients.add(reader)
        try:
            await reader.run(self._core, wanted)
        finally:
            self._core.clients.discard(reader)


def read_wanted(query: QueryParams) -> Wanted:
    """Which lines a request wants.

    Raises:
        JimmError: a value can't be read, in Juju's words.
    """
    lines = _number(query, "backlog")
    replay, no_tail = _flag(query, "replay"), _flag(query, "noTail")
    level = query.get("level", "").upper()
    if level and level not in LEVELS:
        known = ", ".join(f'"{each}"' for each in LEVELS)
        raise JimmError(f'level value "{query["level"]}" is not one of {known}')
    return Wanted(
        level=level,
        backlog=None if replay or (no_tail and not lines) else lines,
        tail=not no_tail,
        most=_number(query, "maxLines"),
        start=_time(query),
        include_entity=query.getlist("includeEntity"),
        exclude_entity=query.getlist("excludeEntity"),
        include_module=query.getlist("includeModule"),
        exclude_module=query.getlist("excludeModule"),
    )


def _number(query: QueryParams, name: str) -> int:
    value = query.get(name) or "0"
    if not (value.isascii() and value.isdecimal()):
        raise JimmError(f'{name} value "{value}" is not a valid unsigned number')
    return int(value)


def _flag(query: QueryParams, name: str) -> bool:
    value = query.get(name) or "false"
    if value not in _TRUE + _FALSE:
        raise JimmError(f'{name} value "{value}" is not a valid boolean')
    return value in _TRUE


def _time(query: QueryParams) -> datetime.datetime | None:
    value = query.get("startTime")
    if not value:
        return None
    try:
        found = datetime.datetime.fromisoformat(value)
    except ValueError as error:
        text = f'start time "{value}" is not a valid time in RFC3339 format'
        raise JimmError(text) from error
    return found if found.tzinfo is not None else found.replace(tzinfo=datetime.UTC)


def _greeting(error: Error) -> str:
    return msgspec.json.encode({"error": error}).decode() + "\n"
