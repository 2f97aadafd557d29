"""``Application`` 15 to 20, ``Charms`` 6 and ``Annotations`` 2, as far as reads go
(Juju ``rpc/params/params.go``, ``application.go``, ``charms.go``, ``annotations.go``)."""

from jimm.wire.params.client import Base
from jimm.wire.params.common import Error, Params


class ApplicationName(Params, kw_only=True):
    """One application; ``branch`` is not used any more."""

    application: str
    branch: str = ""


class ApplicationGet(Params, kw_only=True):
    """``Get``."""

    application: str
    charm: str
    config: dict[str, object]
    constraints: dict[str, object]
    base: Base
    channel: str
    application_config: dict[str, object] = {}
    endpoint_bindings: dict[str, str] = {}


class ApplicationResult(Params, kw_only=True):
    """An application, as ``ApplicationsInfo`` tells it."""

    tag: str
    charm: str = ""
    base: Base | None = None
    channel: str = ""
    constraints: dict[str, object] = {}
    principal: bool
    exposed: bool
    remote: bool
    life: str
    endpoint_bindings: dict[str, str] = {}


class ApplicationInfoResult(Params, kw_only=True):
    """One application, or an error."""

    result: ApplicationResult | None = None
    error: Error | None = None


class ApplicationInfoResults(Params, kw_only=True):
    """One row for each application."""

    results: list[ApplicationInfoResult]


class ApplicationDeploy(Params, kw_only=True):
    """One application to add."""

    application: str
    charm_url: str
    channel: str
    num_units: int
    config: dict[str, object] = {}
    constraints: dict[str, object] = {}


class ApplicationsDeploy(Params, kw_only=True):
    """``Deploy``."""

    applications: list[ApplicationDeploy]


class ApplicationConstraints(Params, kw_only=True):
    """One application's constraints, or an error."""

    constraints: dict[str, object]
    error: Error | None = None


class ApplicationConstraintsResults(Params, kw_only=True):
    """``GetConstraints``."""

    results: list[ApplicationConstraints]


class CharmsList(Params, kw_only=True):
    """``Charms.List``; no names means all."""

    names: list[str]


class CharmURLs(Params, kw_only=True):
    """What ``Charms.List`` answers."""

    charm_urls: list[str]


class EntityAnnotations(Params, kw_only=True):
    """The annotations of one entity."""

    entity: str
    annotations: dict[str, str]


class SetAnnotations(Params, kw_only=True):
    """``Annotations.Set``."""

    annotations: list[EntityAnnotations]


class AnnotationsResults(Params, kw_only=True):
    """``Annotations.Get``."""

    results: list[EntityAnnotations]
