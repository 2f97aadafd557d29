"""How a pipe stays alive, and how it ends: pings, close frames, and legs that are lost."""

from collections.abc import Callable
from enum import Enum
from typing import Final

from jimm.proxy import peer
from jimm.proxy.commands import (
    BeginClosing,
    CloseClient,
    CloseController,
    Command,
    CutClient,
    CutController,
    ReleaseClient,
    ToClient,
    ToController,
)
from jimm.proxy.peer import Output, Peer
from jimm.wire import frames
from jimm.wire.frames import FrameError, Span

_GONE: Final = "the controller went away"
_LEFT: Final = "the client went away"


class State(Enum):
    """Whether frames pass."""

    FLOWING = "flowing"
    ASKING = "asking"
    CLOSING = "closing"


class Ends:
    """A client and a controller, and what both are to each other beside what they say.

    ``token`` is the payload of JIMM's own pings: random, so that nobody else's pong is taken
    for an answer to them. ``new_mask`` gives four random bytes.
    """

    def __init__(self, *, token: bytes, new_mask: Callable[[], bytes]) -> None:
        self.state = State.FLOWING
        self._token = token
        self._new_mask = new_mask
        self._client = Peer(masked=True)
        self._controller = Peer(masked=False)
        self._stuck_since: float | None = None

    def client_lost(self) -> list[Command]:
        """The client's leg is gone."""
        self._client.gone = True
        begun = self._begin_closing()
        return [*begun, *self._part_from_controller(_LEFT), *self._settle()]

    def controller_lost(self) -> list[Command]:
        """The controller's leg is gone."""
        self._controller.gone = True
        begun = self._begin_closing()
        return [*begun, *self._part_from_client(frames.GOING_AWAY, _GONE), *self._settle()]

    def close(self, code: int, reason: str) -> list[Command]:
        """JIMM ends it: both are told, at the end of the frame that is passing."""
        commands = self._begin_closing()
        if not commands:
            return []
        farewell = frames.close_frame(code, reason)
        if written := self._client.outlet.farewell(farewell):
            commands.append(ToClient(written))
        farewell = frames.close_frame(frames.GOING_AWAY, reason, mask=self._new_mask())
        if written := self._controller.outlet.farewell(farewell):
            commands.append(ToController(written))
        return commands + self._settle()

    def tick(
        self, now: float, *, client_read: bool = True, controller_read: bool = True
    ) -> list[Command]:
        """Time went by. A peer that JIMM does not read from just now owes no sign of life, but
        when it reads from neither for as long as a silent one is given, both are given up.

        Call it several times a minute: silent peers are pinged each minute, and given up when
        nothing at all came from them for another.
        """
        if self.state is State.CLOSING:
            return []
        if self._is_stuck(now, moves=client_read or controller_read):
            return [CutClient(), CutController(), *self.client_lost(), *self.controller_lost()]
        if self._client.is_dead(now, excused=not client_read):
            return [CutClient(), *self.client_lost()]
        if self._controller.is_dead(now, excused=not controller_read):
            return [CutController(), *self.controller_lost()]
        commands: list[Command] = []
        if self._client.ping_is_due(now):
            ping = frames.encode(frames.PING, self._token)
            if written := self._client.outlet.control(ping):
                commands.append(ToClient(written))
        if self._controller.ping_is_due(now):
            ping = frames.encode(frames.PING, self._token, mask=self._new_mask())
            if written := self._controller.outlet.control(ping):
                commands.append(ToController(written))
        return commands

    def _is_stuck(self, now: float, *, moves: bool) -> bool:
        """Whether both have taken nothing for too long: each waits for the other to read."""
        if moves:
            self._stuck_since = None
            return False
        if self._stuck_since is None:
            self._stuck_since = now
        return now - self._stuck_since >= peer.PING_EVERY + peer.ANSWER_WITHIN

    def _client_control(self, data: bytes, span: Span, out: Output) -> list[Command]:
        payload = _control_payload(data, span)
        if span.header.opcode == frames.PONG and payload == self._token:
            return []
        if span.header.opcode != frames.CLOSE:
            out.span(span)
            return []
        try:
            close = frames.parse_close(payload)
        except FrameError as error:
            return self.close(error.close_code, str(error))
        self._client.said_close = True
        out.span(span)
        self._controller.outlet.closed = True
        commands = self._begin_closing()
        written = self._client.outlet.farewell(frames.close_frame(close.code, close.reason))
        return [*commands, ToClient(written)] if written else commands

    def _controller_control(self, data: bytes, span: Span, out: Output) -> list[Command]:
        payload = _control_payload(data, span)
        if span.header.opcode == frames.PONG and payload == self._token:
            return []
        if span.header.opcode != frames.CLOSE:
            out.span(span)
            return []
        try:
            close = frames.parse_close(payload)
        except FrameError as error:
            return self._controller_failed(error)
        self._controller.said_close = True
        out.span(span)
        self._client.outlet.closed = True
        commands = self._begin_closing()
        echo = frames.close_frame(close.code, close.reason, mask=self._new_mask())
        written = self._controller.outlet.farewell(echo)
        return [*commands, ToController(written)] if written else commands

    def _controller_failed(self, error: FrameError) -> list[Command]:
        self._controller.gone = True
        begun = self._begin_closing()
        parted = self._part_from_client(frames.GOING_AWAY, f"the controller failed: {error}")
        return [CutController(), *begun, *parted, *self._settle()]

    def _begin_closing(self) -> list[Command]:
        if self.state is State.CLOSING:
            return []
        held_back = self.state is State.ASKING
        self.state = State.CLOSING
        return [ReleaseClient(), BeginClosing()] if held_back else [BeginClosing()]

    def _part_from_client(self, code: int, reason: str) -> list[Command]:
        client = self._client
        if client.gone:
            return []
        if client.outlet.mid_frame:
            client.gone = True
            return [CutClient()]
        written = client.outlet.farewell(frames.close_frame(code, reason))
        return [ToClient(written)] if written else []

    def _part_from_controller(self, reason: str) -> list[Command]:
        controller = self._controller
        if controller.gone:
            return []
        if controller.outlet.mid_frame:
            controller.gone = True
            return [CutController()]
        farewell = frames.close_frame(frames.GOING_AWAY, reason, mask=self._new_mask())
        written = controller.outlet.farewell(farewell)
        return [ToController(written)] if written else []

    def _settle(self) -> list[Command]:
        commands: list[Command] = []
        if self._client.has_parted and not self._client.gone:
            self._client.gone = True
            commands.append(CloseClient())
        if self._controller.has_parted and not self._controller.gone:
            self._controller.gone = True
            commands.append(CloseController())
        return commands


def _control_payload(data: bytes, span: Span) -> bytes:
    payload = data[span.start + span.header.size : span.end]
    return frames.unmask(payload, span.header.mask, 0) if span.header.mask else payload
