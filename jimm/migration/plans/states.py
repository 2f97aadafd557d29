"""The tables of states of plans and of their items. Pure."""

from collections.abc import Mapping
from typing import Final, TypeVar

from jimm.errors import Conflict
from jimm.registry.plan_records import Counts
from jimm.registry.words import PLAN_ENDED, PlanItemState, PlanState

PLAN_MOVES: Final[Mapping[PlanState, frozenset[PlanState]]] = {
    PlanState.RUNNING: frozenset({PlanState.PAUSED, *PLAN_ENDED}),
    # paused, what was on its way goes on: it may be the last
    PlanState.PAUSED: frozenset({PlanState.RUNNING, *PLAN_ENDED}),
    PlanState.DONE: frozenset(),
    # what failed may be tried again
    PlanState.FAILED: frozenset({PlanState.RUNNING}),
    PlanState.CANCELLED: frozenset({PlanState.RUNNING}),
}
"""From each state of a plan, the states that may follow."""

ITEM_MOVES: Final[Mapping[PlanItemState, frozenset[PlanItemState]]] = {
    PlanItemState.WAITING: frozenset({PlanItemState.MIGRATING, PlanItemState.CANCELLED}),
    # done, upgrading: also for a model that is on its target already
    PlanItemState.MIGRATING: frozenset(
        {PlanItemState.UPGRADING, PlanItemState.DONE, PlanItemState.FAILED}
    ),
    PlanItemState.UPGRADING: frozenset({PlanItemState.DONE, PlanItemState.FAILED}),
    PlanItemState.DONE: frozenset(),
    PlanItemState.FAILED: frozenset({PlanItemState.WAITING}),
    PlanItemState.CANCELLED: frozenset(),
}
"""From each state of an item, the states that may follow."""

S = TypeVar("S", PlanState, PlanItemState)


def move_plan(current: PlanState, following: PlanState) -> PlanState:
    """``following``, if the table allows it from ``current``.

    Raises:
        Conflict: it does not.
    """
    return _move(PLAN_MOVES, "a plan", current, following)


def move_item(current: PlanItemState, following: PlanItemState) -> PlanItemState:
    """As :func:`move_plan`, of an item.

    Raises:
        Conflict: it does not.
    """
    return _move(ITEM_MOVES, "a model of a plan", current, following)


def ending(counts: Counts) -> PlanState | None:
    """How a plan with these items ends; ``None`` while something is left to do."""
    if counts.waiting or counts.under_way:
        return None
    if counts.cancelled:
        return PlanState.CANCELLED
    return PlanState.FAILED if counts.failed else PlanState.DONE


def report(counts: Counts) -> str:
    """What became of a plan's models, in words."""
    told = (
        (counts.done, "done"),
        (counts.failed, "failed"),
        (counts.cancelled, "cancelled"),
        (counts.under_way, "under way"),
        (counts.waiting, "waiting"),
    )
    said = ", ".join(f"{number} {what}" for number, what in told if number)
    return f"{models(counts.total)}: {said}" if said else "there was nothing to move"


def models(number: int) -> str:
    """So many models, in words."""
    return f"{number} model{'' if number == 1 else 's'}"


def _move(moves: Mapping[S, frozenset[S]], what: str, current: S, following: S) -> S:
    if following not in moves[current]:
        raise Conflict(f"{what} that is {current} cannot become {following}")
    return following
