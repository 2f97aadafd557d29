"""``KeyManager`` 1 (Juju ``rpc/params/params.go``)."""

from jimm.wire.params.common import Entities, Params


class ListKeys(Params, kw_only=True):
    """``ListKeys``; ``mode`` true is whole keys, else fingerprints. The tags are user names."""

    entities: Entities
    mode: bool = False


class ModifyKeys(Params, kw_only=True):
    """``AddKeys``, ``DeleteKeys`` and ``ImportKeys``."""

    user: str
    ssh_keys: list[str]
