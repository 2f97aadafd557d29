"""The guard: what a client may still ask for while its model is being moved.

Juju restricts whoever logs in to a model with a user's tag during a move, for as long as that
connection lasts (Juju ``apiserver/root.go``, ``apiserver/restrict_migrations.go``); a login by
token it does not restrict, so JIMM does. Each message is kept until it is whole, named as Go
would read it, and only then passed or refused. What can't be named is never passed.

Bytes in, decisions out.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from msgspec import Struct

from jimm.audit.call import Call
from jimm.errors import BadRequest, MigrationUnderway
from jimm.proxy import tap
from jimm.wire import envelope, frames
from jimm.wire.frames import Splitter

LIMIT: Final = 256 * 1024
"""Bytes of a message, its frames' headers included, that are kept to name it."""

UNREADABLE: Final = "this can't be read, and only what can be passes while the model is moved"
TOO_LONG: Final = f"only up to {LIMIT} bytes pass at once while the model is being moved"

ALLOWED: Final[Mapping[str, frozenset[str]]] = {
    "Client": frozenset({"FullStatus"}),
    "Pinger": frozenset({"Ping"}),
    "SSHClient": frozenset(
        {
            "AllAddresses",
            "BestAPIVersion",
            "PrivateAddress",
            "Proxy",
            "PublicAddress",
            "PublicKeys",
        }
    ),
    "Storage": frozenset({"ListFilesystems", "ListStorageDetails", "ListVolumes"}),
}
"""What may be asked of a model that leaves, by facade, as Juju has it."""

_HEAD: Final = 4096


class Restriction(Enum):
    """Why a client is restricted; what it then hears, with an empty code."""

    EXPORTING = str(MigrationUnderway())
    IMPORTING = "migration in progress, model is importing"

    def allows(self, call: Call) -> bool:
        """Whether a call may pass; nothing may on a model that is not all there."""
        if self is Restriction.IMPORTING or not call.sure:
            return False
        return call.request in ALLOWED.get(call.type, frozenset())


class Passed(Struct, frozen=True, gc=False):
    """These frames may go on, as they came: a whole message, or a control frame."""

    frames: bytes


class Refused(Struct, frozen=True, gc=False):
    """The message is kept back; the client is sent this answer."""

    reply: bytes
    call: Call = Call()


class Ended(Struct, frozen=True, gc=False):
    """The message is kept back and can't be answered: the client is told why, and it ends."""

    reason: str


Decision = Passed | Refused | Ended


class Guard:
    """Decides about each message of one client, whatever frames and parts it comes in.

    It holds no more than twice ``limit`` bytes.
    """

    def __init__(self, restriction: Restriction, limit: int = LIMIT) -> None:
        self._restriction = restriction
        self._limit = limit
        self._splitter = Splitter(masked=True)
        self._frames = bytearray()
        self._payload = bytearray()
        self._offset = 0
        self._too_long = False

    def receive(self, chunk: bytes) -> list[Decision]:
        """Bytes arrived from the client.

        Raises:
            FrameError: they are no frames. Nothing can be read after that.
        """
        data, spans = self._splitter.split(chunk)
        decisions: list[Decision] = []
        for span in spans:
            part = data[span.start : span.end]
            if span.header.opcode >= frames.CLOSE:
                decisions.append(Passed(part))
                continue
            self._offset = 0 if span.first else self._offset
            self._keep(part, span.header.size if span.first else 0, span.header.mask)
            if span.last and span.header.fin:
                decisions.append(self._decide())
        return decisions

    def _keep(self, part: bytes, skipped: int, mask: bytes) -> None:
        clear = frames.unmask(part[skipped:], mask, self._offset)
        self._offset += len(clear)
        self._too_long = self._too_long or len(self._frames) + len(part) > self._limit
        if not self._too_long:
            self._frames += part
            self._payload += clear
        elif len(self._payload) < _HEAD:
            self._payload += clear[:_HEAD]

    def _decide(self) -> Decision:
        message, too_long = bytes(self._payload), self._too_long
        whole = bytes(self._frames)
        self._frames.clear()
        self._payload.clear()
        self._too_long = False
        if too_long:
            return _unnamed(tap.guess(message), TOO_LONG)
        call = tap.name_slowly(message)
        if self._restriction.allows(call):
            return Passed(whole)
        if call.sure and call.type and call.request and call.request_id > 0:
            refusal = envelope.encode_error(call.request_id, self._restriction.value)
            return Refused(refusal, call)
        return _unnamed(call, UNREADABLE)


def _unnamed(call: Call, why: str) -> Decision:
    """A refusal in JIMM's own words, where there is a request to answer."""
    if call.request_id <= 0:
        return Ended(why)
    return Refused(envelope.encode_error(call.request_id, why, BadRequest.code), call)
