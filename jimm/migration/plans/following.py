"""What comes next for one model of a plan, from what is written down of it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from jimm.errors import (
    ChecksFailed,
    ControllerUnavailable,
    JimmError,
    LostAnswer,
    MigrationUnderway,
    NotFound,
    TryAgain,
    Unauthorized,
)
from jimm.migration.reasons import redact_reason
from jimm.registry.plan_records import Followed, Item, Plan
from jimm.registry.words import ENDED, MigrationState, PlanItemState, PlanKind

_AWAY: Final = frozenset({"source-unavailable", "target-unavailable"})
"""Checks that may pass in a moment."""


class Next(Enum):
    """What is to be done about an item."""

    ASK = "ask for its migration"
    WAIT = "wait for its migration"
    ARRIVED = "its migration is done"
    FAILED = "its migration has failed"
    UPGRADE = "take it to its target's version"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an item failed: a stable code, a sentence, and what to do."""

    code: str
    sentence: str
    remedy: str


def following(followed: Followed) -> Next:
    """What comes next for an item whose turn has come."""
    if followed.item.state is PlanItemState.UPGRADING:
        return Next.UPGRADE
    match followed.state:
        case None:
            return Next.ASK
        case MigrationState.DONE:
            return Next.ARRIVED
        case state if state in ENDED:
            return Next.FAILED
    return Next.WAIT


def settled(plan: Plan, item: Item, controller: str | None) -> str:
    """Why nothing has to be moved, for a model that is on ``controller`` now; empty if it has.

    A model that was moved by hand meanwhile is where it was not to be any more.
    """
    if controller is not None and controller == item.target_name:
        return f"it is on {controller}"
    leaves = plan.kind in (PlanKind.DRAIN, PlanKind.REBALANCE)
    if leaves and controller is not None and controller != item.source_name:
        return f"it is on {controller}: it was moved meanwhile"
    return ""


def failed(followed: Followed) -> Failure:
    """Why a migration that is over did not move its model."""
    reason = followed.error or followed.message or f"the migration is {followed.state}"
    remedy = followed.remedy or f"jimmctl show-migration {followed.item.migration_id}"
    return Failure(followed.error_code or "failed", reason, _then_retry(remedy, followed.item))


def refused(error: JimmError, item: Item, *, prepare: bool) -> Failure:
    """Why a migration was not even begun."""
    match error:
        case ChecksFailed():
            checks = _refusing(error.checks, prepare=prepare)
            return Failure(
                _code(checks),
                "; ".join(str(each["found"]) for each in checks) or str(error),
                _then_retry("; ".join(dict.fromkeys(str(each["remedy"]) for each in checks)), item),
            )
        case MigrationUnderway():
            return Failure(
                "already-migrating",
                "somebody else is migrating the model",
                _then_retry("wait until that has ended: jimmctl migrations", item),
            )
        case Unauthorized():
            return Failure(
                "unauthorized",
                "who asked for the plan may not migrate models any more",
                "make another plan",
            )
        case NotFound():
            return Failure("not-found", str(error), "make another plan")
    return Failure(
        "not-begun", redact_reason(str(error)), _then_retry("mend what the sentence names", item)
    )


def not_upgraded(item: Item, why: str) -> Failure:
    """Why the agents were not taken to their target's version, by its own words."""
    return Failure(
        "upgrade-refused",
        f"the model is on {item.target_name}, and was not upgraded: {redact_reason(why)}",
        _then_retry("mend what the sentence names", item),
    )


def is_away(error: JimmError, *, prepare: bool) -> bool:
    """Whether the same may pass in a moment: a controller did not answer."""
    if isinstance(error, ControllerUnavailable | LostAnswer | TryAgain):
        return True
    if not isinstance(error, ChecksFailed):
        return False
    codes = {str(each["code"]) for each in _refusing(error.checks, prepare=prepare)}
    return bool(codes) and codes <= _AWAY


def _refusing(
    checks: Sequence[Mapping[str, object]], *, prepare: bool
) -> list[Mapping[str, object]]:
    return [
        each for each in checks if not each.get("advice") and not (prepare and each.get("mendable"))
    ]


def _code(checks: Sequence[Mapping[str, object]]) -> str:
    codes = {str(each["code"]) for each in checks}
    return codes.pop() if len(codes) == 1 else "checks-failed"


def _then_retry(remedy: str, item: Item) -> str:
    retry = f"jimmctl plan retry {item.plan_id}"
    return f"{remedy}; then: {retry}" if remedy else retry
