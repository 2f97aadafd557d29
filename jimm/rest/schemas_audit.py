"""The bodies of the audit log."""

from datetime import datetime

from jimm.rest.schemas import Body


class AuditError(Body):
    """Why something failed."""

    code: str
    message: str


class AuditEvent(Body):
    """A call of a client's (`action` is `call`), how it failed (`is-response`), or something that
    JIMM did for a user. `model` is `controller/name` as it is now, or the uuid of one that is
    gone; secrets are never among the `params`."""

    id: str
    time: datetime
    user: str
    door: str
    action: str
    outcome: str | None = None
    model: str | None = None
    model_uuid: str | None = None
    controller: str | None = None
    conversation_id: str | None = None
    message_id: int | None = None
    facade_name: str | None = None
    facade_version: int | None = None
    facade_method: str | None = None
    object_id: str | None = None
    is_response: bool = False
    params: dict[str, object] | None = None
    error: AuditError | None = None
    client: str | None = None


class AuditEvents(Body):
    """A page of the audit log."""

    audit_events: list[AuditEvent]
    next: str | None = None


class Purged(Body):
    """How many events were removed."""

    deleted_count: int
