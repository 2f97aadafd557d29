"""What the answers of the two controllers mean.

Juju's rules, learnt from its code: the source keeps a record of its last attempt, so only a
``start`` later than the one noted before initiating belongs to this attempt; a set ``end`` with
a message that opens ``aborted`` means the model stayed; with ``removing exported model failed``
it *has* moved; a source that no longer knows the model (or refuses) proves nothing until the
target says that it has it. A target that has activated the model proves it only once the source
can't abort any more: when the answer of ``Activate`` is lost, the source aborts and goes on, and
the target keeps its copy.

A source of Juju 4.0 is *opaque*: it shows no attempt, no reason, no end. All that it can be made
to tell is whether it is exporting the model now, and often not even that.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from jimm.errors import ProtocolError
from jimm.migration.phases import POINT_OF_NO_RETURN, Phase, phase_of
from jimm.wire import codes


@dataclass(frozen=True, slots=True)
class Attempt:
    """Juju's record of an attempt as ``ModelInfo.migration`` shows it."""

    message: str
    start: datetime
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Present:
    """The controller has the model. ``importing``: only as the target of an import.
    ``exporting`` is told of an opaque source alone, and ``None`` where nobody can tell."""

    controller_uuid: str
    importing: bool = False
    attempt: Attempt | None = None
    exporting: bool | None = None


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
    ``asked``: the source was asked to begin, or is about to be; ``begun``: it said that it has.
    """

    source: View
    target: View
    source_uuid: str
    target_uuid: str
    known_start: datetime | None
    phase: Phase
    in_phase_for: timedelta
    opaque: bool = False
    asked: bool = True
    begun: bool = True


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

ABORT_TEXT = "aborted, removing model from target controller: "
"""What Juju puts before the reason."""

UNCONFIRMED = "the source has not confirmed the removal of the model"


def moment(text: str) -> datetime:
    """A time as Juju writes it (RFC 3339, up to nanoseconds).

    Raises:
        ProtocolError: it is none.
    """
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as error:
        raise ProtocolError(f'"{text}" is no time') from error
    return parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)


def own_attempt(source: View, known_start: datetime | None) -> Attempt | None:
    """The attempt that the source shows, if it began after the one that was known before."""
    if not isinstance(source, Present) or source.attempt is None:
        return None
    later = known_start is None or source.attempt.start > known_start
    return source.attempt if later else None


def is_exporting(source: View) -> bool:
    """Whether the source is at an attempt, anybody's."""
    return isinstance(source, Present) and source.attempt is not None and source.attempt.end is None


def is_idle(source: View, *, opaque: bool) -> bool:
    """Whether the source has the model, and is certainly at no attempt."""
    if not isinstance(source, Present) or source.importing:
        return False
    return source.exporting is False if opaque else not is_exporting(source)


def is_opaque(version: str) -> bool:
    """Whether a source of that Juju version shows nothing of an attempt (4.0 does not)."""
    return not version.startswith(("2.", "3."))


def is_blind(situation: Situation) -> bool:
    """Whether nobody can tell if the source is at an attempt."""
    source = situation.source
    return situation.opaque and isinstance(source, Present) and source.exporting is None


def asks_target(source: View, known_start: datetime | None) -> bool:
    """Whether the target's answer matters yet: it can't have the model before ``VALIDATION``.
    That of an opaque source's target always does."""
    attempt = own_attempt(source, known_start)
    if attempt is None:
        return not isinstance(source, Present)
    late = phase_of(attempt.message) in {Phase.VALIDATION, Phase.NONE, *POINT_OF_NO_RETURN}
    return late or attempt.end is not None


def judge(situation: Situation) -> Verdict:
    """The one meaning of a situation."""
    if situation.opaque:
        return _judge_opaque(situation)
    attempt = own_attempt(situation.source, situation.known_start)
    if attempt is not None and attempt.end is not None:
        return _ended(attempt, situation)
    if lives_on_target(situation):
        return _on_target(attempt, situation)
    if attempt is not None:
        return Progress(phase_of(attempt.message), attempt.message)
    if isinstance(situation.source, Present):
        return NotStarted()
    return _not_shown(situation)


def lives_on_target(situation: Situation) -> bool:
    """Whether the target has the model as its own, and it may be used there."""
    target = situation.target
    return (
        isinstance(target, Present)
        and not target.importing
        and target.controller_uuid == situation.target_uuid
    )


def _ended(attempt: Attempt, situation: Situation) -> Verdict:
    phase = phase_of(attempt.message, ended=True)
    if phase is Phase.ABORTDONE:
        return Returned(attempt.message.removeprefix(ABORT_TEXT))
    if not lives_on_target(situation):
        return Unclear(f'the source says "{attempt.message}"; {_target(situation)}')
    if phase is Phase.REAPFAILED:
        return Moved(debris=attempt.message)
    return Moved()


def _on_target(attempt: Attempt | None, situation: Situation) -> Verdict:
    """The target has activated the model; the source may still be at its last phases."""
    if isinstance(situation.source, Absent):
        return Moved()
    if isinstance(situation.source, Silent):
        return _not_confirmed(situation.source, situation)
    if attempt is None:
        # A model of this uuid lives on both, and no attempt of ours made it so.
        return Unclear("both controllers have the model and the source shows no attempt")
    phase = phase_of(attempt.message)
    if phase in POINT_OF_NO_RETURN and situation.in_phase_for > SOURCE_GRACE:
        return Moved(debris=f'the source is still at "{attempt.message}"')
    return Progress(phase, attempt.message)


def _not_confirmed(source: Silent, situation: Situation) -> Verdict:
    """The source is away. Only if it was seen beyond its last chance to abort is it known that
    it won't; an opaque one was never seen there, unless it had let the model go."""
    certain = {Phase.DONE} if situation.opaque else POINT_OF_NO_RETURN
    if situation.phase in certain:
        return Moved(debris=UNCONFIRMED)
    return Unclear(f"the target has the model, but the source does not answer: {source.why}")


def _not_shown(situation: Situation) -> Verdict:
    match situation.source:
        case Absent(code):
            return Unclear(f'the source no longer shows the model ("{code}"); {_target(situation)}')
        case Silent(why):
            return Unclear(f"the source does not answer: {why}")
        case Present():
            return Unclear(f"the source shows nothing; {_target(situation)}")


def _judge_opaque(situation: Situation) -> Verdict:
    """A source that shows no attempt is judged from the target, and from whether it exports."""
    source, lives = situation.source, lives_on_target(situation)
    if isinstance(source, Absent):
        return Moved() if lives else _not_shown(situation)
    if isinstance(source, Silent):
        return _not_confirmed(source, situation) if lives else _not_shown(situation)
    if not situation.asked:
        return NotStarted()  # what it may be exporting is not ours
    if source.exporting is False:
        return _not_exporting(situation)
    if lives:
        return Progress(Phase.SUCCESS, "the target has the model, and the source lets it go")
    if is_blind(situation) and not situation.begun and isinstance(situation.target, Absent):
        return NotStarted()  # asking again tells
    return Progress(Phase.NONE, f"the source shows nothing of it; {_target(situation)}")


def _not_exporting(situation: Situation) -> Verdict:
    if lives_on_target(situation):
        # It did not remove the model, or it aborted after the target had activated it.
        return Unclear("both controllers have the model and the source is not exporting it")
    match situation.target:
        case Silent() | Absent(code=codes.UNAUTHORIZED):  # 4.0 says that it has no such model
            return Unclear(f"the source is not exporting the model; {_target(situation)}")
    imported = isinstance(situation.target, Present)
    return Returned("") if situation.begun or imported else NotStarted()


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
