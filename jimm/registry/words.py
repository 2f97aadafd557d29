"""The words that columns may hold. What they mean is decided elsewhere; here is their spelling."""

from enum import StrEnum


class Trust(StrEnum):
    """How a controller knows JIMM and its users."""

    TOKEN = "token"  # noqa: S105 - a kind of trust
    PASSWORD = "password"  # noqa: S105 - a kind of trust


class ControllerStatus(StrEnum):
    """What the last look at a controller said."""

    AVAILABLE = "available"
    UNAVAILABLE = "unavailable"
    QUARANTINED = "quarantined"


class Relation(StrEnum):
    """What somebody may be to something."""

    ADMINISTRATOR = "administrator"
    WRITER = "writer"
    READER = "reader"
    CAN_ADDMODEL = "can_addmodel"
    CONSUMER = "consumer"
    AUDIT_LOG_VIEWER = "audit_log_viewer"


class ObjectKind(StrEnum):
    """What a relation is about; its key is in brackets."""

    JIMM = "jimm"  # ("jimm")
    CONTROLLER = "controller"  # (uuid)
    CLOUD = "cloud"  # (name)
    MODEL = "model"  # (uuid)
    OFFER = "offer"  # (uuid)


class ModelState(StrEnum):
    """What JIMM knows of a model's place."""

    CREATING = "creating"
    LIVE = "live"
    DESTROYING = "destroying"
    MISSING = "missing"
    UNMANAGED = "unmanaged"


class IntentKind(StrEnum):
    """What was to be done on a controller."""

    CREATE = "create"
    DESTROY = "destroy"


class IntentState(StrEnum):
    """Whether it is known what came of it."""

    PENDING = "pending"
    DONE = "done"
    ABANDONED = "abandoned"


class MigrationState(StrEnum):
    """Where a migration is; the allowed moves are in ``jimm.migration.phases``."""

    REQUESTED = "requested"
    CHECKING = "checking"
    STARTING = "starting"
    RUNNING = "running"
    CONFIRMING = "confirming"
    CLEANING = "cleaning"
    STUCK = "stuck"
    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"


ENDED = frozenset({MigrationState.DONE, MigrationState.FAILED, MigrationState.REFUSED})
"""The states of a migration that is over: exactly these have a time of end."""


class PlanKind(StrEnum):
    """What a plan over many models is for."""

    MIGRATE = "migrate"
    DRAIN = "drain"
    REBALANCE = "rebalance"
    UPGRADE_TO = "upgrade-to"


class PlanState(StrEnum):
    """Where a plan is."""

    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


PLAN_ENDED = frozenset({PlanState.DONE, PlanState.FAILED, PlanState.CANCELLED})
"""The states of a plan that is over: exactly these have a time of end."""


class PlanItemState(StrEnum):
    """Where one model of a plan is."""

    WAITING = "waiting"
    MIGRATING = "migrating"
    UPGRADING = "upgrading"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


EVERYONE = "everyone"
"""The subject that stands for every identity."""

JIMM_KEY = "jimm"
"""The key of the one object of kind jimm."""

GONE = "gone"
"""The ``life`` of a model that its controller no longer has, until that is certain."""
