"""Where uvicorn's sockets turn into legs.

uvicorn makes one websocket protocol for each upgrade request, hands it the request, and only
then calls ``set_protocol`` with it: so it has to be there, and pass on all that happens, until a
leg can take its own place.
"""

import asyncio
import copy
import ctypes
import json
import re
from collections.abc import Callable
from typing import Any, Final, cast

from uvicorn.config import Config
from uvicorn.protocols.websockets.auto import AutoWebSocketsProtocol
from uvicorn.server import ServerState

from jimm.audit.recorder import Recorder
from jimm.net.dial import keep_alive
from jimm.net.tasks import Tasks
from jimm.proxy.doorkeeper import Doorkeeper
from jimm.proxy.legs import ClientLeg
from jimm.proxy.limits import Limits
from jimm.proxy.pipes import Pipes
from jimm.proxy.rounds import Rounds
from jimm.proxy.stalled import Stalled
from jimm.proxy.surroundings import Note, Surroundings
from jimm.wire import handshake
from jimm.wire.handshake import HandshakeError
from jimm.wire.tags import is_uuid

LARGEST_ON_A_STREAM: Final = 1024 * 1024
"""Bytes of one message that a client may send on a stream."""

_LARGE_BLOCK: Final = 256 * 1024
_M_MMAP_THRESHOLD: Final = -3
_MODEL_API: Final = re.compile(r"/model/([^/]+)/api")

Fallback = Callable[..., asyncio.Protocol]


def uvicorn_protocol(
    doorkeeper: Doorkeeper,
    pipes: Pipes,
    *,
    limits: Limits | None = None,
    note: Note | None = None,
    recorder: Recorder | None = None,
    local_domain: str = "jimm",
    tasks: Tasks | None = None,
    fallback: Fallback | None = AutoWebSocketsProtocol,
) -> type[asyncio.Protocol]:
    """The class for ``uvicorn.Config(ws=…)``.

    Model paths are taken over; every other path goes to ``fallback``, uvicorn's own websocket
    implementation. ``note`` is told of each request that passes through a pipe, and ``recorder``
    keeps a record of it, and of each login; bare names in these are of ``local_domain``.
    """
    if fallback is None:
        raise ValueError("uvicorn has no websocket implementation to fall back on")
    _map_large_blocks()
    limits = limits or Limits()
    rounds = Rounds(limits.tick)
    around = Surroundings(
        doorkeeper=doorkeeper,
        pipes=pipes,
        limits=limits,
        tasks=tasks or Tasks(),
        rounds=rounds,
        stalled=Stalled(limits.stalled, limits.patience),
        local_domain=local_domain,
        note=note,
        recorder=recorder,
    )
    if recorder is not None:
        recorder.follow(rounds.regulate)
    others = fallback

    class ModelDoor(Entrance):
        def __init__(
            self,
            config: Config,
            server_state: ServerState,
            app_state: dict[str, Any],
            _loop: asyncio.AbstractEventLoop | None = None,
        ) -> None:
            def make(head: bytes) -> asyncio.Protocol:
                chosen = _for_streams(config) if _is_stream(head) else config
                return others(
                    config=chosen, server_state=server_state, app_state=app_state, _loop=_loop
                )

            super().__init__(around, cast("set[object]", server_state.connections), make)

    return ModelDoor


def _map_large_blocks() -> None:
    """uvloop gives each connection a block of 256 KiB for TLS, and fills it to what arrives at
    once. By itself glibc maps such blocks apart only until one was freed; from then on it takes
    them from memory that was used before, and an idle connection holds all of it."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BLOCK)


def _is_stream(head: bytes) -> bool:
    return handshake.request_path(head).startswith("/model/")


def _for_streams(config: Config) -> Config:
    """The same without pings: a client that pauses its reading answers none, and may pause as
    long as it likes. Nobody sends anything of size on a stream to JIMM."""
    quiet = copy.copy(config)
    quiet.ws_ping_interval = None
    quiet.ws_max_size = LARGEST_ON_A_STREAM
    return quiet


class Entrance(asyncio.Protocol):
    """One upgrade request, and from then on whoever answered it."""

    def __init__(
        self,
        around: Surroundings,
        connections: set[object],
        others: Callable[[bytes], asyncio.Protocol],
    ) -> None:
        self._around = around
        self._connections = connections
        self._others = others
        self._transport: asyncio.Transport | None = None
        self._inner: asyncio.Protocol | ClientLeg | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._inner is not None:
            self._inner.data_received(data)
        elif self._transport is not None and not self._transport.is_closing():
            self._enter(self._transport, data)

    def eof_received(self) -> bool | None:
        return None if self._inner is None else self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._inner is not None:
            self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        if self._inner is not None:
            self._inner.resume_writing()

    def _enter(self, transport: asyncio.Transport, head: bytes) -> None:
        found = _MODEL_API.fullmatch(handshake.request_path(head))
        if found is None:
            self._inner = self._others(head)
            if _is_stream(head):
                keep_alive(transport)
            self._inner.connection_made(transport)
            self._inner.data_received(head)
            return
        try:
            request = handshake.parse_request(head)
            if not is_uuid(found[1]):
                # Juju's words and status (``apiserver/httpcontext/model.go``).
                raise HandshakeError(f"invalid model UUID {json.dumps(found[1])}")
        except HandshakeError as error:
            transport.write(handshake.refuse(error.status, str(error)))
            transport.close()
            return
        leg = ClientLeg(self._around, found[1], self._connections.discard)
        self._inner = leg
        self._connections.add(leg)
        leg.connection_made(transport)
        leg.open(request)
        asyncio.get_running_loop().call_soon(self._step_aside, transport, leg)

    def _step_aside(self, transport: asyncio.Transport, leg: ClientLeg) -> None:
        if not transport.is_closing():
            transport.set_protocol(leg)
