"""``Action`` 7 (Juju ``rpc/params/actions.go``)."""

from jimm.wire.params.common import Params


class Action(Params, kw_only=True):
    """One action on one unit; ``app/leader`` is the unit that leads."""

    tag: str = ""
    receiver: str
    name: str
    parameters: dict[str, object] = {}
    parallel: bool | None = None
    execution_group: str | None = None


class Actions(Params, kw_only=True):
    """``EnqueueOperation``."""

    actions: list[Action] = []


class Run(Params, kw_only=True):
    """``Run`` and ``RunOnAllMachines``; ``timeout`` is in nanoseconds."""

    commands: str
    timeout: int = 0
    machines: list[str] = []
    applications: list[str] = []
    units: list[str] = []
    workload_context: bool = False


class OperationQuery(Params, kw_only=True):
    """``ListOperations``."""

    applications: list[str] = []
    units: list[str] = []
    machines: list[str] = []
    actions: list[str] = []
    status: list[str] = []
    offset: int | None = None
    limit: int | None = None
