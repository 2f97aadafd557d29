"""A pipe between two peers that are only bytes."""

import json
from typing import Any

from jimm.audit.call import LONGEST_PARAMS, Asked, Call
from jimm.proxy.pipe import (
    Command,
    Pipe,
    ToClient,
    ToController,
)
from jimm.wire import frames
from jimm.wire.frames import Control, Message, MessageReader

MASK = b"\x01\x02\x03\x04"
TOKEN = b"jimm's"


class Conversation:
    """A pipe, and what each side has heard so far."""

    def __init__(self, *, quick: bool = True) -> None:
        self.quick = quick
        self.calls: list[Call] = []
        self.failures: list[tuple[int, str, str]] = []
        self.pipe = Pipe(
            token=TOKEN, new_mask=lambda: MASK, note=self.hear, failed=self.hear_failure
        )
        self.to_client = b""
        self.to_controller = b""

    def hear(self, call: Asked) -> None:
        """The pipe names a call."""
        names = (call.request_id, call.type, call.version, call.request, call.id)
        self.calls.append(Call(*names, bytes(call.params)[:LONGEST_PARAMS], call.sure))

    def hear_failure(self, number: int, error: str, code: str) -> None:
        """The pipe tells of an answer that is an error."""
        self.failures.append((number, error, code))

    def client(self, data: bytes) -> list[Command]:
        """Bytes from the client, as its leg gives them to the pipe."""
        if self.quick and self.pipe.client_passes(data):
            self.to_controller += data
            return []
        return self.obey(self.pipe.client_sent(data))

    def controller(self, data: bytes) -> list[Command]:
        """Bytes from the controller, as its leg gives them to the pipe."""
        if self.quick and self.pipe.controller_passes(data):
            self.to_client += data
            return []
        return self.obey(self.pipe.controller_sent(data))

    def obey(self, commands: list[Command]) -> list[Command]:
        """Writes what is to be written, gives the other commands."""
        others: list[Command] = []
        for command in commands:
            match command:
                case ToClient(data):
                    self.to_client += data
                case ToController(data):
                    self.to_controller += data
                case _:
                    others.append(command)
        return others

    def client_heard(self) -> list[Message | Control]:
        heard, self.to_client = read(self.to_client, masked=False), b""
        return heard

    def controller_heard(self) -> list[Message | Control]:
        heard, self.to_controller = read(self.to_controller, masked=True), b""
        return heard


def read(data: bytes, *, masked: bool) -> list[Message | Control]:
    reader = MessageReader(masked=masked, limit=1 << 30)
    reader.feed(data)
    found: list[Message | Control] = []
    while (item := reader.next()) is not None:
        found.append(item)
    assert reader.rest() == b""
    return found


def asks(number: int = 1, method: str = "FullStatus", **other: Any) -> bytes:
    body = {"request-id": number, "type": "Client", "version": 6, "request": method}
    return from_client(json.dumps(body | {"params": {}} | other).encode())


def from_client(payload: bytes, opcode: int = frames.TEXT, *, fin: bool = True) -> bytes:
    return frames.encode(opcode, payload, mask=MASK, fin=fin)


def answers(number: int = 1, **other: Any) -> bytes:
    body = {"request-id": number, "response": {"a": "x"}} | other
    return frames.encode(frames.TEXT, json.dumps(body, separators=(",", ":")).encode())


def access_required(number: int = 1, code: str = "access required") -> bytes:
    return answers(number, error="access permissions required: …", **{"error-code": code})


def denial(number: int = 1) -> Message:
    body = {
        "request-id": number,
        "error": "permission denied",
        "error-code": "unauthorized access",
        "response": {},
    }
    return Message(json.dumps(body, separators=(",", ":")).encode(), frames.TEXT)


def closing(code: int, reason: str = "") -> Control:
    return Control(frames.CLOSE, frames.close_frame(code, reason)[2:])
