"""What happens on one connection to a model, as the audit trail has it."""

from typing import Final

from jimm.access.names import qualify
from jimm.audit.attempts import claim
from jimm.audit.call import Call
from jimm.audit.recorder import Recorder
from jimm.proxy import tap
from jimm.proxy.doorkeeper import Admission
from jimm.wire.login import ADMIN, Attempt

DOOR: Final = "model"


class Record:
    """One connection's part of the trail, from its first login on; ``client`` is the address
    that it comes from."""

    def __init__(self, recorder: Recorder, local_domain: str, model: str, client: str) -> None:
        self._local_domain = local_domain
        self._model = model
        self._client = client
        self._tried = 0
        self._conversation = recorder.conversation(
            identity="", door=DOOR, model_uuid=model, client=client
        )
        self.called = self._conversation.called
        self.failed = self._conversation.failed

    def tried(self, number: int, attempt: Attempt, admission: Admission | None) -> None:
        """Somebody tried to log in; without an admission it is known at most whom they claimed
        to be."""
        who, version, method = claim(attempt)
        claimed = qualify(who, self._local_domain) if who else ""
        self._tried = number
        self._conversation.is_of(
            identity=claimed if admission is None else admission.identity,
            door=DOOR,
            model_uuid=self._model,
            controller="" if admission is None else admission.endpoint.name,
            client=self._client,
        )
        self.called(Call(number, ADMIN, version, method))

    def told(self, answer: bytes) -> None:
        """An answer before the pipe is open: a login may be refused, by JIMM or behind it."""
        found = tap.failure(answer)
        if found is not None and found.request_id == self._tried:
            self.failed(found.request_id, found.error, found.error_code)
