"""How a model's applications, units and machines change: values in, values out.

New units wait for their machines and are settled a moment later
(:mod:`~jimm.simulator.settling`); what is removed is dying until then.
"""

import datetime
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from jimm.errors import AlreadyExists, NotFound, NotValid
from jimm.simulator import charm_store
from jimm.simulator.sequences import taken
from jimm.simulator.state import Application, Machine, Model, Status, Storage, Unit


def find(model: Model, name: str) -> Application:
    """The application of that name.

    Raises:
        NotFound: there is none.
    """
    found = model.applications.get(name)
    if found is None:
        raise NotFound(f'application "{name}" not found')
    return found


def find_unit(model: Model, name: str) -> Unit:
    """The unit of that name.

    Raises:
        NotFound: there is none.
    """
    owner = model.applications.get(name.partition("/")[0])
    if owner is None or name not in owner.units:
        raise NotFound(f'unit "{name}" not found')
    return owner.units[name]


def find_machine(model: Model, machine_id: str) -> Machine:
    """The machine of that id.

    Raises:
        NotFound: there is none.
    """
    found = model.machines.get(machine_id)
    if found is None:
        raise NotFound(f"machine {machine_id} not found")
    return found


def with_changed(model: Model, application: Application) -> Model:
    """The model with this value of an application."""
    return replace(model, applications={**model.applications, application.name: application})


def with_new(model: Model, application: Application) -> Model:
    """The model with one more application, still without units.

    Raises:
        AlreadyExists: the name is taken.
        NotValid: the name can't be one.
    """
    name = application.name
    if name in model.applications:
        raise AlreadyExists(f'cannot add application "{name}": application already exists')
    if not name or not name.replace("-", "").isalnum() or not name[0].isalpha():
        raise NotValid(f'invalid application name "{name}"')
    return with_changed(model, application)


def with_units(
    model: Model,
    name: str,
    number: int,
    now: datetime.datetime,
    placement: Sequence[str] = (),
) -> tuple[Model, list[str]]:
    """The model with more units, and their names. ``placement`` has a directive for each of
    the first: a machine's id, ``lxd:1``, or anything else for a machine of its own.

    Raises:
        NotFound: the application, or a machine.
    """
    names = []
    for index in range(number):
        where = placement[index] if index < len(placement) else ""
        model, machine = _placed(model, find(model, name), where, now)
        model, unit = _with_unit(model, name, machine, now)
        names.append(unit)
    for subordinate in _subordinates_to(model, name):
        model = with_subordinates(model, subordinate, name, now)
    return model, names


def with_machine(
    model: Model, now: datetime.datetime, *, parent: str = "", base: str = "", kept: bool = False
) -> tuple[Model, str]:
    """The model with one more machine, or a container in ``parent``, and its id.

    Raises:
        NotFound: no such parent.
    """
    if parent:
        find_machine(model, parent)
        inside = [each for each in model.machines if each.startswith(f"{parent}/lxd/")]
        number = max((int(each.rpartition("/")[2]) for each in inside), default=-1) + 1
        machine_id = f"{parent}/lxd/{number}"
    else:
        used = [int(each) for each in model.machines if each.isdigit()]
        number = max(max(used, default=-1) + 1, model.sequences.get("machine", 0))
        model = replace(model, sequences={**model.sequences, "machine": number + 1})
        machine_id = str(number)
    count = len(model.machines)
    machine = Machine(
        id=machine_id,
        instance_id="",
        status="pending",
        instance_status="pending",
        base=base or "ubuntu@24.04",
        address=f"10.0.{count // 250}.{count % 250 + 1}",
        created=now,
        kept=kept,
    )
    return replace(model, machines={**model.machines, machine_id: machine}), machine_id


def without_unit(model: Model, name: str) -> Model:
    """The model with a unit dying, and what depends on it.

    Raises:
        NotFound: there is none.
    """
    unit = find_unit(model, name)
    owner = find(model, name.partition("/")[0])
    model = with_changed(
        model, replace(owner, units={**owner.units, name: replace(unit, life="dying")})
    )
    for each in subordinates_of(model, name):
        model = without_unit(model, each.name)
    return model


def without_application(model: Model, name: str) -> Model:
    """The model with an application dying, its units too.

    Raises:
        NotFound: there is none.
    """
    model = with_changed(model, replace(find(model, name), life="dying"))
    for unit in list(find(model, name).units):
        model = without_unit(model, unit)
    return model


def without_machine(model: Model, machine_id: str) -> Model:
    """The model with a machine dying, its containers and units too.

    Raises:
        NotFound: there is none.
    """
    machine = find_machine(model, machine_id)
    machines = {**model.machines, machine_id: replace(machine, life="dying")}
    model = replace(model, machines=machines)
    for unit in units_on(model, machine_id):
        model = without_unit(model, unit.name)
    for inside in containers_in(model, machine_id):
        model = without_machine(model, inside)
    return model


def units_on(model: Model, machine_id: str) -> list[Unit]:
    """The units of a machine."""
    return [
        unit
        for application in model.applications.values()
        for unit in application.units.values()
        if unit.machine == machine_id
    ]


def containers_in(model: Model, machine_id: str) -> list[str]:
    """The ids of the containers right inside a machine."""
    depth = machine_id.count("/") + 2
    inside = [each for each in model.machines if each.startswith(f"{machine_id}/")]
    return [each for each in inside if each.count("/") == depth]


def subordinates_of(model: Model, unit: str) -> list[Unit]:
    """The units that live beside a unit."""
    return [
        each
        for application in model.applications.values()
        for each in application.units.values()
        if each.principal == unit
    ]


def with_subordinates(model: Model, name: str, principal: str, now: datetime.datetime) -> Model:
    """The model with a unit of a subordinate beside each unit of its principal."""
    for unit in list(find(model, principal).units.values()):
        beside = [each.principal for each in find(model, name).units.values()]
        if unit.name not in beside:
            model, made = _with_unit(model, name, unit.machine, now)
            owner = find(model, name)
            tied = replace(owner.units[made], principal=unit.name)
            model = with_changed(model, replace(owner, units={**owner.units, made: tied}))
    return model


def _subordinates_to(model: Model, name: str) -> list[str]:
    return [
        end.application
        for relation in model.relations
        if relation.scope == "container"
        and any(each.application == name for each in relation.endpoints)
        for end in relation.endpoints
        if end.application != name and find(model, end.application).subordinate
    ]


def _placed(
    model: Model, application: Application, where: str, now: datetime.datetime
) -> tuple[Model, str]:
    kind, _, target = where.rpartition(":")
    if kind == "lxd":
        return with_machine(model, now, parent=target, base=application.base)
    if target in model.machines:
        return model, target
    if target.isdigit():
        raise NotFound(f"machine {target} not found")
    return with_machine(model, now, base=application.base)


def _with_unit(model: Model, name: str, machine: str, now: datetime.datetime) -> tuple[Model, str]:
    before = find(model, name)
    unit = Unit(
        name=f"{name}/{before.next_unit}",
        machine=machine,
        workload=Status(status="waiting", info="waiting for machine", since=now),
        agent=Status(status="allocating", since=now),
        leader=not any(each.leader for each in before.units.values()),
    )
    units = {**before.units, unit.name: unit}
    after = replace(before, units=units, next_unit=before.next_unit + 1)
    model = with_changed(model, after)
    return _with_storage(model, after, unit.name, now), unit.name


def _with_storage(
    model: Model, application: Application, unit: str, now: datetime.datetime
) -> Model:
    wanted = charm_store.charm_of(model, application).meta.get("storage")
    for name, each in wanted.items() if isinstance(wanted, Mapping) else ():
        kind = each.get("type", "filesystem") if isinstance(each, Mapping) else "filesystem"
        model, _ = with_storage(model, str(name), unit, now, block=kind == "block")
    return model


def with_storage(
    model: Model,
    name: str,
    unit: str,
    now: datetime.datetime,
    *,
    block: bool = False,
    pool: str = "",
    size: int = 1024,
) -> tuple[Model, str]:
    """The model with one more instance of storage on a unit, and its id."""
    model, number = taken(model, "storage")
    instance = Storage(
        id=f"{name}/{number}",
        kind="block" if block else "filesystem",
        pool=pool or ("cinder" if block else "rootfs"),
        size=size,
        owner=unit,
        units=(unit,),
        status=Status(status="attached", since=now),
        provider_id=f"sim-{model.uuid[:8]}-storage-{number}",
    )
    return replace(model, storage={**model.storage, instance.id: instance}), instance.id
