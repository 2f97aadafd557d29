"""What is done about a migration next, from all that is known of it. Pure.

The machine is a generator: it yields orders, is sent what came of each, and ends when the
migration has. Whoever drives it does the I/O. It may be dropped after any order: another one,
begun from what was written down, carries on, because what it has done on a controller is either
the same the second time, or is looked for before.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Final

from jimm.migration import advice, verdict
from jimm.migration.beginning import begin
from jimm.migration.case import (
    Case,
    Script,
    failing,
    judge,
    look,
    never_began,
    settled,
    stuck,
    survey,
    unclear,
)
from jimm.migration.orders import AbortImport, Admit, Check, Checked, Rest, Side, Undo, Write
from jimm.migration.phases import POINT_OF_NO_RETURN, Phase, State
from jimm.migration.prechecks import Finding, refusing
from jimm.migration.verdict import (
    Absent,
    Moved,
    NotStarted,
    Present,
    Progress,
    Returned,
    Silent,
    Situation,
    Unclear,
    View,
    is_idle,
)
from jimm.registry.migration_records import Migration, Step


def life(case: Case) -> Script[None]:
    """From where the migration is to its end."""
    while case.record.ended is None:
        step = yield from _STEPS[case.record.state](case)
        case.record = yield Rest(step)


def first_step(record: Migration) -> Step:
    """requested: its turn has come."""
    names = f"{record.source_name} and {record.target_name}"
    return Step(state=State.CHECKING, message=f"checking {names}")


def _check(case: Case) -> Script[Step]:
    """checking: everything once more, as it is now."""
    checked: Checked = yield Check()
    target = case.record.target_name
    against = refusing(checked.findings, prepare=case.record.prepare)
    if case.opaque:
        here = yield from look(Side.SOURCE)
        against += _against_opaque(here, leftover=checked.leftover)
    if against:
        return _refusal(case, checked, against)
    if checked.leftover:
        message = f"removing a half import from {target}"
        if case.is_sure("half import"):
            yield from _abort(case, message)
        return Step(message=message, next_in=case.pace.away)
    return Step(
        state=State.STARTING,
        recorded_start=checked.start,
        machines=checked.machines,
        units=checked.units,
        checks=tuple(asdict(each) for each in checked.findings),  # advice, and what is prepared
        message=f"everything is ready on {target}",
    )


def _refusal(case: Case, checked: Checked, against: list[Finding]) -> Step:
    """Refused; but for controllers that are away one waits a little. JIMM itself may have been
    started just now."""
    reason = _joined(each.found for each in against)
    if {each.code for each in against} <= _AWAY and case.since_phase() < case.pace.patience:
        return Step(message=reason, next_in=case.pace.away)
    return Step(
        state=State.REFUSED,
        message=reason,
        error_code="checks-failed",
        error=reason,
        remedy=_joined(each.remedy for each in against),
        checks=tuple(asdict(each) for each in dict.fromkeys([*checked.findings, *against])),
    )


def _against_opaque(here: View, *, leftover: bool) -> list[Finding]:
    """What an opaque source's listing does not tell: it is moving the model already. What its
    target imports is aborted only if it certainly is not."""
    if isinstance(here, Present) and here.exporting:
        found = "the source is moving the model already"
        return [Finding("already-migrating", found, "wait until that is over")]
    if leftover and not is_idle(here, opaque=True):
        found = "the target holds a half import, which the source may be working on"
        remedy = "wait; if nobody migrates the model, have MigrationTarget.Abort called there"
        return [Finding("leftover-import", found, remedy)]
    return []


def _follow(case: Case) -> Script[Step]:
    """running: what the source says, until it is over."""
    found = yield from judge(case)
    if isinstance(found, Progress):
        return _progress(case, found)
    step = settled(case, found)
    if step is not None:
        return step
    if isinstance(found, Unclear):
        return unclear(case, found.why, case.pace.away)
    return _nothing(case)


def _progress(case: Case, found: Progress) -> Step:
    case.clear()
    record = case.record
    same = found.phase in (Phase.NONE, record.phase)
    if same and case.is_out_of_patience():
        why = f'{record.source_name} has long been at "{found.message}"'
        return stuck(case, why)
    return Step(phase=found.phase or None, message=found.message, next_in=case.poll)


def _nothing(case: Case) -> Step:
    """The source has the model, and shows no attempt of ours."""
    source = case.record.source_name
    if not case.record.juju_id and case.answer_overdue():
        return never_began(case)
    if case.unclear_for() > case.pace.unclear:
        return failing(
            "nothing-began",
            f"{source} said that it had begun, and shows no attempt",
            f"see the log of {source} (juju debug-log -m controller), then try again",
        )
    return Step(message="the source shows no attempt", next_in=case.poll)


def _confirm(case: Case) -> Script[Step]:
    """confirming: both are asked once more before everything points to the target."""
    seen = yield from survey(case, both=True)
    name = case.record.target_name
    if isinstance(seen.target, Silent):
        return unclear(case, f"{name} does not answer: {seen.target.why}", case.pace.away)
    if not verdict.lives_on_target(seen):
        return Step(state=State.RUNNING, message=f"{name} does not have the model yet")
    match verdict.judge(seen):
        case Moved():
            pass
        case Progress(phase, message) if case.opaque or phase not in POINT_OF_NO_RETURN:
            return Step(state=State.RUNNING, phase=phase or None, message=message)
        case Progress():
            pass  # it was given its time to clean up
        case Returned() | NotStarted():
            return Step(state=State.RUNNING, message="the source has the model again")
        case Unclear(why):
            return unclear(case, why, case.pace.away)
    yield Admit()
    return Step(state=State.DONE)


def _clean(case: Case) -> Script[Step]:
    """cleaning: the attempt has failed; the target must keep nothing of it, or the next one is
    refused (``model named … already exists``). It has failed only if the source has the model
    and is at nothing, also when both are asked once more, and then again."""
    record = case.record
    seen = yield from survey(case, both=True)
    found = verdict.judge(seen)
    if isinstance(found, Moved | Progress) and not verdict.is_blind(seen):
        return settled(case, found) or Step()
    if isinstance(seen.target, Silent):
        why = f"{record.target_name} does not answer: {seen.target.why}"
        return unclear(case, why, case.pace.away)
    if isinstance(seen.source, Silent):
        why = f"{record.source_name} does not answer: {seen.source.why}"
        return unclear(case, why, case.pace.away)
    if isinstance(seen.source, Absent):
        why = f"{record.source_name} does not show the model, though it has not moved"
        return unclear(case, why, case.pace.poll)
    step = yield from _clear(case, seen, returned=isinstance(found, Returned))
    if step.state is not State.FAILED:
        return step
    if not case.is_sure(step.debris or "clean"):
        return Step(next_in=case.pace.away)
    if record.prepare:
        yield Undo()
    return step


def _clear(case: Case, seen: Situation, *, returned: bool) -> Script[Step]:
    """Both answer, and the source has the model."""
    record, pause = case.record, case.pace.poll
    source, target = record.source_name, record.target_name
    match seen.target:
        case Present(importing=True) if not is_idle(seen.source, opaque=case.opaque):
            return unclear(case, f"{target} is importing the model", pause)
        case Present(importing=True) if not case.is_sure("half import"):
            return Step(next_in=case.pace.away)
        case Present(importing=True):
            message = f"removing the half import from {target}"
            refusal = yield from _abort(case, message)
            return unclear(case, f"{message} ({refusal})" if refusal else message, pause)
        case Present() if not (returned and verdict.lives_on_target(seen)):
            return unclear(case, f"{target} has the model as well", pause)
    if not case.opaque and not is_idle(seen.source, opaque=False):
        return unclear(case, f"{source} is moving the model again", pause)
    if record.prepare:
        yield Undo()
    yield Admit(Side.SOURCE)
    if case.hides_imports and not case.is_swept and is_idle(seen.source, opaque=case.opaque):
        return (yield from _sweep(case))
    if isinstance(seen.target, Present):
        # Juju aborts when the answer of Activate is lost, and the target keeps its copy.
        kept = f"{target} kept a copy of the model"
        remedy = advice.COPY.format(source=source, target=target)
        return Step(
            state=State.FAILED, message=f"{record.error}; {kept}", debris=kept, remedy=remedy
        )
    return Step(state=State.FAILED, message=record.error)


def _sweep(case: Case) -> Script[Step]:
    """What can't be seen is aborted without being seen."""
    message = f"removing what {case.record.target_name} may hold of an import"
    refusal = yield from _abort(case, message)
    case.is_swept = not refusal or any(each in refusal for each in _NOTHING_THERE)
    return unclear(case, f"{message} ({refusal})" if refusal else message, case.pace.away)


def _wait(case: Case) -> Script[Step]:
    """stuck: looks on; it leaves as soon as the controllers agree."""
    pause = Step(next_in=case.pace.stuck)
    found = yield from judge(case)
    if isinstance(found, Progress):
        moves = found.phase not in (Phase.NONE, case.record.phase) or case.record.error
        return settled(case, found) or pause if moves else pause
    if case.record.error:
        return (yield from _wait_to_clear(case)) or settled(case, found) or _again(found, pause)
    if isinstance(found, NotStarted):
        return Step(state=State.RUNNING, message="the source shows no attempt", remedy="")
    return settled(case, found) or pause


def _again(found: verdict.Verdict, pause: Step) -> Step:
    """What failed may be cleaned up after, unless nobody can tell where the model is."""
    return pause if isinstance(found, Unclear) else Step(state=State.CLEANING)


def _wait_to_clear(case: Case) -> Script[Step | None]:
    """A pause while the target holds a half import, or does not answer; one that may be aborted
    is."""
    there = yield from look(Side.TARGET)
    if isinstance(there, Silent):
        return Step(next_in=case.pace.stuck)
    if not (isinstance(there, Present) and there.importing):
        return None
    here = yield from look(Side.SOURCE)
    if is_idle(here, opaque=case.opaque) and case.is_sure("half import"):
        yield from _abort(case, None)
    return Step(next_in=case.pace.stuck)


def _abort(case: Case, message: str | None) -> Script[str]:
    """Has the half import dropped, and gives the refusal. The row is written first: whoever has
    lost the lease must not take away what the next attempt imports."""
    case.record = yield Write(Step(message=message))
    refusal: str = yield AbortImport()
    return refusal


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(texts))


_AWAY: Final = frozenset({"source-unavailable", "target-unavailable"})
"""Findings that time may mend."""

_NOTHING_THERE: Final = ("not importing", "not found")
"""How Juju refuses to abort an import that there is not."""

_STEPS: Final[Mapping[State, Callable[[Case], Script[Step]]]] = {
    State.CHECKING: _check,
    State.STARTING: begin,
    State.RUNNING: _follow,
    State.CONFIRMING: _confirm,
    State.CLEANING: _clean,
    State.STUCK: _wait,
}
"""One for each state between the first and the last ones."""
