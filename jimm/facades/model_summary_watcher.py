"""``ModelSummaryWatcher`` 1: news of models, for the watchers that
``Controller.WatchModelSummaries`` makes."""

from msgspec.structs import replace

from jimm.facades.session import Session, SessionFacade
from jimm.fleet.controllers import require_administrator
from jimm.migration.reasons import redact_reason
from jimm.wire.facade import method
from jimm.wire.params.model_summaries import (
    ModelAbstract,
    SummaryWatcherId,
    SummaryWatcherNextResults,
)


class ModelSummaryWatcher(SessionFacade):
    """One watcher of this connection, whose id is the envelope's."""

    name = "ModelSummaryWatcher"

    @method("Next", versions=(1,))
    async def next(self, object_id: str) -> SummaryWatcherNextResults:
        """The models that changed; waits until one has. The first call tells all at once."""
        watcher = self.session.watchers.find(object_id)
        return SummaryWatcherNextResults(models=[_redacted(each) for each in await watcher.next()])

    @method("Stop", versions=(1,))
    async def stop(self, object_id: str) -> None:
        """Ends it, and a ``Next`` that waits with code ``stopped``."""
        self.session.watchers.stop(object_id)


def _redacted(model: ModelAbstract) -> ModelAbstract:
    """Juju's reason for a failed migration may hold what is secret."""
    messages = [replace(each, message=redact_reason(each.message)) for each in model.messages]
    return replace(model, messages=messages) if messages else model


def watch(session: Session, *, everything: bool) -> SummaryWatcherId:
    """A watcher of the models that the caller has access to; with ``everything`` of all.

    Raises:
        Unauthorized: all are for administrators.
        Conflict: the connection has too many watchers.
    """
    if everything:
        require_administrator(session.caller)
    session.watchers.require_room()
    watcher = session.fleet.summaries.watch(None if everything else session.caller.identity)
    return SummaryWatcherId(watcher_id=session.watchers.add(watcher))
