"""Carries out the machine's orders: asks controllers, writes down, waits. Decides nothing."""

from typing import assert_never

from jimm.controllers.calls import migration_target
from jimm.errors import JimmError
from jimm.migration import facts, machine, outside, prechecks, preparing, users
from jimm.migration.case import Case, Parties
from jimm.migration.experience import Experience
from jimm.migration.operation import Operation
from jimm.migration.orders import (
    AbortImport,
    Admit,
    Ask,
    Check,
    Checked,
    Look,
    MakeReady,
    Order,
    Rest,
    Side,
    Undo,
    Write,
)
from jimm.migration.starting import Starting
from jimm.registry.words import Trust


async def carry_on(operation: Operation, experience: Experience) -> None:
    """Drives a migration from where it is to its end.

    Raises:
        LeaseLost: it is in other hands.
        JimmError: of the registry; whoever claims it next begins where this one was.
    """
    parties = Parties(
        source_uuid=operation.source.uuid,
        target_uuid=operation.target.uuid,
        source_version=operation.source.agent_version,
        target_version=operation.target.agent_version,
        blind=operation.source.trust is Trust.TOKEN,
    )
    known = await experience.pastimes()
    case = Case(
        operation.migration, parties, operation.pace, operation.fleet.now, pastimes=lambda: known
    )
    life, starting = machine.life(case), Starting(operation)
    answer: object = None
    while True:
        try:
            order = life.send(answer)
        except StopIteration:
            return
        known = await experience.pastimes()
        answer = await _carry_out(order, operation, starting)


async def _carry_out(order: Order, operation: Operation, starting: Starting) -> object:
    match order:
        case Look(at):
            return await operation.look(at)
        case Check():
            return await _check(operation)
        case MakeReady():
            return await starting.make_ready()
        case Ask(within):
            return await starting.ask(within)
        case AbortImport():
            return await _abort(operation)
        case Admit(at):
            party = operation.source if at is Side.SOURCE else operation.target
            if not party.is_outside:
                await users.admit(operation.fleet, await operation.model(), party)
            return None
        case Undo():
            await preparing.undo(operation)
            return None
        case Write(step):
            return await operation.apply(step)
        case Rest(step):
            return await operation.rest(step)
        case _:
            assert_never(order)


async def _check(operation: Operation) -> Checked:
    model, to_outside = await operation.model(), operation.target.is_outside
    if to_outside:
        await outside.connected(operation.fleet, operation.target)
    source, target = await facts.of_both(
        operation.fleet, model, operation.source, operation.target, migrating=False
    )
    moved = outside.unaided(source.model) if to_outside else source.model
    findings = prechecks.check(moved, source.controller, target.controller)
    return Checked(
        tuple(findings),
        leftover=target.leftover,
        start=source.start,
        machines=source.machines,
        units=source.units,
    )


async def _abort(operation: Operation) -> str:
    try:
        link = operation.fleet.link(operation.target)
        await migration_target.abort(link, operation.migration.model_uuid)
    except JimmError as error:
        return str(error)
    return ""
