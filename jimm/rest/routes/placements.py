"""Why models are where they are, and where one would go now."""

from fastapi import APIRouter

from jimm.access.names import require_identity
from jimm.errors import NotFound, NotValid
from jimm.fleet import placing
from jimm.fleet.caller import Caller
from jimm.fleet.controllers import require_administrator
from jimm.fleet.placing import Wanted
from jimm.registry import placements
from jimm.registry.placements import Placement
from jimm.rest import paging, problems, schemas
from jimm.rest.context import CallerParam, Services, ServicesParam
from jimm.rest.paging import CursorParam, LimitParam

router = APIRouter(tags=["placements"])


@router.get("/placements", response_model_exclude_none=True)
async def every(
    caller: CallerParam, given: ServicesParam, limit: LimitParam = 100, cursor: CursorParam = ""
) -> schemas.Placements:
    """Decisions that were made, newest first: all for administrators, else one's own models'."""
    before = paging.number(cursor)
    async with given.fleet.registry.read() as session:
        rows = await placements.page(
            session,
            before=before,
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
    owner = _owner(given, body.owner, caller)
    wanted = Wanted(body.cloud, body.region, body.controller)
    with problems.naming({NotFound: "cloud"}):
        decision = await placing.explain(given.fleet, owner, wanted)
    return schemas.Explanation(
        policy=decision.policy,
        candidates=[_candidate(row) for row in placing.as_record(decision)],
    )


def _owner(given: Services, owner: str, caller: Caller) -> Caller:
    """Whose rights decide: the caller's own, or for an administrator those of the owner named."""
    if not owner:
        return caller
    try:
        identity = require_identity(owner, given.fleet.local_domain)
    except NotValid as error:
        raise NotValid(str(error), field="owner") from error
    if identity == caller.identity:
        return caller
    require_administrator(caller)
    return Caller(identity, False, caller.door)


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
