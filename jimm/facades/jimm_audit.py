"""The audit log as Go JIMM's clients, and the Dashboard, read it."""

from datetime import UTC, datetime, timedelta
from typing import Final

from jimm.errors import NotValid
from jimm.facades.session import Session
from jimm.fleet.audit_log import Seen, Wanted
from jimm.wire.params import jimm_audit as params_

USUAL: Final = 50
"""Events in an answer where no limit is given."""

MOST: Final = 1000

_A_MOMENT: Final = timedelta(microseconds=1)


def limit(asked: int) -> int:
    """How many events to answer with, as Go JIMM understands it."""
    return min(asked, MOST) if asked > 0 else USUAL


def wanted(session: Session, asked: params_.FindAuditEvents) -> Wanted:
    """What is looked for. Go JIMM includes both times, and takes no user without the tag.

    Raises:
        NotValid: a time can't be read.
    """
    before = _time("before", asked.before)
    user = asked.user_tag.removeprefix("user-")
    return Wanted(
        after=_time("after", asked.after),
        before=None if before is None else before + _A_MOMENT,
        user=session.full_name(user) if user else "",
        model=asked.model,
        method=asked.method,
    )


def moment(key: str, text: str) -> datetime:
    """A time; one without a zone is UTC.

    Raises:
        NotValid: it can't be read.
    """
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise NotValid(
            f'{key}: "{text[:40]}" is no time: give one like 2026-11-21T20:17:58Z', field=key
        ) from error


def event(session: Session, seen: Seen) -> params_.AuditEvent:
    """An event. What JIMM did of its own accord names no facade, and the action stands in the
    method's place: it has a hyphen, or a small letter at least, and so is no method of Juju's."""
    found = seen.event
    return params_.AuditEvent(
        time=found.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        conversation_id=found.conversation,
        message_id=max(0, found.message_id),
        facade_name=found.facade,
        facade_method=found.method or seen.own_action,
        facade_version=found.facade_version,
        object_id=found.object_id,
        user_tag=session.user_tag(found.identity) if found.identity else "",
        model=seen.model,
        is_response=found.is_response,
        params=found.params or None,
        errors=_errors(seen),
    )


def _errors(seen: Seen) -> params_.AuditErrors | None:
    found = seen.event
    if not seen.failed:
        return None
    error = params_.AuditError(message=found.error or found.outcome, code=found.error_code)
    return params_.AuditErrors(results=[params_.AuditErrorResult(error=error)])


def _time(key: str, text: str) -> datetime | None:
    return moment(key, text) if text else None
