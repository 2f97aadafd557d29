"""Who asks, and through which door."""

from collections.abc import Mapping
from dataclasses import dataclass

from jimm import audit
from jimm.wire.tags import ModelUUID


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated caller.

    ``identity`` is the full name, ``alice@jimm``; ``admin`` whether they administer JIMM;
    ``door`` is ``api``, ``rest``, ``cli`` or ``jimm`` (JIMM by itself), for the audit trail.
    """

    identity: str
    admin: bool
    door: str

    def did(
        self,
        action: str,
        *,
        model: ModelUUID | None = None,
        controller: str = "",
        params: Mapping[str, object] | None = None,
        outcome: str = "done",
        error_code: str = "",
    ) -> audit.Action:
        """What they did, for the trail; as :class:`jimm.audit.Action`."""
        return audit.Action(
            self.identity,
            self.door,
            action,
            model=model,
            controller=controller,
            params=params or {},
            outcome=outcome,
            error_code=error_code,
        )
