"""``Client`` 6 to 8 on a model's socket (Juju ``rpc/params/status.go``)."""

from msgspec import field

from jimm.wire.params.common import Params


class WatcherId(Params, kw_only=True):
    """``WatchAll``, and ``Controller.WatchAllModels``: the ``id`` for the calls that follow."""

    watcher_id: str


class StatusParams(Params, kw_only=True):
    """``FullStatus``; no patterns means everything."""

    patterns: list[str]
    include_storage: bool = False


class Base(Params, kw_only=True):
    """An operating system: ``ubuntu`` and ``24.04/stable``."""

    name: str
    channel: str


class DetailedStatus(Params, kw_only=True):
    """What something is doing, and in which version."""

    status: str
    info: str
    data: dict[str, object]
    since: str | None
    kind: str
    version: str
    life: str


class MeterStatus(Params, kw_only=True):
    """A leftover of metering."""

    color: str
    message: str


class ModelStatusInfo(Params, kw_only=True):
    """The model itself."""

    name: str
    type: str
    cloud_tag: str
    region: str = ""
    version: str
    available_version: str
    model_status: DetailedStatus
    meter_status: MeterStatus
    sla: str


class NetworkInterface(Params, kw_only=True):
    """A network interface of a machine."""

    ip_addresses: list[str]
    mac_address: str
    is_up: bool


class MachineStatus(Params, kw_only=True):
    """A machine."""

    agent_status: DetailedStatus
    instance_status: DetailedStatus
    modification_status: DetailedStatus
    dns_name: str
    ip_addresses: list[str] = []
    instance_id: str
    hostname: str = ""
    display_name: str
    base: Base
    id: str
    network_interfaces: dict[str, NetworkInterface] = {}
    containers: dict[str, object]
    constraints: str
    hardware: str
    jobs: list[str]
    has_vote: bool
    wants_vote: bool


class UnitStatus(Params, kw_only=True):
    """A unit."""

    agent_status: DetailedStatus
    workload_status: DetailedStatus
    workload_version: str
    machine: str
    opened_ports: list[str]
    public_address: str
    charm: str
    subordinates: dict[str, object]
    leader: bool = False
    address: str = ""


class ApplicationStatus(Params, kw_only=True):
    """An application with its units."""

    charm: str
    charm_version: str
    charm_profile: str
    charm_channel: str = ""
    charm_rev: int = 0
    base: Base
    exposed: bool
    life: str
    relations: dict[str, list[str]]
    can_upgrade_to: str
    subordinate_to: list[str]
    units: dict[str, UnitStatus]
    meter_statuses: dict[str, object]
    status: DetailedStatus
    workload_version: str
    endpoint_bindings: dict[str, str]
    exposed_endpoints: dict[str, dict[str, list[str]]] | None = None
    public_address: str


class EndpointStatus(Params, kw_only=True):
    """One end of a relation."""

    application: str
    name: str
    role: str
    subordinate: bool


class RelationStatus(Params, kw_only=True):
    """A relation."""

    id: int
    key: str
    interface: str
    scope: str
    endpoints: list[EndpointStatus]
    status: DetailedStatus


class FullStatus(Params, kw_only=True):
    """Everything that ``juju status`` shows."""

    model: ModelStatusInfo
    machines: dict[str, MachineStatus]
    applications: dict[str, ApplicationStatus]
    remote_applications: dict[str, object]
    offers: dict[str, object]
    relations: list[RelationStatus]
    controller_timestamp: str
    branches: dict[str, object]
    storage: list[dict[str, object]] | None = None
    filesystems: list[dict[str, object]] | None = None
    volumes: list[dict[str, object]] | None = None


class HistoryFilter(Params, kw_only=True):
    """How much of a history."""

    size: int = 0
    exclude: list[str] = []


class HistoryRequest(Params, kw_only=True):
    """One thing whose history is wanted; ``kind`` is Juju's, such as ``unit``."""

    kind: str = field(name="historyKind", default="")
    tag: str = ""
    size: int = 0
    filter: HistoryFilter = field(default_factory=HistoryFilter)


class HistoryRequests(Params, kw_only=True):
    """``StatusHistory``."""

    requests: list[HistoryRequest]
