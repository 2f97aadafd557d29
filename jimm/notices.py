"""What the database tells this replica, and who has to act on it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from jimm.access.devices import DeviceLogins
from jimm.errors import NotFound
from jimm.facades.connections import Connections
from jimm.fleet.fleet import Fleet
from jimm.fleet.reconcile import Reconciler
from jimm.fleet.watch import Watch
from jimm.migration.followers import Followers
from jimm.migration.plans.driver import Driver
from jimm.migration.worker import Worker
from jimm.proxy.doorkeeper import Admission
from jimm.proxy.keeper import Keeper
from jimm.proxy.pipes import OpenPipe, Pipes
from jimm.registry import controllers, identities, models, relations, tokens
from jimm.registry.listen import (
    CONTROLLERS,
    DEVICE_LOGINS,
    IDENTITIES,
    INTENTS,
    MIGRATIONS,
    MODELS,
    PLANS,
    RELATIONS,
    Notification,
)
from jimm.registry.relations import Change
from jimm.registry.words import EVERYONE, ObjectKind
from jimm.wire.frames import GOING_AWAY
from jimm.wire.tags import is_uuid

log = logging.getLogger(__name__)

CHANNELS: Final = (
    CONTROLLERS,
    DEVICE_LOGINS,
    IDENTITIES,
    INTENTS,
    MIGRATIONS,
    MODELS,
    PLANS,
    RELATIONS,
)

LOG_IN_AGAIN: Final = "log in again"

AT_WORST: Final = 5.0
"""Seconds after which a revocation counts though no notification came."""


class Notices:
    """Listens, and looks for itself every few seconds: a notification is only a hint."""

    def __init__(
        self,
        fleet: Fleet,
        pipes: Pipes,
        connections: Connections,
        keeper: Keeper,
        devices: DeviceLogins,
        *,
        followers: Followers,
        reconciler: Reconciler,
        watch: Watch,
        worker: Worker,
        driver: Driver,
    ) -> None:
        self._fleet = fleet
        self._pipes = pipes
        self._connections = connections
        self._keeper = keeper
        self._devices = devices
        self._followers = followers
        self._reconciler = reconciler
        self._watch = watch
        self._worker = worker
        self._driver = driver
        self._revision: int | None = None
        self._actions: dict[str, Callable[[str], Awaitable[None]]] = {
            CONTROLLERS: self._controller_changed,
            DEVICE_LOGINS: self._device_login_settled,
            IDENTITIES: self._identity_changed,
            INTENTS: self._intent_due,
            MIGRATIONS: self._migration_changed,
            MODELS: self._model_changed,
            PLANS: self._plan_changed,
            RELATIONS: self._relation_changed,
        }

    async def listen(self) -> None:
        """Acts on what is notified, until cancelled."""
        async for event in self._fleet.registry.listen(*CHANNELS):
            try:
                if isinstance(event, Notification):
                    await self._actions[event.channel](event.payload)
                else:
                    await self._read_all_again()
            except Exception:
                log.exception("a notice of the database could not be acted on")

    async def look(self) -> None:
        """Finds what no notification told of, until cancelled."""
        while True:
            await asyncio.sleep(AT_WORST)
            try:
                await self._relation_changed("")
                await self._find_missed()
            except Exception:
                log.exception("what has changed could not be read; trying again")

    async def _read_all_again(self) -> None:
        if self._revision is None:
            async with self._fleet.registry.read() as session:
                self._revision = await relations.revision(session)
        await self._relation_changed("")
        await self._find_missed()
        await self._recheck(list(self._pipes))
        self._devices.told("")
        self._followers.told("")
        self._reconciler.wake()
        self._watch.wake()
        self._worker.wake()
        self._driver.wake()

    async def _controller_changed(self, uuid: str) -> None:
        await self._fleet.connect_all()
        self._watch.wake()
        async with self._fleet.registry.read() as session:
            try:
                await controllers.by_uuid(session, uuid)
            except NotFound:
                self._pipes.close_controller(uuid, "the controller was removed")

    async def _identity_changed(self, name: str) -> None:
        self._pipes.close_identity(name, LOG_IN_AGAIN)
        await self._connections.close_identity(name, LOG_IN_AGAIN)
        self._followers.told("")  # each looks whether its token still holds

    async def _device_login_settled(self, login_id: str) -> None:
        self._devices.told(login_id)

    async def _intent_due(self, _: str) -> None:
        self._reconciler.wake()

    async def _migration_changed(self, migration_id: str) -> None:
        self._followers.told(migration_id)
        self._worker.wake()
        self._driver.heard(migration_id)

    async def _plan_changed(self, plan_id: str) -> None:
        self._driver.wake(plan_id)

    async def _model_changed(self, uuid: str) -> None:
        if not is_uuid(uuid):
            return
        async with self._fleet.registry.read() as session:
            known = await models.known(session, [uuid])
        host = known[0].controller_uuid if known else None
        if any(
            admission.model_uuid == uuid and admission.endpoint.uuid != host
            for _, admission in self._admissions()
        ):
            self._pipes.close_model(uuid, "the model has moved, or is gone")

    async def _relation_changed(self, _: str) -> None:
        """Everything since the revision that was read last; a change of ``everyone``'s, or of
        somebody whose pipe is open here, has that pipe checked."""
        while changes := await self._changes():
            self._revision = changes[-1].revision
            await self._changed(changes)

    async def _changes(self) -> list[Change]:
        """None as long as nobody has read how far they are: nobody was let in by then."""
        if self._revision is None:
            return []
        async with self._fleet.registry.read() as session:
            return await relations.changes_since(session, self._revision)

    async def _changed(self, changes: list[Change]) -> None:
        subjects = {change.subject for change in changes}
        concerned = [
            pipe
            for pipe, admission in self._admissions()
            if admission.identity in subjects or EVERYONE in subjects
        ]
        await self._recheck(concerned)
        for change in changes:
            if change.object_kind is ObjectKind.JIMM:  # /api took note of it at the login
                await self._connections.close_identity(change.subject, LOG_IN_AGAIN)

    async def _find_missed(self) -> None:
        """Controllers that came or went, people who are shut out, tokens that were revoked,
        models that live elsewhere."""
        await self._fleet.connect_all()
        admissions = self._admissions()
        people = {each.identity for _, each in admissions} | self._connections.identities()
        if not people:
            return
        async with self._fleet.registry.read() as session:
            welcome = await identities.welcome(session, people)
            hosts = await models.hosts(session, {each.model_uuid for _, each in admissions})
            shown = {each.token_id for _, each in admissions if each.token_id is not None}
            revoked = await tokens.revoked(session, shown)
        for name in people - welcome:
            await self._identity_changed(name)
        for pipe, admission in admissions:
            if admission.token_id in revoked:
                pipe.close(GOING_AWAY, LOG_IN_AGAIN)
            elif hosts.get(admission.model_uuid) != admission.endpoint.uuid:
                pipe.close(GOING_AWAY, "the model has moved, or is gone")

    async def _recheck(self, pipes: list[OpenPipe]) -> None:
        """Asks once for all pipes of one person to one model."""
        answers: dict[tuple[object, ...], bool] = {}
        for pipe in pipes:
            admission = self._pipes.admission(pipe)
            if admission is None:
                continue
            access = frozenset(admission.access.items())
            asked = (admission.identity, admission.model_uuid, admission.endpoint.uuid, access)
            if asked not in answers:
                answers[asked] = await self._keeper.still_holds(admission)
            if not answers[asked]:
                pipe.close(GOING_AWAY, "what you may do here has changed; connect again")

    def _admissions(self) -> list[tuple[OpenPipe, Admission]]:
        found = ((pipe, self._pipes.admission(pipe)) for pipe in self._pipes)
        return [(pipe, admission) for pipe, admission in found if admission is not None]
