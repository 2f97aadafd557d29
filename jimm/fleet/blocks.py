"""Models on which commands are disabled (``juju disabled-commands --all``)."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

from jimm.controllers.calls import controller as calls
from jimm.errors import JimmError
from jimm.fleet.caller import Caller
from jimm.fleet.controllers import require_administrator
from jimm.fleet.fleet import Fleet
from jimm.registry import controllers, models
from jimm.registry.controllers import Controller
from jimm.registry.models import Model
from jimm.wire.params.controller import ModelBlockInfo
from jimm.wire.tags import is_uuid

WITHIN: Final = 3.0
"""Seconds that a controller has to answer."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Blocked:
    """A model, and what is blocked on it, in Juju's words."""

    model: Model
    blocks: tuple[str, ...]


async def listed(fleet: Fleet, caller: Caller) -> list[Blocked]:
    """The models with blocks, by owner and name, as far as their controllers tell at once:
    JIMM itself does not know of blocks. What is away is left out, and that is logged.

    Raises:
        Unauthorized: the caller does not administer JIMM.
    """
    require_administrator(caller)
    async with fleet.registry.read() as session:
        registered = await controllers.every(session)
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(_ask(fleet, each)) for each in registered]
    blocks = {row.model_uuid: tuple(row.blocks) for task in asking for row in task.result()}
    blocked = {uuid for uuid, found in blocks.items() if found and is_uuid(uuid)}
    async with fleet.registry.read() as session:
        seen = await models.visible(session, caller.identity, admin=True, uuids=blocked)
    return [Blocked(each.model, blocks[each.model.uuid]) for each in seen]


async def _ask(fleet: Fleet, controller: Controller) -> list[ModelBlockInfo]:
    try:
        return await calls.list_blocked_models(fleet.link(controller), deadline=WITHIN)
    except JimmError as error:
        log.info("%s does not tell of blocks: %s", controller.name, error)
        return []
