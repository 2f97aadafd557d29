"""``ModelUpgrader`` 1 (Juju ``apiserver/facades/client/modelupgrader``)."""

import msgspec

from jimm.errors import AlreadyExists, JimmError, NotFound
from jimm.simulator.blocks import check_change
from jimm.simulator.session import Answering
from jimm.wire.facade import method
from jimm.wire.params.common import Error
from jimm.wire.params.model_upgrader import ModelParam, UpgradeModel, UpgradeModelResult
from jimm.wire.tags import parse_model_tag


class ModelUpgrader(Answering):
    """Takes models to newer agent versions, at most the controller's."""

    name = "ModelUpgrader"

    @method("UpgradeModel", versions=(1,))
    async def upgrade_model(self, params: UpgradeModel) -> UpgradeModelResult:
        """Sets the model's agent version; ``0.0.0`` is the controller's.

        Raises:
            NotFound: no such model.
            Unauthorized: the caller does not administer it.
            OperationBlocked: changes are disabled.
        """
        model = self.find_model(parse_model_tag(params.model_tag))
        self.caller.require_model(self.core, model, "admin")
        check_change(model)
        newest = self.core.store.controller.version
        wanted = newest if params.target_version in ("", "0.0.0") else params.target_version
        refusal = _refusal(model.agent_version, wanted, newest)
        if refusal is not None:
            return UpgradeModelResult(chosen_version=wanted, error=Error.of(refusal))
        if not params.dry_run:
            self.core.store.put(msgspec.structs.replace(model, agent_version=wanted))
        return UpgradeModelResult(chosen_version=wanted)

    @method("AbortModelUpgrade", versions=(1,))
    async def abort_model_upgrade(self, params: ModelParam) -> None:
        """Nothing to abort: upgrades are over at once."""
        model = self.find_model(parse_model_tag(params.model_tag))
        self.caller.require_model(self.core, model, "admin")


def _refusal(current: str, wanted: str, newest: str) -> JimmError | None:
    if wanted == current:
        return AlreadyExists("model is already at that version")
    try:
        in_reach = _numbers(current) < _numbers(wanted) <= _numbers(newest)
    except ValueError:
        in_reach = False
    if in_reach:
        return None
    return NotFound(f"agent version {wanted} not found")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
