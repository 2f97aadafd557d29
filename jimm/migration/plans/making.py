"""Making plans: which models, where to, in which order."""

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from jimm import audit
from jimm.errors import ControllerUnavailable, NotFound, NotValid
from jimm.fleet import models as fleet_models
from jimm.fleet.caller import Caller
from jimm.fleet.controllers import require_administrator
from jimm.fleet.fleet import Fleet
from jimm.migration.plans import gathering
from jimm.migration.plans.balancing import MEASURES, rebalance
from jimm.migration.plans.gathering import Gathered
from jimm.migration.plans.planning import DEFAULT_POLICY, ORDERS, ControllerFacts, Move, Rules, plan
from jimm.placement import POLICIES
from jimm.registry import controllers, plans
from jimm.registry.plan_records import Counts, Item, ItemChange, NewItem, NewPlan, Plan
from jimm.registry.session import WriteSession
from jimm.registry.words import PlanItemState, PlanKind
from jimm.wire.tags import ModelUUID

CONCURRENCY: Final = 5
STOP_AFTER: Final = 3
MOST_AT_ONCE: Final = 500

_TO_ONE: Final = (PlanKind.MIGRATE, PlanKind.UPGRADE_TO)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a plan shall do.

    ``controller`` is the one to drain, or the target of ``models`` (uuid, ``model-<uuid>`` or
    ``owner/name`` with a full identity); ``cloud``, ``region`` and ``by`` are a rebalance's.
    ``concurrency`` is how many models are on their way at most; after ``stop_after`` failures in
    a row the plan pauses, 0 is never. ``prepare`` as in a single migration.
    """

    kind: PlanKind
    controller: str = ""
    models: tuple[str, ...] = ()
    cloud: str = ""
    region: str = ""
    by: str = "machines"
    order: str = "smallest"
    policy: str = DEFAULT_POLICY
    concurrency: int = CONCURRENCY
    stop_after: int = STOP_AFTER
    prepare: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A plan, and how many of its models are where."""

    plan: Plan
    counts: Counts


async def preview(fleet: Fleet, caller: Caller, wanted: Wanted) -> list[NewItem]:
    """The whole plan as it would be made now: each model once, in order, with its target or the
    reason why it has none.

    Raises:
        Unauthorized: the caller does not administer JIMM.
        NotFound, ModelNotFound: no such controller, no such model.
        NotValid: an option can't be.
        ControllerError: a controller that must be asked does not answer.
    """
    require_administrator(caller)
    _check(wanted)
    uuids = await _named(fleet, caller, wanted)
    gathered = await gathering.gather(
        fleet,
        controller=wanted.controller if wanted.kind is PlanKind.DRAIN else "",
        cloud=wanted.cloud,
        region=wanted.region,
        uuids=uuids,
    )
    _check_controller(wanted, gathered.controllers)
    return await _planned(fleet, wanted, gathered)


async def make(fleet: Fleet, caller: Caller, wanted: Wanted) -> Shown:
    """Writes a plan down, for a driver to carry out. A controller that is to be drained takes no
    new models from then on; that stays so when the plan has ended.

    Raises:
        Unauthorized, NotFound, NotValid, ControllerError: as :func:`preview`.
    """
    items = await preview(fleet, caller, wanted)
    new = NewPlan(
        id=str(uuid.uuid4()),
        kind=wanted.kind,
        params=_params(wanted),
        requested_by=caller.identity,
        concurrency=wanted.concurrency,
        stop_after=wanted.stop_after,
    )
    async with fleet.registry.write() as session:
        if wanted.kind is PlanKind.DRAIN:
            await _retire(session, caller, wanted.controller)
        made = await plans.add(session, new, items)
        counts = (await plans.counts(session, [new.id]))[new.id]
        params = {"plan-id": new.id, "models": counts.total}
        await audit.record(
            session,
            caller.did(f"plan-{wanted.kind.value}", controller=wanted.controller, params=params),
        )
    return Shown(made, counts)


async def again(fleet: Fleet, plan_id: str) -> list[tuple[Item, ItemChange]]:
    """The failed items whose target can be chosen anew, each with the change."""
    async with fleet.registry.read() as session:
        found = await plans.by_id(session, plan_id)
        every = [each.item for each in await plans.items(session, plan_id, limit=1_000_000)]
    wanted = _wished(found)
    if wanted.kind is PlanKind.REBALANCE:
        return []
    fixed = {each.together for each in every if each.state is not PlanItemState.FAILED}
    loose = {
        str(each.model_uuid): each
        for each in every
        if each.state is PlanItemState.FAILED
        and (not each.target_name or each.together not in fixed)
    }
    if not loose:
        return []
    gathered = await gathering.gather(fleet, uuids=list(loose))
    planned = {str(each.model_uuid): each for each in await _planned(fleet, wanted, gathered)}
    return [
        (
            loose[key],
            ItemChange(
                target_name=new.target_name,
                error_code=new.error_code,
                error=new.error,
                remedy=new.remedy,
            ),
        )
        for key, new in planned.items()
    ]


async def _named(fleet: Fleet, caller: Caller, wanted: Wanted) -> list[str] | None:
    if wanted.kind not in _TO_ONE:
        return None
    found = [(await fleet_models.refer(fleet, caller, each)).model for each in wanted.models]
    return list(dict.fromkeys(str(each.uuid) for each in found))


async def _planned(fleet: Fleet, wanted: Wanted, gathered: Gathered) -> list[NewItem]:
    rules = Rules(
        wanted.order,
        wanted.policy,
        POLICIES[wanted.policy],
        fleet.rng,
        only=wanted.controller if wanted.kind in _TO_ONE else "",
        stays=wanted.kind is PlanKind.UPGRADE_TO,
    )
    known = list(gathered.controllers)
    if wanted.kind is PlanKind.DRAIN:  # nothing goes back there
        known = [_retired(each, wanted.controller) for each in known]

    def planned() -> list[Move]:
        if wanted.kind is PlanKind.REBALANCE:
            return rebalance(gathered.models, known, gathered.ties, rules, by=wanted.by)
        return plan(gathered.models, known, gathered.ties, rules)

    return [_item(each, gathered.names) for each in await asyncio.to_thread(planned)]


def _retired(controller: ControllerFacts, name: str) -> ControllerFacts:
    return replace(controller, deprecated=True) if controller.name == name else controller


def _item(move: Move, names: dict[str, str]) -> NewItem:
    reason = move.reason
    return NewItem(
        model_uuid=ModelUUID(move.model.uuid),
        model_name=names[move.model.uuid],
        source_name=move.model.source,
        target_name=move.target,
        together=move.together,
        machines=move.model.machines,
        error_code=reason.code if reason else "",
        error=reason.sentence if reason else "",
        remedy=reason.remedy if reason else "",
    )


def _check(wanted: Wanted) -> None:
    choices = (
        ("order", wanted.order, ORDERS),
        ("policy", wanted.policy, tuple(POLICIES)),
        ("by", wanted.by, MEASURES),
    )
    for field, value, allowed in choices:
        if value not in allowed:
            raise NotValid(f'"{value}" is none of: {", ".join(allowed)}', field=field)
    if not 1 <= wanted.concurrency <= MOST_AT_ONCE:
        raise NotValid(f"give a number from 1 to {MOST_AT_ONCE}", field="concurrency")
    if wanted.stop_after < 0:
        raise NotValid("give a number of failures, 0 for never", field="stop-after")
    if wanted.kind in _TO_ONE and not wanted.models:
        raise NotValid("name the models", field="models")
    if wanted.kind not in _TO_ONE and wanted.models:
        raise NotValid("this kind of plan finds its models itself", field="models")
    if wanted.kind is PlanKind.REBALANCE and wanted.controller:
        raise NotValid("a rebalance is over all controllers", field="controller")
    if wanted.kind is not PlanKind.REBALANCE and (wanted.cloud or wanted.region):
        raise NotValid(
            "only a rebalance is over a cloud", field="cloud" if wanted.cloud else "region"
        )


def _check_controller(wanted: Wanted, known: Sequence[ControllerFacts]) -> None:
    if wanted.kind is PlanKind.REBALANCE:
        return
    found = next((each for each in known if each.name == wanted.controller), None)
    if found is None:
        raise NotFound(f'controller "{wanted.controller}" not found', field="controller")
    if not found.healthy:
        raise ControllerUnavailable(
            f"{found.name} is not available: bring it back, then try again",
            why=found.status_info,
        )


async def _retire(session: WriteSession, caller: Caller, name: str) -> None:
    if (await controllers.by_name(session, name)).deprecated:
        return
    await controllers.set_deprecated(session, name, True)
    await audit.record(session, caller.did("deprecate-controller", controller=name))


def _params(wanted: Wanted) -> dict[str, object]:
    """What a plan is made from, as it is kept; the models are its items."""
    return {
        "controller": wanted.controller,
        "cloud": wanted.cloud,
        "region": wanted.region,
        "by": wanted.by,
        "order": wanted.order,
        "policy": wanted.policy,
        "prepare": wanted.prepare,
    }


def _wished(made: Plan) -> Wanted:
    """The reverse of :func:`_params`, but for the models."""
    kept = {key: str(value) for key, value in made.params.items()}
    return Wanted(
        made.kind,
        controller=kept["controller"],
        order=kept["order"],
        policy=kept["policy"],
        prepare=made.params["prepare"] is True,
    )
