"""A model as ``Client.FullStatus`` tells it."""

from collections.abc import Sequence

from jimm.simulator.core import Core
from jimm.simulator.describe import status_of
from jimm.simulator.migration.views import rfc3339
from jimm.simulator.state import Application, Machine, Model, Relation, Status, Unit
from jimm.wire.params.client import (
    ApplicationStatus,
    Base,
    DetailedStatus,
    EndpointStatus,
    FullStatus,
    MachineStatus,
    MeterStatus,
    ModelStatusInfo,
    NetworkInterface,
    RelationStatus,
    UnitStatus,
)
from jimm.wire.tags import cloud_tag


def full_status(core: Core, model: Model, patterns: Sequence[str] = ()) -> FullStatus:
    """Everything, or the applications that the patterns name with their units' machines."""
    applications = _chosen(model, patterns)
    machines = _machines(model, applications if patterns else None)
    return FullStatus(
        model=_model(core, model),
        machines={each.id: _machine(model, each) for each in machines},
        applications={each.name: _application(model, each) for each in applications},
        remote_applications={},
        offers={},
        relations=[_relation(each) for each in model.relations],
        controller_timestamp=rfc3339(core.clock.now()),
        branches={},
    )


def _chosen(model: Model, patterns: Sequence[str]) -> list[Application]:
    names = {pattern.partition("/")[0] for pattern in patterns}
    return [each for each in model.applications.values() if not patterns or each.name in names]


def _machines(model: Model, applications: Sequence[Application] | None) -> list[Machine]:
    if applications is None:
        return list(model.machines.values())
    used = {unit.machine for each in applications for unit in each.units.values()}
    return [machine for machine in model.machines.values() if machine.id in used]


def _model(core: Core, model: Model) -> ModelStatusInfo:
    status = status_of(core, model)
    return ModelStatusInfo(
        name=model.name,
        type=model.type,
        cloud_tag=cloud_tag(model.cloud),
        region=model.region,
        version=model.agent_version,
        available_version="",
        model_status=DetailedStatus(
            status=status.status,
            info=status.info,
            data=status.data or {},
            since=status.since,
            kind="",
            version="",
            life="",
        ),
        meter_status=MeterStatus(color="", message=""),
        sla="unsupported",
    )


def _detailed(status: Status, *, version: str = "", life: str = "") -> DetailedStatus:
    return DetailedStatus(
        status=status.status,
        info=status.info,
        data=status.data,
        since=rfc3339(status.since),
        kind="",
        version=version,
        life=life,
    )


def _machine(model: Model, machine: Machine) -> MachineStatus:
    since = machine.created
    agent = Status(status=machine.status, info=machine.message, since=since)
    instance = Status(status=machine.instance_status, info="running", since=since)
    addresses = [machine.address] if machine.address else []
    interface = NetworkInterface(ip_addresses=addresses, mac_address="", is_up=True)
    return MachineStatus(
        agent_status=_detailed(agent, version=machine.agent_version or model.agent_version),
        instance_status=_detailed(instance),
        modification_status=_detailed(Status(status="applied", since=since)),
        dns_name=machine.address,
        ip_addresses=addresses,
        instance_id=machine.instance_id,
        display_name="",
        base=_base(machine.base),
        id=machine.id,
        network_interfaces={"eth0": interface} if addresses else {},
        containers={},
        constraints="",
        hardware=f"arch={machine.arch} cores={machine.cores} mem={machine.mem}M",
        jobs=["JobHostUnits"],
        has_vote=False,
        wants_vote=False,
    )


def _application(model: Model, application: Application) -> ApplicationStatus:
    return ApplicationStatus(
        charm=application.charm,
        charm_version="",
        charm_profile="",
        charm_channel=application.channel,
        charm_rev=_revision(application.charm),
        base=_base(application.base),
        exposed=application.exposed,
        life="" if application.life == "alive" else application.life,
        relations=_relations_of(model, application),
        can_upgrade_to="",
        subordinate_to=[],
        units={unit.name: _unit(model, application, unit) for unit in application.units.values()},
        meter_statuses={},
        status=_detailed(application.status),
        workload_version="",
        endpoint_bindings={"": "alpha"},
        public_address="",
    )


def _unit(model: Model, application: Application, unit: Unit) -> UnitStatus:
    machine = model.machines.get(unit.machine)
    return UnitStatus(
        agent_status=_detailed(unit.agent, version=unit.agent_version or model.agent_version),
        workload_status=_detailed(unit.workload),
        workload_version="",
        machine=unit.machine,
        opened_ports=[],
        public_address=machine.address if machine is not None else "",
        charm=application.charm,
        subordinates={},
        leader=unit.leader,
    )


def _relation(relation: Relation) -> RelationStatus:
    ends = [
        EndpointStatus(application=end.application, name=end.name, role=end.role, subordinate=False)
        for end in relation.endpoints
    ]
    joined = DetailedStatus(
        status="joined", info="", data={}, since=None, kind="", version="", life=""
    )
    return RelationStatus(
        id=relation.id,
        key=relation.key,
        interface=relation.endpoints[0].interface if relation.endpoints else "",
        scope="global",
        endpoints=ends,
        status=joined,
    )


def _relations_of(model: Model, application: Application) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for relation in model.relations:
        own = [end.name for end in relation.endpoints if end.application == application.name]
        others = [e.application for e in relation.endpoints if e.application != application.name]
        for name in own:
            found.setdefault(name, []).extend(others or [application.name])
    return found


def _base(text: str) -> Base:
    name, _, channel = text.partition("@")
    return Base(name=name, channel=f"{channel}/stable")


def _revision(charm: str) -> int:
    number = charm.rpartition("-")[2]
    return int(number) if number.isdigit() else 0
