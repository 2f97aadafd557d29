"""A model as the multi-watcher tells it (Juju ``rpc/params/multiwatcher.go``)."""

from collections.abc import Iterable, Mapping

from jimm.simulator.describe import model_config
from jimm.simulator.migration.views import rfc3339
from jimm.simulator.state import (
    ActionTask,
    Application,
    Controller,
    Machine,
    Model,
    Relation,
    Status,
    Unit,
)
from jimm.wire.params.watcher import Delta

EntityId = tuple[str, str, str]
"""Kind, model uuid, id."""

Entities = Mapping[EntityId, dict[str, object]]

_ORDER = ("model", "machine", "application", "unit", "relation", "annotation", "action")


def changes(known: Entities, current: Entities) -> list[Delta]:
    """What leads from one to the other."""
    gone: list[Delta] = [
        (kind, "remove", known[(kind, model, name)])
        for kind, model, name in known
        if (kind, model, name) not in current
    ]
    fresh = [(each[0], "change", body) for each, body in current.items() if known.get(each) != body]
    return [*gone, *fresh]


def in_order(deltas: Iterable[Delta]) -> list[Delta]:
    """Removals first, parts after the whole."""
    return sorted(deltas, key=lambda delta: (delta[1] != "remove", _ORDER.index(delta[0])))


def entities_of(controller: Controller, model: Model) -> dict[EntityId, dict[str, object]]:
    """Everything that a watcher of a model knows."""
    uuid = model.uuid
    found: dict[EntityId, dict[str, object]] = {("model", uuid, uuid): _model(controller, model)}
    for machine in model.machines.values():
        found["machine", uuid, machine.id] = _machine(model, machine)
    for application in model.applications.values():
        found["application", uuid, application.name] = _application(model, application)
        for unit in application.units.values():
            found["unit", uuid, unit.name] = _unit(model, application, unit)
    for relation in model.relations:
        found["relation", uuid, relation.key] = _relation(model, relation)
    for operation in model.operations:
        for task in operation.tasks:
            found["action", uuid, task.id] = _action(model, task)
    for tag, annotations in model.annotations.items():
        body: dict[str, object] = {"model-uuid": uuid, "tag": tag, "annotations": annotations}
        found["annotation", uuid, tag] = body
    return found


def _status(status: Status, version: str = "") -> dict[str, object]:
    body: dict[str, object] = {
        "current": status.status,
        "message": status.info,
        "since": rfc3339(status.since),
        "version": version,
    }
    if status.data:
        body["data"] = status.data
    return body


def _model(controller: Controller, model: Model) -> dict[str, object]:
    return {
        "model-uuid": model.uuid,
        "name": model.name,
        "life": model.life,
        "owner": model.owner,
        "controller-uuid": controller.uuid,
        "is-controller": model.is_controller,
        "config": model_config(controller, model),
        "status": _status(model.status),
        "constraints": model.constraints,
        "sla": {"level": "unsupported", "owner": ""},
    }


def _machine(model: Model, machine: Machine) -> dict[str, object]:
    agent = Status(status=machine.status, info=machine.message, since=machine.created)
    instance = Status(status=machine.instance_status, since=machine.created)
    return {
        "model-uuid": model.uuid,
        "id": machine.id,
        "instance-id": machine.instance_id,
        "agent-status": _status(agent, machine.agent_version or model.agent_version),
        "instance-status": _status(instance),
        "life": machine.life,
        "base": machine.base,
        "container-type": "",
        "supported-containers": [],
        "supported-containers-known": True,
        "hardware-characteristics": {
            "arch": machine.arch,
            "mem": machine.mem,
            "cpu-cores": machine.cores,
        },
        "jobs": ["JobHostUnits"],
        "addresses": [{"value": machine.address, "type": "ipv4", "scope": "local-cloud"}],
        "has-vote": False,
        "wants-vote": False,
    }


def _application(model: Model, application: Application) -> dict[str, object]:
    return {
        "model-uuid": model.uuid,
        "name": application.name,
        "exposed": application.exposed,
        "charm-url": application.charm,
        "owner-tag": f"user-{model.owner}",
        "life": application.life,
        "min-units": application.min_units,
        "constraints": application.constraints,
        "config": application.config,
        "subordinate": application.subordinate,
        "status": _status(application.status),
        "workload-version": "",
    }


def _unit(model: Model, application: Application, unit: Unit) -> dict[str, object]:
    machine = model.machines.get(unit.machine)
    address = machine.address if machine is not None else ""
    return {
        "model-uuid": model.uuid,
        "name": unit.name,
        "application": application.name,
        "base": application.base,
        "charm-url": application.charm,
        "life": unit.life,
        "public-address": address,
        "private-address": address,
        "machine-id": unit.machine,
        "ports": [],
        "port-ranges": [],
        "principal": unit.principal,
        "subordinate": bool(unit.principal),
        "workload-status": _status(unit.workload),
        "agent-status": _status(unit.agent, unit.agent_version or model.agent_version),
    }


def _relation(model: Model, relation: Relation) -> dict[str, object]:
    return {
        "model-uuid": model.uuid,
        "key": relation.key,
        "id": relation.id,
        "endpoints": [
            {
                "application-name": end.application,
                "relation": {
                    "name": end.name,
                    "role": end.role,
                    "interface": end.interface,
                    "optional": False,
                    "limit": 0,
                    "scope": relation.scope,
                },
            }
            for end in relation.endpoints
        ],
    }


def _action(model: Model, task: ActionTask) -> dict[str, object]:
    completed = None if task.completed is None else rfc3339(task.completed)
    return {
        "model-uuid": model.uuid,
        "id": task.id,
        "receiver": task.receiver,
        "name": task.name,
        "status": task.status,
        "message": task.message,
        "enqueued": rfc3339(task.enqueued),
        "started": completed,
        "completed": completed,
    }
