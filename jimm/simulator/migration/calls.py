"""What a source asks of itself and of the target, typed (Juju ``apiserver/facades/controller/
migrationmaster``, ``api/controller/migrationtarget``)."""

import base64
from typing import Final

import msgspec

from jimm.simulator import secret_backends
from jimm.simulator.core import Core
from jimm.simulator.migration import description, prechecks, prechecks_of_four
from jimm.simulator.migration.outbound import Outbound
from jimm.simulator.migration.refusal import Refused
from jimm.simulator.state import Controller, Credential, Model
from jimm.wire import tags
from jimm.wire.params.common import Empty
from jimm.wire.params.migration_target import (
    ActivateModel,
    AdoptResources,
    BytesResult,
    CheckMachinesResults,
    MigrationModelInfo,
    ModelArgs,
    SerializedModel,
)

FACADE: Final = "MigrationTarget"
FACADE_VERSIONS: Final = {
    "MigrationFlag": [1],
    "MigrationMaster": [3],
    "MigrationMinion": [1],
    "MigrationStatusWatcher": [1],
    "MigrationTarget": [1, 2, 3, 4, 5, 6],
}
"""What a 3.6 source tells of itself, as far as migration goes."""

UNKNOWN_VERSION: Final = "0.0.0"
"""The worker's own precheck knows no controller version: its facade does not fill it in."""


def credential_of(core: Core, model: Model) -> Credential | None:
    """The model's credential, if it has one and the controller knows it."""
    return core.store.credentials.get(str(model.credential)) if model.credential else None


def controller_model(core: Core) -> Model | None:
    """The controller's own model."""
    return core.store.models.get(core.store.controller.model_uuid)


def check_source(core: Core, model: Model) -> None:
    """The source prechecks.

    Raises:
        Refused: the first thing that stands in the way, without a prefix.
    """
    credential = credential_of(core, model)
    texts = prechecks_of_four if core.release.is_four else prechecks
    problem = texts.source_problem(
        model,
        credential_valid=credential is None or credential.valid,
        controller=core.store.controller,
        controller_model=controller_model(core),
    )
    if problem is not None:
        raise Refused(problem)


def export(core: Core, model: Model) -> bytes:
    """The model as YAML, as this controller's version writes it."""
    controller = core.store.controller
    version = description.newest_version(controller.version)
    backend = secret_backends.of_model(controller, model)
    return description.write(
        model,
        credential_of(core, model),
        version=version,
        secret_backend=backend.id if backend is not None else "",
    )


async def check_target(
    core: Core, model: Model, target: Outbound, *, controller_version: str = UNKNOWN_VERSION
) -> None:
    """``Prechecks``; raises what :meth:`Outbound.call` raises."""
    params = MigrationModelInfo(
        uuid=model.uuid,
        name=model.name,
        owner_tag=tags.user_tag(model.owner),
        agent_version=model.agent_version,
        controller_agent_version=controller_version,
        facade_versions=FACADE_VERSIONS,
        model_description=_base64(export(core, model)),
    )
    await target.call(FACADE, "Prechecks", params, Empty)


async def import_model(target: Outbound, data: bytes) -> None:
    """``Import``; raises what :meth:`Outbound.call` raises."""
    params = SerializedModel(bytes=_base64(data), charms=None, tools=None, resources=None)
    await target.call(FACADE, "Import", params, Empty)


async def check_machines(target: Outbound, uuid: str) -> list[str]:
    """``CheckMachines``: complaints, none is good; raises what :meth:`Outbound.call` raises."""
    params = ModelArgs(model_tag=tags.model_tag(uuid))
    found = await target.call(FACADE, "CheckMachines", params, CheckMachinesResults)
    return [row.error.message for row in found.results if row.error is not None]


async def activate(target: Outbound, uuid: str) -> None:
    """``Activate``; raises what :meth:`Outbound.call` raises."""
    params = ActivateModel(model_tag=tags.model_tag(uuid))
    await target.call(FACADE, "Activate", params, Empty)


async def adopt_resources(target: Outbound, uuid: str, source_version: str) -> None:
    """``AdoptResources``; raises what :meth:`Outbound.call` raises."""
    tag = tags.model_tag(uuid)
    params = AdoptResources(model_tag=tag, source_controller_version=source_version)
    await target.call(FACADE, "AdoptResources", params, Empty)


async def latest_log_time(target: Outbound, uuid: str) -> str:
    """``LatestLogTime``: RFC 3339, year 1 for none; raises what :meth:`Outbound.call` raises."""
    params = ModelArgs(model_tag=tags.model_tag(uuid))
    return await target.call(FACADE, "LatestLogTime", params, str)


async def abort(target: Outbound, uuid: str) -> None:
    """``Abort``; raises what :meth:`Outbound.call` raises."""
    await target.call(FACADE, "Abort", ModelArgs(model_tag=tags.model_tag(uuid)), Empty)


async def harvest(target: Outbound) -> str:
    """``CreateMigrationMacaroon``, as text; raises what :meth:`Outbound.call` raises."""
    found = await target.call(FACADE, "CreateMigrationMacaroon", None, list[object])
    return msgspec.json.encode(found).decode()


async def ca_certificate(target: Outbound) -> str:
    """``CACert``: a PEM; raises what :meth:`Outbound.call` raises."""
    found = await target.call(FACADE, "CACert", None, BytesResult)
    return base64.b64decode(found.result).decode()


def identity_url(controller: Controller) -> str:
    """The identity provider of a controller, empty for none."""
    return str(controller.config.get("identity-url", ""))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
