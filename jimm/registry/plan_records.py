"""Plans and their items as values. Pure."""

from dataclasses import dataclass, field
from datetime import datetime

from jimm.registry.held import Held
from jimm.registry.words import MigrationState, PlanItemState, PlanKind, PlanState
from jimm.wire.tags import ModelUUID


@dataclass(frozen=True)
class NewPlan:
    """A plan that is to be carried out. ``concurrency`` is how many of its models are on their
    way at most, ``stop_after`` how many failures in a row pause it; ``params`` is what it was
    made from."""

    id: str
    kind: PlanKind
    params: dict[str, object]
    requested_by: str
    concurrency: int
    stop_after: int


@dataclass(frozen=True)
class NewItem:
    """A model and where it shall go. ``target_name`` is empty where no controller can take it;
    ``error_code``, ``error`` and ``remedy`` then say why, and the item begins as failed.
    ``together`` numbers the groups."""

    model_uuid: ModelUUID
    model_name: str
    source_name: str
    target_name: str
    together: int
    machines: int = 0
    error_code: str = ""
    error: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class Plan:
    """A plan. ``revision`` goes up with each change of it or of its items; ``failures_in_row``
    counts the items that failed since the last one that did not."""

    id: str
    kind: PlanKind
    params: dict[str, object]
    state: PlanState
    message: str
    requested_by: str
    concurrency: int
    stop_after: int
    failures_in_row: int
    revision: int
    created: datetime
    ended: datetime | None
    fence: int

    @property
    def held(self) -> Held:
        """The lease of the claim that gave this record."""
        return Held(self.id, self.fence)

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", PlanKind(self.kind))
        object.__setattr__(self, "state", PlanState(self.state))


@dataclass(frozen=True)
class Item:
    """One model of a plan. ``seq`` is its place in the plan's order, ``job`` its number among
    all plans' items; ``revision`` is the plan's when it changed last. ``model_name`` is
    ``owner/name``. ``attempts`` counts how often its turn has come."""

    plan_id: str
    seq: int
    job: int
    revision: int
    model_uuid: ModelUUID
    model_name: str
    source_name: str
    target_name: str
    together: int
    machines: int
    state: PlanItemState
    migration_id: str | None
    attempts: int
    message: str
    error_code: str
    error: str
    remedy: str
    started: datetime | None
    ended: datetime | None

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", PlanItemState(self.state))


@dataclass(frozen=True)
class Followed:
    """An item, and its migration where it has one: ``state`` is ``None`` where not. ``machines``
    and ``units`` are what the migration found."""

    item: Item
    state: MigrationState | None = None
    phase: str = ""
    message: str = ""
    error_code: str = ""
    error: str = ""
    remedy: str = ""
    phase_since: datetime | None = None
    machines: int = 0
    units: int = 0

    def __post_init__(self) -> None:
        if self.state is not None:
            object.__setattr__(self, "state", MigrationState(self.state))


@dataclass(frozen=True)
class Job:
    """An item as one of all plans' items, with its plan's kind and whether that is paused."""

    item: Item
    kind: PlanKind
    paused: bool


@dataclass(frozen=True)
class PlanChange:
    """A change of a plan. ``None`` keeps what was there."""

    state: PlanState | None = None
    message: str | None = None
    failures_in_row: int | None = None


@dataclass(frozen=True)
class ItemChange:
    """A change of an item. ``None`` keeps what was there."""

    state: PlanItemState | None = None
    target_name: str | None = None
    migration_id: str | None = None
    message: str | None = None
    error_code: str | None = None
    error: str | None = None
    remedy: str | None = None


@dataclass(frozen=True)
class Counts:
    """How many items of a plan are in each state."""

    waiting: int = 0
    migrating: int = 0
    upgrading: int = 0
    done: int = 0
    failed: int = 0
    cancelled: int = 0

    @property
    def under_way(self) -> int:
        """Those whose turn has come and is not over."""
        return self.migrating + self.upgrading

    @property
    def total(self) -> int:
        """All of them."""
        return self.waiting + self.under_way + self.done + self.failed + self.cancelled


@dataclass(frozen=True)
class PlannedModel:
    """What a plan is made from, of one model. ``name`` is ``owner/name``; ``migrating`` says that
    a migration of it is under way, ``in_plan`` is the plan that has it before it, if any."""

    uuid: ModelUUID
    id: int
    name: str
    owner: str
    controller: str
    cloud: str
    region: str
    agent_version: str
    state: str
    life: str
    machines: int
    created: datetime
    migrating: bool
    in_plan: str


@dataclass(frozen=True)
class PlannedController:
    """The same of one controller. ``reach`` maps clouds to regions to priorities; ``models`` and
    ``machines`` are what it carries, with those on their way to it."""

    name: str
    uuid: str
    available: bool
    status_info: str
    deprecated: bool
    agent_version: str
    reach: dict[str, dict[str, int]] = field(default_factory=dict)
    models: int = 0
    machines: int = 0
