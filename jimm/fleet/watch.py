"""What controllers say of their models, kept fresh in the background.

One ``ListModelSummaries`` for each controller tells status, counts, life and migration of all
its models. What a controller lacks is missing, never forgotten; what moved behind JIMM's back
is found where it is.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Final

from jimm.controllers.calls import model_manager as calls
from jimm.controllers.health import Reading
from jimm.errors import ControllerError, JimmError, ProtocolError, RemoteError
from jimm.fleet import facts
from jimm.fleet.credential_pushes import LatePushes
from jimm.fleet.facts import Seen
from jimm.fleet.fleet import Fleet
from jimm.fleet.rounds import Rounds
from jimm.net.tasks import Tasks
from jimm.registry import controllers, credentials, migrations, models
from jimm.registry import facts as registered_facts
from jimm.registry.controllers import Controller, Health
from jimm.registry.models import Model
from jimm.registry.words import ENDED, ControllerStatus, MigrationState, ModelState
from jimm.wire import codes
from jimm.wire.params.common import Error
from jimm.wire.tags import ControllerUUID, ModelUUID

log = logging.getLogger(__name__)

EVERY: Final = 5.0
"""Seconds between looks at a quiet controller."""

WHILE_MOVING: Final = 1.0
"""Seconds between looks while a model moves, comes or goes."""


Recorded = dict[bytes, ModelUUID]
"""Rows of ``ListModelSummaries``, as they came, that are written down, with their models."""


class Watch:
    """Looks at every controller; one that is slow holds up nobody but itself. Each controller
    is looked at by one process of all that work on the database."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._rounds = Rounds("looking at the controllers", self._look_at_all)
        self._looks = Tasks()
        self._turns = fleet.registry.turns()
        self._looked_at: set[ControllerUUID] = set()
        self._recorded: dict[ControllerUUID, Recorded] = {}
        self._late_pushes = LatePushes(fleet)
        self._lagging: frozenset[int] = frozenset()

    def wake(self) -> None:
        """Something changed: look now."""
        self._rounds.wake()

    async def run(self) -> None:
        """Works until cancelled."""
        try:
            await self._rounds.run()
        finally:
            await self._looks.aclose()
            await self._turns.aclose()

    async def _look_at_all(self) -> float:
        async with self._fleet.registry.read() as session:
            registered = {each.uuid: each for each in await controllers.every(session)}
            moving = await migrations.page(session, states=MOVING, limit=1)
        self._lagging = await credentials.lagging(self._fleet.registry)
        # One that can't be reached from here is left to whoever can reach it.
        ours = await self._turns.claim([each for each in registered if self._reaches(each)])
        for uuid in self._recorded.keys() - ours:
            del self._recorded[uuid]  # whoever looks now may write something else
        for uuid, each in registered.items():
            if uuid in ours and uuid not in self._looked_at:
                self._looked_at.add(uuid)
                self._looks.spawn(self._look(each), name=f"look at {each.name}")
        return WHILE_MOVING if moving else EVERY

    def _reaches(self, uuid: ControllerUUID) -> bool:
        try:
            return not self._fleet.pool.link(uuid).closed.is_set()
        except ControllerError:
            return False

    async def _look(self, controller: Controller) -> None:
        recorded = self._recorded.setdefault(controller.uuid, {})
        try:
            await look_at(self._fleet, controller, recorded)
            if controller.available and controller.id in self._lagging:
                await self._late_pushes.look(controller)
        finally:
            self._looked_at.discard(controller.uuid)


MOVING: Final = frozenset(MigrationState) - ENDED

_FOLLOWED: Final = frozenset(ModelState) - {ModelState.DESTROYING}
"""Of a model that is being destroyed whoever destroys it knows better."""


async def record_reading(fleet: Fleet, reading: Reading) -> None:
    """Stores what a link's supervisor found."""
    if reading.quarantined:
        status = ControllerStatus.QUARANTINED
    elif reading.reachable and not reading.error:
        status = ControllerStatus.AVAILABLE
    else:
        status = ControllerStatus.UNAVAILABLE
    health = Health(status, reading.error, reading.agent_version, reading.servers)
    async with fleet.registry.write() as session:
        changed = await controllers.record_health(session, reading.uuid, health)
    if changed:
        await fleet.connect_all()


async def look_at(fleet: Fleet, controller: Controller, recorded: Recorded | None = None) -> None:
    """One look at one controller; one that can't be asked changes nothing.

    ``recorded`` are the rows of earlier looks, as they were written down: one that is still the
    same is neither read nor written again.
    """
    try:
        ours = await models.states_on(fleet.registry, controller.id)
        link = fleet.link(controller)
        rows = await calls.list_model_summary_rows(link)
        await _compare(fleet, controller, ours, rows, {} if recorded is None else recorded)
    except JimmError as error:
        log.debug("%s was not looked at: %s", controller.name, error)


def read_all(
    controller: Controller, summaries: Iterable[dict[str, object]]
) -> Mapping[ModelUUID, Seen]:
    """The models in a listing; a row that makes no sense is left out, and said."""
    found = (_read(controller, row) for row in summaries)
    return {seen.facts.uuid: seen for seen in found if seen is not None}


def _read(controller: Controller, row: dict[str, object]) -> Seen | None:
    try:
        seen = facts.read(row)
    except ProtocolError as error:
        log.warning("%s tells of a model that cannot be: %s", controller.name, error)
        return None
    return None if seen.is_controller else seen


async def _compare(
    fleet: Fleet,
    controller: Controller,
    ours: Mapping[ModelUUID, ModelState],
    rows: Iterable[bytes],
    recorded: Recorded,
) -> None:
    same: Recorded = {}
    other: list[bytes] = []
    for row in rows:
        uuid = recorded.get(row)
        if uuid is not None and ours.get(uuid) is ModelState.LIVE:
            same[row] = uuid
        else:
            other.append(row)
    news, came_as = _read_rows(fleet, controller, other)
    known = {*same.values(), *news}
    lacking = [
        uuid for uuid, state in ours.items() if state is ModelState.LIVE and uuid not in known
    ]
    written = await _take_in(fleet, controller, ours, news, lacking) if news or lacking else []
    recorded.clear()
    recorded.update(same | {came_as[uuid]: uuid for uuid in written})


def _read_rows(
    fleet: Fleet, controller: Controller, rows: Iterable[bytes]
) -> tuple[dict[ModelUUID, Seen], dict[ModelUUID, bytes]]:
    """What these rows say, and which row said it."""
    link = fleet.link(controller)
    news: dict[ModelUUID, Seen] = {}
    came_as: dict[ModelUUID, bytes] = {}
    errors = 0
    for row in rows:
        told = calls.summary_in(link, row)
        if isinstance(told, Error):
            errors += 1
        elif (seen := _read(controller, told)) is not None:
            news[seen.facts.uuid] = seen
            came_as[seen.facts.uuid] = row
    if errors:
        log.warning("%s does not tell of %d model(s)", controller.name, errors)
    return news, came_as


async def _take_in(
    fleet: Fleet,
    controller: Controller,
    ours: Mapping[ModelUUID, ModelState],
    news: Mapping[ModelUUID, Seen],
    lacking: list[ModelUUID],
) -> list[ModelUUID]:
    """Writes down what is new, and finds out about models that are not where they should be;
    gives those that were written down."""
    unknown = [uuid for uuid in news if uuid not in ours]
    there = [seen.facts for uuid, seen in news.items() if ours.get(uuid) in _FOLLOWED]
    async with fleet.registry.write() as session:
        written = await registered_facts.record(session, controller.id, there)
        moving = await migrations.active(session, [*lacking, *unknown])
        known = await models.known(session, [each for each in unknown if each not in moving])
    for uuid in lacking:
        if uuid not in moving:
            await _confirm_missing(fleet, controller, uuid)
    for model in known:
        if model.state in (ModelState.MISSING, ModelState.UNMANAGED):
            await _found_elsewhere(fleet, controller, model)
    return written


async def _confirm_missing(fleet: Fleet, controller: Controller, uuid: ModelUUID) -> None:
    """A listing may have been made before the model came; the model itself is asked for."""
    try:
        await calls.model_info(fleet.link(controller), uuid)
    except RemoteError as error:
        if error.juju_code not in codes.GONE:
            return
    except ControllerError:
        return
    else:
        return
    async with fleet.registry.write() as session:
        if not await migrations.active(session, [uuid]):
            await models.mark_missing(session, controller.id, [uuid])
            log.warning("%s no longer has model %s: it is missing", controller.name, uuid)


async def _found_elsewhere(fleet: Fleet, controller: Controller, model: Model) -> None:
    """A model that its controller lost is here: it was moved by hand, or the controller that
    JIMM forgot is registered again."""
    info = await calls.model_info(fleet.link(controller), model.uuid)
    if info.controller_uuid != controller.uuid or info.status.info == "importing":
        return
    async with fleet.registry.write() as session:
        if await migrations.active(session, [model.uuid]):
            return
        await models.set_controller(session, model.uuid, controller.id)
    log.warning(
        "model %s was found on %s: it came there behind JIMM's back",
        model.uuid,
        controller.name,
    )
