"""A migration in the hands of one worker, and what its two controllers show of it. Pure."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from jimm.migration import advice, expectations, verdict
from jimm.migration.expectations import Pastimes
from jimm.migration.explanations import explain
from jimm.migration.orders import Look, Order, Side
from jimm.migration.pace import Pace
from jimm.migration.phases import Phase, State, phase_of
from jimm.migration.verdict import (
    ABORT_TEXT,
    Moved,
    NotStarted,
    Progress,
    Returned,
    Silent,
    Situation,
    Unclear,
    Verdict,
    View,
)
from jimm.registry.migration_records import Migration, Step

T = TypeVar("T")

Script = Generator[Order, Any, T]
"""Part of the machine; gives a ``T`` in the end."""


@dataclass(frozen=True, slots=True)
class Parties:
    """The two controllers: their uuids and Juju versions. ``blind``: whether the source is
    exporting can never be told, should it be opaque."""

    source_uuid: str
    target_uuid: str
    source_version: str
    target_version: str
    blind: bool = False


class Case:
    """A migration in the hands of one worker: what is written down, and what it remembers
    besides until it lets go.

    ``now`` tells the time; ``pastimes`` is what the fleet's migrations took. ``refusals`` counts
    how often the target would not let the source in, ``answered`` is the deadline of the last
    call that was answered so: nothing more comes of that one.
    """

    def __init__(
        self,
        record: Migration,
        parties: Parties,
        pace: Pace,
        now: Callable[[], datetime],
        pastimes: Callable[[], Pastimes] = lambda: expectations.NONE,
    ) -> None:
        self.record = record
        self.parties = parties
        self.pace = pace
        self.now = now
        self.refusals = 0
        self.is_swept = False
        self.answered: datetime | None = None
        self._pastimes = pastimes
        self._unclear: tuple[State, datetime] | None = None
        self._seen = ""

    @property
    def opaque(self) -> bool:
        """Whether the source shows nothing of an attempt (Juju 4.0)."""
        return verdict.is_opaque(self.parties.source_version)

    @property
    def hides_imports(self) -> bool:
        """Whether the target says that it has no such model while it imports it (Juju 4.1)."""
        return verdict.is_opaque(self.parties.target_version)

    @property
    def asked(self) -> bool:
        """Whether the source was asked to begin, or was about to be."""
        return self.record.initiate_deadline is not None

    @property
    def poll(self) -> float:
        """Seconds until the next look at a model that moves: the longer nothing happens, the
        more, and more for an opaque source, which is asked by a login."""
        least = self.pace.away if self.opaque else self.pace.poll
        return min(max(least, self.since_phase() / 20), max(least, 2.0))

    def since_phase(self) -> float:
        """Seconds since state or phase changed."""
        return max(0.0, (self.now() - self.record.phase_since).total_seconds())

    def answer_overdue(self) -> bool:
        """Whether the source's answer to the start should have come by now; so too when it was
        never asked."""
        return self.is_overdue(self.record.initiate_deadline)

    def is_overdue(self, due: datetime | None) -> bool:
        """Whether an answer that was due then can't bear fruit any more. Juju goes on with a call
        whose caller has gone, and is given half as long again."""
        return due is None or self.now() >= due + timedelta(seconds=self.pace.call / 2)

    def unclear_for(self) -> float:
        """Seconds since this worker was first told, in this state, what settles nothing."""
        self._seen = ""
        if self._unclear is None or self._unclear[0] is not self.record.state:
            self._unclear = (self.record.state, self.now())
        return (self.now() - self._unclear[1]).total_seconds()

    def is_sure(self, what: str) -> bool:
        """Whether this worker was told just this the last time as well, in this state."""
        before, self._seen = self._seen, f"{self.record.state} {what}"
        return before == self._seen

    def clear(self) -> None:
        """What is told makes sense again."""
        self._unclear = None

    def is_out_of_patience(self) -> bool:
        """Whether the phase takes so long that somebody should look: longer than it may for the
        model's size, and than it took others."""
        record, limit = self.record, self.pace.unchanged
        if limit is None:
            at = expectations.stage(record.state, record.phase)
            limit = expectations.patience(self._pastimes(), at, record.machines, record.units)
        return self.since_phase() > limit

    def known_start(self) -> datetime | None:
        """The start of the source's last attempt before ours."""
        return verdict.moment(self.record.recorded_start) if self.record.recorded_start else None


def look(at: Side) -> Script[View]:
    """What a controller says of the model."""
    seen: View = yield Look(at)
    return seen


def survey(case: Case, *, both: bool = False) -> Script[Situation]:
    """What both controllers say now; the target is left alone where it can't matter yet, unless
    ``both`` are asked for. The source is asked first: once it has let go, the target has it."""
    known, record = case.known_start(), case.record
    source = yield from look(Side.SOURCE)
    target: View = Silent("it was not asked")
    if both or case.opaque or verdict.asks_target(source, known):
        target = yield from look(Side.TARGET)
    attempt = verdict.own_attempt(source, known)
    same = attempt is not None and phase_of(attempt.message) == record.phase
    return Situation(
        source=source,
        target=target,
        source_uuid=case.parties.source_uuid,
        target_uuid=case.parties.target_uuid,
        known_start=known,
        phase=Phase(record.phase),
        in_phase_for=timedelta(seconds=case.since_phase() if same else 0.0),
        opaque=case.opaque,
        asked=case.asked,
        begun=bool(record.juju_id) or record.state is not State.STARTING,
    )


def judge(case: Case) -> Script[Verdict]:
    """What both controllers say now, and what it means."""
    return verdict.judge((yield from survey(case)))


def settled(case: Case, found: Verdict) -> Step | None:
    """The step that follows from what the controllers show of this attempt; ``None`` if they
    show nothing of it."""
    match found:
        case Progress(phase, message):
            return _well(Step(state=State.RUNNING, phase=phase or None, message=message))
        case Moved(debris):
            return _moved(case, debris)
        case Returned(reason):
            told = explain(ABORT_TEXT + reason)
            return Step(
                state=State.CLEANING,
                phase=Phase.ABORTDONE,
                message=f"aborted: {reason or told.sentence}",
                error_code=told.code,
                error=told.sentence,
                remedy=told.remedy,
            )
        case NotStarted() | Unclear():
            return None


def failing(code: str, reason: str, remedy: str, *, state: State = State.CLEANING) -> Step:
    """The step of what fails for a reason of JIMM's own."""
    return Step(state=state, message=reason, error_code=code, error=reason, remedy=remedy)


def never_began(case: Case) -> Step:
    """The answer of the source is overdue, and it shows nothing."""
    name = case.record.source_name
    return failing("answer-lost", f"{name} did not answer, and began nothing", "try again")


def unclear(case: Case, why: str, pause: float) -> Step:
    """Waits for clearer answers, the longer the less often, but not for ever."""
    if case.unclear_for() > case.pace.unclear:
        return stuck(case, why)
    return Step(message=why, next_in=max(pause, min(case.unclear_for() / 20, case.pace.stuck)))


def stuck(case: Case, why: str) -> Step:
    """Nobody can tell how it ends: says what to do."""
    resolve = (
        "it goes on by itself when both controllers answer and agree; if that can't be: "
        f"jimmctl resolve-migration {case.record.id} --model-is-on CONTROLLER --reason TEXT"
    )
    names = {"source": case.record.source_name, "target": case.record.target_name}
    remedy = f"{advice.STANDING[Phase(case.record.phase)].format(**names)}; {resolve}"
    failed = bool(case.record.error)  # then its own remedy is still needed
    return Step(state=State.STUCK, message=f"{why}. {remedy}", remedy=None if failed else remedy)


def _moved(case: Case, debris: str) -> Step:
    reap_failed = debris.startswith("removing")
    record = case.record
    remedy = (advice.DEBRIS if reap_failed else advice.UNCONFIRMED) if debris else ""
    return _well(
        Step(
            state=State.CONFIRMING,
            phase=Phase.REAPFAILED if reap_failed else Phase.DONE,
            message=debris or "the model has arrived",
            debris=f"{record.source_name}: {debris}" if debris else "",
        ),
        remedy.format(source=record.source_name, target=record.target_name),
    )


def _well(step: Step, remedy: str = "") -> Step:
    """A step of what goes well, or well again: no error is left of before."""
    return Step(
        state=step.state,
        phase=step.phase,
        message=step.message,
        debris=step.debris,
        error_code="",
        error="",
        remedy=remedy,
    )
