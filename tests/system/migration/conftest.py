"""Two simulated controllers, registered, and a worker that is quick."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jimm.fleet.fleet import Fleet
from jimm.migration import requests
from jimm.migration.pace import Pace
from jimm.migration.worker import Worker
from jimm.net.tasks import Tasks
from jimm.registry import migrations, models
from jimm.registry.controllers import Controller
from jimm.registry.crypto import Sealer
from jimm.registry.migrations import Migration, MigrationEvent
from jimm.registry.models import Model
from jimm.simulator.core import Options
from jimm.simulator.faults import Action, Fault
from jimm.simulator.server import Simulator
from jimm.wire.tags import ModelUUID
from tests.eventually import eventually
from tests.fix_fleet import ADMIN, add_model, register, running_fleet

QUICK = Pace(poll=0.005, away=0.05, stuck=0.05, beat=0.1, unclear=1.0)


@dataclass
class Scene:
    """Controllers ``a`` and ``b``; ``moved`` are the models whose pipes were ended."""

    fleet: Fleet
    folder: Path
    peers: dict[str, Simulator] = field(default_factory=dict)
    controllers: dict[str, Controller] = field(default_factory=dict)
    moved: list[ModelUUID] = field(default_factory=list)

    async def start(self, name: str, **options: Any) -> None:
        """Starts a controller and registers it."""
        state = self.folder / f"{name}.db"
        self.peers[name] = Simulator(
            Options(**{"name": name, "speed": 50.0, "state": state, **options})
        )
        await self.peers[name].start()
        self.controllers[name] = await register(self.fleet, self.peers[name])

    async def model(self, name: str = "m1", on: str = "a") -> ModelUUID:
        """A live model of alice's."""
        return await add_model(self.fleet, self.controllers[on], name)

    def fault(self, on: str, point: str, action: Action, **more: Any) -> Fault:
        """Makes something go wrong on a controller."""
        return self.peers[on].faults.add(Fault(point=point, action=action, **more))

    def hosts(self, model: ModelUUID) -> list[str]:
        """The controllers that have the model, half imports included."""
        return [name for name, peer in self.peers.items() if model in peer.store.models]

    async def registered(self, model: ModelUUID) -> Model:
        """The model as the registry has it."""
        async with self.fleet.registry.read() as session:
            return await models.by_uuid(session, model)

    async def request(self, model: ModelUUID, to: str = "b") -> Migration:
        """An administrator asks for a migration."""
        return await requests.request(self.fleet, ADMIN, model, to)

    async def get(self, migration: Migration) -> Migration:
        """The migration as it is now."""
        async with self.fleet.registry.read() as session:
            return await migrations.by_id(session, migration.id)

    async def until(self, migration: Migration, *states: str) -> Migration:
        """The migration once it is in one of these states, or over."""

        async def there() -> Migration | None:
            now = await self.get(migration)
            return now if now.state.value in states or now.ended is not None else None

        found: Migration | None = await eventually(there, deadline=60)
        assert found is not None
        assert not states or found.state.value in states, found
        return found

    async def history(self, migration: Migration) -> list[MigrationEvent]:
        """All its events."""
        async with self.fleet.registry.read() as session:
            return await migrations.events(session, migration.id)

    @asynccontextmanager
    async def working(
        self, fleet: Fleet | None = None, pace: Pace = QUICK
    ) -> AsyncIterator[Worker]:
        """A worker for the length of a block."""

        async def on_moved(model: ModelUUID) -> None:
            self.moved.append(model)

        worker = Worker(fleet or self.fleet, on_moved, pace=pace)
        tasks = Tasks()
        tasks.spawn(worker.run(), name="worker")
        try:
            yield worker
        finally:
            await tasks.aclose()


@pytest.fixture
async def scene(database_url: str, sealer: Sealer, tmp_path: Path) -> AsyncIterator[Scene]:
    """Controllers a and b, and no worker yet."""
    async with running_fleet(database_url, sealer, migrations_per_source=2) as fleet:
        made = Scene(fleet, tmp_path)
        try:
            await made.start("a")
            await made.start("b")
            yield made
        finally:
            for peer in made.peers.values():
                await peer.stop()
