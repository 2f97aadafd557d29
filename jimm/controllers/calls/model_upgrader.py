"""``ModelUpgrader`` 1 and 2, of the same shapes; a 3.6 controller has 1, a 4.0 one 2."""

from typing import Final

from jimm.controllers import deadlines
from jimm.controllers.link import Link
from jimm.wire.params.model_upgrader import ModelParam, UpgradeModel, UpgradeModelResult
from jimm.wire.tags import ModelUUID, model_tag

_FACADE: Final = "ModelUpgrader"
_VERSIONS: Final = (1, 2)


async def upgrade_model(
    link: Link, request: UpgradeModel, *, deadline: float = deadlines.UPGRADE_MODEL
) -> UpgradeModelResult:
    """Begins an upgrade, or looks what it would be; the row's error is left in it.

    Raises:
        RemoteError: the controller refuses to look.
    """
    return await link.call(
        _FACADE,
        "UpgradeModel",
        request,
        UpgradeModelResult,
        versions=_VERSIONS,
        deadline=deadline,
    )


async def abort_model_upgrade(
    link: Link, model: ModelUUID, *, deadline: float = deadlines.CHANGE
) -> None:
    """Ends an upgrade that is under way."""
    params = ModelParam(model_tag=model_tag(model))
    await link.call_plain(
        _FACADE, "AbortModelUpgrade", params, versions=_VERSIONS, deadline=deadline
    )
