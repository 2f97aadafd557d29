"""Asking the source to begin, once and no more than once. Pure.

The start of the source's last attempt was written down before; a later one is ours. So the
source is looked at before each call, and an answer that was lost, or that a dead worker never
heard, is found out by looking. Juju keeps to one attempt at a time, which makes a repeated call
harmless; but no failure is told while an earlier call may still bear fruit.
"""

from datetime import datetime
from typing import Final

from jimm.migration.case import Case, Script, failing, judge, never_began, settled
from jimm.migration.explanations import JUJU_REFUSED, explain
from jimm.migration.orders import Ask, Begun, Lost, MakeReady, Ready, Refused, Rest, Unready, Write
from jimm.migration.phases import Phase, State
from jimm.migration.verdict import NotStarted, Unclear
from jimm.registry.migration_records import Step

LOGIN_REFUSED: Final = "connect to target controller: invalid entity name or password"

_TRIES: Final = 3

_BEGUN: Final = ("already in progress", "already has an active migration", "already exists")
"""What a repeated call is refused with when an earlier one has begun. 3.6, which says the first
and, once the import has begun, the last, shows the attempt as well; 4.0 does not."""


def begin(case: Case) -> Script[Step]:
    """The next step of a migration that is to begin."""
    found = yield from judge(case)
    step = settled(case, found)
    if step is not None:
        return step
    if isinstance(found, Unclear):
        return _unknown(case, found.why)
    if case.asked and case.since_phase() > 2 * case.pace.call:
        if not case.answer_overdue():
            return Step(next_in=case.pace.poll)
        return never_began(case)
    return (yield from _ask(case))


def _unknown(case: Case, why: str) -> Step:
    """The source can't be asked: wait, as long as an answer may still come."""
    pace, source = case.pace, case.record.source_name
    if not case.asked:
        if case.since_phase() < pace.patience:
            return Step(message=why, next_in=pace.away)
        return _failed(case, "source-unavailable", why, f"see why {source} is away, then try again")
    if not case.answer_overdue():
        return Step(message=why, next_in=pace.away)
    # It may be running: whoever follows it finds out when the source is back.
    return Step(state=State.RUNNING, message=why)


def _ask(case: Case) -> Script[Step]:
    """Prepares the target, asks the source, and takes in its answer."""
    pace, source = case.pace, case.record.source_name
    due = case.record.initiate_deadline
    earlier = None if due == case.answered else due
    ready: Ready | Unready = yield MakeReady()
    if isinstance(ready, Unready):
        return _unprepared(case, ready)
    case.record = yield Write(Step(message=f"asking {source} to begin", initiate_in=pace.call))
    answer: Begun | Refused | Lost = yield Ask(within=pace.call)
    match answer:
        case Begun(juju_id):
            return Step(
                state=State.RUNNING,
                phase=Phase.QUIESCE,
                message=f"{source} has begun",
                juju_id=juju_id,
            )
        case Refused(text):
            return (yield from _refused(case, text, earlier))
        case Lost(why):
            return Step(message=why, next_in=pace.away)


def _unprepared(case: Case, found: Unready) -> Step:
    """Nothing was asked of the source yet, or it is asked again."""
    if found.away and case.since_phase() < case.pace.patience:
        return Step(message=found.why, next_in=case.pace.away)
    target = case.record.target_name
    if found.away:
        return _failed(
            case, "target-unavailable", found.why, f"see why {target} is away, then try again"
        )
    told = explain(found.why)
    code = "target-refused" if told.code == JUJU_REFUSED else told.code
    return _failed(case, code, told.sentence, told.remedy)


def _failed(case: Case, code: str, reason: str, remedy: str) -> Step:
    """The end of what never began; first comes cleaning if an earlier call may have begun
    something, or if something was made on the target."""
    tidy = case.asked or case.record.prepare
    return failing(code, reason, remedy, state=State.CLEANING if tidy else State.FAILED)


def _refused(case: Case, text: str, earlier: datetime | None) -> Script[Step]:
    """The source said no. It may mean that an earlier call of ours did begin one, so it is looked
    at until that is settled.

    ``earlier`` is when the answer to an earlier call, which nobody heard, is due.
    """
    if LOGIN_REFUSED in text and case.refusals < _TRIES:
        case.refusals += 1  # another worker may just have taken the login back
        if earlier is None:
            case.answered = case.record.initiate_deadline
        return Step(message=text, next_in=case.pace.away)
    repeated = earlier is not None
    if case.opaque and any(each in text for each in _BEGUN):
        # what it says is all there is; a first call hears of somebody else's
        return Step(state=State.RUNNING, message=text) if repeated else _told(case, text)
    while True:
        found = yield from judge(case)
        step = settled(case, found)
        if step is not None:
            return step
        if isinstance(found, NotStarted) and case.is_overdue(earlier):
            return _told(case, text, repeated=repeated)
        if case.unclear_for() > case.pace.unclear:
            return Step(state=State.RUNNING, message=text)
        case.record = yield Rest(Step(next_in=case.poll))


def _told(case: Case, text: str, *, repeated: bool = False) -> Step:
    told = explain(text)
    tidy = repeated or case.record.prepare
    return Step(
        state=State.CLEANING if tidy else State.FAILED,
        message=text,
        error_code=told.code,
        error=told.sentence,
        remedy=told.remedy,
    )
