"""A fleet over simulated controllers, in this process, that is quick to look again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from jimm.controllers import deadlines
from jimm.fleet import creation, reconcile
from jimm.fleet.caller import Caller
from jimm.fleet.creation import Created, NewModel
from jimm.fleet.fleet import Fleet
from jimm.fleet.placing import Wanted
from jimm.fleet.reconcile import Reconciler
from jimm.net.tasks import Tasks
from jimm.registry import audit, identities, models, placements, relations
from jimm.registry.audit import AuditEvent
from jimm.registry.controllers import Controller
from jimm.registry.crypto import Sealer
from jimm.registry.models import Model
from jimm.registry.placements import Placement
from jimm.registry.relations import Object
from jimm.registry.words import Relation
from jimm.simulator.core import Options
from jimm.simulator.faults import Action, Fault
from jimm.simulator.server import Simulator
from jimm.wire.tags import CredentialId, ModelUUID
from tests.eventually import eventually
from tests.fix_fleet import ADMIN, ALICE, BOB, connected, register, running_fleet


@dataclass
class Scene:
    """Controllers by name, and what they and the registry hold."""

    fleet: Fleet
    folder: Path
    peers: dict[str, Simulator] = field(default_factory=dict)
    controllers: dict[str, Controller] = field(default_factory=dict)

    async def start(self, name: str, **options: Any) -> Controller:
        """Starts a controller and registers it."""
        await self.simulate(name, **options)
        self.controllers[name] = await register(self.fleet, self.peers[name])
        return self.controllers[name]

    async def simulate(self, name: str, **options: Any) -> Simulator:
        """Starts a controller that nobody has registered."""
        state = self.folder / f"{name}.db"
        self.peers[name] = Simulator(
            Options(**{"name": name, "speed": 100.0, "state": state, **options})
        )
        await self.peers[name].start()
        return self.peers[name]

    async def restart(self, name: str) -> None:
        """Starts a stopped controller again, at its address and with its state."""
        before = self.peers[name]
        port = int(str(address(before)).rpartition(":")[2])
        state = self.folder / f"{name}.db"
        self.peers[name] = Simulator(Options(name=name, speed=100.0, state=state, port=port))
        await self.peers[name].start()
        await connected(self.fleet, self.controllers[name])

    def fault(self, on: str, point: str, action: Action, **more: Any) -> Fault:
        """Makes something go wrong on a controller."""
        return self.peers[on].faults.add(Fault(point=point, action=action, **more))

    async def create(
        self,
        name: str = "m1",
        caller: Caller = ALICE,
        *,
        owner: str = "",
        on: str = "",
        cloud: str = "",
        region: str = "",
        credential: CredentialId | None = None,
    ) -> Created:
        """Creates a model through the use case."""
        new = NewModel(
            name=name,
            owner=owner or caller.identity,
            wanted=Wanted(cloud, region, on),
            credential=credential,
            config={},
        )
        return await creation.create(self.fleet, caller, new)

    def there(self, on: str) -> dict[str, ModelUUID]:
        """The models that a controller has, by name, but for its own."""
        store = self.peers[on].store
        own = store.controller.model_uuid
        return {model.name: uuid for uuid, model in store.models.items() if uuid != own}

    async def registered(self, model: ModelUUID) -> Model:
        """A model as the registry has it."""
        async with self.fleet.registry.read() as session:
            return await models.by_uuid(session, model)

    async def listed(self) -> dict[str, Model]:
        """What the registry shows to everybody together, by name."""
        async with self.fleet.registry.read() as session:
            found = await models.visible(session, "", admin=True)
        return {each.model.name: each.model for each in found}

    async def change_cloud(self, name: str, definition: str, kind: str = "manual") -> None:
        """Makes JIMM know something else of a cloud; ``definition`` is JSON."""
        change = text(
            "UPDATE clouds SET type = :kind, definition = definition || CAST(:given AS jsonb)"
            " WHERE name = :name"
        )
        async with self.fleet.registry.write() as session:
            await session.execute(change, {"name": name, "given": definition, "kind": kind})

    async def open_intents(self) -> int:
        """How many intents are not settled."""
        async with self.fleet.registry.read() as session:
            count = text("SELECT count(*) FROM intents WHERE state = 'pending'")
            return int(await session.scalar(count) or 0)

    async def placements(self) -> list[Placement]:
        """The recorded decisions, newest first."""
        async with self.fleet.registry.read() as session:
            return await placements.page(session)

    async def trail(self) -> list[AuditEvent]:
        """The audit trail, newest first."""
        async with self.fleet.registry.read() as session:
            return await audit.page(session)

    async def until_gone(self, on: str, name: str) -> None:
        """Waits until a controller has no such model."""
        await eventually(lambda: name not in self.there(on))

    @asynccontextmanager
    async def reconciling(self) -> AsyncIterator[Reconciler]:
        """The reconciler for the length of a block."""
        tasks, reconciler = Tasks(), Reconciler(self.fleet)
        tasks.spawn(reconciler.run(), name="reconcile")
        try:
            yield reconciler
        finally:
            await tasks.aclose()


def address(peer: Simulator) -> str:
    """Where a controller listens."""
    found: Any = peer.registration()["api-addresses"]
    return str(found[0])


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks come soon and waits end soon."""
    monkeypatch.setattr(creation, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(creation, "GIVE_UP_ON_AWAY", 0.1)
    monkeypatch.setattr(reconcile, "POLL", 0.02)
    monkeypatch.setattr(reconcile, "AGAIN", 0.02)
    monkeypatch.setattr(reconcile, "CERTAIN_AFTER", 0.2)
    monkeypatch.setattr(deadlines, "CREATE_MODEL", 1.0)


@pytest.fixture
async def empty(database_url: str, sealer: Sealer, tmp_path: Path) -> AsyncIterator[Scene]:
    """A fleet without controllers."""
    async with running_fleet(database_url, sealer) as fleet:
        made = Scene(fleet, tmp_path)
        async with fleet.registry.write() as session:
            for who in (ADMIN, ALICE, BOB):
                await identities.add(session, who.identity)
            await relations.add(session, ADMIN.identity, Relation.ADMINISTRATOR, Object.jimm())
        try:
            yield made
        finally:
            for peer in made.peers.values():
                await peer.stop()


@pytest.fixture
async def scene(empty: Scene) -> Scene:
    """Controllers a and b, both of password trust, in metro/north."""
    await empty.start("a")
    await empty.start("b")
    return empty
