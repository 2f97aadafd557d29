"""``Block`` 2 (Juju ``rpc/params/block.go``)."""

from jimm.wire.params.common import Params


class BlockSwitch(Params, kw_only=True):
    """``SwitchBlockOn`` and ``SwitchBlockOff``; ``type`` is ``BlockDestroy`` or another."""

    type: str
    message: str = ""
