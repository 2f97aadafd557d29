"""``AllWatcher`` 3 and ``AllModelWatcher`` 4 (Juju ``rpc/params/multiwatcher.go``)."""

from jimm.wire.params.common import Params

Delta = tuple[str, str, dict[str, object]]
"""Kind, ``change`` or ``remove``, and the entity."""


class Deltas(Params, kw_only=True):
    """``Next``: what has changed since the last one."""

    deltas: list[Delta]
