"""``Controller`` 11 and 12; ``AllModels`` besides in 13 and 14."""

from typing import Final, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from jimm.controllers import deadlines
from jimm.controllers.calls.rows import only, only_done, present, refuse_error
from jimm.controllers.link import Link
from jimm.wire.params.common import Entities, ErrorResults, StringResult
from jimm.wire.params.controller import (
    ControllerConfig,
    ControllerVersion,
    InitiateMigration,
    InitiateMigrationResults,
    MigrationSpec,
    ModelBlockInfo,
    ModelBlockInfoList,
    ModifyControllerAccess,
    ModifyControllerAccessRequest,
    UserAccessResults,
)
from jimm.wire.params.model_manager import (
    ModelStatus,
    ModelStatusResults,
    UserModel,
    UserModelList,
)
from jimm.wire.tags import ModelUUID, model_tag, user_tag

T = TypeVar("T")

_FACADE: Final = "Controller"
_VERSIONS: Final = (11, 12)
# AllModels of version 12 panics on 4.0, which offers 12 to 14; 3.6 offers 11 and 12.
_ALL_MODELS: Final = (11, 13, 14)


async def controller_version(link: Link, *, deadline: float = deadlines.READ) -> ControllerVersion:
    """The controller's agent version and commit."""
    return await _call(link, "ControllerVersion", None, ControllerVersion, deadline)


async def controller_config(link: Link, *, deadline: float = deadlines.READ) -> dict[str, object]:
    """The controller's configuration."""
    return (await _call(link, "ControllerConfig", None, ControllerConfig, deadline)).config


async def identity_provider_url(link: Link, *, deadline: float = deadlines.READ) -> str:
    """Where the controller's external users prove who they are, empty for nowhere."""
    return (await _call(link, "IdentityProviderURL", None, StringResult, deadline)).result


async def all_models(link: Link, *, deadline: float = deadlines.READ) -> list[UserModel]:
    """Every model on the controller, those being imported included; for superusers.

    ``owner_tag`` is always there, also where the controller told a ``qualifier`` (4.0).
    """
    answer = await link.call(
        _FACADE, "AllModels", None, UserModelList, versions=_ALL_MODELS, deadline=deadline
    )
    return [_with_owner(row) for row in answer.user_models]


async def model_status(
    link: Link, model: ModelUUID, *, deadline: float = deadlines.READ
) -> ModelStatus:
    """Life and counts of one model; ``not found`` once it has moved away, never a redirect."""
    params = Entities.of(model_tag(model))
    row = only(
        link, (await _call(link, "ModelStatus", params, ModelStatusResults, deadline)).models
    )
    refuse_error(row.error)
    return row


async def initiate_migration(
    link: Link,
    spec: MigrationSpec,
    *,
    dry_run: bool = False,
    deadline: float = deadlines.INITIATE_MIGRATION,
) -> str:
    """Starts to move a model; gives the migration's id, empty for a dry run.

    A controller older than 3.6.13 does not know ``dry_run`` and starts: look at its version
    first.

    Raises:
        LostAnswer: Juju goes on alone.
    """
    params = InitiateMigration(specs=[spec], dry_run=dry_run)
    answer = await _call(link, "InitiateMigration", params, InitiateMigrationResults, deadline)
    row = only(link, answer.results)
    refuse_error(row.error)
    return row.migration_id


async def list_blocked_models(
    link: Link, *, deadline: float = deadlines.READ
) -> list[ModelBlockInfo]:
    """The models on which something is blocked; for superusers."""
    answer = await link.call(
        _FACADE,
        "ListBlockedModels",
        None,
        ModelBlockInfoList,
        versions=_ALL_MODELS,
        deadline=deadline,
    )
    return answer.models


async def get_controller_access(link: Link, user: str, *, deadline: float = deadlines.READ) -> str:
    """A user's access: login or superuser."""
    params = Entities.of(user_tag(user))
    answer = await _call(link, "GetControllerAccess", params, UserAccessResults, deadline)
    row = only(link, answer.results)
    refuse_error(row.error)
    return present(link, row.result).access


async def modify_controller_access(
    link: Link, change: ModifyControllerAccess, *, deadline: float = deadlines.CHANGE
) -> None:
    """Grants or revokes access to the controller."""
    params = ModifyControllerAccessRequest(changes=[change])
    only_done(link, await _call(link, "ModifyControllerAccess", params, ErrorResults, deadline))


async def _call(
    link: Link, method: str, params: Struct | None, result: type[T], deadline: float
) -> T:
    return await link.call(_FACADE, method, params, result, versions=_VERSIONS, deadline=deadline)


def _with_owner(row: UserModel) -> UserModel:
    if row.model.owner_tag or not row.model.qualifier:
        return row
    return replace(row, model=replace(row.model, owner_tag=user_tag(row.model.qualifier)))
