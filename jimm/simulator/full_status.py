"""A model as ``Client.FullStatus`` tells it."""

from collections.abc import Sequence

import msgspec

from jimm.simulator import applications as applications_
from jimm.simulator import offers, storage_views
from jimm.simulator.bundles import constraints_text
from jimm.simulator.charm_store import revision_of
from jimm.simulator.core import Core
from jimm.simulator.describe import status_of
from jimm.simulator.migration.views import rfc3339
from jimm.simulator.shapes import base_of, exposed_endpoints, spaces_by_endpoint
from jimm.simulator.state import (
    Application,
    Machine,
    Model,
    Offer,
    Relation,
    RemoteApplication,
    Status,
    Unit,
)
from jimm.wire.params.client import (
    ApplicationStatus,
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


def full_status(
    core: Core, model: Model, patterns: Sequence[str] = (), *, with_storage: bool = False
) -> FullStatus:
    """Everything, or the applications that the patterns name with their units' machines."""
    applications = _chosen(model, patterns)
    machines = _machines(model, applications if patterns else None)
    return FullStatus(
        model=_model(core, model),
        machines={each.id: _machine(model, each) for each in machines if "/" not in each.id},
        applications={each.name: _application(model, each) for each in applications},
        remote_applications={
            each.name: _remote(model, each) for each in model.remote_applications.values()
        },
        offers={each.name: _offer(model, each) for each in model.offers.values()},
        relations=[_relation(model, each) for each in model.relations],
        controller_timestamp=rfc3339(core.clock.now()),
        branches={},
        storage=_storage(model, "") if with_storage else None,
        filesystems=_storage(model, "filesystem") if with_storage else None,
        volumes=_storage(model, "block") if with_storage else None,
    )


def _storage(model: Model, kind: str) -> list[dict[str, object]]:
    if kind == "filesystem":
        return [storage_views.filesystem(model, e) for e in storage_views.of_kind(model, kind)]
    if kind == "block":
        return [storage_views.volume(model, e) for e in storage_views.of_kind(model, kind)]
    return [storage_views.details(model, each) for each in model.storage.values()]


def _chosen(model: Model, patterns: Sequence[str]) -> list[Application]:
    names = {pattern.partition("/")[0] for pattern in patterns}
    return [each for each in model.applications.values() if not patterns or each.name in names]


def _machines(model: Model, applications: Sequence[Application] | None) -> list[Machine]:
    if applications is None:
        return list(model.machines.values())
    used = {unit.machine for each in applications for unit in each.units.values()}
    used |= {each.partition("/")[0] for each in used}
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
    instance = Status(status=machine.instance_status, info=machine.instance_status, since=since)
    addresses = [machine.address] if machine.address else []
    interface = NetworkInterface(ip_addresses=addresses, mac_address="", is_up=True)
    return MachineStatus(
        agent_status=_detailed(
            agent,
            version=machine.agent_version or model.agent_version,
            life="" if machine.life == "alive" else machine.life,
        ),
        instance_status=_detailed(instance),
        modification_status=_detailed(Status(status="applied", since=since)),
        dns_name=machine.address,
        ip_addresses=addresses,
        instance_id=machine.instance_id or "pending",
        hostname=f"sim-{machine.id.replace('/', '-')}",
        display_name="",
        base=base_of(machine.base),
        id=machine.id,
        network_interfaces={"eth0": interface} if addresses else {},
        containers={
            each: _machine(model, model.machines[each])
            for each in applications_.containers_in(model, machine.id)
        },
        constraints=constraints_text(machine.constraints),
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
        charm_rev=revision_of(application.charm),
        base=base_of(application.base),
        exposed=application.exposed,
        life="" if application.life == "alive" else application.life,
        relations=_relations_of(model, application),
        can_upgrade_to="",
        subordinate_to=_principals_of(model, application),
        units={
            unit.name: _unit(model, application, unit)
            for unit in application.units.values()
            if not unit.principal
        },
        meter_statuses={},
        status=_detailed(application.status),
        workload_version="",
        endpoint_bindings=spaces_by_endpoint(model, application),
        exposed_endpoints=exposed_endpoints(application) if application.exposed else None,
        public_address="",
    )


def _principals_of(model: Model, application: Application) -> list[str]:
    if not application.subordinate:
        return []
    return sorted(
        end.application
        for relation in model.relations
        if any(each.application == application.name for each in relation.endpoints)
        for end in relation.endpoints
        if end.application != application.name
    )


def _unit(model: Model, application: Application, unit: Unit) -> UnitStatus:
    machine = model.machines.get(unit.machine)
    return UnitStatus(
        agent_status=_detailed(
            unit.agent,
            version=unit.agent_version or model.agent_version,
            life="" if unit.life == "alive" else unit.life,
        ),
        workload_status=_detailed(unit.workload),
        workload_version="",
        machine=unit.machine,
        opened_ports=[],
        public_address=machine.address if machine is not None else "",
        charm=unit.charm or application.charm,
        subordinates={
            each.name: _unit(model, model.applications[each.name.partition("/")[0]], each)
            for each in applications_.subordinates_of(model, unit.name)
        },
        leader=unit.leader,
        address=machine.address if machine is not None else "",
    )


def _is_subordinate(model: Model, name: str) -> bool:
    found = model.applications.get(name)
    return found is not None and found.subordinate


def _relation(model: Model, relation: Relation) -> RelationStatus:
    ends = [
        EndpointStatus(
            application=end.application,
            name=end.name,
            role=end.role,
            subordinate=_is_subordinate(model, end.application),
        )
        for end in relation.endpoints
    ]
    joined = DetailedStatus(
        status="suspended" if relation.suspended else "joined",
        info=relation.message,
        data={},
        since=None,
        kind="",
        version="",
        life="",
    )
    return RelationStatus(
        id=relation.id,
        key=relation.key,
        interface=relation.endpoints[0].interface if relation.endpoints else "",
        scope=relation.scope,
        endpoints=ends,
        status=joined,
    )


def _relations_of(
    model: Model, application: Application | RemoteApplication
) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for relation in model.relations:
        own = [end.name for end in relation.endpoints if end.application == application.name]
        others = [e.application for e in relation.endpoints if e.application != application.name]
        for name in own:
            found.setdefault(name, []).extend(others or [application.name])
    return found


def _remote(model: Model, remote: RemoteApplication) -> dict[str, object]:
    return {
        "offer-url": remote.offer_url,
        "offer-name": remote.name,
        "endpoints": [
            {"name": each.name, "role": each.role, "interface": each.interface, "limit": 0}
            for each in remote.endpoints
        ],
        "life": "alive",
        "relations": _relations_of(model, remote),
        "status": msgspec.to_builtins(_detailed(remote.status)),
    }


def _offer(model: Model, offer: Offer) -> dict[str, object]:
    application = model.applications.get(offer.application)
    joined = [each for each in offer.connections if each.status.status == "joined"]
    return {
        "offer-name": offer.name,
        "application-name": offer.application,
        "charm": application.charm if application is not None else "",
        "endpoints": {
            each.name: msgspec.to_builtins(each) for each in offers.published(model, offer)
        },
        "active-connected-count": len(joined),
        "total-connected-count": len(offer.connections),
    }
