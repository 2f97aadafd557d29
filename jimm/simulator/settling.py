"""What agents would do: machines start, units become active, actions complete, the dying go."""

import datetime
from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from jimm.simulator import applications
from jimm.simulator.core import Core
from jimm.simulator.state import (
    ActionTask,
    Application,
    Machine,
    Model,
    Operation,
    Status,
    Unit,
)
from jimm.simulator.store import Change
from jimm.wire.tags import ModelUUID

SECONDS: Final = 0.4
"""How long it all takes, before the clock's speed."""


class Settler:
    """Settles models a moment after they were changed, those of an earlier run too."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._waiting: set[ModelUUID] = set()

    def start(self) -> None:
        """Takes up what was left and listens for more."""
        self._core.store.listen(self._on_change)
        for model in self._core.store.models.values():
            self._settle_later(model)

    def _on_change(self, change: Change) -> None:
        if isinstance(change.after, Model):
            self._settle_later(change.after)

    def _settle_later(self, model: Model) -> None:
        if model.uuid in self._waiting or not is_unsettled(model):
            return
        self._waiting.add(model.uuid)
        self._core.tasks.spawn(self._settle(model.uuid), name=f"settle model {model.uuid}")

    async def _settle(self, uuid: ModelUUID) -> None:
        try:
            await self._core.clock.sleep(SECONDS)
        finally:
            self._waiting.discard(uuid)
        model = self._core.store.models.get(uuid)
        if model is not None and is_unsettled(model):
            self._core.store.put(settled(model, self._core.clock.now()))


def is_unsettled(model: Model) -> bool:
    """Whether something in it waits for an agent."""
    if model.mode or model.life != "alive":
        return False  # agents stand still while a model moves
    return (
        any(_is_starting(machine) or machine.life != "alive" for machine in model.machines.values())
        or any(
            application.life != "alive" or any(map(_is_waiting, application.units.values()))
            for application in model.applications.values()
        )
        or any(task.status == "pending" for each in model.operations for task in each.tasks)
    )


def settled(model: Model, now: datetime.datetime) -> Model:
    """The model when all agents have done their work."""
    emptied = {unit.machine for unit in _dying(model) if not unit.principal}
    changed = {
        each.name: _application(each, now)
        for each in model.applications.values()
        if each.life == "alive"
    }
    alive = [
        relation
        for relation in model.relations
        if all(
            end.application in changed or end.application in model.remote_applications
            for end in relation.endpoints
        )
    ]
    model = replace(model, applications=changed, relations=tuple(alive))
    machines = {
        each.id: _machine(model, each)
        for each in model.machines.values()
        if each.life == "alive" and not _is_done_with(model, each, emptied)
    }
    gone = {unit for each in model.storage.values() for unit in each.units} - _units(model)
    return replace(
        model,
        machines=machines,
        resources=tuple(
            each for each in model.resources if not each.application or each.application in changed
        ),
        storage={key: each for key, each in model.storage.items() if not gone & set(each.units)},
        operations=tuple(_operation(each, now) for each in model.operations),
    )


def _is_starting(machine: Machine) -> bool:
    return machine.status == "pending" and machine.instance_status == "pending"


def _is_waiting(unit: Unit) -> bool:
    return unit.life != "alive" or _is_new(unit)


def _is_new(unit: Unit) -> bool:
    return unit.agent.status == "allocating" and unit.workload.status == "waiting"


def _dying(model: Model) -> list[Unit]:
    return [
        unit
        for application in model.applications.values()
        for unit in application.units.values()
        if unit.life != "alive" or application.life != "alive"
    ]


def _units(model: Model) -> set[str]:
    return {unit for each in model.applications.values() for unit in each.units}


def _is_done_with(model: Model, machine: Machine, emptied: set[str]) -> bool:
    """Whether Juju removes it with its last unit."""
    if machine.kept or machine.id not in emptied:
        return False
    return not applications.units_on(model, machine.id) and not applications.containers_in(
        model, machine.id
    )


def _machine(model: Model, machine: Machine) -> Machine:
    if not _is_starting(machine):
        return machine
    instance = f"sim-{model.uuid[:8]}-{machine.id.replace('/', '-')}"
    return replace(machine, status="started", instance_status="running", instance_id=instance)


def _application(application: Application, now: datetime.datetime) -> Application:
    left = {
        unit.name: _unit(unit, now) for unit in application.units.values() if unit.life == "alive"
    }
    if left and not any(unit.leader for unit in left.values()):
        first = next(iter(left))
        left[first] = replace(left[first], leader=True)
    status = application.status
    if status.status in ("waiting", "unknown") and left:
        status = Status(status="active", since=now)
    return replace(application, units=left, status=status)


def _unit(unit: Unit, now: datetime.datetime) -> Unit:
    if not _is_new(unit):
        return unit
    active, idle = Status(status="active", since=now), Status(status="idle", since=now)
    return replace(unit, workload=active, agent=idle)


def _operation(operation: Operation, now: datetime.datetime) -> Operation:
    return replace(operation, tasks=tuple(_task(task, now) for task in operation.tasks))


def _task(task: ActionTask, now: datetime.datetime) -> ActionTask:
    if task.status != "pending":
        return task
    output: Mapping[str, object] = {"return-code": 0}
    if task.name == "juju-exec":
        output = {"return-code": 0, "stdout": f"simulated: {task.parameters.get('command', '')}\n"}
    return replace(task, status="completed", output=dict(output), completed=now)
