"""The ``JIMM`` facade, version 4 (Go JIMM ``pkg/api/params``)."""

from jimm.wire.params.cloud import Cloud
from jimm.wire.params.common import EntityStatus, Params
from jimm.wire.params.jimm_jobs import UpgradeToJobStatus


class ControllerInfo(Params, kw_only=True):
    """A registered controller; ``status`` is available, deprecated or unavailable."""

    name: str
    uuid: str
    public_address: str = ""
    api_addresses: list[str] = []
    ca_certificate: str = ""
    cloud_tag: str = ""
    cloud_region: str = ""
    agent_version: str
    status: EntityStatus


class ControllerInfos(Params, kw_only=True):
    """``ListControllers`` and ``ListMigrationTargets``."""

    controllers: list[ControllerInfo]


class AddController(Params, kw_only=True):
    """``AddController``."""

    uuid: str
    name: str
    public_address: str = ""
    tls_hostname: str = ""
    api_addresses: list[str] = []
    ca_certificate: str = ""
    username: str
    password: str

    def __repr__(self) -> str:
        return f"AddController(name={self.name!r})"


class RemoveController(Params, kw_only=True):
    """``RemoveController``."""

    name: str
    force: bool = False


class MigrateModelSpec(Params, kw_only=True):
    """``model_tag`` may be a tag, a bare uuid or ``owner/name``: old and new clients differ."""

    model_tag: str
    target_controller: str


class MigrateModel(Params, kw_only=True):
    """``MigrateModel``."""

    specs: list[MigrateModelSpec]


class UpdateMigratedModel(Params, kw_only=True):
    """``UpdateMigratedModel``."""

    model_tag: str
    target_controller: str


class ListMigrationTargets(Params, kw_only=True):
    """``ListMigrationTargets``."""

    model_tag: str


class ModelControllerInfoRequest(Params, kw_only=True):
    """``ModelControllerInfo``; a uuid or ``owner/name``."""

    model: str


class ModelControllerInfo(Params, kw_only=True):
    """Which controller hosts a model."""

    model_name: str
    model_uuid: str
    controller_name: str
    controller_uuid: str
    upgrade_to_job_status: UpgradeToJobStatus | None = None


class AddCloudToController(Params, kw_only=True):
    """``AddCloudToController``: Juju's ``AddCloud`` with a controller's name."""

    cloud: Cloud
    name: str
    controller_name: str
    force: bool | None = None


class RemoveCloudFromController(Params, kw_only=True):
    """``RemoveCloudFromController``."""

    cloud_tag: str
    controller_name: str


class Version(Params, kw_only=True):
    """``Version``."""

    version: str
    commit: str
