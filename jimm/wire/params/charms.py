"""``Charms`` 6 and 7 and ``Resources`` 3: what they are asked (Juju ``rpc/params/charms.go``,
``resources.go``)."""

from jimm.wire.params.application import CharmOrigin
from jimm.wire.params.common import Params


class CharmURL(Params, kw_only=True):
    """``CharmInfo`` and ``IsMetered``."""

    url: str


class AddCharm(Params, kw_only=True):
    """``AddCharm``."""

    url: str
    charm_origin: CharmOrigin
    force: bool = False


class CharmAndOrigin(Params, kw_only=True):
    """A charm of a store."""

    charm_url: str
    charm_origin: CharmOrigin


class CharmsAndOrigins(Params, kw_only=True):
    """``GetDownloadInfos`` and ``ListCharmResources``."""

    entities: list[CharmAndOrigin]


class Reference(Params, kw_only=True):
    """What somebody calls a charm, and where they look for it."""

    reference: str
    charm_origin: CharmOrigin
    switch_charm: bool = False


class References(Params, kw_only=True):
    """``ResolveCharms``."""

    resolve: list[Reference]


class CharmPlacement(Params, kw_only=True):
    """A charm that an application is to have."""

    application: str
    charm_url: str


class CharmPlacements(Params, kw_only=True):
    """``CheckCharmPlacement``."""

    placements: list[CharmPlacement]


class PendingResource(Params, kw_only=True):
    """A resource that is to be added; the fingerprint of a store's one is not looked at."""

    name: str
    type: str = ""
    path: str = ""
    description: str = ""
    origin: str = ""
    revision: int = -1
    size: int = 0


class AddPendingResources(Params, kw_only=True):
    """``AddPendingResources``; ``tag`` is the application's."""

    tag: str
    url: str = ""
    charm_origin: CharmOrigin | None = None
    resources: list[PendingResource]
