"""Why models are where they are, and where one would go now."""

from fastapi import APIRouter

from jimm.fleet import placing
from jimm.fleet.controllers import require_administrator
from jimm.fleet.placing import Wanted
from jimm.registry import placements
from jimm.registry.placements import Placement
from jimm.rest import paging, schemas
from jimm.rest.context import CallerParam, Services, ServicesParam
from jimm.rest.paging import CursorParam, LimitParam

router = APIRouter(tags=["placements"])


@router.get("/placements", response_model_exclude_none=True)
async def every(
    caller: CallerParam, given: ServicesParam, limit: LimitParam = 100, cursor: CursorParam = ""
) -> schemas.Placements:
    """Decisions that were made, newest first: all for administrators, else one's own models'."""
    (before,) = paging.decode(cursor, 1)
    async with given.fleet.registry.read() as session:
        rows = await placements.page(
            session,
            before=int(before) if before else None,
            limit=limit + 1,
            owner="" if caller.admin else caller.identity,
        )
    page, more = paging.cut(rows, limit)
    return schemas.Placements(
        placements=[_body(given, each) for each in page],
        next=paging.encode(str(page[-1].id)) if more else None,
    )


@router.post("/placements:explain", response_model_exclude_none=True)
async def explain(
    body: schemas.PlacementRequest, caller: CallerParam, given: ServicesParam
) -> schemas.Explanation:
    """Every controller with the reasons for and against it, as if a model were created now."""
    if body.owner:
        require_administrator(caller)
    wanted = Wanted(body.cloud, body.region, body.controller)
    decision = await placing.explain(given.fleet, caller, wanted)
    return schemas.Explanation(
        policy=decision.policy,
        candidates=[_candidate(row) for row in placing.as_record(decision)],
    )


def _body(given: Services, placement: Placement) -> schemas.Placement:
    return schemas.Placement(
        id=str(placement.id),
        model_name=placement.name,
        owner=given.user_id(placement.owner),
        cloud=placement.cloud,
        region=placement.region,
        policy=placement.policy,
        chosen=placement.chosen,
        candidates=[_candidate(row) for row in placement.candidates],
        attempts=[schemas.Attempt.model_validate(row) for row in placement.attempts],
        requested_by=given.user_id(placement.requested_by),
        at=placement.at,
    )


def _candidate(row: dict[str, object]) -> schemas.PlacementCandidate:
    return schemas.PlacementCandidate.model_validate(row)
