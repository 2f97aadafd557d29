"""Websocket frames (RFC 6455, section 5) as values and bytes. Nothing here does I/O.

:class:`MessageReader` gives whole messages, bounded, for the time when each one is read.
:class:`Splitter` only tells where frames begin and end in a stream that passes by, and holds
nothing back but an unfinished header or control frame. Neither knows any extension, so the
reserved bits are always an error.
"""

import struct
from typing import Final, NamedTuple

from msgspec import Struct

from jimm.errors import ProtocolError

try:
    from websockets.speedups import apply_mask
except ImportError:  # built without a compiler
    from websockets.utils import apply_mask

__all__ = [
    "Close",
    "Control",
    "FrameError",
    "Header",
    "Message",
    "MessageReader",
    "Span",
    "Splitter",
    "apply_mask",
    "close_frame",
    "encode",
    "long_payload",
    "parse_close",
    "read_header",
    "unmask",
]

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

NORMAL: Final = 1000
GOING_AWAY: Final = 1001
PROTOCOL_ERROR: Final = 1002
NO_STATUS: Final = 1005
POLICY_VIOLATION: Final = 1008
TOO_BIG: Final = 1009

MAX_CONTROL: Final = 125
"""Bytes that a control frame may carry (section 5.5)."""

WHOLE_TEXT: Final = 0x80 | TEXT
"""The first byte of a text message in one frame, as nearly all are."""

SMALLEST: Final = 2
"""Bytes of a frame without a payload; a client's has its mask beside."""
SMALLEST_MASKED: Final = 6

_OPCODES: Final = frozenset({CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})
_CLOSE_CODES: Final = frozenset({*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)})


class FrameError(ProtocolError):
    """Bytes that are no frames; ``close_code`` is what the peer is to be told."""

    def __init__(self, message: str, close_code: int = PROTOCOL_ERROR) -> None:
        super().__init__(message)
        self.close_code = close_code


class Header(Struct, frozen=True, gc=False):
    """A frame's header. ``size`` is its own length, ``length`` the payload's; ``mask`` is
    empty for an unmasked frame."""

    fin: bool
    opcode: int
    length: int
    mask: bytes
    size: int


class Message(NamedTuple):
    """A whole text or binary message, unmasked, whatever frames it came in."""

    payload: bytes
    opcode: int


class Control(NamedTuple):
    """A close, ping or pong frame, unmasked."""

    opcode: int
    payload: bytes


class Close(NamedTuple):
    """What a close frame says; the code is 1005 where it says nothing."""

    code: int
    reason: str


class Span(Struct, frozen=True, gc=False):
    """A part of a frame, ``data[start:end]`` of what :meth:`Splitter.split` gave.

    ``first`` means that the header lies at ``start``, ``last`` that the frame ends at ``end``.
    """

    header: Header
    start: int
    end: int
    first: bool
    last: bool


def read_header(data: bytes | bytearray, position: int, *, masked: bool) -> Header | None:
    """The header that begins at ``position``, or ``None`` if more bytes are needed.

    ``masked`` says which end this is: a client's frames are masked, a server's are not.

    Raises:
        FrameError: reserved bits, an unknown opcode, the wrong masking, a control frame that
            is long or fragmented, or a length of 2^63 and more.
    """
    available = len(data) - position
    if available < 2:
        return None
    head, second = data[position], data[position + 1]
    opcode, length = head & 0x0F, second & 0x7F
    if head & 0x70:
        raise FrameError("reserved bits are set")
    if opcode not in _OPCODES:
        raise FrameError(f"unknown opcode {opcode}")
    if opcode >= CLOSE and (length > MAX_CONTROL or not head & 0x80):
        raise FrameError("a control frame is long or fragmented")
    if bool(second & 0x80) is not masked:
        raise FrameError("a client's frame is not masked" if masked else "a masked frame")
    size = (2 if length < 126 else 4 if length == 126 else 10) + (4 if masked else 0)
    if available < size:
        return None
    if length == 126:
        length = int.from_bytes(data[position + 2 : position + 4], "big")
    elif length == 127:
        length = int.from_bytes(data[position + 2 : position + 10], "big")
        if length >> 63:
            raise FrameError("a frame's length is out of range")
    end = position + size
    mask = bytes(data[end - 4 : end]) if masked else b""
    return Header(bool(head & 0x80), opcode, length, mask, size)


def long_payload(chunk: bytes, length: int, start: int) -> tuple[int, int]:
    """Where the payload begins and how long it is, where the seven bits of the ``length`` do not
    hold it: with them the payload would begin at ``start``."""
    if length == 126:
        return start + 2, int.from_bytes(chunk[2:4], "big")
    if length == 127:
        return start + 8, int.from_bytes(chunk[2:10], "big")
    return start, length


def encode(
    opcode: int, payload: bytes | bytearray | memoryview, *, mask: bytes = b"", fin: bool = True
) -> bytes:
    """The bytes of a frame; with a mask of four bytes, those of a client's frame."""
    head, length, bit = opcode | (0x80 if fin else 0), len(payload), 0x80 if mask else 0
    if length < 126:
        header = bytes((head, bit | length))
    elif length < 65536:
        header = struct.pack("!BBH", head, bit | 126, length)
    else:
        header = struct.pack("!BBQ", head, bit | 127, length)
    return header + mask + (apply_mask(payload, mask) if mask else bytes(payload))


def close_frame(code: int, reason: str = "", *, mask: bytes = b"") -> bytes:
    """A close frame; a reason that is too long is cut, and 1005 stands for an empty frame."""
    if code == NO_STATUS:
        return encode(CLOSE, b"", mask=mask)
    room = reason.encode()[: MAX_CONTROL - 2].decode(errors="ignore").encode()
    return encode(CLOSE, struct.pack("!H", code) + room, mask=mask)


def parse_close(payload: bytes) -> Close:
    """What a close frame's payload says.

    Raises:
        FrameError: one byte only, a code that may not be sent, or a reason that is no UTF-8.
    """
    if not payload:
        return Close(NO_STATUS, "")
    code = int.from_bytes(payload[:2], "big")
    if len(payload) < 2 or code not in _CLOSE_CODES:
        raise FrameError("a close frame without a valid code")
    try:
        return Close(code, payload[2:].decode())
    except UnicodeDecodeError as error:
        raise FrameError("a close frame's reason is not UTF-8") from error


def unmask(part: bytes | memoryview, mask: bytes, offset: int) -> bytes:
    """A part of a masked payload in clear; ``offset`` is where in the payload it lies."""
    turn = offset % 4
    return apply_mask(part, mask[turn:] + mask[:turn] if turn else mask)


class MessageReader:
    """Whole messages and control frames out of a stream of bytes.

    It holds no more than ``limit`` bytes of one message and what was fed since.
    """

    __slots__ = ("_buffer", "_gathered", "_limit", "_masked", "_opcode", "_payloads", "_raw")

    def __init__(self, *, masked: bool, limit: int) -> None:
        self._masked = masked
        self._limit = limit
        self._buffer = bytearray()
        self._opcode = CONTINUATION
        self._payloads: list[bytes] = []
        self._raw: list[bytes] = []
        self._gathered = 0

    def feed(self, data: bytes) -> None:
        """Adds what arrived; read on with :meth:`next`."""
        self._buffer += data

    def next(self) -> Message | Control | None:
        """The next whole message or control frame, or ``None`` if more bytes are needed.

        Raises:
            FrameError: the bytes are no frames, fragments are out of order, or the message is
                larger than the limit (close code 1009). Nothing can be read after that.
        """
        while (header := read_header(self._buffer, 0, masked=self._masked)) is not None:
            if self._gathered + header.length > self._limit:
                raise FrameError(f"a message of more than {self._limit} bytes", TOO_BIG)
            end = header.size + header.length
            if len(self._buffer) < end:
                return None
            raw = bytes(self._buffer[:end])
            del self._buffer[:end]
            payload = raw[header.size :]
            if header.mask:
                payload = apply_mask(payload, header.mask)
            if header.opcode >= CLOSE:
                return Control(header.opcode, payload)
            self._gather(header, payload, raw)
            if header.fin:
                return self._whole()
        return None

    def rest(self) -> bytes:
        """The bytes not given out yet, as they came: the begun message first, without the
        control frames that were given out meanwhile. The reader is empty afterwards."""
        rest = b"".join(self._raw) + bytes(self._buffer)
        self._buffer.clear()
        self._forget()
        return rest

    def _gather(self, header: Header, payload: bytes, raw: bytes) -> None:
        check_order(header, begun=bool(self._raw))
        if header.opcode != CONTINUATION:
            self._opcode = header.opcode
        self._payloads.append(payload)
        self._raw.append(raw)
        self._gathered += header.length

    def _whole(self) -> Message:
        message = Message(b"".join(self._payloads), self._opcode)
        self._forget()
        return message

    def _forget(self) -> None:
        self._payloads.clear()
        self._raw.clear()
        self._gathered = 0


class Splitter:
    """Where the frames are in a stream that passes by. Control frames come out whole, data
    frames in as many spans as the stream had parts."""

    __slots__ = ("_header", "_held", "_in_message", "_masked", "_remaining")

    def __init__(self, *, masked: bool) -> None:
        self._masked = masked
        self._held = b""
        self._header: Header | None = None
        self._remaining = 0
        self._in_message = False

    @property
    def rests(self) -> bool:
        """Whether it is between two messages, and holds nothing back."""
        return not (self._held or self._remaining or self._in_message)

    def skip(self, size: int) -> bool:
        """Whether the next bytes, so many, lie within a data frame that goes on after them; if
        so, they count as split."""
        if size >= self._remaining:
            return False
        self._remaining -= size
        return True

    def split(self, chunk: bytes) -> tuple[bytes, list[Span]]:
        """The spans in what arrived, and the bytes that their positions count in.

        These are the chunk itself, unless an unfinished header was held back before. Bytes
        after the last span are held back for the next time.

        Raises:
            FrameError: the bytes are no frames, or fragments are out of order. Nothing can be
                read after that.
        """
        data = self._held + chunk if self._held else chunk
        end = len(data)
        spans: list[Span] = []
        position = self._carry_on(end, spans) if self._remaining else 0
        while position < end:
            header = read_header(data, position, masked=self._masked)
            if header is None:
                break
            whole = position + header.size + header.length
            if header.opcode >= CLOSE:
                if whole > end:
                    break
                spans.append(Span(header, position, whole, True, True))
            else:
                check_order(header, begun=self._in_message)
                self._in_message = not header.fin
                last = whole <= end
                spans.append(Span(header, position, whole if last else end, True, last))
                if not last:
                    self._header, self._remaining = header, whole - end
                    whole = end
            position = whole
        self._held = data[position:] if position < end else b""
        return data, spans

    def _carry_on(self, end: int, spans: list[Span]) -> int:
        assert self._header is not None
        taken = min(self._remaining, end)
        self._remaining -= taken
        spans.append(Span(self._header, 0, taken, False, self._remaining == 0))
        return taken


def check_order(header: Header, *, begun: bool) -> None:
    """Whether a data frame may come now (section 5.4); ``begun`` says that a message is open.

    Raises:
        FrameError: a continuation of nothing, or a new message inside another.
    """
    if (header.opcode == CONTINUATION) is not begun:
        raise FrameError("fragments are out of order")
