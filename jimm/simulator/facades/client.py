"""``Client`` 6 to 8 (Juju ``apiserver/facades/client/client``)."""

from jimm.simulator.deltas import EntityId, entities
from jimm.simulator.full_status import full_status
from jimm.simulator.session import Answering
from jimm.simulator.watchers import Watcher
from jimm.wire.facade import method
from jimm.wire.params.client import FullStatus, StatusParams, WatcherId

VERSIONS = (6, 7, 8)


class Client(Answering):
    """One model's status and its watcher."""

    name = "Client"

    @method("FullStatus", versions=VERSIONS)
    async def full_status(self, params: StatusParams) -> FullStatus:
        """Everything that ``juju status`` shows; patterns name applications or units."""
        model = self.session.model
        self.caller.require_model(self.core, model, "read")
        return full_status(self.core, model, params.patterns)

    @method("WatchAll", versions=VERSIONS)
    async def watch_all(self) -> WatcherId:
        """A watcher for ``AllWatcher``."""
        self.caller.require_model(self.core, self.session.model, "read")
        return WatcherId(watcher_id=self.session.watchers.add(Watcher(self.core.store, self._look)))

    def _look(self) -> dict[EntityId, dict[str, object]]:
        store = self.core.store
        here = [model for model in store.models.values() if model.uuid == self.session.model_uuid]
        return entities(store.controller, here)
