"""Applications, units and machines without a charm or a cloud.

A model is empty unless it is created with the setting ``simulated-applications``, a list such
as ``ubuntu:2, haproxy:1``: applications with their number of units, each unit on a machine of
its own, all of them active at once. Any client can set it: ``juju add-model m --config
simulated-applications=ubuntu:2``. The setting ``simulated-scenario`` names a whole situation,
of which there is one: ``busy``.
"""

import datetime
from typing import Final

import msgspec

from jimm.errors import NotValid
from jimm.simulator.busy import busy
from jimm.simulator.state import Application, Machine, Model, Status, Unit

SETTING: Final = "simulated-applications"
SCENARIO: Final = "simulated-scenario"


def furnished(model: Model, now: datetime.datetime) -> Model:
    """The model with the scenario and the applications that its settings ask for.

    Raises:
        NotValid: a setting can't be read.
    """
    scenario = model.config.get(SCENARIO, "")
    if scenario:
        model = staged(model, str(scenario), now)
    wanted = model.config.get(SETTING, "")
    for part in str(wanted).split(","):
        if not part.strip():
            continue
        name, _, number = part.strip().partition(":")
        if not name or not (number or "1").isdigit():
            raise NotValid(f'{SETTING}: "{part.strip()}" is not of the form NAME:UNITS')
        model = with_application(model, name, units=int(number or "1"), now=now)
    return model


def staged(model: Model, scenario: str, now: datetime.datetime) -> Model:
    """The model in a situation.

    Raises:
        NotValid: there is none of that name.
    """
    if scenario != "busy":
        raise NotValid(f'{SCENARIO}: there is no scenario "{scenario}", only "busy"')
    return busy(model, now)


def with_application(
    model: Model,
    name: str,
    *,
    units: int,
    now: datetime.datetime,
    charm: str = "",
    channel: str = "latest/stable",
) -> Model:
    """The model with one more application; its units are active on machines of their own."""
    application = Application(
        name=name,
        charm=charm or f"ch:amd64/{name}-1",
        channel=channel,
        status=Status(status="active", since=now),
    )
    applications = {**model.applications, name: application}
    model = msgspec.structs.replace(model, applications=applications)
    for _ in range(units):
        model = with_unit(model, name, now)
    return model


def with_unit(model: Model, application: str, now: datetime.datetime) -> Model:
    """The model with one more unit of an application, on a new machine."""
    machine = _machine(model, now)
    before = model.applications[application]
    unit = Unit(
        name=f"{application}/{before.next_unit}",
        machine=machine.id,
        workload=Status(status="active", since=now),
        agent=Status(status="idle", since=now),
        leader=not before.units,
    )
    after = msgspec.structs.replace(
        before, units={**before.units, unit.name: unit}, next_unit=before.next_unit + 1
    )
    return msgspec.structs.replace(
        model,
        machines={**model.machines, machine.id: machine},
        applications={**model.applications, application: after},
    )


def with_machine(model: Model, now: datetime.datetime) -> Model:
    """The model with one more machine."""
    machine = _machine(model, now)
    return msgspec.structs.replace(model, machines={**model.machines, machine.id: machine})


def _machine(model: Model, now: datetime.datetime) -> Machine:
    number = max((int(each) for each in model.machines if each.isdigit()), default=-1) + 1
    return Machine(
        id=str(number),
        instance_id=f"sim-{model.uuid[:8]}-{number}",
        address=f"10.0.{number // 250}.{number % 250 + 1}",
        created=now,
    )
