"""``AllWatcher`` 3, ``AllModelWatcher`` 4 and ``StringsWatcher`` 1."""

from jimm.simulator.session import Answering
from jimm.wire.facade import method
from jimm.wire.params.watcher import Deltas


class AllWatcher(Answering):
    """Everything in one model, made by ``Client.WatchAll``."""

    name = "AllWatcher"

    @method("Next", versions=(3,))
    async def next(self, object_id: str) -> Deltas:
        """What has changed; waits until something has."""
        return Deltas(deltas=await self.session.watchers.find(object_id).next())

    @method("Stop", versions=(3,))
    async def stop(self, object_id: str) -> None:
        """Ends it, and a ``Next`` that waits with code ``stopped``."""
        self.session.watchers.stop(object_id)


class AllModelWatcher(Answering):
    """Everything in all models, made by ``Controller.WatchAllModels``."""

    name = "AllModelWatcher"

    @method("Next", versions=(4,))
    async def next(self, object_id: str) -> Deltas:
        """What has changed; waits until something has."""
        return Deltas(deltas=await self.session.watchers.find(object_id).next())

    @method("Stop", versions=(4,))
    async def stop(self, object_id: str) -> None:
        """Ends it, and a ``Next`` that waits with code ``stopped``."""
        self.session.watchers.stop(object_id)


class StringsWatcher(Answering):
    """What the actions log, made by ``Action.WatchActionsProgress``: nothing, in a simulation."""

    name = "StringsWatcher"

    @method("Next", versions=(1,))
    async def next(self, object_id: str) -> dict[str, object]:
        """Waits until it is stopped."""
        await self.session.watchers.find(object_id).next()
        return {"watcher-id": object_id, "changes": []}

    @method("Stop", versions=(1,))
    async def stop(self, object_id: str) -> None:
        """Ends it, and a ``Next`` that waits with code ``stopped``."""
        self.session.watchers.stop(object_id)
