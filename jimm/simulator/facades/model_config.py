"""``ModelConfig`` 3, on a model's socket for that model and on ``/api`` for the controller's."""

from typing import Final

import msgspec

from jimm.errors import JimmError, NotValid
from jimm.simulator.blocks import check_change
from jimm.simulator.describe import model_config
from jimm.simulator.model_settings import every
from jimm.simulator.session import Answering
from jimm.simulator.state import Model
from jimm.wire.facade import method
from jimm.wire.params import model_config as params
from jimm.wire.params.common import StringResult

_KEYS: Final = "authorized-keys"
_FIXED: Final = ("name", "type", "uuid", "agent-version")


class ModelConfig(Answering):
    """A model's settings and constraints."""

    name = "ModelConfig"

    @method("ModelGet", versions=(3,))
    async def model_get(self) -> params.ModelConfigResults:
        """Every setting but the SSH keys, with where it comes from."""
        model = self._model
        self.caller.require_model(self.core, model, "read")
        config = {
            key: params.ConfigValue(value=value, source=source)
            for key, (value, source) in every(self.core.store.controller, model).items()
            if key != _KEYS
        }
        return params.ModelConfigResults(config=config)

    @method("ModelSet", versions=(3,))
    async def model_set(self, params: params.ModelSet) -> None:
        """Sets some settings.

        Raises:
            NotValid: one that can't be changed.
        """
        model = self._changeable()
        current = model_config(self.core.store.controller, model)
        for key, value in params.config.items():
            if key == _KEYS:
                raise JimmError("authorized-keys cannot be set")
            if key in _FIXED and value != current[key]:
                raise NotValid(f'cannot change {key} from "{current[key]}" to "{value}"')
        config = {**model.config, **params.config}
        self.core.store.put(msgspec.structs.replace(model, config=config))

    @method("ModelUnset", versions=(3,))
    async def model_unset(self, params: params.ModelUnset) -> None:
        """Lets settings be as they were."""
        model = self._changeable()
        config = {key: value for key, value in model.config.items() if key not in params.keys}
        self.core.store.put(msgspec.structs.replace(model, config=config))

    @method("GetModelConstraints", versions=(3,))
    async def get_model_constraints(self) -> params.ModelConstraints:
        """The constraints of machines to come."""
        model = self._model
        self.caller.require_model(self.core, model, "read")
        return params.ModelConstraints(constraints=model.constraints)

    @method("SetModelConstraints", versions=(3,))
    async def set_model_constraints(self, params: params.SetModelConstraints) -> None:
        """Sets all constraints at once."""
        model = self._changeable()
        self.core.store.put(msgspec.structs.replace(model, constraints=params.constraints))

    @method("Sequences", versions=(3,))
    async def sequences(self) -> params.Sequences:
        """The next number of each application's units and of the machines."""
        model = self._model
        self.caller.require_model(self.core, model, "read")
        numbers = {
            f"application-{each.name}": each.next_unit for each in model.applications.values()
        }
        used = [int(each) + 1 for each in model.machines if each.isdigit()]
        machines = max([*used, model.sequences.get("machine", 0)])
        return params.Sequences(sequences={**numbers, "machine": machines})

    @method("SLALevel", versions=(3,))
    async def sla_level(self) -> StringResult:
        """No model has one any more."""
        self.caller.require_model(self.core, self._model, "read")
        return StringResult(result="unsupported")

    def _changeable(self) -> Model:
        model = self._model
        self.caller.require_model(self.core, model, "write")
        check_change(model)
        return model

    @property
    def _model(self) -> Model:
        if self.session.model_uuid is not None:
            return self.session.model
        store = self.core.store
        return store.models[store.controller.model_uuid]
