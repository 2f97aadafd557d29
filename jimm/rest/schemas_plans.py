"""The bodies of plans over many models."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from jimm.migration.plans.making import CONCURRENCY, MOST_AT_ONCE, STOP_AFTER
from jimm.migration.plans.planning import DEFAULT_POLICY
from jimm.registry.words import PlanKind
from jimm.rest.schemas import Asked, Body, MigrationError


class PlanRequest(Asked):
    """What a plan shall do. `drain` takes `controller`; `upgrade-to` and `migrate` take
    `controller`, the target, and `models` (uuid, `model-<uuid>` or `owner/name`); `rebalance`
    takes `cloud`, `region` and `by`, all optional. With `dry-run` it is only told."""

    kind: PlanKind
    controller: str = ""
    models: list[str] = Field(default=[], max_length=10_000)
    cloud: str = ""
    region: str = ""
    by: Literal["models", "machines"] = "machines"
    order: Literal["smallest", "largest", "name", "age"] = Field(
        default="smallest", description="Which models go first; `age`: the oldest."
    )
    policy: str = Field(
        default=DEFAULT_POLICY, description="How targets are chosen, as for new models."
    )
    concurrency: int = Field(
        default=CONCURRENCY, ge=1, le=MOST_AT_ONCE, description="Models on their way at most."
    )
    stop_after: int = Field(
        default=STOP_AFTER, ge=0, description="Failures in a row that pause it; 0: never."
    )
    prepare: bool = False
    dry_run: bool = False


class PlanCounts(Body):
    """How many of a plan's models are in each state."""

    waiting: int
    migrating: int
    upgrading: int
    done: int
    failed: int
    cancelled: int


class Plan(Body):
    """A plan. `revision` goes up with each change of it or of one of its models."""

    plan_id: str
    kind: str
    controller: str | None = None
    cloud: str | None = None
    region: str | None = None
    by: str | None = None
    order: str
    policy: str
    concurrency: int
    stop_after: int
    prepare: bool
    state: str
    message: str
    counts: PlanCounts
    requested_by: str
    created: datetime
    ended: datetime | None = None
    revision: int


class Plans(Body):
    """Plans, newest first."""

    plans: list[Plan]
    next: str | None = None


class PlannedModel(Body):
    """A model of a plan and its target; where there is none, `error` says why. Models of one
    `group` are tied by offers and go to one target."""

    model_uuid: str
    model_name: str
    owner: str
    source: str
    target: str | None = None
    group: int
    machines: int
    error: MigrationError | None = None


class PlanPreview(Body):
    """The whole plan as it would be made now, in order; nothing was done."""

    kind: str
    items: list[PlannedModel]


class PlanItem(PlannedModel):
    """A model of a plan and what has become of it. While it moves, `phase`, `message`,
    `phase-since`, `expected-rest` (seconds) and `slow` are its migration's."""

    seq: int
    state: str
    migration_id: str | None = None
    migration_state: str | None = None
    phase: str | None = None
    phase_since: datetime | None = None
    expected_rest: float | None = None
    slow: bool | None = None
    message: str
    attempts: int
    started: datetime | None = None
    ended: datetime | None = None


class PlanItems(Body):
    """The models of a plan in its order."""

    items: list[PlanItem]
    next: str | None = None


class PlanItemEvent(PlanItem):
    """A model of a plan as it is now."""

    at: datetime
