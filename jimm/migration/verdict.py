"""What the answers of the two controllers mean.

Juju's rules, learnt from its code: the source keeps a record of its last attempt, so only a
``start`` later than the one noted before initiating belongs to this attempt; a set ``end`` with
a message that opens ``aborted`` means the model stayed; with ``removing exported model failed``
it *has* moved; a source that no longer knows the model (or refuses) proves nothing until the
target says that it has it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from jimm.migration.phases import POINT_OF_NO_RETURN, Phase, phase_of


@dataclass(frozen=True, slots=True)
class Attempt:
    """Juju's record of an attempt as ``ModelInfo.migration`` shows it."""

    message: str
    start: datetime
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Present:
    """The controller has the model. ``importing``: only as the target of an import."""

    controller_uuid: str
    importing: bool = False
    attempt: Attempt | None = None


@dataclass(frozen=True, slots=True)
class Absent:
    """The controller says it has no such model, or none that we may see; ``code`` as it said."""

    code: str


@dataclass(frozen=True, slots=True)
class Silent:
    """The controller did not answer; ``why`` is one sentence."""

    why: str


View = Present | Absent | Silent


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a verdict is made from.

    ``known_start`` is the start of the attempt before this one, as noted before initiating;
    ``source_uuid`` and ``target_uuid`` are the two controllers; ``phase`` is the last one seen.
    """

    source: View
    target: View
    source_uuid: str
    target_uuid: str
    known_start: datetime | None
    phase: Phase
    in_phase_for: timedelta


@dataclass(frozen=True, slots=True)
class Moved:
    """The model is the target's. ``debris``: what the source kept, if anything."""

    debris: str = ""


@dataclass(frozen=True, slots=True)
class Returned:
    """The attempt is over and the model is the source's; ``reason`` is Juju's, unredacted."""

    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """It goes on."""

    phase: Phase
    message: str


@dataclass(frozen=True, slots=True)
class NotStarted:
    """The source has the model and shows no attempt of ours."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """The answers don't settle it; ``why`` is one sentence."""

    why: str


Verdict = Moved | Returned | Progress | NotStarted | Unclear

SOURCE_GRACE = timedelta(seconds=30)
"""How long a source may take to clean up after itself before its model is followed anyway."""

_ABORT_TEXT = "aborted, removing model from target controller: "


def own_attempt(source: View, known_start: datetime | None) -> Attempt | None:
    """The attempt that the source shows, if it began after the one that was known before."""
    if not isinstance(source, Present) or source.attempt is None:
        return None
    later = known_start is None or source.attempt.start > known_start
    return source.attempt if later else None


def is_exporting(source: View) -> bool:
    """Whether the source is at an attempt, anybody's."""
    return isinstance(source, Present) and source.attempt is not None and source.attempt.end is None


def asks_target(source: View, known_start: datetime | None) -> bool:
    """Whether the target's answer matters yet: it can't have the model before ``VALIDATION``."""
    attempt = own_attempt(source, known_start)
    if attempt is None:
        return not isinstance(source, Present)
    late = phase_of(attempt.message) in {Phase.VALIDATION, Phase.NONE, *POINT_OF_NO_RETURN}
    return late or attempt.end is not None


def judge(situation: Situation) -> Verdict:
    """The one meaning of a situation."""
    attempt = own_attempt(situation.source, situation.known_start)
    if attempt is not None and attempt.end is not None:
        return _ended(attempt, situation)
    if _lives_on_target(situation):
        return _on_target(attempt, situation)
    if attempt is not None:
        return Progress(phase_of(attempt.message), attempt.message)
    match situation.source:
        case Present():
            return NotStarted()
        case Absent(code):
            return Unclear(f'the source no longer shows the model ("{code}"); {_target(situation)}')
        case Silent(why):
            return Unclear(f"the source does not answer: {why}")


def _lives_on_target(situation: Situation) -> bool:
    target = situation.target
    return (
        isinstance(target, Present)
        and not target.importing
        and target.controller_uuid == situation.target_uuid
    )


def _ended(attempt: Attempt, situation: Situation) -> Verdict:
    phase = phase_of(attempt.message, ended=True)
    if phase is Phase.ABORTDONE:
        return Returned(attempt.message.removeprefix(_ABORT_TEXT))
    if not _lives_on_target(situation):
        return Unclear(f'the source says "{attempt.message}"; {_target(situation)}')
    if phase is Phase.REAPFAILED:
        return Moved(debris=attempt.message)
    return Moved()


def _on_target(attempt: Attempt | None, situation: Situation) -> Verdict:
    """The target has activated the model; the source may still be at its last phases."""
    if isinstance(situation.source, Absent):
        return Moved()
    if isinstance(situation.source, Silent):
        return Moved(debris="the source has not confirmed the removal of the model")
    if attempt is None:
        # A model of this uuid lives on both, and no attempt of ours made it so.
        return Unclear("both controllers have the model and the source shows no attempt")
    phase = phase_of(attempt.message)
    if phase in POINT_OF_NO_RETURN and situation.in_phase_for > SOURCE_GRACE:
        return Moved(debris=f'the source is still at "{attempt.message}"')
    return Progress(phase, attempt.message)


def _target(situation: Situation) -> str:
    match situation.target:
        case Present(importing=True):
            return "the target is still importing it"
        case Present(controller_uuid=uuid) if uuid != situation.target_uuid:
            return "the target says that the model belongs to another controller"
        case Present():
            return "the target has it"
        case Absent(code):
            return f'the target does not have it ("{code}")'
        case Silent(why):
            return f"the target does not answer: {why}"
