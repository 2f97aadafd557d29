"""The base of the facades on a model's socket: who may read, change and remove."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from jimm.errors import JimmError
from jimm.simulator import blocks
from jimm.simulator.session import Answering
from jimm.simulator.state import Model
from jimm.wire.params.common import Error

T = TypeVar("T")

Row = dict[str, object]
"""One result, in the keys of its facade."""


class OnModel(Answering):
    """A facade at work on the session's model."""

    def read(self) -> Model:
        """The model, for those who may read it.

        Raises:
            AccessRequired, Unauthorized: others.
        """
        return self._allowed("read")

    def change(self) -> Model:
        """The model, for those who may change it now.

        Raises:
            AccessRequired, Unauthorized: others.
            OperationBlocked: changes are disabled.
        """
        model = self._allowed("write")
        blocks.check_change(model)
        return model

    def removal(self) -> Model:
        """The model, for those who may remove something from it now.

        Raises:
            AccessRequired, Unauthorized: others.
            OperationBlocked: removals or changes are disabled.
        """
        model = self._allowed("write")
        blocks.check_removal(model)
        return model

    def administration(self) -> Model:
        """The model, for its administrators.

        Raises:
            AccessRequired, Unauthorized: others.
        """
        model = self.session.model
        self.caller.require_model(self.core, model, "admin")
        return model

    def keep(self, model: Model) -> None:
        """Writes the changed model."""
        self.core.store.put(model)

    def _allowed(self, level: str) -> Model:
        model = self.session.model
        self.caller.require_model(self.core, model, "read" if level == "read" else "write")
        return model


def rows(inputs: Iterable[T], act: Callable[[T], Row]) -> list[Row]:
    """A row for each input, in order; what can't be done is a row with ``error``."""
    found: list[Row] = []
    for one in inputs:
        try:
            found.append(act(one))
        except JimmError as error:
            found.append({"error": Error.of(error)})
    return found
