"""``Action`` 7 (Juju ``apiserver/facades/client/action``): simulated units complete whatever
they are asked to run."""

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from jimm.errors import JimmError, NotFound
from jimm.simulator import applications, charm_store
from jimm.simulator.describe import maybe_rfc3339
from jimm.simulator.entity_tags import machine_tag, parse_application_tag, parse_unit_tag, unit_tag
from jimm.simulator.migration.views import rfc3339
from jimm.simulator.on_model import OnModel, Row, rows
from jimm.simulator.sequences import taken
from jimm.simulator.state import ActionTask, Model, Operation
from jimm.simulator.watchers import Quiet
from jimm.wire.facade import method
from jimm.wire.params import action as params_
from jimm.wire.params.common import Entities, Entity

_PREDEFINED: Final = frozenset({"juju-exec", "juju-run"})
_LONGEST: Final = 50


class Action(OnModel):
    """Actions: asked for, done, looked at."""

    name = "Action"

    @method("ApplicationsCharmsActions", versions=(7,))
    async def charms_actions(self, params: Entities) -> Row:
        """What applications' charms can do."""
        self.caller.require_model(self.core, self.session.model, "write")
        return {"results": [self._known(each) for each in params.entities]}

    @method("EnqueueOperation", versions=(7,))
    async def enqueue_operation(self, params: params_.Actions) -> Row:
        """Asks units to run actions; they have done so a moment later."""
        self.change()
        if not params.actions:
            raise JimmError("no actions specified")
        names = sorted({each.name for each in params.actions})
        receivers = ",".join(each.receiver for each in params.actions)
        return self._enqueue(f"{','.join(names)} run on {receivers}", params.actions)

    @method("Run", versions=(7,))
    async def run(self, params: params_.Run) -> Row:
        """Runs a command on units and machines."""
        self.administration()
        model = self.change()
        receivers = [machine_tag(each) for each in params.machines]
        receivers += [unit_tag(_leader(model, each)) for each in params.units]
        for name in params.applications:
            receivers += [unit_tag(each) for each in applications.find(model, name).units]
        return self._run(params, list(dict.fromkeys(receivers)))

    @method("RunOnAllMachines", versions=(7,))
    async def run_on_all_machines(self, params: params_.Run) -> Row:
        """Runs a command on every machine."""
        self.administration()
        model = self.change()
        return self._run(params, [machine_tag(each) for each in model.machines])

    @method("Actions", versions=(7,))
    async def actions(self, params: Entities) -> Row:
        """Some actions with their results."""
        model = self.read()

        def one(entity: Entity) -> Row:
            return _result(_task(model, entity.tag))

        return {"results": rows(params.entities, one)}

    @method("Cancel", versions=(7,))
    async def cancel(self, params: Entities) -> Row:
        """Cancels actions that have not been run."""
        self.caller.require_model(self.core, self.session.model, "write")
        return {"results": rows(params.entities, self._cancel)}

    @method("Operations", versions=(7,))
    async def operations(self, params: Entities) -> Row:
        """Some operations with their actions."""
        model = self.read()

        def one(entity: Entity) -> Row:
            wanted = entity.tag.removeprefix("operation-")
            for operation in model.operations:
                if operation.id == wanted:
                    return _operation(operation)
            raise NotFound(f'operation "{wanted}" not found')

        return {"results": rows(params.entities, one), "truncated": False}

    @method("ListOperations", versions=(7,))
    async def list_operations(self, params: params_.OperationQuery) -> Row:
        """Operations that fit, by page."""
        model = self.read()
        found = [each for each in model.operations if _fits(each, params)]
        first = max(params.offset or 0, 0)
        last = first + (params.limit if params.limit and params.limit > 0 else _LONGEST)
        page = [_operation(each) for each in found[first:last]]
        return {"results": page, "truncated": len(found) > last}

    @method("WatchActionsProgress", versions=(7,))
    async def watch_actions_progress(self, params: Entities) -> Row:
        """Watchers of what actions log; simulated ones log nothing."""
        model = self.read()

        def one(entity: Entity) -> Row:
            _task(model, entity.tag)
            watcher = Quiet()
            return {"watcher-id": self.session.watchers.add(watcher), "changes": []}

        found = rows(params.entities, one)
        return {"results": [{"watcher-id": "", **row} for row in found]}

    def _known(self, entity: Entity) -> Row:
        def one(tag: str) -> Row:
            model = self.session.model
            found = applications.find(model, parse_application_tag(tag))
            return {"actions": _specs(charm_store.charm_of(model, found).actions)}

        return {"application-tag": entity.tag, **rows([entity.tag], one)[0]}

    def _run(self, wanted: params_.Run, receivers: list[str]) -> Row:
        if not receivers:
            raise JimmError("no target machines, applications or units specified")
        parameters: Row = {"command": wanted.commands, "timeout": wanted.timeout}
        asked = [
            params_.Action(receiver=each, name="juju-exec", parameters=parameters)
            for each in receivers
        ]
        return self._enqueue(f"juju-exec run on {','.join(receivers)}", asked)

    def _enqueue(self, summary: str, wanted: Iterable[params_.Action]) -> Row:
        now = self.core.clock.now()
        model, number = taken(self.session.model, "operation", first=1)
        tasks: list[ActionTask] = []

        def one(asked: params_.Action) -> Row:
            nonlocal model
            receiver = _receiver(model, asked)
            model, task_number = taken(model, "operation", first=1)
            task = ActionTask(
                id=str(task_number),
                receiver=receiver,
                name=asked.name,
                parameters=asked.parameters,
                enqueued=now,
            )
            tasks.append(task)
            return _result(task)

        found = rows(wanted, one)
        operation = Operation(id=str(number), summary=summary, tasks=tuple(tasks), enqueued=now)
        self.keep(replace(model, operations=(*model.operations, operation)))
        return {"operation": f"operation-{operation.id}", "actions": found}

    def _cancel(self, entity: Entity) -> Row:
        model = self.session.model
        task = _task(model, entity.tag)
        if task.status == "pending":
            task = replace(task, status="cancelled", completed=self.core.clock.now())
            operations = (
                replace(each, tasks=tuple(task if one.id == task.id else one for one in each.tasks))
                for each in model.operations
            )
            self.keep(replace(model, operations=tuple(operations)))
        return _result(task)


def _receiver(model: Model, asked: params_.Action) -> str:
    if asked.receiver.startswith("machine-"):
        if asked.name not in _PREDEFINED:
            raise JimmError(f'cannot run action "{asked.name}" on a machine')
        applications.find_machine(model, asked.receiver.removeprefix("machine-").replace("-", "/"))
        return asked.receiver
    if asked.receiver.endswith("/leader"):
        name = _leader(model, asked.receiver)
    elif asked.receiver.startswith("unit-"):
        name = parse_unit_tag(asked.receiver)
    else:
        name = asked.receiver
    unit = applications.find_unit(model, name)
    owner = applications.find(model, unit.name.partition("/")[0])
    known = charm_store.charm_of(model, owner).actions
    if asked.name not in _PREDEFINED and asked.name not in known:
        raise JimmError(f'action "{asked.name}" not defined on unit "{unit.name}"')
    return unit_tag(unit.name)


def _leader(model: Model, name: str) -> str:
    application, _, number = name.partition("/")
    if number != "leader":
        return applications.find_unit(model, name).name
    for unit in applications.find(model, application).units.values():
        if unit.leader:
            return unit.name
    raise NotFound(f'could not determine leader for "{application}"')


def _specs(actions: Mapping[str, object]) -> Row:
    found: Row = {}
    for name, spec in actions.items():
        plain = spec if isinstance(spec, Mapping) else {}
        properties = plain.get("params")
        description = str(plain.get("description", "No description"))
        found[name] = {
            "description": description,
            "params": {
                "title": name,
                "description": description,
                "type": "object",
                "properties": properties if isinstance(properties, Mapping) else {},
                "additionalProperties": False,
            },
        }
    return found


def _task(model: Model, tag: str) -> ActionTask:
    wanted = tag.removeprefix("action-")
    for operation in model.operations:
        for task in operation.tasks:
            if task.id == wanted:
                return task
    raise NotFound(f'action "{wanted}" not found')


def _result(task: ActionTask) -> Row:
    found: Row = {
        "action": {
            "tag": f"action-{task.id}",
            "receiver": task.receiver,
            "name": task.name,
            "parameters": task.parameters,
        },
        "enqueued": rfc3339(task.enqueued),
        "status": task.status,
        "message": task.message,
        "output": task.output,
        "log": [],
    }
    if task.completed is not None:
        found["started"] = found["completed"] = rfc3339(task.completed)
    return found


def _operation(operation: Operation) -> Row:
    ends = [task.completed for task in operation.tasks if task.completed is not None]
    found: Row = {
        "operation": f"operation-{operation.id}",
        "summary": operation.summary,
        "enqueued": rfc3339(operation.enqueued),
        "status": _status(operation),
        "actions": [_result(task) for task in operation.tasks],
    }
    if ends:
        found["started"] = maybe_rfc3339(min(ends))
        if len(ends) == len(operation.tasks):
            found["completed"] = maybe_rfc3339(max(ends))
    return found


def _status(operation: Operation) -> str:
    for status in ("running", "pending", "failed", "cancelled"):
        if any(task.status == status for task in operation.tasks):
            return status
    return "completed" if operation.tasks else "error"


def _fits(operation: Operation, wanted: params_.OperationQuery) -> bool:
    receivers = {task.receiver for task in operation.tasks}
    owners = {each.removeprefix("unit-").rpartition("-")[0] for each in receivers}
    asked = {unit_tag(each) for each in wanted.units} | {machine_tag(m) for m in wanted.machines}
    if (asked or wanted.applications) and not (
        asked & receivers or set(wanted.applications) & owners
    ):
        return False
    if wanted.actions and not {task.name for task in operation.tasks} & set(wanted.actions):
        return False
    return not wanted.status or _status(operation) in wanted.status
