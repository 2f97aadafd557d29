"""``Client`` 6 to 8 (Juju ``apiserver/facades/client/client``)."""

from jimm.simulator import applications
from jimm.simulator.entity_tags import parse_application_tag, parse_machine_tag, parse_unit_tag
from jimm.simulator.full_status import full_status
from jimm.simulator.migration.views import rfc3339
from jimm.simulator.on_model import Row, rows
from jimm.simulator.session import Answering
from jimm.simulator.state import Model, Status
from jimm.simulator.watchers import Watcher
from jimm.wire.facade import method
from jimm.wire.params.client import (
    FullStatus,
    HistoryRequest,
    HistoryRequests,
    StatusParams,
    WatcherId,
)

VERSIONS = (6, 7, 8)


class Client(Answering):
    """One model's status and its watcher."""

    name = "Client"

    @method("FullStatus", versions=VERSIONS)
    async def full_status(self, params: StatusParams) -> FullStatus:
        """Everything that ``juju status`` shows; patterns name applications or units."""
        model = self.session.model
        self.caller.require_model(self.core, model, "read")
        return full_status(self.core, model, params.patterns, with_storage=params.include_storage)

    @method("StatusHistory", versions=VERSIONS)
    async def status_history(self, params: HistoryRequests) -> Row:
        """What things have done: the simulation keeps the last of it."""
        model = self.session.model
        self.caller.require_model(self.core, model, "read")
        found = rows(params.requests, lambda each: _history(model, each))
        return {"results": [{"history": {"statuses": []}, **row} for row in found]}

    @method("WatchAll", versions=VERSIONS)
    async def watch_all(self) -> WatcherId:
        """A watcher for ``AllWatcher``."""
        self.caller.require_model(self.core, self.session.model, "read")
        here = self.session.model_uuid
        watcher = Watcher(self.core.store, lambda uuid: uuid == here)
        return WatcherId(watcher_id=self.session.watchers.add(watcher))


def _history(model: Model, wanted: HistoryRequest) -> Row:
    statuses = [
        {
            "status": each.status,
            "info": each.info,
            "data": each.data,
            "since": rfc3339(each.since),
            "kind": kind,
            "version": "",
            "life": "",
        }
        for kind, each in _statuses(model, wanted)
    ]
    return {"history": {"statuses": statuses}}


def _statuses(model: Model, wanted: HistoryRequest) -> list[tuple[str, Status]]:
    kind = wanted.tag.partition("-")[0]
    if kind == "application":
        found = applications.find(model, parse_application_tag(wanted.tag))
        return [("application", found.status)]
    if kind == "machine":
        machine = applications.find_machine(model, parse_machine_tag(wanted.tag))
        return [
            ("machine", Status(status=machine.instance_status, since=machine.created)),
            ("juju-machine", Status(status=machine.status, since=machine.created)),
        ]
    if kind == "model":
        return [("model", model.status)]
    unit = applications.find_unit(model, parse_unit_tag(wanted.tag))
    return [("workload", unit.workload), ("juju-unit", unit.agent)]
