"""Looks of many migrations at the same controller, in one call."""

import asyncio
from collections import defaultdict
from typing import Final

from jimm.fleet.fleet import Fleet
from jimm.migration import views
from jimm.migration.verdict import View
from jimm.registry.controllers import Controller
from jimm.wire.tags import ControllerUUID, ModelUUID

AT_ONCE: Final = 50
"""Models in one call, at most."""

Waiting = dict[ModelUUID, asyncio.Future[View]]


class Looks:
    """One for a replica. A controller is asked one thing at a time: whoever wants to look while a
    call is under way waits, and the next call is for all who wait. So what a controller has to
    answer does not grow with the models that move there.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._turns: defaultdict[ControllerUUID, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._waiting: defaultdict[ControllerUUID, Waiting] = defaultdict(dict)

    async def look(self, controller: Controller, model: ModelUUID) -> View:
        """What the controller says of the model, at some time after this was asked."""
        waiting = self._waiting[controller.uuid]
        view = waiting.get(model) or asyncio.get_running_loop().create_future()
        waiting[model] = view
        async with self._turns[controller.uuid]:
            if not view.done():  # nobody asked, or whoever did was stopped
                waiting.pop(model, None)
                others = {each: waiting.pop(each) for each in list(waiting)[: AT_ONCE - 1]}
                await self._ask(controller, {model: view, **others})
        return view.result()

    async def _ask(self, controller: Controller, waiting: Waiting) -> None:
        found = await views.look_at_all(self._fleet, controller, list(waiting))
        for waits, view in zip(waiting.values(), found, strict=True):
            waits.set_result(view)
