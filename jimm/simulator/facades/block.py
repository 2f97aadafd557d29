"""``Block`` 2 (Juju ``apiserver/facades/client/block``)."""

from collections.abc import Callable

from jimm.errors import JimmError
from jimm.simulator import blocks
from jimm.simulator.on_model import OnModel, Row
from jimm.simulator.state import Model
from jimm.wire.facade import method
from jimm.wire.params.block import BlockSwitch
from jimm.wire.params.common import Error, ErrorResult
from jimm.wire.tags import model_tag


class Block(OnModel):
    """Commands that are disabled on the model."""

    name = "Block"

    @method("List", versions=(2,))
    async def list_blocks(self) -> Row:
        """What is disabled."""
        model = self.read()
        return {
            "results": [
                {
                    "result": {
                        "id": block.id,
                        "tag": model_tag(model.uuid),
                        "type": block.type,
                        "message": block.message,
                    }
                }
                for block in model.blocks
            ]
        }

    @method("SwitchBlockOn", versions=(2,))
    async def switch_block_on(self, params: BlockSwitch) -> ErrorResult:
        """Disables commands; switched on already, the message is replaced."""
        return self._switch(lambda model: blocks.switched_on(model, params.type, params.message))

    @method("SwitchBlockOff", versions=(2,))
    async def switch_block_off(self, params: BlockSwitch) -> ErrorResult:
        """Enables them again."""
        return self._switch(lambda model: blocks.switched_off(model, params.type))

    def _switch(self, change: Callable[[Model], Model]) -> ErrorResult:
        model = self.session.model
        try:
            self.caller.require_model(self.core, model, "write")
            self.keep(change(model))
        except JimmError as error:
            return ErrorResult(error=Error.of(error))
        return ErrorResult()
