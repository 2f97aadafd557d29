"""``ModelSummaryWatcher`` 1 (Juju ``rpc/params/summarywatcher.go``)."""

from jimm.wire.params.common import Params


class SummaryWatcherId(Params, kw_only=True):
    """``Controller.WatchModelSummaries``: the watcher's id, to be sent as the envelope's."""

    watcher_id: str


class ModelSummarySize(Params, kw_only=True):
    """How many of each a model has."""

    machines: int = 0
    containers: int = 0
    applications: int = 0
    units: int = 0
    relations: int = 0


class ModelSummaryMessage(Params, kw_only=True):
    """What is not well; ``agent`` says with whom."""

    agent: str
    message: str


class ModelAbstract(Params, kw_only=True):
    """A model in a few words, or that it was removed.

    ``admins`` are user ids, ``credential`` is ``cloud/owner/name``, ``status`` is ``green``,
    ``yellow`` or ``red``.
    """

    uuid: str
    removed: bool = False
    controller: str = ""
    name: str = ""
    admins: list[str] = []
    cloud: str = ""
    region: str = ""
    credential: str = ""
    size: ModelSummarySize
    status: str = ""
    messages: list[ModelSummaryMessage] = []
    annotations: dict[str, str] = {}


class SummaryWatcherNextResults(Params, kw_only=True):
    """``Next``: the models that changed since the last one."""

    models: list[ModelAbstract]
