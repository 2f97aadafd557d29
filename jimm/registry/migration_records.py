"""Migrations as values: what the registry gives of them, and what is to be written. Pure."""

from dataclasses import dataclass
from datetime import datetime

from jimm.registry.held import Held
from jimm.registry.words import MigrationState
from jimm.wire.tags import ModelUUID


@dataclass(frozen=True)
class NewMigration:
    """A model that is to be moved."""

    id: str
    model_uuid: ModelUUID
    model_name: str
    source_id: int
    source_name: str
    target_id: int | None
    target_name: str
    requested_by: str
    prepare: bool = False


@dataclass(frozen=True)
class Migration:
    """A migration. ``model_name`` is ``owner/name``. ``juju_id`` is the source's own id of the
    attempt; ``recorded_start`` what the source showed as ``migration.start`` before it, ``None``
    when nothing was recorded yet and empty when it showed none. The controllers' ids are
    ``None`` once they were removed. ``remedy`` is what to do about ``error``; ``debris`` what a
    controller kept though it should not have. ``prepare``: what can be made right on the target
    shall be; ``prepared`` is what was made there. ``machines`` and ``units`` are the model's size.
    """

    id: str
    model_uuid: ModelUUID
    model_name: str
    source_id: int | None
    target_id: int | None
    source_name: str
    target_name: str
    state: MigrationState
    phase: str
    message: str
    juju_id: str
    recorded_start: str | None
    initiate_deadline: datetime | None
    requested_by: str
    started: datetime
    phase_since: datetime
    ended: datetime | None
    error_code: str
    error: str
    remedy: str
    debris: str
    checks: tuple[dict[str, object], ...]
    prepare: bool
    prepared: tuple[dict[str, object], ...]
    machines: int
    units: int
    next_at: datetime
    fence: int

    @property
    def held(self) -> Held:
        """The lease of the claim that gave this record."""
        return Held(self.id, self.fence)

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", MigrationState(self.state))


@dataclass(frozen=True)
class Step:
    """A change of a migration. ``None`` keeps what was there.

    ``next_in`` is when to look again, ``initiate_in`` when the source's answer is due at the
    latest, both in seconds from now.
    """

    state: MigrationState | None = None
    phase: str | None = None
    message: str | None = None
    juju_id: str | None = None
    recorded_start: str | None = None
    error_code: str | None = None
    error: str | None = None
    remedy: str | None = None
    debris: str | None = None
    checks: tuple[dict[str, object], ...] | None = None
    prepared: tuple[dict[str, object], ...] | None = None
    machines: int | None = None
    units: int | None = None
    next_in: float | None = None
    initiate_in: float | None = None


@dataclass(frozen=True)
class MigrationEvent:
    """One line of a migration's history; ``seq`` counts from 1 without gaps."""

    seq: int
    at: datetime
    state: MigrationState
    phase: str
    message: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "state", MigrationState(self.state))
