"""Migrations: asked for, looked at, followed, and decided."""

from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse

from jimm.access.names import qualify
from jimm.errors import ModelNotFound, NotFound, SessionTokenInvalid
from jimm.fleet.caller import Caller
from jimm.migration import by_hand, expectations, prechecks, requests
from jimm.migration.followers import Follower
from jimm.migration.prechecks import Finding
from jimm.registry.migrations import Migration, MigrationEvent
from jimm.registry.words import MigrationState
from jimm.rest import paging, problems, schemas, sse
from jimm.rest.context import CallerParam, Recheck, RecheckParam, Services, ServicesParam
from jimm.rest.paging import CursorParam, LimitParam

router = APIRouter(prefix="/migrations", tags=["migrations"])

SILENCE: Final = 10.0
"""Seconds between two outlooks at most; then it is also looked whether the token still holds."""

_STREAM: Final = sse.described(
    "Events `progress` (a MigrationEvent) with seq as id; without one "
    "`outlook` (an Outlook), whenever all that happened was told and at least every 10 s; "
    "in the end `end` (a Migration)."
)


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
            asked = await requests.request(
                given.fleet, caller, model, body.controller, prepare=body.prepare
            )
            return await render(given, asked)
        findings = await requests.dry_run(given.fleet, caller, model, body.controller)
    response.status_code = 200
    return schemas.DryRun(
        ready=not prechecks.refusing(findings, prepare=body.prepare),
        checks=[check(each) for each in findings],
    )


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
        before=paging.time_and_id(cursor),
        limit=limit + 1,
    )
    page, more = paging.cut(rows, limit)
    last = page[-1] if more else None
    return schemas.Migrations(
        migrations=[await render(given, each) for each in page],
        next=None if last is None else paging.encode(last.started.isoformat(), last.id),
    )


@router.get("/{migration_id}", response_model_exclude_none=True)
async def show(
    migration_id: str, caller: CallerParam, given: ServicesParam, history: bool = False
) -> schemas.Migration:
    """One migration, with its whole history if that is asked for."""
    if not history:
        return await render(given, await requests.get(given.fleet, caller, migration_id))
    lines: list[MigrationEvent] = []
    while True:
        after = lines[-1].seq if lines else 0
        rows, migration = await requests.events(given.fleet, caller, migration_id, after=after)
        if not rows:
            shown = await render(given, migration)
            return shown.model_copy(update={"history": [_line(each) for each in lines]})
        lines += rows


@router.get("/{migration_id}/events", response_class=StreamingResponse, responses=_STREAM)
async def events(
    migration_id: str,
    caller: CallerParam,
    recheck: RecheckParam,
    given: ServicesParam,
    last_event_id: Annotated[int, Header(ge=0, lt=1 << 63)] = 0,
) -> StreamingResponse:
    """The history as server-sent events, from its beginning or after `Last-Event-ID`, and on
    until the migration is over, or the token is not valid any more."""
    await requests.get(given.fleet, caller, migration_id)
    return sse.stream(follow(given, recheck, migration_id, last_event_id))


@router.post("/{migration_id}:resolve", response_model_exclude_none=True)
async def resolve(
    migration_id: str, body: schemas.Resolution, caller: CallerParam, given: ServicesParam
) -> schemas.Migration:
    """An administrator's word on a migration that never ends."""
    decided = await by_hand.resolve(
        given.fleet, caller, migration_id, on=body.model_is_on, reason=body.reason
    )
    return await render(given, decided)


async def follow(
    given: Services, recheck: Recheck, migration_id: str, after: int, *, silence: float = SILENCE
) -> AsyncIterator[str]:
    """The server-sent events of a migration after a seq; they end with it, or when whoever
    follows it may not any more. No silence is longer than ``silence`` seconds."""
    yield sse.RETRY
    with given.followers.follow(migration_id, after) as follower:
        while True:
            follower.woken.clear()
            try:
                rows, migration = await _more(given, await recheck(), follower)
            except (SessionTokenInvalid, NotFound):
                return
            for each in rows:
                yield sse.event("progress", _line(each), each.seq)
            if len(rows) > 1 or (rows and migration.ended is not None):
                continue  # there may be more than was read at once
            if migration.ended is not None:
                yield sse.event("end", await render(given, migration), follower.seen)
                return
            yield sse.event("outlook", await outlook(given, migration))
            await follower.news(silence)


def reference(given: Services, text: str) -> str:
    """A uuid, ``model-<uuid>``, or ``owner/name`` with the owner's full identity."""
    owner, _, name = text.partition("/")
    if not owner or not name:
        return text
    return f"{qualify(owner, given.fleet.local_domain)}/{name}"


def check(finding: Finding) -> schemas.Check:
    """A finding as a body."""
    return schemas.Check(
        code=finding.code,
        found=finding.found,
        remedy=finding.remedy,
        advice=finding.advice,
        mendable=finding.mendable,
    )


async def render(given: Services, migration: Migration) -> schemas.Migration:
    """A migration as a body."""
    owner, _, name = migration.model_name.partition("/")
    expected = await outlook(given, migration)
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
        phase_since=migration.phase_since,
        ended=migration.ended,
        expected_rest=expected.expected_rest,
        slow=expected.slow,
        error=_error(migration),
        debris=migration.debris or None,
        checks=[schemas.Check.model_validate(each) for each in migration.checks],
        prepare=migration.prepare,
        prepared=[
            schemas.Prepared(
                kind=str(each.get("kind", "")),
                name=str(each.get("name", "")),
                undone=each.get("undone") is True,
            )
            for each in migration.prepared
        ],
        machines=migration.machines,
        units=migration.units,
    )


async def outlook(given: Services, migration: Migration) -> schemas.Outlook:
    """What is expected of it, as a body."""
    at = given.fleet.now()
    expected = expectations.forecast(
        await given.experience.pastimes(),
        migration.state,
        migration.phase,
        (at - migration.phase_since).total_seconds(),
        migration.machines,
        migration.units,
    )
    return schemas.Outlook(
        at=at,
        state=migration.state.value,
        phase=migration.phase,
        phase_since=migration.phase_since,
        expected_rest=None if expected.rest is None else round(expected.rest, 1),
        slow=expected.slow,
    )


async def _more(
    given: Services, caller: Caller, follower: Follower
) -> tuple[list[MigrationEvent], Migration]:
    """What the follower has not seen yet, and the migration as it was just before."""
    rows, migration = await requests.events(
        given.fleet, caller, follower.migration, after=follower.seen
    )
    if rows:
        follower.seen = rows[-1].seq
    return rows, migration


def _error(migration: Migration) -> schemas.MigrationError | None:
    if not migration.error:
        return None
    return schemas.MigrationError(
        code=migration.error_code, message=migration.error, remedy=migration.remedy or None
    )


def _line(event: MigrationEvent) -> schemas.MigrationEvent:
    return schemas.MigrationEvent(
        seq=event.seq,
        at=event.at,
        state=event.state.value,
        phase=event.phase,
        message=event.message,
    )
