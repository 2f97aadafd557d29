"""What one end sends the other gets, byte by byte; whatever else is a failure.

Not counted are JIMM's own pings and the answers to them, a close, a code that no client may see,
and that control frames inside a message of the controller's may come before it.
"""

from collections.abc import Iterator
from enum import Enum
from itertools import takewhile

from jimm.audit.call import Call
from jimm.proxy import tap
from jimm.wire.frames import TEXT, encode
from tests.go_json import executed
from tests.unit.proxy.conversation import TOKEN
from tests.unit.proxy.documents import CODES
from tests.unit.proxy.wild import (
    CLOSE,
    HOLD,
    PING,
    PONG,
    Frame,
    Heard,
    Message,
    Wild,
    chunks,
    heard,
    secret,
)

OWN_PING = (PING, TOKEN)
OWN_PONG = (PONG, TOKEN)
NONSENSE = (b"\xff\xff\xff", b"\x83\x00", b"\x08\x00", b"\x89\x7e\x00\x7e", b"\xc1\x00")
"""Reserved bits, an unknown opcode, control frames in parts or too long: no frame of any side."""


def named(call: Call) -> tuple[int, str, int, str, str]:
    """The name of a call, as the reference gives it."""
    return (call.request_id, call.type, call.version, call.request, call.id)


class End(Enum):
    """How one side's stream ends."""

    NOT = "it does not"
    CLOSE = "with a close frame"
    CUT = "cut at any byte"
    NONSENSE = "with bytes that are no frame"


class Side:
    """What one side sends: ``passing`` is what may reach the other, but for a close."""

    def __init__(self, wild: Wild, count: int, end: End) -> None:
        self.wild = wild
        rng = wild.rng
        frames = [frame for message in wild.messages(count) for frame in message]
        at = rng.randrange(len(frames) + 1) if end in (End.CLOSE, End.NONSENSE) else len(frames)
        self.passing = raw_of(frames[:at])
        self.is_cut = end is End.CUT
        stream = self.passing
        match end:
            case End.CUT:
                stream = self.passing = stream[: rng.randrange(len(stream) + 1)]
            case End.CLOSE:
                stream += wild.close(1000, "bye").raw + raw_of(frames[at:])
            case End.NONSENSE:
                stream += rng.choice(NONSENSE)
            case End.NOT:
                pass
        self.chunks: Iterator[bytes] = chunks(rng, stream)
        self.fed = 0
        self.gone = False
        self.got = b""

    @property
    def sent(self) -> bytes:
        """The part of ``passing`` that has been sent."""
        return self.passing[: self.fed]


def judge_up(
    client: Side, controllers: list[Side], calls: list[Call] | None, *, over: bool
) -> None:
    """What the controllers got is what the client sent, and each call was named as Juju would
    execute it, where ``calls`` are known; ``over`` says that the pipe was closing at the end.

    Only a message of which Juju would execute nothing may be kept back, or its end.
    """
    got: list[Frame] = []
    told: list[Message] = []
    found = Heard([], b"")
    for number, side in enumerate(controllers):
        found = _up_to_close(heard(side.got, masked=True), OWN_PING)
        if number:  # the request once more
            first = found.messages[0]
            assert first.raw == told[-1].raw, "not the request was sent again"
            found = _without_first_message(found)
        got += found.frames
        told += found.messages
    sent = heard(client.sent, masked=True)
    left = _after(got, _droppable(sent), over=over)
    if found.rest:
        assert any(each.raw.startswith(found.rest) for each in left) or sent.rest.startswith(
            found.rest
        )
    if calls is not None:
        _judge_names(told, calls)


def _droppable(sent: Heard) -> list[tuple[Frame, bool]]:
    """The frames of a client, and which of them the controller may do without."""
    found: list[tuple[Frame, bool]] = []
    dull = iter([executed(each.payload) is None for each in sent.messages])
    this: bool | None = None
    for frame in sent.frames:
        if frame.opcode >= CLOSE:
            if (frame.opcode, frame.payload) != OWN_PONG:
                found.append((frame, False))
            continue
        this = next(dull, True) if this is None else this
        found.append((frame, this))
        this = None if frame.fin else this
    return found


def _after(got: list[Frame], sent: list[tuple[Frame, bool]], *, over: bool) -> list[Frame]:
    """What was sent and has not arrived; all before it has, in order."""
    position = 0
    for frame in got:
        while sent[position][0].raw != frame.raw:
            assert sent[position][1], "something is missing, or changed"
            position += 1
        position += 1
    left = sent[position:]
    assert over or all(droppable for _, droppable in left), "the end is missing"
    return [frame for frame, _ in left]


def _judge_names(told: list[Message], calls: list[Call]) -> None:
    names = iter(calls)
    for message in told:
        call = executed(message.payload)
        if call is not None:
            assert call[:5] in (named(noted) for noted in names if noted.sure), "not named"


def judge_down(client: Side, controllers: list[Side], *, over: bool) -> None:
    """What the client got is what the controllers sent, less what no client may see."""
    whole = heard(client.got, masked=False)
    found = _up_to_close(_without_refusals(whole), OWN_PING)
    sent = [heard(side.sent, masked=False) for side in controllers]
    left = found.data
    owed: list[Message] = []
    for message in (each for stream in sent for each in stream.messages):
        left = _without_late_denial(left, owed, over=over)
        if secret(message.payload):
            before, left = left, _after_secret(left, message, over=over)
            owed += [message] if before == left else []
            continue
        if not left.startswith(message.raw):
            assert over, "a message is missing"
            assert message.raw.startswith(left)
            left = b""
            break
        left = left[len(message.raw) :]
    left = _without_late_denial(left, owed, over=over)
    assert not left or over
    assert _begun(sent[-1]).startswith(left)
    controls = [each for stream in sent for each in stream.controls if each != OWN_PONG]
    shown = found.controls
    assert shown == controls[: len(shown)]
    assert over or len(shown) == len(controls)
    if over and not client.gone and not controllers[-1].is_cut:
        assert whole.frames[-1].opcode == CLOSE


def raw_of(frames: list[Frame]) -> bytes:
    """The bytes of these frames."""
    return b"".join(frame.raw for frame in frames)


def _up_to_close(found: Heard, own: tuple[int, bytes]) -> Heard:
    """A stream without JIMM's own, up to a close, after which there must be nothing."""
    kept = [each for each in found.frames if (each.opcode, each.payload) != own]
    before = list(takewhile(lambda each: each.opcode != CLOSE, kept))
    if len(before) < len(kept):
        assert len(kept) == len(before) + 1, "something after a close"
        assert not found.rest, "something after a close"
    return Heard(before, found.rest)


def _without_first_message(found: Heard) -> Heard:
    ends = next(at for at, frame in enumerate(found.frames) if frame.fin and frame.opcode < CLOSE)
    return Heard(found.frames[ends + 1 :], found.rest)


def _without_refusals(found: Heard) -> Heard:
    """A client's stream without what JIMM answered to what nobody can read."""
    kept = [each for each in found.frames if b'"error-code":"bad request"' not in each.payload]
    return Heard(kept, found.rest)


def _after_secret(shown: bytes, message: Message, *, over: bool) -> bytes:
    """What follows JIMM's denial, or the beginning of what was cut off before its code."""
    if len(message.payload) > HOLD and message.raw.startswith(shown):
        assert b'code":"' + CODES[0].encode() not in shown
        assert b'code":"' + CODES[1].encode() not in shown
        return b""
    frames = heard(shown, masked=False).frames
    if not frames:
        return _after_denial(shown, message, over=over)
    if b'"permission denied"' not in frames[0].payload:
        return shown
    assert not secret(frames[0].payload)
    return shown[len(frames[0].raw) :]


def _after_denial(shown: bytes, message: Message, *, over: bool) -> bytes:
    """What follows the denial of a message, or all where it is not there; it may be cut off where
    the pipe is over."""
    denial = encode(TEXT, tap.denied(message.payload))
    if over and denial.startswith(shown):
        return b""
    return shown.removeprefix(denial)


def _without_late_denial(shown: bytes, owed: list[Message], *, over: bool) -> bytes:
    """What follows a denial that had to wait for an answer to JIMM: what the controller said
    meanwhile has gone before it."""
    for message in owed:
        left = _after_denial(shown, message, over=over)
        if left != shown:
            owed.remove(message)
            return left
    return shown


def _begun(sent: Heard) -> bytes:
    """The bytes of a message that is not finished."""
    return sent.data[sum(len(message.raw) for message in sent.messages) :]
