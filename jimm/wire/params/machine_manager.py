"""``MachineManager`` 9 and 10 (Juju ``rpc/params/machines.go``, ``params.go``)."""

from jimm.wire.params.application import Placement
from jimm.wire.params.client import Base
from jimm.wire.params.common import Entity, Params


class AddMachine(Params, kw_only=True):
    """One machine to add, or a container where ``container_type`` says so."""

    base: Base | None = None
    constraints: dict[str, object] = {}
    jobs: list[str] = []
    placement: Placement | None = None
    parent_id: str = ""
    container_type: str = ""
    instance_id: str = ""
    nonce: str = ""


class AddMachines(Params, kw_only=True):
    """``AddMachines``."""

    params: list[AddMachine]


class DestroyMachines(Params, kw_only=True):
    """``DestroyMachineWithParams``."""

    machine_tags: list[str]
    force: bool = False
    keep: bool = False
    dry_run: bool = False


class ProvisioningScript(Params, kw_only=True):
    """``ProvisioningScript``."""

    machine_id: str
    nonce: str = ""
    data_dir: str = ""
    disable_package_commands: bool = False


class RetryProvisioning(Params, kw_only=True):
    """``RetryProvisioning``: some machines' tags, or all."""

    machines: list[str] = []
    all: bool = False


class ModelInstanceTypes(Params, kw_only=True):
    """One question for instance types."""

    value: dict[str, object] = {}


class InstanceTypes(Params, kw_only=True):
    """``InstanceTypes``."""

    constraints: list[ModelInstanceTypes]


class UpdateChannel(Params, kw_only=True):
    """One machine to bring to another base."""

    tag: Entity
    force: bool = False
    channel: str = ""


class UpdateChannels(Params, kw_only=True):
    """``UpgradeSeriesValidate``."""

    args: list[UpdateChannel]
