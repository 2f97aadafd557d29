"""Asking the source to begin, once and no more than once.

The start of the source's last attempt was written down before; a later one is ours. So the
source is looked at before each call, and an answer that was lost, or that a dead worker never
heard, is found out by looking. Juju keeps to one attempt at a time, which makes a repeated call
harmless; but no failure is told while an earlier call may still bear fruit.
"""

import base64
import binascii
from datetime import datetime
from typing import Final

from jimm.controllers import deadlines
from jimm.controllers.calls import controller as controller_calls
from jimm.errors import (
    ControllerUnavailable,
    JimmError,
    LostAnswer,
    ProtocolError,
    RemoteError,
    WrongController,
)
from jimm.migration import facts, target_login, users
from jimm.migration.operation import Operation
from jimm.migration.phases import Phase, State
from jimm.migration.verdict import (
    Moved,
    NotStarted,
    Present,
    Progress,
    Returned,
    Unclear,
    Verdict,
)
from jimm.registry.controllers import Controller
from jimm.registry.migrations import Migration, Step
from jimm.wire import tags
from jimm.wire.params.controller import MigrationSpec, MigrationTargetInfo
from jimm.wire.params.migration_target import BytesResult

LOGIN_REFUSED: Final = "connect to target controller: invalid entity name or password"
_TRIES: Final = 3


async def start(operation: Operation, migration: Migration) -> Step:
    """The next step of a migration that is to begin."""
    verdict = await operation.judge()
    found = settled(verdict)
    if found is not None:
        return found
    if isinstance(verdict, Unclear):
        return _unknown(operation, verdict.why)
    if migration.initiate_deadline is not None and operation.since_phase() > operation.pace.call:
        return _never_began(operation)
    return await _ask(operation, migration)


def settled(verdict: Verdict) -> Step | None:
    """The step that follows from what the controllers show of this attempt; ``None`` if they
    show nothing of it."""
    match verdict:
        case Progress(phase, message):
            return Step(
                state=State.RUNNING,
                phase=phase or None,
                message=message,
                error_code="",
                error="",
            )
        case Moved(debris):
            return Step(
                state=State.CONFIRMING,
                phase=Phase.REAPFAILED if debris.startswith("removing") else Phase.DONE,
                message=debris or "the model has arrived",
                error_code="",
                error="",
            )
        case Returned(reason):
            reason = reason or "the source gave no reason"
            return Step(
                state=State.CLEANING,
                phase=Phase.ABORTDONE,
                message=f"aborted: {reason}",
                error_code="aborted",
                error=reason,
            )
        case NotStarted() | Unclear():
            return None


def _unknown(operation: Operation, why: str) -> Step:
    """The source can't be asked: wait, as long as an answer may still come."""
    pace = operation.pace
    if operation.migration.initiate_deadline is None:
        if operation.since_phase() < pace.patience:
            return Step(message=why, next_in=pace.away)
        return _failed("source-unavailable", why)
    if not operation.answer_overdue():
        return Step(message=why, next_in=pace.away)
    # It may be running: whoever follows it finds out when the source is back.
    return Step(state=State.RUNNING, message=why)


def _never_began(operation: Operation) -> Step:
    if not operation.answer_overdue():
        return Step(next_in=operation.pace.poll)
    reason = f"{operation.source.name} did not answer, and began nothing"
    return Step(state=State.CLEANING, message=reason, error_code="answer-lost", error=reason)


async def _ask(operation: Operation, migration: Migration) -> Step:
    """Prepares the target, asks the source, and takes in its answer."""
    earlier = migration.initiate_deadline
    try:
        spec = await _prepare(operation)
    except JimmError as error:
        return _unprepared(operation, error)
    pace = operation.pace
    asking = f"asking {operation.source.name} to begin"
    await operation.apply(Step(message=asking, initiate_in=pace.call))
    try:
        link = operation.fleet.link(operation.source)
        juju_id = await controller_calls.initiate_migration(link, spec, deadline=pace.call)
    except RemoteError as error:
        return await _refused(operation, str(error), earlier)
    except JimmError as error:  # lost, or never sent: looking tells
        return Step(message=str(error), next_in=pace.away)
    return Step(
        state=State.RUNNING,
        phase=Phase.QUIESCE,
        message=f"{operation.source.name} has begun",
        juju_id=juju_id,
    )


async def _prepare(operation: Operation) -> MigrationSpec:
    model = await operation.model()
    source = await facts.of_source(operation.fleet, model, operation.source, migrating=False)
    if not isinstance(source.view, Present):
        raise ControllerUnavailable(f"{operation.source.name} does not show the model's users")
    await users.make(operation.fleet, model, operation.target, source.users)
    target = operation.target
    password = await target_login.lend(operation.fleet, target)
    info = MigrationTargetInfo(
        controller_tag=tags.controller_tag(target.uuid),
        controller_alias=target.name,
        addrs=list(target.addresses) or [target.public_address],
        ca_cert=await _ca_certificate(operation, target),
        auth_tag=tags.user_tag(target_login.USER),
        password=password.reveal(),
    )
    return MigrationSpec(model_tag=tags.model_tag(model.uuid), target_info=info)


async def _ca_certificate(operation: Operation, target: Controller) -> str:
    """The CA that machines and users will need: a redirect without one stops a juju client.

    A controller registered without one is dialled through a public name; its own CA is asked
    for (Juju ``MigrationTarget.CACert``).
    """
    if target.ca_certificate:
        return target.ca_certificate
    link = operation.fleet.link(target)
    told = await link.call(
        "MigrationTarget", "CACert", None, BytesResult, versions=(4, 5, 6), deadline=deadlines.READ
    )
    try:
        return base64.b64decode(told.result, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise link.unreadable(f"a CA that is no text: {ProtocolError(str(error))}") from error


def _unprepared(operation: Operation, error: JimmError) -> Step:
    """Nothing was asked of the source yet, or it is asked again."""
    is_away = isinstance(error, ControllerUnavailable | LostAnswer | WrongController)
    if is_away and operation.since_phase() < operation.pace.patience:
        return Step(message=str(error), next_in=operation.pace.away)
    code = "target-unavailable" if is_away else "target-refused"
    return _failed(code, str(error), cleaning=operation.migration.initiate_deadline is not None)


def _failed(code: str, reason: str, *, cleaning: bool = False) -> Step:
    """The end of what never began; ``cleaning`` if an earlier call may have begun something."""
    state = State.CLEANING if cleaning else State.FAILED
    return Step(state=state, message=reason, error_code=code, error=reason)


async def _refused(operation: Operation, text: str, earlier: datetime | None) -> Step:
    """The source said no. It may mean that an earlier call of ours did begin one (``already in
    progress``, ``model named … already exists``), so it is looked at until that is settled.

    ``earlier`` is when the answer to an earlier call, which nobody heard, is due.
    """
    if LOGIN_REFUSED in text and operation.refusals < _TRIES:
        operation.refusals += 1  # another worker may just have taken the login back
        return Step(message=text, next_in=operation.pace.away)
    while True:
        verdict = await operation.judge()
        found = settled(verdict)
        if found is not None:
            return found
        late = earlier is None or operation.fleet.now() > earlier
        if late and isinstance(verdict, NotStarted):
            return _failed("source-refused", text, cleaning=earlier is not None)
        if late and operation.since_phase() > operation.pace.unclear:
            return Step(state=State.RUNNING, message=text)
        await operation.rest(Step(next_in=operation.pace.poll))
