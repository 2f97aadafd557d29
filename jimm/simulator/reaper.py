"""Models that were destroyed: dying for a while, then gone."""

from typing import Final

from jimm.simulator import rules
from jimm.simulator.core import Core
from jimm.simulator.state import Model
from jimm.simulator.store import Change
from jimm.wire.tags import ModelUUID

SECONDS: Final = 2.0
"""How long an empty model takes to go, before the clock's speed."""


class Reaper:
    """Removes dying models, those of an earlier run too."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def start(self) -> None:
        """Takes up what is dying and listens for more."""
        self._core.store.listen(self._on_change)
        for model in self._core.store.models.values():
            if model.life != "alive":
                self._bury_later(model.uuid)

    def _on_change(self, change: Change) -> None:
        before, after = change.before, change.after
        was_alive = isinstance(before, Model) and before.life == "alive"
        if was_alive and isinstance(after, Model) and after.life == "dying":
            self._bury_later(after.uuid)

    def _bury_later(self, uuid: ModelUUID) -> None:
        self._core.tasks.spawn(self._bury(uuid), name=f"remove model {uuid}")

    async def _bury(self, uuid: ModelUUID) -> None:
        await self._core.clock.sleep(SECONDS)
        model = self._core.store.models.get(uuid)
        if model is None:
            return
        if model.life == "dying":
            model = rules.with_life(model, "dead", self._core.clock.now())
            self._core.store.put(model)
        self._core.store.remove(model)
