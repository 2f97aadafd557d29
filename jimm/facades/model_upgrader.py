"""``ModelUpgrader`` 1 and 2: models to newer agents, on whichever controller has them.

The shapes are the same in both; a 3.6 client knows only 1, a 4.0 controller only 2.
"""

from typing import Final

from jimm.facades.session import SessionFacade
from jimm.fleet import upgrades
from jimm.wire.facade import method
from jimm.wire.params.model_upgrader import ModelParam, UpgradeModel, UpgradeModelResult

VERSIONS: Final = (1, 2)


class ModelUpgrader(SessionFacade):
    """Upgrades, as the hosting controller carries them out."""

    name = "ModelUpgrader"

    @method("UpgradeModel", versions=VERSIONS)
    async def upgrade_model(self, params: UpgradeModel) -> UpgradeModelResult:
        """Begins an upgrade, or tells with ``dry-run`` what it would be."""
        return await upgrades.upgrade(self.session.fleet, self.session.caller, params)

    @method("AbortModelUpgrade", versions=VERSIONS)
    async def abort_model_upgrade(self, params: ModelParam) -> None:
        """Ends an upgrade that is under way."""
        await upgrades.abort(self.session.fleet, self.session.caller, params.model_tag)
