"""Migrations: asked for, looked at, followed, and decided."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse

from jimm.access.names import qualify
from jimm.errors import ModelNotFound, NotFound
from jimm.fleet.caller import Caller
from jimm.migration import by_hand, requests
from jimm.migration.prechecks import Finding
from jimm.registry.migrations import Migration, MigrationEvent
from jimm.registry.words import MigrationState
from jimm.rest import paging, problems, schemas
from jimm.rest.context import CallerParam, Services, ServicesParam
from jimm.rest.paging import CursorParam, LimitParam

router = APIRouter(prefix="/migrations", tags=["migrations"])

POLL: Final = 0.2
"""Seconds between two looks at a migration that is followed."""

COMMENT: Final = 15.0
"""Seconds of silence at most: then a comment says that the stream is alive."""

_STREAM: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
        "description": "Events `progress` (a MigrationEvent) with seq as id, then one `end` "
        "(a Migration).",
    }
}


@router.post(
    "",
    status_code=202,
    response_model=schemas.Migration | schemas.DryRun,
    response_model_exclude_none=True,
    responses={200: {"model": schemas.DryRun, "description": "With `dry-run`."}},
)
async def add(
    body: schemas.MigrationRequest, response: Response, caller: CallerParam, given: ServicesParam
) -> schemas.Migration | schemas.DryRun:
    """Asks for a migration, or whether it could begin."""
    model = reference(given, body.model)
    with problems.naming({ModelNotFound: "model", NotFound: "controller"}):
        if not body.dry_run:
            asked = await requests.request(given.fleet, caller, model, body.controller)
            return render(given, asked)
        findings = await requests.dry_run(given.fleet, caller, model, body.controller)
    response.status_code = 200
    return schemas.DryRun(ready=not findings, checks=[check(each) for each in findings])


@router.get("", response_model_exclude_none=True)
async def every(
    caller: CallerParam,
    given: ServicesParam,
    limit: LimitParam = 100,
    cursor: CursorParam = "",
    model: str = "",
    state: Annotated[list[MigrationState] | None, Query()] = None,
) -> schemas.Migrations:
    """Migrations, the newest first."""
    rows = await requests.page(
        given.fleet,
        caller,
        reference=reference(given, model) if model else "",
        states=state or (),
        before=_before(cursor),
        limit=limit + 1,
    )
    page, more = paging.cut(rows, limit)
    last = page[-1] if more else None
    return schemas.Migrations(
        migrations=[render(given, each) for each in page],
        next=None if last is None else paging.encode(last.started.isoformat(), last.id),
    )


@router.get("/{migration_id}", response_model_exclude_none=True)
async def show(migration_id: str, caller: CallerParam, given: ServicesParam) -> schemas.Migration:
    """One migration."""
    return render(given, await requests.get(given.fleet, caller, migration_id))


@router.get("/{migration_id}/events", response_class=StreamingResponse, responses=_STREAM)
async def events(
    migration_id: str,
    caller: CallerParam,
    given: ServicesParam,
    last_event_id: Annotated[int, Header(ge=0, lt=1 << 63)] = 0,
) -> StreamingResponse:
    """The history as server-sent events, from its beginning or after `Last-Event-ID`, and on
    until the migration is over."""
    await requests.get(given.fleet, caller, migration_id)
    return StreamingResponse(
        follow(given, caller, migration_id, last_event_id),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


@router.post("/{migration_id}:resolve", response_model_exclude_none=True)
async def resolve(
    migration_id: str, body: schemas.Resolution, caller: CallerParam, given: ServicesParam
) -> schemas.Migration:
    """An administrator's word on a migration that never ends."""
    decided = await by_hand.resolve(
        given.fleet, caller, migration_id, on=body.model_is_on, reason=body.reason
    )
    return render(given, decided)


async def follow(
    given: Services, caller: Caller, migration_id: str, after: int, *, comment: float = COMMENT
) -> AsyncIterator[str]:
    """The server-sent events of a migration after a seq; they end with it. No silence is
    longer than ``comment`` seconds."""
    quiet_since = time.monotonic()
    yield "retry: 1000\n\n"
    while True:
        rows, migration = await requests.events(given.fleet, caller, migration_id, after=after)
        for each in rows:
            after = each.seq
            yield _event("progress", after, _line(each))
        if rows:
            quiet_since = time.monotonic()
            continue
        if migration.ended is not None:
            yield _event("end", after, render(given, migration))
            return
        if time.monotonic() - quiet_since > comment - 2 * POLL:
            quiet_since = time.monotonic()
            yield ": still there\n\n"
        await asyncio.sleep(POLL)


def reference(given: Services, text: str) -> str:
    """A uuid, ``model-<uuid>``, or ``owner/name`` with the owner's full identity."""
    owner, _, name = text.partition("/")
    if not owner or not name:
        return text
    return f"{qualify(owner, given.fleet.local_domain)}/{name}"


def check(finding: Finding) -> schemas.Check:
    """A finding as a body."""
    return schemas.Check(code=finding.code, found=finding.found, remedy=finding.remedy)


def render(given: Services, migration: Migration) -> schemas.Migration:
    """A migration as a body."""
    owner, _, name = migration.model_name.partition("/")
    failed = bool(migration.error)
    return schemas.Migration(
        migration_id=migration.id,
        model_uuid=migration.model_uuid,
        model_name=name,
        owner=given.user_id(owner),
        source=migration.source_name,
        target=migration.target_name,
        state=migration.state.value,
        phase=migration.phase,
        message=migration.message,
        requested_by=given.user_id(migration.requested_by),
        started=migration.started,
        ended=migration.ended,
        error=schemas.MigrationError(code=migration.error_code, message=migration.error)
        if failed
        else None,
        checks=[schemas.Check.model_validate(each) for each in migration.checks],
    )


def _line(event: MigrationEvent) -> schemas.MigrationEvent:
    return schemas.MigrationEvent(
        seq=event.seq,
        at=event.at,
        state=event.state.value,
        phase=event.phase,
        message=event.message,
    )


def _event(kind: str, seq: int, body: schemas.Body) -> str:
    data = body.model_dump_json(by_alias=True, exclude_none=True)
    return f"event: {kind}\nid: {seq}\ndata: {data}\n\n"


def _before(cursor: str) -> tuple[datetime, str] | None:
    if not cursor:
        return None
    started, migration_id = paging.decode(cursor, 2)
    try:
        key = datetime.fromisoformat(started), str(UUID(migration_id))
    except ValueError as error:
        raise paging.of_another_listing() from error
    if key[0].tzinfo is None:
        raise paging.of_another_listing()
    return key
