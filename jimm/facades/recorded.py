"""What happens on one connection on ``/api``, as the audit trail has it."""

from typing import Final

import msgspec

from jimm.access.names import qualify
from jimm.audit.attempts import claim
from jimm.audit.call import Call
from jimm.audit.kept import KEPT
from jimm.audit.recorder import Recorder
from jimm.errors import JimmError
from jimm.wire.envelope import Request
from jimm.wire.login import ADMIN, Attempt

DOOR: Final = "api"
_SOME: Final = b"..."
"""In place of parameters that are not kept anyway."""


class Record:
    """One connection's part of the trail; ``client`` is the address that it comes from."""

    def __init__(self, recorder: Recorder, local_domain: str, client: str) -> None:
        self._recorder = recorder
        self._local_domain = local_domain
        self._client = client
        self._conversation = recorder.conversation(identity="", door=DOOR, client=client)

    async def room(self) -> None:
        """Waits while there is no room for more."""
        await self._recorder.room()

    def tried(self, number: int, attempt: Attempt, identity: str, error: JimmError | None) -> None:
        """Somebody tried to log in: ``identity`` once it is known, else whom they claimed to
        be."""
        who, version, method = claim(attempt)
        claimed = qualify(who, self._local_domain) if who else ""
        self._is_of(identity or claimed)
        self._conversation.called(Call(number, ADMIN, version, method))
        if error is not None:
            self.failed(number, error)
            self._is_of("")

    def asked(self, request: Request) -> None:
        """The client asks for something."""
        names = (request.request_id, request.type, request.version, request.request, request.id)
        self._conversation.called(Call(*names, _params(request)))

    def unreadable(self, number: int, error: JimmError) -> None:
        """The client sent what is no request."""
        self._conversation.called(Call(number, sure=False))
        self.failed(number, error)

    def failed(self, number: int, error: JimmError) -> None:
        """The answer is an error."""
        self._conversation.failed(number, str(error), error.juju_code)

    def _is_of(self, identity: str) -> None:
        self._conversation.is_of(identity=identity, door=DOOR, client=self._client)


def _params(request: Request) -> bytes:
    if not request.params:
        return b""
    if (request.type, request.request) not in KEPT:
        return _SOME
    return msgspec.json.encode(request.params)
