"""``ModelManager`` 9 to 11 (Juju ``rpc/params/model.go``, ``internal.go``).

Version 9 is 10 with ``default-series`` and ``default-base`` besides; 11 has ``qualifier``, a
plain user id, for ``owner-tag``. Records carry both, so that clients of every version read
their own.
"""

from jimm.wire.params.common import Entity, EntityStatus, Error, Params


class CreateModel(Params, kw_only=True):
    """``CreateModel``. ``qualifier`` is version 11's word for the owner, a plain user id;
    ``target_controller`` (11 too) names the controller that is to have the model."""

    name: str
    owner_tag: str = ""
    qualifier: str = ""
    config: dict[str, object]
    cloud_tag: str = ""
    region: str = ""
    credential: str = ""
    target_controller: str = ""


class UserModelInfo(Params, kw_only=True):
    """A user's access to a model; ``user`` is an id, not a tag."""

    model_tag: str = ""
    user: str
    display_name: str
    last_connection: str | None
    access: str


class MachineInfo(Params, kw_only=True):
    """A machine of a model, as ``ModelInfo`` tells it."""

    id: str
    hardware: dict[str, object] | None = None
    instance_id: str = ""
    display_name: str = ""
    status: str = ""
    message: str = ""
    has_vote: bool = False
    wants_vote: bool = False
    ha_primary: bool | None = None


class MigrationStatus(Params, kw_only=True):
    """The last migration attempt. ``end`` is there once it is over, failed or not."""

    status: str
    start: str | None
    end: str | None = None


class ModelInfo(Params, kw_only=True):
    """Everything about a model that its readers may know."""

    name: str
    type: str
    uuid: str
    controller_uuid: str
    is_controller: bool
    provider_type: str = ""
    default_series: str = ""
    default_base: str = ""
    cloud_tag: str
    cloud_region: str = ""
    cloud_credential_tag: str = ""
    cloud_credential_validity: bool | None = None
    owner_tag: str
    qualifier: str = ""
    life: str
    status: EntityStatus
    users: list[UserModelInfo]
    machines: list[MachineInfo]
    secret_backends: list[dict[str, object]]
    migration: MigrationStatus | None = None
    sla: dict[str, object] | None
    agent_version: str | None
    supported_features: list[dict[str, object]] = []


class ModelInfoResult(Params, kw_only=True):
    """One model, or an error."""

    result: ModelInfo | None = None
    error: Error | None = None


class ModelInfoResults(Params, kw_only=True):
    """One row for each model asked for."""

    results: list[ModelInfoResult]


class Model(Params, kw_only=True):
    """A model's names."""

    name: str
    uuid: str
    type: str
    owner_tag: str
    qualifier: str = ""


class UserModel(Params, kw_only=True):
    """A model that a user may use, and when they last did."""

    model: Model
    last_connection: str | None


class UserModelList(Params, kw_only=True):
    """``ListModels`` and ``Controller.AllModels``."""

    user_models: list[UserModel]


class ListModelSummaries(Params, kw_only=True):
    """``ListModelSummaries``; ``all`` is for administrators."""

    user_tag: str
    all: bool = False


class EntityCount(Params, kw_only=True):
    """How many ``machines``, ``cores`` or ``units``."""

    entity: str
    count: int


class ModelSummary(Params, kw_only=True):
    """A line of ``juju models``."""

    name: str
    uuid: str
    type: str
    controller_uuid: str
    is_controller: bool
    provider_type: str = ""
    default_series: str = ""
    cloud_tag: str
    cloud_region: str = ""
    cloud_credential_tag: str = ""
    owner_tag: str
    qualifier: str = ""
    life: str
    status: EntityStatus
    user_access: str
    last_connection: str | None
    counts: list[EntityCount]
    migration: MigrationStatus | None = None
    sla: dict[str, object] | None
    agent_version: str | None


class ModelSummaryResult(Params, kw_only=True):
    """One summary, or an error (JIMM never sends an error row)."""

    result: ModelSummary | None = None
    error: Error | None = None


class ModelSummaryResults(Params, kw_only=True):
    """All summaries."""

    results: list[ModelSummaryResult]


class ApplicationName(Params, kw_only=True):
    """An application's name in ``ModelStatus``."""

    name: str


class ModelStatus(Params, kw_only=True):
    """Counts and life of a model."""

    model_tag: str
    life: str
    type: str
    hosted_machine_count: int
    application_count: int
    unit_count: int
    owner_tag: str
    qualifier: str = ""
    applications: list[ApplicationName] = []
    machines: list[MachineInfo] = []
    volumes: list[dict[str, object]] = []
    filesystems: list[dict[str, object]] = []
    error: Error | None = None


class ModelStatusResults(Params, kw_only=True):
    """One row for each model; the key is ``models``."""

    models: list[ModelStatus]


class DestroyModel(Params, kw_only=True):
    """One model to destroy. Durations are nanoseconds."""

    model_tag: str
    destroy_storage: bool | None = None
    force: bool | None = None
    max_wait: int | None = None
    timeout: int | None = None


class DestroyModels(Params, kw_only=True):
    """``DestroyModels``."""

    models: list[DestroyModel]


class ModifyModelAccess(Params, kw_only=True):
    """One change: ``action`` is grant or revoke, ``access`` read, write or admin."""

    user_tag: str
    action: str
    access: str
    model_tag: str


class ModifyModelAccessRequest(Params, kw_only=True):
    """``ModifyModelAccess``."""

    changes: list[ModifyModelAccess]


class ChangeModelCredential(Params, kw_only=True):
    """One model's new credential."""

    model_tag: str
    credential_tag: str


class ChangeModelCredentials(Params, kw_only=True):
    """``ChangeModelCredential``."""

    model_credentials: list[ChangeModelCredential]


class RegionDefault(Params, kw_only=True):
    """A default that counts in one region."""

    region_name: str
    value: object


class ModelDefault(Params, kw_only=True):
    """A setting's defaults: Juju's, the cloud's, the regions'."""

    default: object = None
    controller: object = None
    regions: list[RegionDefault] = []


class ModelDefaultsResult(Params, kw_only=True):
    """One cloud's defaults by setting, or an error."""

    config: dict[str, ModelDefault]
    error: Error | None = None


class ModelDefaultsResults(Params, kw_only=True):
    """``ModelDefaultsForClouds``."""

    results: list[ModelDefaultsResult]


class ModelDefaultValues(Params, kw_only=True):
    """Defaults to set on a cloud, or in a region of it."""

    cloud_tag: str = ""
    cloud_region: str = ""
    config: dict[str, object]


class SetModelDefaults(Params, kw_only=True):
    """``SetModelDefaults``."""

    config: list[ModelDefaultValues]


class ModelUnsetKeys(Params, kw_only=True):
    """Settings whose defaults are to go."""

    cloud_tag: str = ""
    cloud_region: str = ""
    keys: list[str]


class UnsetModelDefaults(Params, kw_only=True):
    """``UnsetModelDefaults``."""

    keys: list[ModelUnsetKeys]


class DumpModels(Params, kw_only=True):
    """``DumpModels``."""

    entities: list[Entity]
    simplified: bool = False


class ModelToUpgrade(Params, kw_only=True):
    """One model of ``ValidateModelUpgrades``."""

    model_tag: str


class ValidateModelUpgrades(Params, kw_only=True):
    """``ValidateModelUpgrades``; the key is ``model``."""

    model: list[ModelToUpgrade]
    force: bool = False
