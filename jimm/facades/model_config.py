"""``ModelConfig`` 3 on ``/api``: on a controller it answers for the controller's own model."""

from jimm.errors import NotSupported
from jimm.facades.session import SessionFacade
from jimm.fleet import versions
from jimm.wire.facade import method
from jimm.wire.params.model_config import (
    ConfigValue,
    ModelConfigResults,
    ModelConstraints,
    ModelSet,
    ModelUnset,
    Sequences,
    SetModelConstraints,
)

_FIXED = "JIMM has no controller model to configure: set it on the model itself (juju model-config)"


class ModelConfig(SessionFacade):
    """What clients read of the controller model's configuration; there is nothing to set."""

    name = "ModelConfig"

    @method("ModelGet", versions=(3,))
    async def model_get(self) -> ModelConfigResults:
        """The agent version, without which ``juju show-controller`` breaks, and a uuid that is
        no model's, by which ``juju upgrade-model`` knows that it has another model."""
        values = {
            "agent-version": await versions.reported(self.session.fleet),
            "name": "controller",
            "type": "manual",
            "uuid": self.session.fleet.uuid,
        }
        return ModelConfigResults(
            config={key: ConfigValue(value=value, source="model") for key, value in values.items()}
        )

    @method("ModelSet", versions=(3,))
    async def model_set(self, params: ModelSet) -> None:
        """Not supported."""
        raise NotSupported(_FIXED)

    @method("ModelUnset", versions=(3,))
    async def model_unset(self, params: ModelUnset) -> None:
        """Not supported."""
        raise NotSupported(_FIXED)

    @method("GetModelConstraints", versions=(3,))
    async def get_model_constraints(self) -> ModelConstraints:
        """None."""
        return ModelConstraints(constraints={})

    @method("SetModelConstraints", versions=(3,))
    async def set_model_constraints(self, params: SetModelConstraints) -> None:
        """Not supported."""
        raise NotSupported(_FIXED)

    @method("Sequences", versions=(3,))
    async def sequences(self) -> Sequences:
        """None."""
        return Sequences(sequences={})
