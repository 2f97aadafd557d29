"""One stage for many cases: replicas and two controllers as processes, on one database, and all
that may be done to them."""

import asyncio
import signal
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from jimm.registry.session import Registry
from tests.system.migration_matrix.door import Door
from tests.system.migration_matrix.postgres import Database, OwnServer
from tests.system.soak.stage import Stage, stage

SOURCE: Final = "a"
TARGET: Final = "b"
SPEED: Final = 50.0
ROOM: Final = "40"
LIMITS: Final[Mapping[str, str]] = {
    "JIMM_MIGRATIONS_PER_SOURCE": ROOM,
    "JIMM_MIGRATIONS_PER_TARGET": ROOM,
    "JIMM_MIGRATIONS_AT_ONCE": ROOM,
}


class Pair(NamedTuple):
    """A source and a target, alone in their region."""

    source: str
    target: str

    @property
    def region(self) -> str:
        """Where models for this source are made."""
        return f"region-{self.source}"

    @classmethod
    def of(cls, number: int) -> "Pair":
        """The first one is ``a`` and ``b``."""
        suffix = str(number) if number else ""
        return cls(SOURCE + suffix, TARGET + suffix)


@dataclass
class Theatre:
    """Replica 0 works and answers; replica 1 rests until it is needed; ``replica`` is
    the one that is asked. ``server`` is the database's, where it has one of its own."""

    stage: Stage
    database: Database
    doors: Mapping[str, Door]
    pairs: Sequence[Pair]
    clients: AsyncExitStack
    server: OwnServer | None = None
    patient: bool = True
    replica: int = 0
    _rest: httpx.AsyncClient | None = None
    _made: int = 0

    # What JIMM says

    @property
    def rest(self) -> httpx.AsyncClient:
        """The administrator's client of the replica that works."""
        assert self._rest is not None
        return self._rest

    async def listen_to(self, replica: int) -> None:
        """From now on that replica is asked."""
        await self.clients.aclose()
        self._rest = await self.clients.enter_async_context(self.stage.rest(replica))
        self.replica = replica

    async def rows(self, statement: str, **params: Any) -> Sequence[Any]:
        """What the test's own query finds; nothing while the database is away."""
        try:
            return await self.stage.rows(statement, **params)
        except (DBAPIError, OSError, TimeoutError):
            return []

    async def fences(self, ids: Collection[str]) -> dict[str, int]:
        """How often each migration was claimed; an administrator's word counts too."""
        found = await self.rows(
            "SELECT id, fence FROM migrations WHERE id = ANY(CAST(:ids AS uuid[]))", ids=list(ids)
        )
        return {str(row[0]): int(row[1]) for row in found}

    async def create(self, pairs: Sequence[Pair]) -> list[str]:
        """A new model with a unit for each of these, on its source."""
        targets = {each.target for each in pairs}
        await self._deprecate(targets, deprecated=True)
        made = [await self._create(each) for each in pairs]
        await self._deprecate(targets, deprecated=False)
        return made

    async def _create(self, pair: Pair) -> str:
        self._made += 1
        config = {"simulated-applications": "ubuntu:1"}
        made = await self.stage.create(
            [f"m{self._made}"], at_once=1, region=pair.region, config=config
        )
        return made.pop()

    async def _deprecate(self, names: Collection[str], *, deprecated: bool) -> None:
        for name in names:
            change = {"deprecated": deprecated}
            answer = await self.rest.patch(f"/v1/controllers/{name}", json=change)
            assert answer.status_code == 200, answer.text

    async def lapse(self) -> None:
        """Unless there is time to wait for it, every lease is over, and every pause."""
        if self.patient:
            return
        leased = "lease_expires = CASE WHEN lease_owner IS NULL THEN NULL ELSE now() END"
        async with self.stage.registry.write() as session:
            await session.execute(
                text(f"UPDATE migrations SET next_at = now(), {leased} WHERE ended IS NULL")
            )

    # Controllers

    async def start_again(self, name: str) -> None:
        """A controller that died comes back."""
        peer = self.stage.peers[name]
        if peer.process is None or peer.process.returncode is None:
            return
        await peer.start()
        await self.doors[name].reopen()

    async def is_noticed(self, name: str) -> bool:
        """Whether JIMM knows that a controller is away."""
        shown = (await self.rest.get(f"/v1/controllers/{name}")).json()
        return bool(shown["status"]["status"] != "available")

    # Replicas

    def send(self, replica: int, number: int) -> None:
        """Sends a replica a signal."""
        process = self.stage.replicas[replica].process
        assert process is not None
        process.send_signal(number)

    def log(self, replica: int) -> str:
        """All that a replica has said."""
        return self.stage.replicas[replica].log.read_text()

    async def restore(self) -> None:
        """All as it was: nothing is held or away, and replica 0 works alone."""
        if self.server is not None:
            self.server.wire.keeping = False
            await asyncio.to_thread(self.server.start)
        await asyncio.to_thread(lambda: self.database.allow(connections=True))
        for name, peer in self.stage.peers.items():
            if peer.process is not None and peer.process.returncode is None:
                peer.process.send_signal(signal.SIGCONT)
            await self.start_again(name)
            await self.doors[name].clear()
        await self.stage.revive(0)
        self.send(0, signal.SIGCONT)
        await self.listen_to(0)
        await self.stage.replicas[1].end(signal.SIGTERM)


@asynccontextmanager
async def theatre(
    registry: Registry,
    database: Database,
    folder: Path,
    replicas_url: str = "",
    *,
    server: OwnServer | None = None,
    pairs: int = 1,
    patient: bool = True,
) -> AsyncIterator[Theatre]:
    """A stage with its controllers; the replicas may have another way to the database."""
    url = replicas_url or database.url
    async with AsyncExitStack() as stack:
        found = await stack.enter_async_context(stage(registry, url, folder, LIMITS, resting=1))
        every = [Pair.of(number) for number in range(pairs)]
        async with asyncio.TaskGroup() as group:
            for pair in every:
                for name in pair:
                    adding = found.add_controller(name, speed=SPEED, region=pair.region)
                    group.create_task(adding)
        doors = {name: Door(found.registration(name)) for pair in every for name in pair}
        for door in doors.values():
            stack.push_async_callback(door.aclose)
        clients = await stack.enter_async_context(AsyncExitStack())
        made = Theatre(found, database, doors, every, clients, server, patient)
        await made.listen_to(0)
        yield made
