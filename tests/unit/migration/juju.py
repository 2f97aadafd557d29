"""A Juju controller in memory, with one model at most: its phases, abort rules and endless repeats
as a source, its half imports as a target, on a clock that somebody else moves.

What goes wrong is told by :class:`Fault`: in which phase, with whom, how. Each strikes once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from jimm.migration.orders import Begun, Lost, Refused
from jimm.migration.phases import POINT_OF_NO_RETURN, Phase
from jimm.migration.verdict import Absent, Attempt, Present, Silent, View


class Party(StrEnum):
    """Who may be at fault."""

    SOURCE = "source"
    TARGET = "target"
    WORKER = "worker"
    DATABASE = "database"


@dataclass(frozen=True)
class Fault:
    """``kind`` is refuse, stall, crash, cut or lie; what follows a colon tells which. It lasts
    for ``seconds``, where it is not over at once."""

    phase: Phase
    party: Party
    kind: str
    seconds: float = 0.0


PHASE: Final = 2.0
"""Seconds that a phase takes."""

STALL: Final = 600.0
DOWN: Final = 60.0
CUT: Final = 60.0
SHY: Final = 30.0
RETRY: Final = 30.0
UNREACHABLE: Final = "unable to connect to API"

ONWARD: Final = {
    Phase.NONE: Phase.QUIESCE,
    Phase.QUIESCE: Phase.IMPORT,
    Phase.IMPORT: Phase.PROCESSRELATIONS,
    Phase.PROCESSRELATIONS: Phase.VALIDATION,
    Phase.VALIDATION: Phase.SUCCESS,
    Phase.SUCCESS: Phase.LOGTRANSFER,
    Phase.LOGTRANSFER: Phase.REAP,
    Phase.REAP: Phase.DONE,
    Phase.ABORT: Phase.ABORTDONE,
}
TERMINAL: Final = frozenset({Phase.NONE, Phase.DONE, Phase.ABORTDONE, Phase.REAPFAILED})

MESSAGES: Final = {
    Phase.QUIESCE: "quiescing, waiting for agents to report back",
    Phase.IMPORT: "importing model into target controller",
    Phase.PROCESSRELATIONS: "processing relations",
    Phase.VALIDATION: "validating, waiting for agents to report back",
    Phase.SUCCESS: "successful, all agents reported success",
    Phase.LOGTRANSFER: "successful, transferring logs to target controller (0 sent)",
    Phase.REAP: "successful, removing model from source controller",
    Phase.REAPFAILED: "removing exported model failed: no space",
}

CALLS: Final = {
    Phase.QUIESCE: "Prechecks",
    Phase.IMPORT: "Import",
    Phase.VALIDATION: "Activate",
    Phase.SUCCESS: "AdoptResources",
    Phase.LOGTRANSFER: "LatestLogTime",
    Phase.ABORT: "Abort",
}
"""What the source has the target do in a phase."""

FAILED: Final = {
    Phase.QUIESCE: "target prechecks failed: ",
    Phase.IMPORT: "model data transfer failed, failed to import model into target controller: ",
    Phase.VALIDATION: "model activation failed, ",
}

ALREADY = 'model named "m1" already exists'


class Refusal(Exception):
    """The target says no."""


class Unreachable(Exception):
    """The target does not answer; ``done`` whether it did what it was asked."""

    def __init__(self, *, done: bool = False) -> None:
        super().__init__(UNREACHABLE)
        self.done = done


class Stalled(Exception):
    """The target takes its time."""


@dataclass
class Clock:
    """Simulated time, and the faults still to come."""

    now: datetime
    faults: list[Fault] = field(default_factory=list)
    seconds: float = 0.0

    def after(self, seconds: float) -> datetime:
        """A time to come."""
        return self.now + timedelta(seconds=seconds)

    def lasting(self, usual: float) -> datetime:
        """When what struck last is over."""
        return self.after(self.seconds or usual)

    def strikes(self, phase: Phase, party: Party, kinds: Sequence[str] = ()) -> str:
        """The kind of the fault that is due here, which is none any more; else empty."""
        for fault in self.faults:
            wanted = not kinds or fault.kind.partition(":")[0] in kinds
            if (fault.phase, fault.party) == (phase, party) and wanted:
                self.faults.remove(fault)
                self.seconds = fault.seconds
                return fault.kind
        return ""


class Juju:
    """One controller. ``has`` is empty, live, importing or exporting; ``gone`` is what it says of
    a model that it has let go. An opaque one tells at most whether it is exporting, and nothing
    if it is ``blind``.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        *,
        opaque: bool = False,
        blind: bool = False,
        has: str = "",
        gone: str = "redirection required",
    ) -> None:
        self.name = name
        self.opaque = opaque
        self.blind = blind
        self.has = has
        self.gone = gone
        self.phase = Phase.NONE
        self.due: datetime | None = None
        self.attempts = 0
        self._clock = clock
        self._target: Juju | None = None
        self._message, self._reason = "", ""
        self._start: datetime | None = None
        self._end: datetime | None = None
        self._away_until = self._cut_until = self._shy_until = clock.now
        self._lies: list[View] = []
        self._repeats = 0
        self._begins: datetime | None = None

    def is_away(self) -> bool:
        """Whether its process is down."""
        return self._clock.now < self._away_until

    def is_usable(self) -> bool:
        """Whether somebody can work with the model here."""
        return self.has == "live"

    def is_active(self) -> bool:
        """Whether it is at an attempt."""
        return self.phase not in TERMINAL

    def cut(self, until: datetime) -> None:
        """JIMM can't reach it; everybody else can."""
        self._cut_until = until

    def hide(self, until: datetime) -> None:
        """It says to JIMM that it has no such model, or none to show."""
        self._shy_until = until

    def seen(self) -> View:
        """What it tells JIMM of the model."""
        now = self._clock.now
        if now < max(self._away_until, self._cut_until):
            return Silent("no route to host")
        if self._lies:
            return self._lies.pop(0)
        if now < self._shy_until:
            return Absent("unauthorized access")
        if not self.has:
            return Absent(self.gone if self.phase is Phase.DONE else "not found")
        if self.has == "importing":
            hidden = Absent("not found")
            return hidden if self.opaque else Present(self.name, importing=True)
        return Present(self.name, attempt=self._attempt(), exporting=self._exporting())

    def start_shown(self) -> str:
        """The start of the last attempt, as ``ModelInfo`` gives it."""
        attempt = self._attempt()
        return attempt.start.isoformat() if attempt else ""

    def initiate(self, target: "Juju", within: float, wait: Callable[[float], None]) -> object:
        """``InitiateMigration``, as whoever asked hears of it after at most ``within`` seconds."""
        if self._clock.now < max(self._away_until, self._cut_until):
            return Lost("no route to host")
        kind = self._clock.strikes(Phase.NONE, Party.SOURCE)
        if kind == "refuse":
            return Refused("source prechecks failed: unit a/0 is dying")
        if kind == "crash":
            self._die()
            return Lost("the connection was closed")
        if kind == "lie:begun":
            return Begun("m:0")
        lie = self._clock.strikes(Phase.NONE, Party.TARGET, ("lie",))
        target._upset(lie, target._target_lie(lie))
        refusal = self._prechecked(target)
        if refusal == "stall" or kind == "stall":
            self._target, self._begins = target, self._clock.after(within + 20)
            self.due = self._begins
            wait(within)
            return Lost("no answer in time")
        if refusal:
            return Refused(refusal)
        self._begin(target)
        if kind == "crash:late":
            self._die()
        if kind in ("cut", "crash:late"):
            return Lost("the connection was closed")
        return Refused("I am a teapot") if kind == "lie:refused" else Begun(f"m:{self.attempts}")

    def work(self) -> None:
        """Does what is due."""
        if self._begins is not None:
            assert self._target is not None
            self._begins, self.due = None, None
            if self.has == "live":  # else: failed to create migration: already in progress
                self._begin(self._target)
            return
        phase = self.phase
        kind = self._clock.strikes(phase, Party.SOURCE, ("refuse", "stall", "crash"))
        if kind == "stall":
            self.due = self._clock.lasting(STALL)
            return
        if kind == "crash":
            self._die()
            return
        try:
            following = self._act(refused=kind == "refuse")
        except Stalled:
            self.due = self._clock.lasting(STALL)
            return
        if kind == "crash:late" and following not in TERMINAL:
            self._die()  # it was done, and that was never written down
        elif following is phase:
            self.due = self._clock.after(RETRY)
        else:
            self._enter(following)

    def called(self, method: str, phase: Phase) -> None:
        """As a target, by the source.

        Raises:
            Refusal, Unreachable, Stalled: so it is.
        """
        if self.is_away():
            raise Unreachable
        kind = self._clock.strikes(phase, Party.TARGET, ("refuse", "stall", "crash", "cut"))
        if kind == "stall":
            raise Stalled
        if kind == "crash":
            self.has = "importing" if method == "Import" else self.has
            self._die()
            raise Unreachable
        if kind == "refuse":
            self.has = "importing" if method == "Import" else self.has
            raise Refusal("disk full")
        self._serve(method)
        if kind == "cut":
            raise Unreachable(done=True)

    def abort(self) -> str:
        """``MigrationTarget.Abort`` by JIMM: the refusal, empty when there is none."""
        if self._clock.now < max(self._away_until, self._cut_until):
            return "no route to host"
        try:
            self._serve("Abort")
        except Refusal as refusal:
            return str(refusal)
        return ""

    def _serve(self, method: str) -> None:
        match method:
            case "Prechecks" if self.has:
                raise Refusal(ALREADY)
            case "Import":
                if self.has:
                    raise Refusal(ALREADY)
                self.has = "importing"
            case "Activate":
                if self.has != "importing":
                    raise Refusal("migration mode for the model is not importing")
                self.has, self.phase = "live", Phase.NONE
                self._start = self._end = None
            case "Abort":
                if self.has != "importing":
                    raise Refusal("migration mode for the model is not importing")
                self.has = ""

    def _prechecked(self, target: "Juju") -> str:
        if self.has != "live":
            return (
                'model "m" already has an active migration'
                if self.opaque
                else "failed to create migration: already in progress"
            )
        try:
            target.called("Prechecks", Phase.NONE)
        except Refusal as refusal:
            return f"target prechecks failed: {refusal}"
        except Unreachable as error:
            return f"connect to target controller: {error}"
        except Stalled:
            return "stall"
        return ""

    def _begin(self, target: "Juju") -> None:
        self._target, self._begins = target, None
        self.has = "exporting"
        self.attempts += 1
        self._start, self._end, self._reason, self._repeats = self._clock.now, None, "", 0
        self._enter(Phase.QUIESCE)

    def _act(self, *, refused: bool) -> Phase:
        """What follows the phase."""
        phase = self.phase
        if refused and phase in POINT_OF_NO_RETURN - {Phase.REAP}:
            self._repeats = 3
        if self._repeats:
            self._repeats -= 1
            return phase
        if refused and phase is Phase.REAP:
            return Phase.REAPFAILED
        if refused and phase is not Phase.ABORT:
            return self._fail("machine sanity check failed, 1 error found")
        if phase in CALLS and not refused:
            return self._call_target(CALLS[phase])
        return ONWARD[phase]

    def _call_target(self, method: str) -> Phase:
        phase = self.phase
        assert self._target is not None
        try:
            self._target.called(method, phase)
        except Refusal as refusal:
            if phase in FAILED:
                return self._fail(FAILED[phase] + str(refusal))
            return ONWARD[phase] if phase is Phase.ABORT else phase
        except Unreachable as error:
            if phase is Phase.ABORT:
                return ONWARD[phase]
            if phase in (Phase.QUIESCE, Phase.IMPORT) or (phase is Phase.VALIDATION and error.done):
                return self._fail(FAILED[phase] + str(error))
            return phase
        return ONWARD[phase]

    def _fail(self, reason: str) -> Phase:
        self._reason = reason
        return Phase.ABORT

    def _enter(self, phase: Phase) -> None:
        self.phase = phase
        self._message = MESSAGES.get(phase, self._message)
        if phase is Phase.ABORT:
            self._message = f"aborted, removing model from target controller: {self._reason}"
        if phase in TERMINAL:
            self._end, self.due = self._clock.now, None
        else:
            self.due = self._clock.after(PHASE)
        if phase is Phase.ABORTDONE:
            self.has = "live"
        if phase is Phase.DONE:
            self.has = ""
        self._disturb(phase)

    def _disturb(self, phase: Phase) -> None:
        """What JIMM alone notices of this phase."""
        unseen: Sequence[str] = ("cut", "lie") if phase not in TERMINAL else ()
        kind = self._clock.strikes(phase, Party.SOURCE, unseen)
        self._upset(kind, self._source_lie(kind))
        assert self._target is not None
        kind = self._clock.strikes(phase, Party.TARGET, ("lie",) if phase in CALLS else ())
        self._target._upset(kind, self._target._target_lie(kind))

    def _upset(self, kind: str, lie: View) -> None:
        match kind.partition(":")[0]:
            case "refuse":
                self.hide(self._clock.lasting(SHY))
            case "stall":
                self.cut(self._clock.lasting(STALL))
            case "crash":
                self._die()
            case "cut":
                self.cut(self._clock.lasting(CUT))
            case "lie":
                self._lies = [lie, lie]

    def _source_lie(self, kind: str) -> View:
        start = self._start or self._clock.now
        match kind.partition(":")[2]:
            case "nothing":
                return Present(self.name)
            case "stale":
                old = start - timedelta(days=1)
                return Present(self.name, attempt=Attempt("aborted, removing", old, old))
            case "ended":
                message = "aborted, removing model from target controller: a lie"
                return Present(self.name, attempt=Attempt(message, start, self._clock.now))
            case "garbage":
                return Silent("an answer that JIMM cannot read")
        return Absent("not found")

    def _target_lie(self, kind: str) -> View:
        match kind.partition(":")[2]:
            case "live":
                return Present(self.name)
            case "importing":
                return Present(self.name, importing=True)
            case "other":
                return Present("somebody-else")
            case "garbage":
                return Silent("an answer that JIMM cannot read")
        return Absent("not found")

    def _die(self) -> None:
        self._away_until = self._clock.lasting(DOWN)
        self._reason = ""
        if self.is_active():
            self.due = self._away_until + timedelta(seconds=PHASE)
            if self.phase is Phase.ABORT:
                self._message = "aborted, removing model from target controller: "

    def _attempt(self) -> Attempt | None:
        if self._start is None or self.opaque:
            return None
        return Attempt(self._message, self._start, self._end)

    def _exporting(self) -> bool | None:
        return self.is_active() if self.opaque and not self.blind else None
