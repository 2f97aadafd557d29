"""``Bundle`` 6 (Juju ``rpc/params/bundles.go``)."""

from msgspec import field

from jimm.wire.params.common import Params


class ExportBundle(Params, kw_only=True):
    """``ExportBundle``."""

    include_charm_defaults: bool = False
    include_series: bool = False


class BundleChanges(Params, kw_only=True):
    """``GetChanges`` and ``GetChangesMapArgs``: a bundle's text and where it is from."""

    yaml: str
    bundle_url: str = field(name="bundleURL", default="")
