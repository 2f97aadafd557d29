"""Websocket streams as wild as the RFC allows, and a plain reader of such streams.

Nothing here is JIMM's: what goes through JIMM is judged by it. Everything comes from the random
generator that is given, so that a seed tells it all.
"""

import json
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tests.go_json import executed
from tests.unit.proxy.documents import CODES, document, plain

CONTINUATION: Final = 0
TEXT: Final = 1
BINARY: Final = 2
CLOSE: Final = 8
PING: Final = 9
PONG: Final = 10

HOLD: Final = 256 * 1024
EDGES: Final = (0, 1, 124, 125, 126, 127, 65_534, 65_535, 65_536, 65_537)
"""Lengths at which the frame header changes its size, and their neighbours."""
LARGE: Final = (HOLD - 60, HOLD - 1, HOLD, HOLD + 1, HOLD + 60, 1_100_000, 3_000_000)


class Frame(NamedTuple):
    """One frame; ``raw`` is all of it as it was sent, ``payload`` is in clear."""

    opcode: int
    fin: bool
    payload: bytes
    raw: bytes


class Heard(NamedTuple):
    """A stream that was read: its whole frames, and the bytes of an unfinished one."""

    frames: list[Frame]
    rest: bytes

    @property
    def data(self) -> bytes:
        """The bytes of all data frames, in order, with the unfinished one."""
        return b"".join(each.raw for each in self.frames if each.opcode < CLOSE) + self.rest

    @property
    def controls(self) -> list[tuple[int, bytes]]:
        """The control frames, in order."""
        return [(each.opcode, each.payload) for each in self.frames if each.opcode >= CLOSE]

    @property
    def messages(self) -> list["Message"]:
        """The whole messages, in order."""
        found: list[Message] = []
        begun: list[Frame] = []
        for each in self.frames:
            if each.opcode >= CLOSE:
                continue
            assert (each.opcode == CONTINUATION) is bool(begun), "fragments are out of order"
            begun.append(each)
            if each.fin:
                found.append(Message.of(begun))
                begun = []
        return found


class Message(NamedTuple):
    """A whole message: its payload in clear, and the bytes of its frames without controls."""

    payload: bytes
    raw: bytes

    @classmethod
    def of(cls, frames: list[Frame]) -> "Message":
        """From its frames."""
        return cls(b"".join(each.payload for each in frames), b"".join(each.raw for each in frames))


def framed(opcode: int, payload: bytes, mask: bytes = b"", *, fin: bool = True) -> Frame:
    """A frame of these contents; with a mask, a client's."""
    first, bit, length = opcode | (0x80 if fin else 0), 0x80 if mask else 0, len(payload)
    if length < 126:
        header = struct.pack("!BB", first, bit | length)
    elif length < 1 << 16:
        header = struct.pack("!BBH", first, bit | 126, length)
    else:
        header = struct.pack("!BBQ", first, bit | 127, length)
    return Frame(opcode, fin, payload, header + mask + _masked(payload, mask))


def heard(stream: bytes, *, masked: bool) -> Heard:
    """Reads a stream as any peer would; what is no frame of that side fails the test."""
    found: list[Frame] = []
    position = 0
    while (frame := _frame_at(stream, position, masked)) is not None:
        found.append(frame)
        position += len(frame.raw)
    return Heard(found, stream[position:])


def _frame_at(stream: bytes, start: int, masked: bool) -> Frame | None:
    if len(stream) < start + 2:
        return None
    first, second = stream[start], stream[start + 1]
    assert not first & 0x70, "reserved bits"
    assert bool(second & 0x80) is masked, "the wrong side's masking"
    length, size = second & 0x7F, 2
    if length >= 126:
        size = 4 if length == 126 else 10
        length = int.from_bytes(stream[start + 2 : start + size], "big")
    mask = stream[start + size : start + size + 4] if masked else b""
    begin = start + size + len(mask)
    if len(stream) < begin + length or len(stream) < start + size + 4 * masked:
        return None
    opcode = first & 0x0F
    assert opcode in {CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG}
    assert opcode < CLOSE or (length < 126 and first & 0x80), "a control frame long or in parts"
    payload = _masked(stream[begin : begin + length], mask)
    return Frame(opcode, bool(first & 0x80), payload, stream[start : begin + length])


def _masked(payload: bytes, mask: bytes) -> bytes:
    if not mask or not payload:
        return payload
    key = (mask * (len(payload) // 4 + 1))[: len(payload)]
    mixed = int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")
    return mixed.to_bytes(len(payload), "big")


@dataclass
class Wild:
    """One side's stream, message by message.

    ``large`` is how likely a message is a large one; ``secrets`` how likely a controller's answer
    holds a code that no client may see.
    """

    rng: random.Random
    masked: bool
    large: float = 0.02
    secrets: float = 0.0
    token: bytes = b""
    _number: int = field(default=0, init=False)

    def messages(self, count: int) -> Iterator[list[Frame]]:
        """So many messages or lone control frames, each as its frames."""
        for _ in range(count):
            if self.rng.random() < 0.15:
                yield [self.control()]
            else:
                yield self.fragmented(self._payload())

    def fragmented(self, payload: bytes, opcode: int | None = None) -> list[Frame]:
        """A message in one frame or in several, with control frames between them."""
        rng = self.rng
        opcode = rng.choice((TEXT, TEXT, BINARY)) if opcode is None else opcode
        parts = 1 if rng.random() < 0.5 else rng.randrange(2, 8)
        cuts = sorted(rng.randrange(len(payload) + 1) for _ in range(parts - 1))
        found: list[Frame] = []
        for start, end in zip([0, *cuts], [*cuts, len(payload)], strict=True):
            if found and rng.random() < 0.4:
                found.append(self.control())
            kind = CONTINUATION if found else opcode
            fin = sum(each.opcode < CLOSE for each in found) == parts - 1
            found.append(self._frame(kind, payload[start:end], fin=fin))
        return found

    def control(self) -> Frame:
        """A ping or a pong; now and then the answer to a ping of JIMM's."""
        if self.token and self.rng.random() < 0.2:
            return self._frame(PONG, self.token)
        size = self.rng.choice((0, 1, 4, 8, 125))
        return self._frame(self.rng.choice((PING, PONG)), self.rng.randbytes(size))

    def close(self, code: int = 1000, reason: str = "") -> Frame:
        """A close frame."""
        return self._frame(CLOSE, struct.pack("!H", code) + reason.encode())

    def _frame(self, opcode: int, payload: bytes, *, fin: bool = True) -> Frame:
        return framed(opcode, payload, self.rng.randbytes(4) if self.masked else b"", fin=fin)

    def _payload(self) -> bytes:
        self._number += 1
        rng, kind = self.rng, self.rng.random()
        size = rng.choice(LARGE) if rng.random() < self.large else rng.choice((*EDGES, 300, 5000))
        if kind < (0.02 if self.masked else 0.1):
            return rng.randbytes(size)
        if self.masked:
            return odd(rng) if kind < 0.4 else plain(rng, self._number, size)
        if rng.random() < self.secrets:
            return secret_answer(rng, self._number, size)
        return innocent_answer(rng, self._number, size)


def innocent_answer(rng: random.Random, number: int, size: int) -> bytes:
    """An answer that may speak of codes, as anybody's text."""
    words = rng.choice((*CODES, *CODES, ""))
    texts: tuple[object, ...] = (
        words,
        f'"error-code":"{words}"',
        json.dumps({"error": words, "error-code": words}),
        {"value": words, "about": f"{words}: the code"},
        [words, {"status": {"info": words, "current": "error"}}],
        "code",
    )
    body: dict[str, object] = {"request-id": number, "response": {"a": rng.choice(texts)}}
    if rng.random() < 0.2:
        body |= {"error": words, "error-code": rng.choice(("not found", ""))}
    body["response"] = {"b": "y" * rng.randrange(size + 1), "a": rng.choice(texts)}
    body["more"] = "z" * rng.randrange(size + 1)
    separators = rng.choice(((",", ":"), (", ", ": ")))
    return json.dumps(body, separators=separators).encode() + rng.choice((b"", b"\n"))


def secret_answer(rng: random.Random, number: int, size: int) -> bytes:
    """An answer with a code that only JIMM may see."""
    code = rng.choice(("access required", "access required", "redirection required"))
    body: dict[str, object] = {"request-id": number, "response": {"b": "y" * size}}
    kind = rng.random()
    if kind < 0.15:
        body = {"request-id": number, "error": 'unknown model: "x"'}
        body |= {"error-code": "model not found", "response": {}}
    elif kind < 0.6:
        body |= {"error": "permissions", "error-code": code, "error-info": {"model-x": "admin"}}
    else:
        row = {"error": {"message": "permissions", "code": code, "info": {"model-x": "admin"}}}
        body["response"] = {"b": "y" * size, "results": [{"result": 1}, row]}
    return json.dumps(body, separators=(",", ":")).encode()


def secret(payload: bytes) -> bool:
    """Whether a controller's message holds a code that no client may see."""
    try:
        answer = json.loads(payload)
    except (ValueError, RecursionError):
        return False
    if not isinstance(answer, dict):
        return False
    if answer.get("error", "").startswith("unknown model"):
        return bool(answer.get("error-code") == "model not found")
    if answer.get("error") and answer.get("error-code") in CODES[:2]:
        return True
    rows = answer.get("response", {}).get("results", [])
    return any(row.get("error", {}).get("code") in CODES[:2] for row in rows)


def odd(rng: random.Random) -> bytes:
    """A request in no plain spelling; Juju executes nearly each."""
    while executed(made := document(rng)) is None and rng.random() < 0.98:
        pass
    return made


def chunks(rng: random.Random, stream: bytes) -> Iterator[bytes]:
    """The stream as sockets give it: in pieces of any size, or frame by frame."""
    if rng.random() < 0.4:
        yield from _frame_by_frame(stream)
        return
    position, step = 0, rng.choice((1, 7, 100, 1500, 16_384, 65_536, 1 << 20))
    step = max(step, len(stream) // 400)
    while position < len(stream):
        size = rng.randrange(1, 2 * step)
        yield stream[position : position + size]
        position += size


def _frame_by_frame(stream: bytes) -> Iterator[bytes]:
    position = 0
    while len(stream) > position + 1:
        masked = bool(stream[position + 1] & 0x80)
        try:
            frame = _frame_at(stream, position, masked)
        except AssertionError:  # somebody sends nonsense
            break
        if frame is None:
            break
        yield frame.raw
        position += len(frame.raw)
    if position < len(stream):
        yield stream[position:]
