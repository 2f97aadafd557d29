"""Watching all models in a few words: one look at the registry serves every watcher here.

Nobody looks while nobody watches. A look asks for a digest, and reads the models only when that
has changed; what a watcher may see, and what is new to it, is worked out in memory.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from jimm.access.names import shown
from jimm.errors import WatcherStopped
from jimm.fleet.facts import lost
from jimm.net.tasks import Tasks
from jimm.registry import summaries
from jimm.registry.models import Model
from jimm.registry.relations import MAY_READ
from jimm.registry.session import Registry
from jimm.registry.summaries import Summary
from jimm.registry.words import EVERYONE, ModelState, Relation
from jimm.wire.params.model_summaries import ModelAbstract, ModelSummaryMessage, ModelSummarySize
from jimm.wire.tags import ModelUUID

log = logging.getLogger(__name__)

LOOK_EVERY: Final = 1.0
"""Seconds between looks while anybody watches."""

CONTROLLER: Final = "jimm"
"""The name that a controller would have."""

_GREEN: Final = frozenset({"", "available", "active", "idle"})
_RED: Final = frozenset({"error", "suspended", "unavailable"})


@dataclass(frozen=True, slots=True)
class _Known:
    """A model as everybody is told of it, and who may be told."""

    abstract: ModelAbstract
    owner: str
    readers: frozenset[str]

    def may_be_seen_by(self, identity: str) -> bool:
        return identity == self.owner or bool({identity, EVERYONE} & self.readers)


class Summaries:
    """The models as the last look found them, and who waits for the next one."""

    def __init__(self, registry: Registry, tasks: Tasks, *, local_domain: str) -> None:
        self._registry = registry
        self._tasks = tasks
        self._local_domain = local_domain
        self._digest = ""
        self._models: Mapping[ModelUUID, _Known] = {}
        self._watchers: set[Watcher] = set()
        self._joined = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    def watch(self, identity: str | None) -> "Watcher":
        """A watcher of the models that an identity may read; of all, for ``None``."""
        watcher = Watcher(self, identity)
        self._watchers.add(watcher)
        self._joined.set()
        if self._looking is None or self._looking.done():
            self._looking = self._tasks.spawn(self._look_on(), name="look at model summaries")
        return watcher

    def discard(self, watcher: "Watcher") -> None:
        """It wants to hear no more."""
        self._watchers.discard(watcher)

    def visible_to(self, identity: str | None) -> dict[ModelUUID, ModelAbstract]:
        """What the last look found of the models that an identity may read."""
        return {
            uuid: known.abstract
            for uuid, known in self._models.items()
            if identity is None or known.may_be_seen_by(identity)
        }

    async def _look_on(self) -> None:
        pause = 0.0
        while self._watchers:
            await self._somebody_joined(within=pause)
            try:
                await self._look()
                pause = LOOK_EVERY
            except Exception:
                log.exception("the models could not be read for those who watch; trying again")
                await asyncio.sleep(LOOK_EVERY)
        self._models, self._digest = {}, ""

    async def _somebody_joined(self, *, within: float) -> None:
        try:
            async with asyncio.timeout(within):
                await self._joined.wait()
        except TimeoutError:
            return

    async def _look(self) -> None:
        self._joined.clear()
        present = list(self._watchers)  # those who join meanwhile wait for the next look
        if await self._has_changed():
            for watcher in self._watchers:
                watcher.wake()
        for watcher in present:
            watcher.confirm()

    async def _has_changed(self) -> bool:
        async with self._registry.read() as session:
            digest = await summaries.digest(session)
            if digest == self._digest:
                return False
            found = await summaries.every(session)
        self._models = {each.model.uuid: _known(each, self._local_domain) for each in found}
        self._digest = digest
        return True


class Watcher:
    """What one client has been told."""

    def __init__(self, source: Summaries, identity: str | None) -> None:
        self._source = source
        self._identity = identity
        self._told: dict[ModelUUID, ModelAbstract] | None = None
        self._changed = asyncio.Event()
        self._is_sure = False
        self._stopped = False

    def confirm(self) -> None:
        """What the source knows is of a look that began after this watcher came."""
        if not self._is_sure:
            self._is_sure = True
            self._changed.set()

    def wake(self) -> None:
        """There may be something new."""
        self._changed.set()

    def stop(self) -> None:
        """Ends it, and whoever waits for it."""
        self._stopped = True
        self._source.discard(self)
        self._changed.set()

    async def next(self) -> list[ModelAbstract]:
        """What has changed since the last call, as soon as something has; the first call tells
        everything.

        Raises:
            WatcherStopped: it was stopped, before or meanwhile.
        """
        while not self._stopped:
            self._changed.clear()
            if self._is_sure:
                current = self._source.visible_to(self._identity)
                before, self._told = self._told, current
                changes = _changes(before or {}, current)
                if changes or before is None:
                    return changes
            await self._changed.wait()
        raise WatcherStopped


def _changes(
    before: Mapping[ModelUUID, ModelAbstract], now: Mapping[ModelUUID, ModelAbstract]
) -> list[ModelAbstract]:
    new = [each for uuid, each in now.items() if before.get(uuid) != each]
    gone = [
        ModelAbstract(uuid=uuid, removed=True, size=ModelSummarySize())
        for uuid in before
        if uuid not in now
    ]
    return [*new, *gone]


def _known(summary: Summary, local_domain: str) -> _Known:
    model = summary.model
    administrators = {
        subject
        for subject, relations in summary.held.items()
        if Relation.ADMINISTRATOR in relations and subject != EVERYONE
    }
    status, why = _status(summary)
    abstract = ModelAbstract(
        uuid=model.uuid,
        controller=CONTROLLER,
        name=model.name,
        admins=sorted(shown(each, local_domain) for each in administrators | {model.owner}),
        cloud=model.cloud,
        region=model.region,
        credential=_credential(model, local_domain),
        size=ModelSummarySize(machines=_count(model, "machines"), units=_count(model, "units")),
        status=status,
        messages=[ModelSummaryMessage(agent=model.name, message=why)] if why else [],
    )
    readers = frozenset(who for who, relations in summary.held.items() if relations & MAY_READ)
    return _Known(abstract, model.owner, readers)


def _status(summary: Summary) -> tuple[str, str]:
    """The colour and, unless it is green, the reason."""
    model = summary.model
    if why := lost(model.state):
        return "red", why
    if not summary.available:
        return "red", "its controller is away"
    if model.state is ModelState.DESTROYING or model.life != "alive":
        return "yellow", "it is being destroyed"
    if model.status in _GREEN:
        return "green", ""
    return ("red" if model.status in _RED else "yellow"), model.status_info or model.status


def _credential(model: Model, local_domain: str) -> str:
    if model.credential_owner is None or model.credential_name is None:
        return ""
    owner = shown(model.credential_owner, local_domain)
    return f"{model.cloud}/{owner}/{model.credential_name}"


def _count(model: Model, of: str) -> int:
    count = model.counts.get(of)
    return count if isinstance(count, int) else 0
