"""One peer of a pipe: what goes to it, and whether it is still there.

JIMM's control frames go only between frames, its messages only between messages, and nothing
goes after a close frame (RFC 6455, sections 5.4 and 5.5.1).
"""

from typing import Final

from jimm.wire.frames import CLOSE, Span, Splitter

PING_EVERY: Final = 60.0
ANSWER_WITHIN: Final = 60.0

_LONG: Final = 8192
"""Bytes from which on a piece is written by itself: less dear than to copy it once more."""


class Outlet:
    """One peer's side of the pipe: where its stream stands, and what waits to be put in."""

    __slots__ = ("_controls", "_farewell", "_messages", "closed", "mid_frame", "mid_message")

    def __init__(self) -> None:
        self.mid_frame = False
        self.mid_message = False
        self.closed = False
        self._controls: list[bytes] = []
        self._messages: list[bytes] = []
        self._farewell = b""

    @property
    def waiting(self) -> bool:
        """Whether frames of JIMM's own wait for their place."""
        return bool(self._farewell or self._controls or self._messages)

    def control(self, frame: bytes) -> bytes:
        """Puts in a control frame; gives what may be written at once."""
        self._controls.append(frame)
        return self.flush()

    def message(self, frame: bytes) -> bytes:
        """Puts in a message of one frame; gives what may be written at once."""
        self._messages.append(frame)
        return self.flush()

    def farewell(self, frame: bytes) -> bytes:
        """Puts in the close frame that ends it; gives what may be written at once."""
        self._farewell = self._farewell or frame
        return self.flush()

    def passed(self, span: Span) -> None:
        """A part of a frame was written."""
        self.mid_frame = not span.last
        if span.last and span.header.opcode < CLOSE:
            self.mid_message = not span.header.fin
        elif not span.last:
            self.mid_message = True

    def flush(self) -> bytes:
        """What has found its place now."""
        if self.mid_frame or self.closed:
            return b""
        frames = self._controls
        self._controls = []
        if not self.mid_message:
            frames = frames + self._messages
            self._messages = []
        if self._farewell:
            frames = [*frames, self._farewell]
            self.closed = True
        return b"".join(frames)


class Output:
    """What is written to a peer for one piece of input, copied only where it must be."""

    __slots__ = ("_data", "_end", "_outlet", "_parts", "_start")

    def __init__(self, outlet: Outlet, data: bytes) -> None:
        self._outlet = outlet
        self._data = data
        self._start = 0
        self._end = 0
        self._parts: list[bytes] = []

    def span(self, span: Span) -> None:
        """A span of the input passes."""
        outlet = self._outlet
        if outlet.closed:
            return
        if span.start != self._end or self._start == self._end:
            self._cut()
            self._start = span.start
        self._end = span.end
        outlet.passed(span)
        if span.last and outlet.waiting:
            self._own(outlet.flush())

    def held(self, parts: list[bytes], last: Span) -> None:
        """Bytes that were kept before pass now; they end with this span."""
        if not self._outlet.closed:
            self._cut()
            self._parts += parts
            self._outlet.passed(last)
            self._own(self._outlet.flush())

    def message(self, frame: bytes) -> None:
        """A message of JIMM's own takes the place of one of the input."""
        if not self._outlet.closed:
            self._own(frame)

    def written(self) -> list[bytes]:
        """All of it, in order: short pieces as one, long ones as they are."""
        if not self._parts:
            if self._start == self._end:
                return []
            whole = self._start == 0 and self._end == len(self._data)
            return [self._data if whole else self._data[self._start : self._end]]
        self._cut()
        long = sum(map(len, self._parts)) >= _LONG * len(self._parts)
        return self._parts if long else [b"".join(self._parts)]

    def _own(self, frames: bytes) -> None:
        if frames:
            self._cut()
            self._parts.append(frames)

    def _cut(self) -> None:
        if self._end > self._start:
            whole = self._start == 0 and self._end == len(self._data)
            self._parts.append(self._data if whole else self._data[self._start : self._end])
        self._start = self._end


class Peer:
    """The client, or the controller: what comes from it and goes to it.

    ``gone`` means that there is nothing more to do about its leg.
    """

    __slots__ = ("_answer_by", "_ping_at", "gone", "heard", "incoming", "outlet", "said_close")

    def __init__(self, *, masked: bool) -> None:
        self.incoming = Splitter(masked=masked)
        self.outlet = Outlet()
        self.heard = True
        self.said_close = False
        self.gone = False
        self._ping_at: float | None = None
        self._answer_by: float | None = None

    def is_dead(self, now: float, *, excused: bool) -> bool:
        """Whether nothing came from it for too long after a ping."""
        if self.heard or excused:
            self.heard = False
            self._answer_by = None
            return False
        return self._answer_by is not None and now >= self._answer_by

    def ping_is_due(self, now: float) -> bool:
        """Whether to ping it now; counts from the first time that it is asked."""
        if self._ping_at is None:
            self._ping_at = now + PING_EVERY
        if now < self._ping_at:
            return False
        self._ping_at = now + PING_EVERY
        if self._answer_by is None:
            self._answer_by = now + ANSWER_WITHIN
        return True

    @property
    def has_parted(self) -> bool:
        """Whether both ends said their close frame."""
        return self.said_close and self.outlet.closed
