"""Asking controllers about many models: each controller at once, however many there are."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final, TypeVar

from jimm.controllers.link import Link
from jimm.errors import ControllerUnavailable, JimmError
from jimm.fleet.fleet import Fleet
from jimm.registry.models import Model
from jimm.wire.params.common import Error
from jimm.wire.tags import ControllerUUID, ModelUUID

T = TypeVar("T")

Ask = Callable[[Link, Sequence[ModelUUID]], Awaitable[Sequence[T | Error]]]
"""Asks one controller about some of its models: an outcome for each, in order."""

AT_ONCE: Final = 50
"""Models in one call: an answer should not become so long that it holds up the link."""


async def about(
    fleet: Fleet, found: Collection[Model], ask: Ask[T]
) -> dict[ModelUUID, T | JimmError]:
    """What the controllers say of these models, or why they don't, by the model's uuid."""
    by_controller: dict[ControllerUUID | None, list[ModelUUID]] = defaultdict(list)
    for model in found:
        by_controller[model.controller_uuid].append(model.uuid)
    told: dict[ModelUUID, T | JimmError] = {}
    async with asyncio.TaskGroup() as group:
        for controller, uuids in by_controller.items():
            for first in range(0, len(uuids), AT_ONCE):
                some = uuids[first : first + AT_ONCE]
                group.create_task(_ask(fleet, controller, some, ask, told))
    return told


async def _ask(
    fleet: Fleet,
    controller: ControllerUUID | None,
    uuids: Sequence[ModelUUID],
    ask: Ask[T],
    told: dict[ModelUUID, T | JimmError],
) -> None:
    try:
        if controller is None:
            raise ControllerUnavailable("the model's controller is not registered any more")
        rows = await ask(fleet.pool.link(controller), uuids)
    except JimmError as error:
        told.update(dict.fromkeys(uuids, error))
        return
    for uuid, row in zip(uuids, rows, strict=True):
        told[uuid] = row.raised() if isinstance(row, Error) else row
