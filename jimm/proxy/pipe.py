"""The pipe: frames pass as the bytes they are, in both directions.

::

    flowing ──access required──> asking ──readmitted or refused──> flowing
       │                            │
       └──── a close, a loss ───────┴──> closing ──both ends gone──> (nothing more to do)

A client's masked frame is valid on the controller leg as it stands, so nothing is decoded and
nothing encoded. A controller's message that comes in parts is kept until it is whole, up to
:data:`HOLD` bytes, so that a code which only JIMM may see can be taken out; a longer one
streams by, and is cut off where such a code turns up in it.

Values in, commands out. ``now`` is seconds of any steady clock.
"""

import re
from collections.abc import Callable
from enum import Enum
from typing import Final

from msgspec import Struct

from jimm.errors import JimmError, Unauthorized
from jimm.proxy import tap
from jimm.proxy.peer import Output, Peer
from jimm.wire import codes, frames
from jimm.wire.frames import FrameError, Span

HOLD: Final = 256 * 1024
"""Bytes of a controller's message that are kept until it is whole."""
RESEND: Final = 256 * 1024
"""Bytes of a request that are kept until it is answered, to be sent once more."""

_REQUEST_ID: Final = re.compile(rb'"request-id"\s*:\s*([0-9]{1,18})')
_HEAD: Final = 4096
_GONE: Final = "the controller went away"
_LEFT: Final = "the client went away"
_MOVED: Final = "the model has moved, connect again"
_LOST: Final = "the model has left its controller, connect again"
_GRANTED: Final = "connect again to use what was granted"


class State(Enum):
    """Whether frames pass."""

    FLOWING = "flowing"
    ASKING = "asking"
    CLOSING = "closing"


class ToClient(Struct, frozen=True, gc=False):
    """Write this to the client."""

    data: bytes


class ToController(Struct, frozen=True, gc=False):
    """Write this to the controller."""

    data: bytes


class CloseClient(Struct, frozen=True):
    """Close the client's leg once all is written."""


class CloseController(Struct, frozen=True):
    """Close the controller's leg once all is written."""


class CutClient(Struct, frozen=True):
    """Drop the client's leg at once."""


class CutController(Struct, frozen=True):
    """Drop the controller's leg at once."""


class HoldClient(Struct, frozen=True):
    """Read nothing from the client until :class:`ReleaseClient`."""


class ReleaseClient(Struct, frozen=True):
    """Read from the client again."""


class AskForAccess(Struct, frozen=True):
    """Get a leg with fresh levels; report :meth:`Pipe.readmitted` or :meth:`Pipe.refused`."""


class BeginClosing(Struct, frozen=True):
    """It is at its end: whatever leg is still there when your deadline is over, drop it."""


Command = (
    ToClient
    | ToController
    | CloseClient
    | CloseController
    | CutClient
    | CutController
    | HoldClient
    | ReleaseClient
    | AskForAccess
    | BeginClosing
)


class Pipe:
    """One client and one controller, after the login.

    ``token`` is the payload of JIMM's own pings: random, so that nobody else's pong is taken
    for an answer to them. ``new_mask`` gives four random bytes. ``note`` is told of each call.
    """

    def __init__(
        self,
        *,
        token: bytes,
        new_mask: Callable[[], bytes],
        note: Callable[[tap.Call], None],
    ) -> None:
        self.state = State.FLOWING
        self.in_flight = 0
        self._token = token
        self._new_mask = new_mask
        self._note = note
        self._client = Peer(masked=True)
        self._controller = Peer(masked=False)
        self._tap = tap.Tap()
        self._watched = False
        self._waiting_calls: set[int] = set()
        self._last: tap.Call | None = None
        self._request: list[bytes] | None = None
        self._retried = 0
        self._leaving = False
        self._late: list[bytes] = []
        self._denied = b""
        self._held: list[tuple[bytes, int]] = []
        self._held_size = 0
        self._tail: bytes | None = None

    def client_sent(self, chunk: bytes) -> list[Command]:
        """Bytes arrived from the client."""
        self._client.heard = True
        if self.state is State.ASKING:
            self._late.append(chunk)
            return []
        if self._late:
            chunk = b"".join([*self._late, chunk])
            self._late.clear()
        try:
            data, spans = self._client.incoming.split(chunk)
        except FrameError as error:
            return self.close(error.close_code, str(error))
        out = Output(self._controller.outlet, data)
        commands: list[Command] = []
        for span in spans:
            if span.header.opcode >= frames.CLOSE:
                commands += self._client_control(data, span, out)
            else:
                self._see(data, span)
                out.span(span)
        written = out.written()
        if written:
            commands.insert(0, ToController(written))
        return commands + self._settle() if self.state is State.CLOSING else commands

    def controller_sent(self, chunk: bytes) -> list[Command]:
        """Bytes arrived from the controller."""
        self._controller.heard = True
        try:
            data, spans = self._controller.incoming.split(chunk)
        except FrameError as error:
            return self._controller_failed(error)
        out = Output(self._client.outlet, data)
        clean: bool | None = None  # looked for only where a whole message is here
        commands: list[Command] = []
        for span in spans:
            header = span.header
            if header.opcode >= frames.CLOSE:
                commands += self._controller_control(data, span, out)
                continue
            if span.first and span.last and header.fin and header.opcode:
                clean = not tap.suspicious(data) if clean is None else clean
                if clean:
                    out.span(span)
                    self._answered(data, span.start + header.size)
                    continue
            commands += self._weigh(data, span, out)
        written = out.written()
        if written:
            commands.insert(0, ToClient(written))
        if self._leaving:
            commands += self._leave_when_idle()
        return commands + self._settle() if self.state is State.CLOSING else commands

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

    def readmitted(self) -> list[Command]:
        """The controller's leg was replaced by one with fresh levels: the request goes there
        once more, and all that came from the client since."""
        if self.state is not State.ASKING or self._last is None or self._request is None:
            return []
        self._controller = Peer(masked=False)
        self._retried = self._last.request_id
        return [ToController(b"".join(self._request)), *self._flow()]

    def refused(self, error: JimmError) -> list[Command]:
        """There are no other levels to be had; the old leg goes on."""
        if self.state is not State.ASKING:
            return []
        # Where JIMM can't tell, a later login can; where it says no, it would say so again.
        self._leaving = not isinstance(error, Unauthorized)
        reply = frames.encode(frames.TEXT, tap.denied(self._denied))
        commands: list[Command] = []
        if written := self._client.outlet.message(reply):
            commands.append(ToClient(written))
        self._answered(self._denied, 0)
        commands += self._flow()
        return commands + self._leave_when_idle()

    def tick(
        self, now: float, *, client_read: bool = True, controller_read: bool = True
    ) -> list[Command]:
        """Time went by. A peer that JIMM does not read from just now owes no sign of life.

        Call it several times a minute: silent peers are pinged each minute, and given up when
        nothing at all came from them for another.
        """
        if self.state is State.CLOSING:
            return []
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

    def _leave_when_idle(self) -> list[Command]:
        busy = self.in_flight > len(self._waiting_calls)
        if busy or not self._leaving or self.state is not State.FLOWING:
            return []
        return self.close(frames.GOING_AWAY, _GRANTED)

    def _see(self, data: bytes, span: Span) -> None:
        if span.first and span.header.opcode != frames.CONTINUATION:
            self._request = None if self.in_flight else []
        if self._request is not None:
            whole = span.start == 0 and span.end == len(data)
            self._request.append(data if whole else data[span.start : span.end])
            if sum(map(len, self._request)) > RESEND:
                self._request = None
        call = self._tap.see(data, span)
        if call is None:
            return
        self.in_flight += 1
        self._last = call
        self._watched = self._watched or call.watches
        if call.waits:
            self._waiting_calls.add(call.request_id)
        self._note(call)

    def _answered(self, data: bytes, position: int) -> None:
        self.in_flight = max(0, self.in_flight - 1)
        if not self.in_flight:
            self._request = None
        if self._waiting_calls:
            self._waiting_calls.discard(_request_id(data, position))

    def _weigh(self, data: bytes, span: Span, out: Output) -> list[Command]:
        header = span.header
        skipped = header.size if span.first else 0
        part = data[span.start : span.end]
        if self._tail is not None:
            return self._stream(part, skipped, span, out)
        self._held.append((part, skipped))
        self._held_size += len(part)
        if span.last and header.fin:
            return self._judge(span, out)
        if self._held_size <= HOLD:
            return []
        payload = self._held_payload()
        self._tail = payload[-tap.OVERLAP :]
        if tap.mentions(payload):
            return self._cut_off()
        self._answered(payload, 0)
        out.held(self._let_go(), span)
        return []

    def _stream(self, part: bytes, skipped: int, span: Span, out: Output) -> list[Command]:
        payload = (self._tail or b"") + part[skipped:]
        if tap.suspicious(payload) and tap.mentions(payload):
            return self._cut_off()
        out.span(span)
        self._tail = None if span.last and span.header.fin else payload[-tap.OVERLAP :]
        return []

    def _judge(self, span: Span, out: Output) -> list[Command]:
        payload = self._held_payload()
        frames_as_they_came = self._let_go()
        finding = tap.find(payload) if tap.suspicious(payload) else None
        if finding is None:
            out.held(frames_as_they_came, span)
            self._answered(payload, 0)
            return []
        if finding.code in (codes.REDIRECT, codes.MODEL_NOT_FOUND):
            moved = finding.code == codes.REDIRECT
            return self.close(frames.GOING_AWAY, _MOVED if moved else _LOST)
        if self._may_ask(finding):
            self.state = State.ASKING
            self._denied = payload
            return [HoldClient(), AskForAccess()]
        self._leaving = self._leaving or finding.request_id != self._retried
        out.own(frames.encode(frames.TEXT, tap.denied(payload)))
        self._answered(payload, 0)
        return []

    def _may_ask(self, finding: tap.Finding) -> bool:
        last = self._last
        outlet = self._controller.outlet
        return (
            self.state is State.FLOWING
            and finding.whole
            and self.in_flight == 1
            and not self._watched
            and not (outlet.mid_frame or outlet.mid_message)
            and self._request is not None
            and last is not None
            and last.sure
            and last.request_id == finding.request_id != self._retried
        )

    def _held_payload(self) -> bytes:
        if len(self._held) == 1:
            part, skipped = self._held[0]
            return part[skipped:]
        return b"".join(part[skipped:] for part, skipped in self._held)

    def _let_go(self) -> bytes:
        held = b"".join(part for part, _ in self._held)
        self._held.clear()
        self._held_size = 0
        return held

    def _flow(self) -> list[Command]:
        self.state = State.FLOWING
        self._denied = b""
        late = b"".join(self._late)
        self._late.clear()
        return [ReleaseClient(), *self.client_sent(late)]

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

    def _cut_off(self) -> list[Command]:
        self.state = State.CLOSING
        self._held.clear()
        self._client.gone = self._controller.gone = True
        return [BeginClosing(), CutClient(), CutController()]

    def _begin_closing(self) -> list[Command]:
        if self.state is State.CLOSING:
            return []
        held_back = self.state is State.ASKING
        self.state = State.CLOSING
        self._held.clear()
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


def _request_id(data: bytes, position: int) -> int:
    found = _REQUEST_ID.search(data, position, position + _HEAD)
    return int(found[1]) if found else 0
