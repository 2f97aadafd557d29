"""What is done in each state: look, act if need be, and say what follows.

Every function may be begun anew by another worker at any line: what it does on a controller is
either the same the second time, or is asked for before.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from typing import Final

from jimm.controllers.calls import migration_target
from jimm.errors import JimmError
from jimm.migration import facts, prechecks, users
from jimm.migration.operation import Operation
from jimm.migration.phases import State
from jimm.migration.starting import settled, start
from jimm.migration.verdict import (
    Absent,
    NotStarted,
    Present,
    Progress,
    Silent,
    Unclear,
    View,
    is_exporting,
)
from jimm.registry.migrations import Migration, Step

Act = Callable[[Operation, Migration], Awaitable[Step]]


def first_step(migration: Migration) -> Step:
    """requested: its turn has come."""
    names = f"{migration.source_name} and {migration.target_name}"
    return Step(state=State.CHECKING, message=f"checking {names}")


async def check(operation: Operation, _: Migration) -> Step:
    """checking: everything once more, as it is now."""
    model = await operation.model()
    source = await facts.of_source(operation.fleet, model, operation.source, migrating=False)
    target = await facts.of_target(operation.fleet, source, operation.target)
    findings = prechecks.check(source.model, source.controller, target.controller)
    if findings:
        reason = "; ".join(each.found for each in findings)
        return Step(
            state=State.REFUSED,
            message=reason,
            error_code="checks-failed",
            error=reason,
            checks=tuple(asdict(each) for each in findings),
        )
    if target.leftover:
        await _abort(operation)
        return Step(
            message=f"removing a half import from {operation.target.name}",
            next_in=operation.pace.poll,
        )
    return Step(
        state=State.STARTING,
        recorded_start=source.start,
        message=f"everything is ready on {operation.target.name}",
    )


async def follow(operation: Operation, migration: Migration) -> Step:
    """running: what the source says, until it is over."""
    verdict = await operation.judge()
    if isinstance(verdict, Progress):
        return _progress(operation, verdict)
    found = settled(verdict)
    if found is not None:
        return found
    if isinstance(verdict, NotStarted) and not migration.juju_id and operation.answer_overdue():
        reason = f"{operation.source.name} did not answer, and began nothing"
        return Step(state=State.CLEANING, message=reason, error_code="answer-lost", error=reason)
    why = verdict.why if isinstance(verdict, Unclear) else "the source shows no attempt"
    pause = operation.pace.away if isinstance(verdict, Unclear) else operation.pace.poll
    return _unclear(operation, why, pause)


async def confirm(operation: Operation, _: Migration) -> Step:
    """confirming: the target is asked once more before everything points to it."""
    there = await operation.look(operation.target)
    if isinstance(there, Silent):
        why = f"{operation.target.name} does not answer: {there.why}"
        return _unclear(operation, why, operation.pace.away)
    if not _lives(operation, there):
        return Step(
            state=State.RUNNING,
            message=f"{operation.target.name} does not have the model yet",
        )
    await users.admit(operation.fleet, await operation.model(), operation.target)
    return Step(state=State.DONE)


async def clean(operation: Operation, migration: Migration) -> Step:
    """cleaning: the attempt has failed; the target must keep nothing of it, or the next one is
    refused (``model named … already exists``)."""
    here = await operation.look(operation.source)
    there = await operation.look(operation.target)
    match there:
        case Silent(why):
            return _unclear(
                operation, f"{operation.target.name} does not answer: {why}", operation.pace.away
            )
        case Present(importing=True):
            return await _clear(operation, here)
        case Present() if not isinstance(here, Present):
            return _stuck(operation, f"{operation.target.name} has the model after all")
        case Present():
            # Juju aborts when the answer of Activate is lost, and the target keeps its copy.
            kept = f"{operation.target.name} kept a copy of the model: remove it there by hand"
            return Step(state=State.FAILED, message=f"{migration.error}; {kept}")
        case Absent():
            return Step(state=State.FAILED, message=migration.error)


async def wait(operation: Operation, migration: Migration) -> Step:
    """stuck: looks on; it leaves as soon as the controllers agree."""
    pause = Step(next_in=operation.pace.stuck)
    verdict = await operation.judge()
    if migration.error and not await _is_clear(operation):
        return pause
    if isinstance(verdict, Unclear):
        return pause
    if isinstance(verdict, Progress) and operation.same_for(verdict.message):
        return pause
    cleaning = Step(state=State.CLEANING) if migration.error else pause
    return settled(verdict) or cleaning


STEPS: Final[Mapping[State, Act]] = {
    State.CHECKING: check,
    State.STARTING: start,
    State.RUNNING: follow,
    State.CONFIRMING: confirm,
    State.CLEANING: clean,
    State.STUCK: wait,
}
"""One for each state between the first and the last ones."""


def _progress(operation: Operation, verdict: Progress) -> Step:
    if operation.same_for(verdict.message) > operation.pace.unchanged:
        return _stuck(operation, f'the source has long been at "{verdict.message}"')
    going = settled(verdict)
    phase, message = (going.phase, going.message) if going is not None else (None, None)
    return Step(phase=phase, message=message, next_in=operation.pace.poll)


def _unclear(operation: Operation, why: str, pause: float) -> Step:
    if operation.same_for(f"{operation.migration.state} unclear") > operation.pace.unclear:
        return _stuck(operation, why)
    return Step(message=why, next_in=pause)


def _stuck(operation: Operation, why: str) -> Step:
    return Step(
        state=State.STUCK,
        message=f"{why}. It goes on by itself when both controllers answer and agree; if that "
        f"can't be: jimmctl resolve-migration {operation.migration.id} --model-is-on CONTROLLER "
        "--reason TEXT",
    )


async def _clear(operation: Operation, here: View) -> Step:
    pause = operation.pace.poll
    name = operation.target.name
    if isinstance(here, Silent):
        return _unclear(operation, f"{operation.source.name} does not answer: {here.why}", pause)
    if not _may_abort(operation, here):
        return _unclear(operation, f"{name} is importing the model", pause)
    refusal = await _abort(operation)
    why = f" ({refusal})" if refusal else ""
    return _unclear(operation, f"removing the half import from {name}{why}", pause)


async def _is_clear(operation: Operation) -> bool:
    """Whether the target answers and holds no half import; one that may be aborted is."""
    there = await operation.look(operation.target)
    if not (isinstance(there, Present) and there.importing):
        return not isinstance(there, Silent)
    if _may_abort(operation, await operation.look(operation.source)):
        await _abort(operation)
    return False


async def _abort(operation: Operation) -> str:
    """Sends it, and gives the refusal; whether the import is gone is seen by looking."""
    try:
        link = operation.fleet.link(operation.target)
        await migration_target.abort(link, operation.migration.model_uuid)
    except JimmError as error:
        return str(error)
    return ""


def _may_abort(operation: Operation, here: View) -> bool:
    """An import is aborted only when its source is at no attempt, and shows its attempts."""
    return not isinstance(here, Silent) and not is_exporting(here) and _shows_attempts(operation)


def _shows_attempts(operation: Operation) -> bool:
    """Juju 4.0 shows nothing of an export, so that it can't be told from none."""
    return operation.source.agent_version.startswith("3.")


def _lives(operation: Operation, there: View) -> bool:
    return (
        isinstance(there, Present)
        and not there.importing
        and there.controller_uuid == operation.target.uuid
    )
