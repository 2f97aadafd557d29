"""Asking controllers about many models: each controller at once, however many there are.

A model on its way leaves its source a moment before JIMM knows that it has arrived; who asks
just then waits for that moment, and hears of it from its new controller.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final, Protocol, TypeVar

from jimm.controllers.link import Link
from jimm.errors import ControllerUnavailable, JimmError
from jimm.fleet.fleet import Fleet
from jimm.registry import migrations, models
from jimm.wire import codes
from jimm.wire.params.common import Error
from jimm.wire.tags import ControllerUUID, ModelUUID

T = TypeVar("T")


class Hosted(Protocol):
    """A model, and which controller has it."""

    @property
    def uuid(self) -> ModelUUID: ...
    @property
    def controller_uuid(self) -> ControllerUUID | None: ...


Ask = Callable[[Link, Sequence[ModelUUID]], Awaitable[Sequence[T | Error]]]
"""Asks one controller about some of its models: an outcome for each, in order."""

ARRIVES_WITHIN: Final = 10.0
"""Seconds that a question waits for a model that has left one controller to be at the other."""

LOOK_EVERY: Final = 0.1

_ELSEWHERE: Final = frozenset({codes.UNAUTHORIZED, codes.REDIRECT})
"""What a controller tells JIMM, a superuser, of a model that went to another one."""

AT_ONCE: Final = 50
"""Models in one call: an answer should not become so long that it holds up the link."""


async def about(
    fleet: Fleet, found: Collection[Hosted], ask: Ask[T]
) -> dict[ModelUUID, T | JimmError]:
    """What the controllers say of these models, or why they don't, by the model's uuid.

    A model that has just left is asked for where it has arrived; if it does not in time,
    :class:`ControllerUnavailable` is its outcome.
    """
    told = await _told(fleet, found, ask)
    left = {model.uuid: model for model in found if _is_gone(told[model.uuid])}
    if left:
        arrived = await _arrivals(fleet, left, told)
        told |= await _told(fleet, arrived, ask)
    for uuid, said in told.items():
        if isinstance(said, JimmError) and said.juju_code in _ELSEWHERE:
            told[uuid] = ControllerUnavailable("its controller does not have the model any more")
    return told


async def _told(
    fleet: Fleet, found: Collection[Hosted], ask: Ask[T]
) -> dict[ModelUUID, T | JimmError]:
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


def _is_gone(said: object) -> bool:
    return isinstance(said, JimmError) and said.juju_code in codes.GONE


async def _arrivals(
    fleet: Fleet, left: dict[ModelUUID, Hosted], told: dict[ModelUUID, T | JimmError]
) -> list[Hosted]:
    """Those of the models that are on another controller now, once none is on its way."""
    end = asyncio.get_running_loop().time() + ARRIVES_WITHIN
    while True:
        async with fleet.registry.read() as session:
            moving = await migrations.active(session, left)
            known = await models.known(session, list(left))
        late = asyncio.get_running_loop().time() > end
        if not moving or late:
            break
        await asyncio.sleep(LOOK_EVERY)
    for uuid in moving:
        told[uuid] = ControllerUnavailable("the model has not arrived yet where it is moved to")
    return [
        model
        for model in known
        if model.uuid not in moving and model.controller_uuid != left[model.uuid].controller_uuid
    ]
