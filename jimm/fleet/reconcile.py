"""Settling intents: what was begun and has no known outcome, whatever crashed in between."""

import asyncio
import logging
from datetime import datetime
from typing import Final

from jimm.controllers.calls import model_manager as calls
from jimm.errors import JimmError, LostAnswer, ModelNotFound, RemoteError
from jimm.fleet import creation, leasing
from jimm.fleet.facts import gone
from jimm.fleet.fleet import Fleet
from jimm.fleet.models import send_destroy
from jimm.fleet.rounds import Rounds
from jimm.registry import controllers, facts, intents, models, placements
from jimm.registry.controllers import Controller
from jimm.registry.intents import Intent
from jimm.registry.models import Model
from jimm.registry.session import ReadSession
from jimm.registry.words import IntentKind, IntentState, ModelState
from jimm.wire import codes, tags
from jimm.wire.fold import convert
from jimm.wire.params.model_manager import DestroyModel

log = logging.getLogger(__name__)

POLL: Final = 1.0
"""Seconds between looks for due intents when nobody calls."""

UNCALLED: Final = 60.0
"""Seconds between two rounds of one that settles them, when nobody calls it."""

AGAIN: Final = 1.0
"""Seconds until an unsettled intent is looked at again."""

CERTAIN_AFTER: Final = 10.0
"""Seconds between the two ``not found`` that make sure that a destroyed model is gone."""

_GONE_SINCE: Final = "gone since "


AT_ONCE: Final = 4
"""Intents that a replica works on at once: a controller may be slow to answer."""


class Reconciler:
    """Settles intents, a few at once; any replica may."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._looks = Rounds("looking for intents", self._look)
        self._rounds = [Rounds("settling intents", self._settle_all) for _ in range(AT_ONCE)]

    def wake(self) -> None:
        """Something is due."""
        for rounds in self._rounds:
            rounds.wake()

    async def run(self) -> None:
        """Works until cancelled."""
        async with asyncio.TaskGroup() as group:
            for rounds in [self._looks, *self._rounds]:
                group.create_task(rounds.run())

    async def _look(self) -> float:
        if await intents.are_due(self._fleet.registry):
            self.wake()
        return POLL

    async def _settle_all(self) -> float:
        while await self._one():
            pass
        return UNCALLED

    async def _one(self) -> bool:
        fleet = self._fleet
        async with fleet.registry.write() as session:
            intent = await intents.claim(session, fleet.worker, leasing.LEASE)
        if intent is None:
            return False
        async with leasing.kept(fleet.registry, intents.renew, intent.held):
            try:
                await _settle(fleet, intent)
            except JimmError as error:
                await _put_off(fleet, intent, AGAIN, str(error))
            except Exception:
                log.exception("intent %s could not be settled; it is tried again", intent.id)
                await _put_off(fleet, intent, 10 * AGAIN, "failed")
        return True


async def _settle(fleet: Fleet, intent: Intent) -> None:
    if intent.controller_id is None or intent.sent_at is None:
        await _never_sent(fleet, intent)
        return
    async with fleet.registry.read() as session:
        controller = await controllers.by_id(session, intent.controller_id)
    if intent.kind is IntentKind.DESTROY:
        await _settle_destroy(fleet, intent)
    elif intent.model_id is None:
        await _settle_late_arrival(fleet, intent, controller)
    else:
        await _settle_create(fleet, intent, controller, intent.model_id)


async def _never_sent(fleet: Fleet, intent: Intent) -> None:
    """Its worker died before anything left (or its controller was removed)."""
    if intent.kind is IntentKind.DESTROY and intent.model_id is not None:
        await _settle_destroy(fleet, intent)
        return
    async with fleet.registry.write() as session:
        ours = await intents.settle(session, intent.held, IntentState.ABANDONED, "never sent")
        if ours and intent.model_id is not None:
            await models.remove(session, intent.model_id)


async def _settle_create(
    fleet: Fleet, intent: Intent, controller: Controller, model_id: int
) -> None:
    """The answer was lost, or never waited for: the model is there, or will be, or won't."""
    link = fleet.link(controller)
    user, name = _user(intent), str(intent.request["name"])
    found = await creation.find_there(link, user, name)
    if found is not None:
        info = await calls.model_info_plain(link, found)
        async with fleet.registry.write() as session:
            if await intents.settle(session, intent.held, IntentState.DONE, "found"):
                owner = str(intent.request["owner"])
                await creation.arrive(session, model_id, owner, controller, info)
                await placements.choose(session, model_id, controller.name)
        log.info("model %s was found on %s after a lost answer", name, controller.name)
    elif _deadline_passed(fleet, intent):
        async with fleet.registry.write() as session:
            if await intents.settle(session, intent.held, IntentState.ABANDONED, "never came"):
                await models.remove(session, model_id)
    else:
        await _put_off(fleet, intent, AGAIN, "not there yet")


async def _settle_late_arrival(fleet: Fleet, intent: Intent, controller: Controller) -> None:
    """The model was made elsewhere meanwhile; one that arrives here after all is removed, for
    it was absent before JIMM's own call and appeared after it."""
    link = fleet.link(controller)
    name = str(intent.request["name"])
    found = await creation.find_there(link, _user(intent), name)
    if found is None:
        if _deadline_passed(fleet, intent):
            await _done(fleet, intent, IntentState.ABANDONED, "never came")
        else:
            await _put_off(fleet, intent, AGAIN, "not there yet")
        return
    # After the look, so that a model that was there then is being made, or known, by now; and in
    # this order, for each statement sees what was committed before it: being made comes first.
    async with fleet.registry.read() as session:
        being_made = await _is_being_made(session, str(intent.request["owner"]), name)
        known = await models.known(session, [found])
    if being_made and not known:
        await _put_off(fleet, intent, AGAIN, "another of that name is being made")
        return
    if known or not intent.absent_before:
        log.warning("model %s (%s) on %s is not JIMM's to remove", name, found, controller.name)
        await _done(fleet, intent, IntentState.DONE, f"{found} is left where it is")
        return
    request = DestroyModel(model_tag=tags.model_tag(found), destroy_storage=True, force=True)
    await calls.destroy_model(link, request)
    log.warning("removed model %s (%s) from %s: a late arrival", name, found, controller.name)
    await _put_off(fleet, intent, AGAIN, f"removing {found}")


async def _is_being_made(session: ReadSession, owner: str, name: str) -> bool:
    try:
        return (await models.by_owner(session, owner, name)).state is ModelState.CREATING
    except ModelNotFound:
        return False


async def _settle_destroy(fleet: Fleet, intent: Intent) -> None:
    """Told again if need be, then watched until it is gone for certain."""
    if intent.model_id is None:
        await _done(fleet, intent, IntentState.DONE, "the model is forgotten")
        return
    async with fleet.registry.read() as session:
        model = await models.by_id(session, intent.model_id)
    if model.state is not ModelState.DESTROYING:
        await _done(fleet, intent, IntentState.ABANDONED, f"the model is {model.state.value}")
        return
    if await _is_there(fleet, model, convert(intent.request, DestroyModel)):
        await _put_off(fleet, intent, AGAIN, "still there")
        return
    now = fleet.now()
    if not intent.outcome.startswith(_GONE_SINCE):
        async with fleet.registry.write() as session:
            await facts.record(session, model.controller_id or 0, [gone(model)])
            outcome = _GONE_SINCE + now.isoformat()
            await intents.put_off(session, intent.held, CERTAIN_AFTER, outcome)
        return
    since = datetime.fromisoformat(intent.outcome.removeprefix(_GONE_SINCE))
    if (now - since).total_seconds() < CERTAIN_AFTER:
        await _put_off(fleet, intent, AGAIN, intent.outcome)
        return
    async with fleet.registry.write() as session:
        if await intents.settle(session, intent.held, IntentState.DONE, "gone"):
            await models.remove(session, model.id)


async def _is_there(fleet: Fleet, model: Model, request: DestroyModel) -> bool:
    """Whether its controller still has it; one that still lives is told to die again."""
    if model.controller_uuid is None:
        return False
    link = fleet.pool.link(model.controller_uuid)
    try:
        info = await calls.model_info(link, model.uuid)
    except RemoteError as error:
        if error.juju_code in (codes.NOT_FOUND, codes.MODEL_NOT_FOUND):
            return False
        raise
    if info.life == "alive":
        try:
            await send_destroy(fleet, model, request)
        except LostAnswer:
            return True
    return True


def _user(intent: Intent) -> str:
    return str(intent.request.get("user") or intent.request["owner"])


def _deadline_passed(fleet: Fleet, intent: Intent) -> bool:
    return intent.deadline_at is None or intent.deadline_at < fleet.now()


async def _done(fleet: Fleet, intent: Intent, state: IntentState, outcome: str) -> None:
    async with fleet.registry.write() as session:
        await intents.settle(session, intent.held, state, outcome)


async def _put_off(fleet: Fleet, intent: Intent, delay: float, outcome: str) -> None:
    async with fleet.registry.write() as session:
        await intents.put_off(session, intent.held, delay, outcome)
