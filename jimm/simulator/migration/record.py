"""What a controller remembers of a migration. It is part of the model's own record."""

import datetime
from collections.abc import Mapping
from typing import Literal

import msgspec
from msgspec import Struct

from jimm.simulator.migration.phases import (
    MOVES,
    MOVES_OF_FOUR,
    WAITS_FOR_AGENTS,
    Phase,
    is_terminal,
    move,
)
from jimm.wire.secret import Secret


class Target(Struct, frozen=True, kw_only=True, rename="kebab"):
    """Where an attempt goes and how its worker logs in there.

    ``addresses`` are ``host:port``. ``ca_certificate`` is a PEM, never empty once the attempt
    is made. Of the three secrets, one is set; ``macaroons`` is JSON as text.
    """

    controller_uuid: str
    controller_alias: str = ""
    addresses: tuple[str, ...]
    ca_certificate: str
    user: str
    password: Secret = msgspec.field(default_factory=lambda: Secret(""))
    macaroons: Secret = msgspec.field(default_factory=lambda: Secret(""))
    token: Secret = msgspec.field(default_factory=lambda: Secret(""))
    skip_user_checks: bool = False


class CapturedUser(Struct, frozen=True, kw_only=True, rename="kebab"):
    """Somebody who had access to the model when the attempt was made; they are redirected."""

    user: str
    access: Literal["", "read", "write", "admin"]


class MinionReport(Struct, frozen=True, kw_only=True, rename="kebab"):
    """What one agent said about one phase. ``agent`` is a machine's id or a unit's name."""

    agent: str
    phase: Phase
    success: bool


class MigrationRecord(Struct, frozen=True, kw_only=True, rename="kebab"):
    """One attempt to move one model.

    ``attempt`` counts from 0 per model and goes on counting on the next controller. ``own_id``
    is set where it is not made of that (4.0). ``hidden`` ones are seen by no client (4.0).
    """

    model_uuid: str
    attempt: int
    target: Target
    users: tuple[CapturedUser, ...]
    phase: Phase = Phase.QUIESCE
    message: str = "starting"
    start: datetime.datetime
    message_since: datetime.datetime
    end: datetime.datetime | None = None
    reports: tuple[MinionReport, ...] = ()
    own_id: str = ""
    hidden: bool = False

    @property
    def migration_id(self) -> str:
        """``<uuid>:<attempt>`` or a uuid of its own, as ``InitiateMigration`` answers it."""
        return self.own_id or f"{self.model_uuid}:{self.attempt}"

    @property
    def moves(self) -> Mapping[Phase, tuple[Phase, ...]]:
        """The moves that its source knows."""
        return MOVES_OF_FOUR if self.hidden else MOVES

    @property
    def is_active(self) -> bool:
        """Whether a worker still has something to do."""
        return not is_terminal(self.phase)

    def saying(self, message: str, now: datetime.datetime) -> "MigrationRecord":
        """The record with another status message."""
        return msgspec.structs.replace(self, message=message, message_since=now)

    def moved(self, phase: Phase, now: datetime.datetime) -> "MigrationRecord":
        """The record in another phase; a terminal one sets the end.

        Raises:
            IllegalPhaseChange: the table has no such move.
        """
        end = now if is_terminal(phase) else None
        return msgspec.structs.replace(self, phase=move(self.phase, phase, self.moves), end=end)

    def reported(self, report: MinionReport) -> "MigrationRecord":
        """The record with one more report; a second one of the same agent counts for nothing.

        Raises:
            ValueError: Juju asks for no reports in that phase.
        """
        if report.phase not in WAITS_FOR_AGENTS:
            raise ValueError(f"no agent reports on {report.phase}")
        if any((r.agent, r.phase) == (report.agent, report.phase) for r in self.reports):
            return self
        return msgspec.structs.replace(self, reports=(*self.reports, report))

    def reports_on(self, phase: Phase) -> tuple[MinionReport, ...]:
        """What came in for one phase."""
        return tuple(report for report in self.reports if report.phase is phase)
