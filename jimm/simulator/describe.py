"""The state in Juju's words: values in, parameters out."""

import datetime

from jimm.errors import JimmError
from jimm.simulator import model_settings, secret_backends
from jimm.simulator.access import Caller
from jimm.simulator.core import Core
from jimm.simulator.migration import views
from jimm.simulator.migration.views import migration_status, rfc3339, summary_migration
from jimm.simulator.state import Cloud, Controller, Model, ModelUser, SecretBackend
from jimm.wire.params import cloud as cloud_params
from jimm.wire.params import model_manager as params
from jimm.wire.params.common import EntityStatus, Error
from jimm.wire.tags import cloud_tag, credential_tag, model_tag, user_tag

_SLA: dict[str, object] = {"level": "unsupported", "owner": ""}


def maybe_rfc3339(moment: datetime.datetime | None) -> str | None:
    """A time as Juju writes it, if there is one."""
    return None if moment is None else rfc3339(moment)


def model_config(controller: Controller, model: Model) -> dict[str, object]:
    """A model's whole configuration."""
    return {key: value for key, (value, _) in model_settings.every(controller, model).items()}


def model_info(core: Core, caller: Caller, model: Model) -> params.ModelInfo:
    """``ModelInfo`` for somebody who may read the model.

    Users and machines are shown to those who may administer and write it, others see
    themselves (Juju ``apiserver/common/modelinfo``).
    """
    sees_all = caller.may(core, model, "admin")
    return params.ModelInfo(
        name=model.name,
        type=model.type,
        uuid=model.uuid,
        controller_uuid=core.uuid,
        is_controller=model.is_controller,
        provider_type=_provider(core, model),
        cloud_tag=cloud_tag(model.cloud),
        cloud_region=model.region,
        cloud_credential_tag=_credential(model),
        cloud_credential_validity=_credential_validity(core, model),
        owner_tag=user_tag(model.owner),
        life=model.life,
        status=status_of(core, model),
        users=[
            _user(model, user, entry)
            for user, entry in model.users.items()
            if sees_all or user == caller.user
        ],
        machines=machines(model) if caller.may(core, model, "write") else [],
        secret_backends=_secret_backends(core, model),
        migration=_migration(core, model),
        sla=_SLA,
        agent_version=model.agent_version,
    )


def model_summary(core: Core, caller: Caller, model: Model) -> params.ModelSummary:
    """A row of ``ListModelSummaries``."""
    entry = model.users.get(caller.user)
    return params.ModelSummary(
        name=model.name,
        uuid=model.uuid,
        type=model.type,
        controller_uuid=core.uuid,
        is_controller=model.is_controller,
        provider_type=_provider(core, model),
        cloud_tag=cloud_tag(model.cloud),
        cloud_region=model.region,
        cloud_credential_tag=_credential(model),
        owner_tag=user_tag(model.owner),
        life=model.life,
        status=status_of(core, model),
        user_access=entry.access if entry is not None else caller.model_access(core, model),
        last_connection=maybe_rfc3339(entry.last_connection) if entry is not None else None,
        counts=_counts(core, model),
        migration=_summary_migration(core, model),
        sla=_SLA,
        agent_version=model.agent_version,
    )


def model_status(model: Model) -> params.ModelStatus:
    """A row of ``ModelStatus``; it says nothing of migrations."""
    return params.ModelStatus(
        model_tag=model_tag(model.uuid),
        life=model.life,
        type=model.type,
        hosted_machine_count=len(model.machines),
        application_count=len(model.applications),
        unit_count=_units(model),
        owner_tag=user_tag(model.owner),
        applications=[params.ApplicationName(name=name) for name in model.applications],
        machines=machines(model),
    )


def failed_status(tag: str, error: JimmError) -> params.ModelStatus:
    """A row of ``ModelStatus`` that is only an error."""
    return params.ModelStatus(
        model_tag=tag,
        life="",
        type="",
        hosted_machine_count=0,
        application_count=0,
        unit_count=0,
        owner_tag="",
        error=Error.of(error),
    )


def user_model(model: Model, entry: ModelUser | None) -> params.UserModel:
    """A row of ``ListModels`` and ``AllModels``."""
    return params.UserModel(
        model=params.Model(
            name=model.name, uuid=model.uuid, type=model.type, owner_tag=user_tag(model.owner)
        ),
        last_connection=maybe_rfc3339(entry.last_connection) if entry is not None else None,
    )


def machines(model: Model) -> list[params.MachineInfo]:
    """The machines of a model."""
    return [
        params.MachineInfo(
            id=machine.id,
            hardware={"arch": machine.arch, "mem": machine.mem, "cores": machine.cores},
            instance_id=machine.instance_id,
            status=machine.status,
            message=machine.message,
        )
        for machine in model.machines.values()
    ]


def cloud(core: Core, definition: Cloud) -> cloud_params.Cloud:
    """A cloud's definition."""
    home = core.store.models[core.store.controller.model_uuid].cloud
    return cloud_params.Cloud(
        type=definition.type,
        auth_types=list(definition.auth_types),
        endpoint=definition.endpoint,
        regions=regions(definition),
        is_controller_cloud=definition.name == home,
    )


def regions(definition: Cloud) -> list[cloud_params.CloudRegion]:
    """A cloud's regions."""
    return [
        cloud_params.CloudRegion(name=region.name, endpoint=region.endpoint)
        for region in definition.regions
    ]


def status_of(core: Core, model: Model) -> EntityStatus:
    """A model's status; a credential that is no good hides any other."""
    valid = _credential_validity(core, model) is not False
    if valid and core.release.is_four:
        return views.status_of_four(model, core.clock.now())
    return views.model_status(model, credential_valid=valid)


def _migration(core: Core, model: Model) -> params.MigrationStatus | None:
    if core.release.is_four:
        return views.migration_status_of_four(model, core.clock.now())
    return migration_status(model)


def _summary_migration(core: Core, model: Model) -> params.MigrationStatus | None:
    if core.release.is_four:
        return None
    return summary_migration(model, core.store.former.get(model.uuid))


def _provider(core: Core, model: Model) -> str:
    definition = core.store.controller.clouds.get(model.cloud)
    return definition.type if definition is not None else ""


def _credential(model: Model) -> str:
    return credential_tag(model.credential) if model.credential is not None else ""


def _credential_validity(core: Core, model: Model) -> bool | None:
    if model.credential is None:
        return None
    found = core.store.credentials.get(str(model.credential))
    return found.valid if found is not None else None


def _secret_backends(core: Core, model: Model) -> list[dict[str, object]]:
    """Those in which the model has secrets."""
    if not model.secrets:
        return []
    backend = secret_backends.of_model(core.store.controller, model)
    backend = backend or SecretBackend(name="internal", id=core.uuid, type="controller")
    config = secret_backends.without_keys(backend.config)
    return [
        {
            "result": {"name": backend.name, "backend-type": backend.type, "config": config},
            "id": backend.id,
            "num-secrets": len(model.secrets),
            "status": "active",
        }
    ]


def _user(model: Model, user: str, entry: ModelUser) -> params.UserModelInfo:
    return params.UserModelInfo(
        model_tag=model_tag(model.uuid),
        user=user,
        display_name=entry.display_name,
        last_connection=maybe_rfc3339(entry.last_connection),
        access=entry.access,
    )


def _counts(core: Core, model: Model) -> list[params.EntityCount]:
    cores = sum(machine.cores for machine in model.machines.values())
    counts = {"machines": len(model.machines), "cores": cores, "units": _units(model)}
    if core.release.is_four:
        del counts["cores"]
    return [params.EntityCount(entity=entity, count=count) for entity, count in counts.items()]


def _units(model: Model) -> int:
    return sum(len(application.units) for application in model.applications.values())
