"""``Spaces`` 6 and ``Subnets`` 5 (Juju ``rpc/params/network.go``)."""

from jimm.wire.params.common import Entity, Params


class CreateSpace(Params, kw_only=True):
    """One space to add."""

    space_tag: str
    cidrs: list[str] = []
    public: bool = False


class CreateSpaces(Params, kw_only=True):
    """``CreateSpaces``."""

    spaces: list[CreateSpace]


class RemoveSpace(Params, kw_only=True):
    """One space to remove."""

    space: Entity
    force: bool = False
    dry_run: bool = False


class RemoveSpaces(Params, kw_only=True):
    """``RemoveSpace``."""

    space_param: list[RemoveSpace]


class RenameSpace(Params, kw_only=True):
    """One space to rename."""

    from_space_tag: str
    to_space_tag: str


class RenameSpaces(Params, kw_only=True):
    """``RenameSpace``."""

    changes: list[RenameSpace]


class ListSubnets(Params, kw_only=True):
    """``ListSubnets``."""

    space_tag: str = ""
    zone: str = ""


class CIDRs(Params, kw_only=True):
    """``SubnetsByCIDR``."""

    cidrs: list[str] = []
