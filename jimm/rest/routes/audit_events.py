"""Who did what: searched, taken away, removed, and who may read it."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BeforeValidator

from jimm.errors import NotSupported, NotValid, UserNotFound
from jimm.fleet import audit_log
from jimm.fleet.audit_log import Export, Seen, Wanted
from jimm.registry.audit_search import Key
from jimm.rest import paging, problems, schemas
from jimm.rest.context import CallerParam, Recheck, RecheckParam, Services, ServicesParam
from jimm.rest.paging import CursorParam, LimitParam
from jimm.rest.schemas_audit import AuditError, AuditEvent, AuditEvents, Purged

router = APIRouter(prefix="/audit-events", tags=["audit"])

LINES: Final = "application/x-ndjson"

_EXPORTED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {LINES: {"schema": {"type": "string"}}},
        "description": "One AuditEvent in each line, the oldest first. The header `Audit-Before` "
        "is the time at which it ends: the next export begins with it as `after`.",
    }
}


def _dated(value: object) -> object:
    """pydantic takes a number for seconds, and 20261121 for a day in 1970."""
    if not isinstance(value, str) or "T" not in value.upper():
        raise ValueError("give a time like 2026-11-21T20:17:58Z")
    return value


Time = Annotated[AwareDatetime, BeforeValidator(_dated)]
Word = Annotated[str, Query(max_length=300)]


def _wanted(
    after: Annotated[Time | None, Query(description="At this time or later.")] = None,
    before: Annotated[Time | None, Query(description="Earlier than this.")] = None,
    user: Word = "",
    model: Annotated[
        str, Query(max_length=300, description="uuid, controller/name, owner/name, or name.")
    ] = "",
    facade: Word = "",
    method: Annotated[
        str, Query(max_length=300, description="Of a call; or an action of JIMM's own.")
    ] = "",
    action: Word = "",
    door: Word = "",
    outcome: Word = "",
    failed: Annotated[bool, Query(description="Only what was refused or went wrong.")] = False,
) -> Wanted:
    return Wanted(after, before, user, model, facade, method, action, door, outcome, failed)


WantedParam = Annotated[Wanted, Depends(_wanted)]


@router.get("", response_model_exclude_none=True)
async def every(
    caller: CallerParam,
    given: ServicesParam,
    wanted: WantedParam,
    limit: LimitParam = 100,
    cursor: CursorParam = "",
    offset: Annotated[int, Query(ge=0, le=1_000_000, description="Rows to leave out.")] = 0,
    order: Literal["newest", "oldest"] = "newest",
) -> AuditEvents:
    """Events, the newest first where not said otherwise."""
    rows = await audit_log.find(
        given.fleet,
        caller,
        wanted,
        newest_first=order == "newest",
        beyond=_key(cursor),
        offset=offset,
        limit=limit + 1,
    )
    page, more = paging.cut(rows, limit)
    last = page[-1].event if more else None
    return AuditEvents(
        audit_events=[render(given, each) for each in page],
        next=None if last is None else paging.encode(last.at.isoformat(), str(last.id)),
    )


@router.get("/export", response_class=StreamingResponse, responses=_EXPORTED)
async def export(
    caller: CallerParam, recheck: RecheckParam, given: ServicesParam, wanted: WantedParam
) -> StreamingResponse:
    """All events as JSON lines, however many there are."""
    begun = await audit_log.begin_export(given.fleet, caller, wanted)
    return StreamingResponse(
        lines(given, recheck, begun),
        media_type=LINES,
        headers={
            "Cache-Control": "no-store",
            "X-Accel-Buffering": "no",
            "Audit-Before": _written(begun.before),
        },
    )


@router.delete("")
async def purge(caller: CallerParam, given: ServicesParam, before: Time) -> Purged:
    """Removes what is older."""
    return Purged(deleted_count=await audit_log.purge(given.fleet, caller, before))


@router.put("/viewers/{user}")
async def grant(user: str, caller: CallerParam, given: ServicesParam) -> schemas.Nothing:
    """Lets a user read the audit log."""
    with problems.naming({NotValid: "user", UserNotFound: "user", NotSupported: "user"}):
        await audit_log.grant(given.fleet, caller, user)
    return schemas.Nothing()


@router.delete("/viewers/{user}")
async def revoke(user: str, caller: CallerParam, given: ServicesParam) -> schemas.Nothing:
    """Takes that back; administrators read it all the same."""
    with problems.naming({NotValid: "user", UserNotFound: "user"}):
        await audit_log.revoke(given.fleet, caller, user)
    return schemas.Nothing()


async def lines(given: Services, recheck: Recheck, begun: Export) -> AsyncIterator[str]:
    """The events of an export, each as a line of JSON."""
    async for some in audit_log.export(given.fleet, recheck, begun):
        yield "".join(
            render(given, each).model_dump_json(by_alias=True, exclude_none=True) + "\n"
            for each in some
        )


def render(given: Services, seen: Seen) -> AuditEvent:
    """An event as a body."""
    event = seen.event
    is_call = bool(event.conversation)
    return AuditEvent(
        id=str(event.id),
        time=event.at,
        user=given.user_id(event.identity),
        door=event.door,
        action=event.action,
        outcome=event.outcome or None,
        model=seen.model or None,
        model_uuid=event.model_uuid,
        controller=event.controller or None,
        conversation_id=event.conversation or None,
        message_id=max(0, event.message_id) if is_call else None,
        facade_name=event.facade or None,
        facade_version=event.facade_version if event.facade else None,
        facade_method=event.method or None,
        object_id=event.object_id or None,
        is_response=event.is_response,
        params=event.params or None,
        error=_error(seen),
        client=event.client or None,
    )


def _error(seen: Seen) -> AuditError | None:
    if not seen.failed:
        return None
    return AuditError(code=seen.event.error_code, message=seen.event.error or seen.event.outcome)


def _key(cursor: str) -> Key | None:
    found = paging.time_and_number(cursor)
    return None if found is None else Key(*found)


def _written(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")
