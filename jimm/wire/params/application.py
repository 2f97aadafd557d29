"""``Application`` 15 to 20, ``Charms`` and ``Annotations``: what they are asked
(Juju ``rpc/params/params.go``, ``application.go``, ``applications.go``, ``annotations.go``).

Keys that Go writes without a tag are capitalised (``Args``); any case is read.
"""

from msgspec import field

from jimm.wire.params.client import Base
from jimm.wire.params.common import Entities, Params


class ApplicationName(Params, kw_only=True):
    """One application; ``branch`` is not used any more."""

    application: str
    branch: str = ""


class ApplicationArgs(Params, kw_only=True):
    """``CharmConfig``."""

    args: list[ApplicationName]


class Placement(Params, kw_only=True):
    """Where a unit goes: a scope such as ``#`` or ``lxd``, and a directive such as ``0``."""

    scope: str
    directive: str


class CharmOrigin(Params, kw_only=True):
    """Where a charm comes from."""

    source: str
    type: str = ""
    id: str = ""
    hash: str = ""
    risk: str = ""
    revision: int | None = None
    track: str | None = None
    branch: str | None = None
    architecture: str = ""
    base: Base | None = None


class ApplicationDeploy(Params, kw_only=True):
    """One application to add."""

    application: str
    charm_url: str
    channel: str
    charm_origin: CharmOrigin | None = None
    num_units: int
    config: dict[str, object] = {}
    config_yaml: str = ""
    constraints: dict[str, object] = {}
    placement: list[Placement] = []
    endpoint_bindings: dict[str, str] = {}
    resources: dict[str, str] = {}
    policy: str = ""


class ApplicationsDeploy(Params, kw_only=True):
    """``Deploy``."""

    applications: list[ApplicationDeploy]


class DeployFromRepository(Params, kw_only=True):
    """One application to add from Charmhub; the name in Go's own spelling."""

    charm_name: str = field(name="CharmName")
    application_name: str = field(name="ApplicationName", default="")
    base: Base | None = None
    channel: str | None = None
    config_yaml: str = field(name="ConfigYAML", default="")
    constraints: dict[str, object] = field(name="Cons", default_factory=dict)
    dry_run: bool = field(name="DryRun", default=False)
    endpoint_bindings: dict[str, str] = {}
    num_units: int | None = None
    placement: list[Placement] = field(name="Placement", default_factory=list)
    revision: int | None = None
    resources: dict[str, str] = {}
    trust: bool = field(name="Trust", default=False)


class DeployFromRepositoryArgs(Params, kw_only=True):
    """``DeployFromRepository``."""

    args: list[DeployFromRepository] = field(name="Args")


class SetCharm(Params, kw_only=True):
    """``SetCharm``: another revision, or another charm."""

    application: str
    charm_url: str
    channel: str = ""
    charm_origin: CharmOrigin | None = None
    config_settings: dict[str, str] = {}
    config_settings_yaml: str = ""
    endpoint_bindings: dict[str, str] = {}
    resource_ids: dict[str, str] = {}
    force: bool = False
    force_units: bool = False


class AddUnits(Params, kw_only=True):
    """``AddUnits``."""

    application: str
    num_units: int
    placement: list[Placement] = []
    policy: str = ""
    attach_storage: list[str] = []


class DestroyUnit(Params, kw_only=True):
    """One unit to remove."""

    unit_tag: str
    destroy_storage: bool = False
    force: bool = False
    dry_run: bool = False


class DestroyUnits(Params, kw_only=True):
    """``DestroyUnit``."""

    units: list[DestroyUnit]


class DestroyApplication(Params, kw_only=True):
    """One application to remove."""

    application_tag: str
    destroy_storage: bool = False
    force: bool = False
    dry_run: bool = False


class DestroyApplications(Params, kw_only=True):
    """``DestroyApplication``."""

    applications: list[DestroyApplication]


class ScaleApplication(Params, kw_only=True):
    """One application to bring to a number of units."""

    application_tag: str
    scale: int
    scale_change: int = 0


class ScaleApplications(Params, kw_only=True):
    """``ScaleApplications``."""

    applications: list[ScaleApplication]


class ResolveUnits(Params, kw_only=True):
    """``ResolveUnitErrors``."""

    tags: Entities = field(default_factory=lambda: Entities(entities=[]))
    retry: bool = False
    all: bool = False


class AddRelation(Params, kw_only=True):
    """``AddRelation``: two of ``application[:endpoint]``."""

    endpoints: list[str]
    via_cidrs: list[str] = []


class DestroyRelation(Params, kw_only=True):
    """``DestroyRelation``: two of ``application[:endpoint]``, or an id."""

    endpoints: list[str] = []
    relation_id: int = 0
    force: bool = False


class RelationSuspended(Params, kw_only=True):
    """One relation to suspend or resume."""

    relation_id: int
    message: str = ""
    suspended: bool = False


class RelationsSuspended(Params, kw_only=True):
    """``SetRelationsSuspended``."""

    args: list[RelationSuspended]


class ExposedEndpoint(Params, kw_only=True):
    """To whom an endpoint is open."""

    expose_to_spaces: list[str] = []
    expose_to_cidrs: list[str] = []


class Expose(Params, kw_only=True):
    """``Expose``; no endpoints means all."""

    application: str
    exposed_endpoints: dict[str, ExposedEndpoint] = {}


class Unexpose(Params, kw_only=True):
    """``Unexpose``; no endpoints means all."""

    application: str
    exposed_endpoints: list[str] = []


class ConfigSet(Params, kw_only=True):
    """Settings of one application, as texts or as YAML."""

    application: str
    generation: str = ""
    config: dict[str, str] = {}
    config_yaml: str = ""


class ConfigSets(Params, kw_only=True):
    """``SetConfigs``."""

    args: list[ConfigSet] = field(name="Args")


class ConfigUnset(Params, kw_only=True):
    """Settings that are to be the defaults again."""

    application: str
    branch: str = ""
    options: list[str]


class ConfigUnsets(Params, kw_only=True):
    """``UnsetApplicationsConfig``."""

    args: list[ConfigUnset] = field(name="Args")


class SetConstraints(Params, kw_only=True):
    """``SetConstraints``."""

    application: str
    constraints: dict[str, object]


class MergeBinding(Params, kw_only=True):
    """Spaces of an application's endpoints."""

    application_tag: str
    bindings: dict[str, str] = {}
    force: bool = False


class MergeBindings(Params, kw_only=True):
    """``MergeBindings``."""

    args: list[MergeBinding]


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
