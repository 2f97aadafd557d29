"""The pipe: frames pass as the bytes they are, in both directions.

::

    flowing ──access required──> asking ──readmitted or refused──> flowing
       │                            │
       └──── a close, a loss ───────┴──> closing ──both ends gone──> (nothing more to do)

A client's masked frame is valid on the controller leg as it stands, so nothing is decoded and
nothing encoded. A controller's message that comes in parts is kept until it is whole, up to
:data:`HOLD` bytes, so that a code which only JIMM may see can be taken out; a longer one
streams by, and is cut off where such a code turns up in it. A client's message that nobody can
name does not reach the controller whole.

Nearly all chunks are one whole message in one frame: :meth:`Pipe.client_passes` and
:meth:`Pipe.controller_passes` are for them, and are kept as short as can be.

Values in, commands out. ``now`` is seconds of any steady clock.
"""

import re
from collections.abc import Callable
from typing import Final

import msgspec

from jimm.audit.call import Asked, Call
from jimm.errors import BadRequest, JimmError, Unauthorized
from jimm.proxy import tap
from jimm.proxy.commands import (
    AskForAccess,
    BeginClosing,
    CloseClient,
    CloseController,
    Command,
    CutClient,
    CutController,
    HoldClient,
    ReleaseClient,
    ToClient,
    ToController,
)
from jimm.proxy.ends import Ends, State
from jimm.proxy.held import FRAGMENT, Held
from jimm.proxy.peer import Output, Peer
from jimm.proxy.tap import (
    ANSWER,
    ANSWER_SIZE,
    DIGITS,
    LONG,
    RESULT,
    read_long,
    read_plain,
    requires,
)
from jimm.wire import codes, envelope, frames
from jimm.wire.frames import (
    SMALLEST,
    SMALLEST_MASKED,
    WHOLE_TEXT,
    FrameError,
    Span,
    apply_mask,
    long_payload,
)

__all__ = [
    "HOLD",
    "RESEND",
    "AskForAccess",
    "BeginClosing",
    "CloseClient",
    "CloseController",
    "Command",
    "CutClient",
    "CutController",
    "Failed",
    "HoldClient",
    "Note",
    "Pipe",
    "ReleaseClient",
    "State",
    "ToClient",
    "ToController",
]

HOLD: Final = 256 * 1024
"""Bytes of a controller's message that are kept until it is whole."""
RESEND: Final = 256 * 1024
"""Bytes of a request that are kept until it is answered, to be sent once more."""

Note = Callable[[Asked], None]
"""Is told of each call."""
Failed = Callable[[int, str, str], None]
"""Is told of each answer that is an error: its number, its text and its code."""

_REQUEST_ID: Final = re.compile(rb'"request-id"\s*:\s*([0-9]{1,18})')
_HEAD: Final = 4096
_MOVED: Final = "the model has moved, connect again"
_LOST: Final = "the model has left its controller, connect again"
_GRANTED: Final = "connect again to use what was granted"
_UNREADABLE: Final = "a message that can't be read"
_FLOWING: Final = State.FLOWING
_NOT_PLAIN: Final = (msgspec.DecodeError, UnicodeError, RecursionError)


class Pipe(Ends):
    """One client and one controller, after the login.

    ``token`` and ``new_mask`` are as in :class:`Ends`. ``note`` hears of what the client asks
    for, ``failed`` of answers that are errors.
    """

    def __init__(
        self,
        *,
        token: bytes,
        new_mask: Callable[[], bytes],
        note: Note,
        failed: Failed | None = None,
    ) -> None:
        super().__init__(token=token, new_mask=new_mask)
        self.in_flight = 0
        self._note = note
        self._failed = failed
        self._tap = tap.Tap()
        self._watched = False
        self._waiting_calls: set[int] = set()
        self._last = 0
        self._request: list[bytes] | None = None
        self._request_size = 0
        self._retried = 0
        self._leaving = False
        self._late: list[bytes] = []
        self._denied = b""
        self._held = Held()
        self._client_rests = True
        self._controller_rests = True

    def client_passes(self, chunk: bytes) -> bool:
        """Bytes arrived from the client: whether they are to be written to the controller just
        as they are, and there is nothing else to do. If not, nothing has happened yet, and
        :meth:`client_sent` tells what to do."""
        if self.state is not _FLOWING:
            return False
        if not self._client_rests:
            return self._part_passes(chunk)
        # The header of one whole text frame that is masked, or the long way.
        size = len(chunk)
        if size < SMALLEST_MASKED or chunk[0] != WHOLE_TEXT:
            return False
        start, length = 6, chunk[1] - 0x80
        if length > 125:
            start, length = long_payload(chunk, length, start)
        if start + length != size:
            return False
        try:
            if size < LONG:
                plain = read_plain(apply_mask(chunk[start:], chunk[start - 4 : start]))
            else:
                plain = read_long(apply_mask(memoryview(chunk)[start:], chunk[start - 4 : start]))
        except _NOT_PLAIN:
            return False
        self._client.heard = True
        self._request = None if self.in_flight or size > RESEND else [chunk]
        self._last = plain.request_id
        self.in_flight += 1
        method = plain.request
        if not self._watched:
            self._watched = bool(plain.id) or "Watch" in method or "Watch" in plain.type
        if method == "Next":
            self._waiting_calls.add(plain.request_id)
        self._note(plain)
        return True

    def controller_passes(self, chunk: bytes) -> bool:
        """The same for bytes from the controller, which go to the client: a whole answer that
        succeeds (:func:`tap.succeeds`) and holds no end of a code (:func:`tap.requires`)."""
        if not self._controller_rests or self._leaving or self.state is not _FLOWING:
            return False
        size = len(chunk)
        if size < SMALLEST or chunk[0] != WHOLE_TEXT:
            return False
        start, length = 2, chunk[1]
        if length > 125:
            start, length = long_payload(chunk, length, start)
        if start + length != size or not chunk.startswith(ANSWER, start):
            return False
        number = start + ANSWER_SIZE
        comma = chunk.find(b",", number, number + DIGITS)
        if not chunk.startswith(RESULT, comma):
            return False
        if chunk.find(b"q", comma) >= 0 and requires(chunk, comma):
            return False
        self._controller.heard = True
        if self.in_flight < 2:
            self.in_flight = 0
            self._request = None
        else:
            self.in_flight -= 1
        if self._waiting_calls:
            self._waiting_calls.discard(_request_id(chunk, start))
        return True

    def client_sent(self, chunk: bytes) -> list[Command]:
        """Bytes arrived from the client."""
        commands = self._from_client(chunk)
        self._client_rests = self._client.incoming.rests
        return commands

    def controller_sent(self, chunk: bytes) -> list[Command]:
        """Bytes arrived from the controller."""
        commands = self._from_controller(chunk)
        self._controller_rests = self._controller.incoming.rests
        return commands

    def readmitted(self) -> list[Command]:
        """The controller's leg was replaced by one with fresh levels: the request goes there
        once more, and all that came from the client since."""
        if self.state is not State.ASKING or self._request is None:
            return []
        self._controller = Peer(masked=False)
        self._controller_rests = True
        self._held = Held()
        self._retried = self._last
        return [ToController(b"".join(self._request)), *self._flow()]

    def refused(self, error: JimmError) -> list[Command]:
        """There are no other levels to be had; the old leg goes on."""
        if self.state is not State.ASKING:
            return []
        # Where JIMM can't tell, a later login can; where it says no, it would say so again.
        self._leaving = not isinstance(error, Unauthorized)
        denial = tap.denied(self._denied)
        commands = self._tell(denial)
        self._answered(self._denied, 0)
        self._request = None
        commands += self._flow()
        return commands + self._leave_when_idle()

    def _part_passes(self, chunk: bytes) -> bool:
        """The same for bytes out of the middle of a large frame."""
        if self._controller.outlet.closed or not self._client.incoming.skip(len(chunk)):
            return False
        self._client.heard = True
        self._tap.more(chunk)
        self._keep_request(chunk)
        return True

    def _keep_request(self, part: bytes) -> None:
        if self._request is not None:
            self._request_size += len(part) + FRAGMENT
            self._request.append(part)
            if self._request_size > RESEND:
                self._request = None

    def _from_client(self, chunk: bytes) -> list[Command]:
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
            elif not self._controller.outlet.closed:
                commands += self._see(data, span, out)
        passing: list[Command] = [ToController(each) for each in out.written()]
        commands = passing + commands
        return commands + self._settle() if self.state is State.CLOSING else commands

    def _from_controller(self, chunk: bytes) -> list[Command]:
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
                payload = span.start + header.size
                clean = not tap.requires(data) if clean is None else clean
                if clean and tap.succeeds(data, payload):
                    out.span(span)
                    self._answered(data, payload)
                    continue
            commands += self._weigh(data, span, out)
        passing: list[Command] = [ToClient(each) for each in out.written()]
        commands = passing + commands
        if self._leaving:
            commands += self._leave_when_idle()
        return commands + self._settle() if self.state is State.CLOSING else commands

    def _leave_when_idle(self) -> list[Command]:
        busy = self.in_flight > len(self._waiting_calls)
        if busy or not self._leaving or self.state is not State.FLOWING:
            return []
        return self.close(frames.GOING_AWAY, _GRANTED)

    def _see(self, data: bytes, span: Span, out: Output) -> list[Command]:
        if span.first and span.header.opcode != frames.CONTINUATION:
            self._request = None if self.in_flight else []
            self._request_size = 0
        if self._request is not None:  # or the part would be copied for nothing
            self._keep_request(_part(data, span))
        call = self._tap.see(data, span)
        if call is not None:
            if not call.sure:
                return self._refuse(call, span)
            self._asked(call)
        out.span(span)
        return []

    def _asked(self, call: Call) -> None:
        self.in_flight += 1
        self._last = call.request_id
        self._watched = self._watched or call.watches
        if call.waits:
            self._waiting_calls.add(call.request_id)
        self._note(call)

    def _refuse(self, call: Call, span: Span) -> list[Command]:
        """Keeps back the end of a message that can't be named."""
        self._note(call)
        self._request = None
        header = span.header
        if call.request_id > 0 and span.first and header.fin and header.opcode:
            return self._tell(envelope.encode_error(call.request_id, _UNREADABLE, BadRequest.code))
        commands = self.close(frames.POLICY_VIOLATION, _UNREADABLE)
        if not span.first:
            commands += self._part_from_controller(_UNREADABLE)
        self._controller.outlet.closed = True
        return commands

    def _tell(self, answer: bytes) -> list[Command]:
        """An answer of JIMM's own, in place of the controller's."""
        self._tell_failure(answer)
        written = self._client.outlet.message(frames.encode(frames.TEXT, answer))
        return [ToClient(written)] if written else []

    def _answered(self, data: bytes, position: int) -> None:
        self.in_flight = max(0, self.in_flight - 1)
        # What is about to be asked once more stays, though a controller answer what nobody asked.
        if not self.in_flight and self.state is not State.ASKING:
            self._request = None
        if self._waiting_calls:
            self._waiting_calls.discard(_request_id(data, position))

    def _weigh(self, data: bytes, span: Span, out: Output) -> list[Command]:
        header, held, part = span.header, self._held, _part(data, span)
        skipped = header.size if span.first else 0
        ends = span.last and header.fin
        if held.streams:
            if not held.passes(part, skipped, ends=ends):
                return self._cut_off()
            out.span(span)
            return []
        held.add(part, skipped)
        if ends:
            return self._judge(span, out)
        if held.size <= HOLD:
            return []
        # A leg that is being replaced must not leave a message half told.
        if self.state is State.ASKING or (not held.clean and tap.mentions(held.payload())):
            return self._cut_off()
        self._answered(held.head(), 0)
        out.held(held.stream(), span)
        return []

    def _judge(self, span: Span, out: Output) -> list[Command]:
        held = self._held
        if held.clean:
            self._answered(held.head(), 0)
            out.held(held.let_go(), span)
            return []
        payload = held.payload()
        frames_as_they_came = held.let_go()
        finding = tap.find(payload) if tap.suspicious(payload) else None
        if finding is None:
            out.held(frames_as_they_came, span)
            self._answered(payload, 0)
            self._tell_failure(payload)
            return []
        if finding.code in (codes.REDIRECT, codes.MODEL_NOT_FOUND):
            moved = finding.code == codes.REDIRECT
            return self.close(frames.GOING_AWAY, _MOVED if moved else _LOST)
        if self._may_ask(finding):
            self.state = State.ASKING
            self._denied = payload
            return [HoldClient(), AskForAccess()]
        self._leaving = self._leaving or finding.request_id != self._retried
        denial = tap.denied(payload)
        out.message(frames.encode(frames.TEXT, denial))
        self._answered(payload, 0)
        self._tell_failure(denial)
        return []

    def _tell_failure(self, answer: bytes) -> None:
        if self._failed is not None and (failure := tap.failure(answer)) is not None:
            self._failed(failure.request_id, failure.error, failure.error_code)

    def _may_ask(self, finding: tap.Finding) -> bool:
        outlet = self._controller.outlet
        return (
            self.state is State.FLOWING
            and finding.whole
            and self.in_flight == 1
            and not self._watched
            and not (outlet.mid_frame or outlet.mid_message)
            and self._request is not None
            and self._last == finding.request_id != self._retried
        )

    def _flow(self) -> list[Command]:
        self.state = State.FLOWING
        self._denied = b""
        late = b"".join(self._late)
        self._late.clear()
        return [ReleaseClient(), *self.client_sent(late)]

    def _cut_off(self) -> list[Command]:
        """Nothing more of a message reaches the client."""
        self.state = State.CLOSING
        self._held = Held()
        self._client.outlet.closed = True
        self._client.gone = self._controller.gone = True
        return [BeginClosing(), CutClient(), CutController()]

    def _begin_closing(self) -> list[Command]:
        if not self._held.streams:  # what has begun to pass goes on to the end of its frame
            self._held = Held()
        return super()._begin_closing()


def _part(data: bytes, span: Span) -> bytes:
    whole = span.start == 0 and span.end == len(data)
    return data if whole else data[span.start : span.end]


def _request_id(data: bytes, position: int) -> int:
    found = _REQUEST_ID.search(data, position, position + _HEAD)
    return int(found[1]) if found else 0
