"""Plans over many models: made, looked at, followed, and steered."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse

from jimm.errors import JimmError, ModelNotFound, NotFound
from jimm.fleet.caller import Caller
from jimm.migration import expectations
from jimm.migration.plans import making, requests
from jimm.migration.plans.making import Shown, Wanted
from jimm.registry.plan_records import Followed, NewItem
from jimm.registry.words import MigrationState, PlanItemState
from jimm.rest import paging, problems, sse
from jimm.rest import schemas_plans as bodies
from jimm.rest.context import CallerParam, Recheck, RecheckParam, Services, ServicesParam
from jimm.rest.paging import CursorParam, LimitParam
from jimm.rest.routes.migrations import reference

router = APIRouter(prefix="/plans", tags=["plans"])

POLL: Final = 0.5
"""Seconds between two looks at a plan that is followed."""

SILENCE: Final = 10.0
"""Seconds of silence at most; then it is also looked whether the token still holds."""

_STREAM: Final = sse.described(
    "Events `item` (a PlanItemEvent) for each model that changed, `plan` (a "
    "Plan) after them with its revision as id; `moving` (a PlanItemEvent, no id) for what "
    "the migrations under way say meanwhile; in the end `end` (a Plan)."
)


@router.post(
    "",
    status_code=202,
    response_model=bodies.Plan | bodies.PlanPreview,
    response_model_exclude_none=True,
    responses={200: {"model": bodies.PlanPreview, "description": "With `dry-run`."}},
)
async def add(
    body: bodies.PlanRequest, response: Response, caller: CallerParam, given: ServicesParam
) -> bodies.Plan | bodies.PlanPreview:
    """Makes a plan, or tells what it would be."""
    wanted = _wanted(given, body)
    with problems.naming({ModelNotFound: "models", NotFound: "controller"}):
        if not body.dry_run:
            return render(given, await making.make(given.fleet, caller, wanted))
        items = await making.preview(given.fleet, caller, wanted)
    response.status_code = 200
    return bodies.PlanPreview(
        kind=body.kind.value,
        items=[bodies.PlannedModel.model_validate(_planned(given, each)) for each in items],
    )


@router.get("", response_model_exclude_none=True)
async def every(
    caller: CallerParam, given: ServicesParam, limit: LimitParam = 100, cursor: CursorParam = ""
) -> bodies.Plans:
    """Plans, the newest first."""
    rows = await requests.page(
        given.fleet, caller, before=paging.time_and_id(cursor), limit=limit + 1
    )
    page, more = paging.cut(rows, limit)
    last = page[-1].plan if more else None
    return bodies.Plans(
        plans=[render(given, each) for each in page],
        next=None if last is None else paging.encode(last.created.isoformat(), last.id),
    )


@router.get("/{plan_id}", response_model_exclude_none=True)
async def show(plan_id: str, caller: CallerParam, given: ServicesParam) -> bodies.Plan:
    """One plan."""
    return render(given, await requests.show(given.fleet, caller, plan_id))


@router.get("/{plan_id}/items", response_model_exclude_none=True)
async def items(
    plan_id: str,
    caller: CallerParam,
    given: ServicesParam,
    limit: LimitParam = 100,
    cursor: CursorParam = "",
    state: Annotated[list[PlanItemState] | None, Query()] = None,
) -> bodies.PlanItems:
    """The models of a plan, in its order, and what has become of each."""
    found = await requests.items(
        given.fleet,
        caller,
        plan_id,
        only=state or (),
        after=paging.number(cursor) or 0,
        limit=limit + 1,
    )
    page, more = paging.cut(found, limit)
    return bodies.PlanItems(
        items=[
            bodies.PlanItem.model_validate(each)
            for each in await _rendered(given, page, at=given.fleet.now())
        ],
        next=paging.encode(str(page[-1].item.seq)) if more else None,
    )


@router.get("/{plan_id}/events", response_class=StreamingResponse, responses=_STREAM)
async def events(
    plan_id: str,
    caller: CallerParam,
    recheck: RecheckParam,
    given: ServicesParam,
    last_event_id: Annotated[int, Header(ge=0, lt=1 << 63)] = 0,
) -> StreamingResponse:
    """The plan's models as server-sent events: all of them as they are, or those that changed
    after `Last-Event-ID`, and on until the plan is over, or the token is not valid any more."""
    await requests.show(given.fleet, caller, plan_id)
    return sse.stream(follow(given, recheck, plan_id, last_event_id))


@router.post("/{plan_id}:pause", response_model_exclude_none=True)
async def pause(plan_id: str, caller: CallerParam, given: ServicesParam) -> bodies.Plan:
    """Begins no more models; those on their way go on."""
    return render(given, await requests.pause(given.fleet, caller, plan_id))


@router.post("/{plan_id}:resume", response_model_exclude_none=True)
async def resume(plan_id: str, caller: CallerParam, given: ServicesParam) -> bodies.Plan:
    """Goes on with a paused plan."""
    return render(given, await requests.resume(given.fleet, caller, plan_id))


@router.post("/{plan_id}:cancel", response_model_exclude_none=True)
async def cancel(plan_id: str, caller: CallerParam, given: ServicesParam) -> bodies.Plan:
    """Takes out what has not begun; models on their way go on."""
    return render(given, await requests.cancel(given.fleet, caller, plan_id))


@router.post("/{plan_id}:retry", response_model_exclude_none=True)
async def retry(plan_id: str, caller: CallerParam, given: ServicesParam) -> bodies.Plan:
    """Tries the models again that failed, and goes on with the plan."""
    return render(given, await requests.retry(given.fleet, caller, plan_id))


async def follow(
    given: Services,
    recheck: Recheck,
    plan_id: str,
    after: int,
    *,
    poll: float = POLL,
    silence: float = SILENCE,
) -> AsyncIterator[str]:
    """The server-sent events of a plan after a revision; they end with it, or when whoever
    follows it may not any more. No silence is longer than ``silence`` seconds."""
    yield sse.RETRY
    checked, caller = float("-inf"), None
    told: dict[int, tuple[object, ...]] = {}
    while True:
        try:
            if caller is None or time.monotonic() - checked > silence / 2:
                checked, caller = time.monotonic(), await recheck()
                yield ": still there\n\n"
            news = await _news(given, caller, plan_id, after, told)
        except JimmError:
            return
        for line in news.lines:
            yield line
        if news.is_end:
            return
        if news.after == after:
            await asyncio.sleep(poll)
        after = news.after


@dataclass(frozen=True, slots=True)
class _News:
    """What a look has found: lines to send, and the revision up to which all is told."""

    lines: list[str]
    after: int
    is_end: bool = False


async def _news(
    given: Services,
    caller: Caller,
    plan_id: str,
    after: int,
    told: dict[int, tuple[object, ...]],
) -> _News:
    """``told`` is what was said last of each model under way, and is brought up to date."""
    new = await requests.changes(given.fleet, caller, plan_id, after=after)
    at = given.fleet.now()
    if new.upto > after:
        lines = await _lines(given, "item", new.items, at)
        told.update({each.item.seq: _said(each) for each in new.items})
        # an id without data is kept, and no event
        last = sse.event("plan", render(given, new.shown), new.upto) if new.shown else None
        return _News([*lines, last or f"id: {new.upto}\n\n"], new.upto)
    if new.plan.ended is not None:
        whole = await requests.show(given.fleet, caller, plan_id)
        return _News([sse.event("end", render(given, whole), after)], after, is_end=True)
    moving = await requests.under_way(given.fleet, caller, plan_id)
    news = [each for each in moving if told.get(each.item.seq) != _said(each)]
    told.update({each.item.seq: _said(each) for each in news})
    return _News(await _lines(given, "moving", news, at), after)


async def _lines(
    given: Services, kind: str, followed: Iterable[Followed], at: datetime
) -> list[str]:
    return [
        sse.event(kind, bodies.PlanItemEvent.model_validate({**each, "at": at}))
        for each in await _rendered(given, followed, at=at)
    ]


def render(given: Services, shown: Shown) -> bodies.Plan:
    """A plan as a body."""
    plan = shown.plan
    own = {key: plan.params.get(key) or None for key in ("controller", "cloud", "region")}
    return bodies.Plan.model_validate(
        {
            **own,
            "by": plan.params.get("by") if plan.kind.value == "rebalance" else None,
            "plan_id": plan.id,
            "kind": plan.kind.value,
            "order": plan.params["order"],
            "policy": plan.params["policy"],
            "prepare": plan.params["prepare"],
            "concurrency": plan.concurrency,
            "stop_after": plan.stop_after,
            "state": plan.state.value,
            "message": plan.message,
            "counts": {each.value: getattr(shown.counts, each.value) for each in PlanItemState},
            "requested_by": given.user_id(plan.requested_by),
            "created": plan.created,
            "ended": plan.ended,
            "revision": plan.revision,
        }
    )


async def _rendered(
    given: Services, followed: Iterable[Followed], *, at: datetime
) -> list[dict[str, object]]:
    pastimes = await given.experience.pastimes()
    return [_item(given, each, pastimes, at) for each in followed]


def _item(
    given: Services, followed: Followed, pastimes: expectations.Pastimes, at: datetime
) -> dict[str, object]:
    item = followed.item
    fields: dict[str, object] = {
        **_planned(given, item),
        "seq": item.seq,
        "state": item.state.value,
        "migration_id": item.migration_id,
        "message": item.message,
        "attempts": item.attempts,
        "started": item.started,
        "ended": item.ended,
    }
    if followed.state is None or item.state is not PlanItemState.MIGRATING:
        return fields
    since = followed.phase_since or at
    expected = expectations.forecast(
        pastimes,
        MigrationState(followed.state),
        followed.phase,
        (at - since).total_seconds(),
        followed.machines,
        followed.units,
    )
    return fields | {
        "migration_state": MigrationState(followed.state).value,
        "phase": followed.phase,
        "phase_since": since,
        "message": followed.message,
        "expected_rest": None if expected.rest is None else round(expected.rest, 1),
        "slow": expected.slow,
    }


def _planned(given: Services, item: NewItem | Any) -> dict[str, object]:
    owner, _, name = item.model_name.partition("/")
    failure = {"code": item.error_code, "message": item.error, "remedy": item.remedy or None}
    return {
        "model_uuid": item.model_uuid,
        "model_name": name,
        "owner": given.user_id(owner),
        "source": item.source_name,
        "target": item.target_name or None,
        "group": item.together,
        "machines": item.machines,
        "error": failure if item.error else None,
    }


def _said(followed: Followed) -> tuple[object, ...]:
    return followed.item.state, followed.state, followed.phase, followed.message


def _wanted(given: Services, body: bodies.PlanRequest) -> Wanted:
    return Wanted(
        body.kind,
        controller=body.controller,
        models=tuple(reference(given, each) for each in body.models),
        cloud=body.cloud,
        region=body.region,
        by=body.by,
        order=body.order,
        policy=body.policy,
        concurrency=body.concurrency,
        stop_after=body.stop_after,
        prepare=body.prepare,
    )
