"""Writing the trail, in the transaction of what it tells of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from jimm.audit.redact import redact
from jimm.registry import audit
from jimm.registry.audit import NewAuditEvent
from jimm.registry.session import WriteSession
from jimm.wire.tags import ModelUUID


@dataclass(frozen=True, slots=True)
class Action:
    """Something that ``identity`` did through ``door``: a verb and a noun, ``add-controller``."""

    identity: str
    door: str
    action: str
    model: ModelUUID | None = None
    controller: str = ""
    params: Mapping[str, object] = field(default_factory=dict)
    outcome: str = "done"
    error_code: str = ""


async def record(session: WriteSession, action: Action) -> None:
    """Writes one row; secrets are taken out of its parameters."""
    redacted = redact(action.params)
    await audit.add(
        session,
        [
            NewAuditEvent(
                identity=action.identity,
                door=action.door,
                action=action.action,
                outcome=action.outcome,
                params=redacted if isinstance(redacted, dict) else {},
                model_uuid=action.model,
                controller=action.controller,
                error_code=action.error_code,
            )
        ],
    )
