"""``ModelConfig`` 3 on ``/api``: on a controller it answers for the controller's own model."""

from jimm.facades.session import SessionFacade
from jimm.fleet import versions
from jimm.wire.facade import method
from jimm.wire.params.model_config import ConfigValue, ModelConfigResults


class ModelConfig(SessionFacade):
    """What clients read of the controller model's configuration."""

    name = "ModelConfig"

    @method("ModelGet", versions=(3,))
    async def model_get(self) -> ModelConfigResults:
        """The agent version: ``juju show-controller`` fails without it."""
        version = await versions.reported(self.session.fleet)
        return ModelConfigResults(
            config={
                "agent-version": ConfigValue(value=version, source="model"),
                "name": ConfigValue(value="controller", source="model"),
                "uuid": ConfigValue(value=self.session.fleet.uuid, source="model"),
            }
        )
