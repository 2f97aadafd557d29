"""The audit log of the ``JIMM`` facade, version 4, as Go JIMM writes it (``pkg/api/params``).

Times are RFC 3339 with a zone.
"""

from msgspec import field

from jimm.wire.params.common import Params


class FindAuditEvents(Params, kw_only=True):
    """``FindAuditEvents``. ``user_tag`` is compared, ``model`` is ``controller/model``;
    ``limit`` is 50 where not given, 1000 at most; with ``sort_time`` the newest come first."""

    after: str = ""
    before: str = ""
    user_tag: str = ""
    model: str = ""
    method: str = ""
    offset: int = 0
    limit: int = 0
    sort_time: bool = field(name="sortTime", default=False)


class AuditError(Params, kw_only=True):
    """Why a call failed."""

    message: str
    code: str


class AuditErrorResult(Params, kw_only=True):
    """A failure in a list of them."""

    error: AuditError


class AuditErrors(Params, kw_only=True):
    """What an answer says of failures."""

    results: list[AuditErrorResult]


class AuditEvent(Params, kw_only=True):
    """A call, or the answer to one. ``conversation_id`` is the connection's, ``message_id`` the
    request's number on it."""

    time: str
    conversation_id: str
    message_id: int
    facade_name: str = ""
    facade_method: str = ""
    facade_version: int = 0
    object_id: str = ""
    user_tag: str = ""
    model: str = ""
    is_response: bool
    params: dict[str, object] | None = None
    errors: AuditErrors | None = None


class AuditEvents(Params, kw_only=True):
    """``FindAuditEvents``."""

    events: list[AuditEvent]


class AuditLogAccess(Params, kw_only=True):
    """``GrantAuditLogAccess`` and ``RevokeAuditLogAccess``; the ``level`` says nothing."""

    user_tag: str
    level: str = ""


class PurgeLogs(Params, kw_only=True):
    """``PurgeLogs``: what is older goes."""

    date: str


class LogsPurged(Params, kw_only=True):
    """How many went."""

    deleted_count: int
