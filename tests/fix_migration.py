"""Two simulated controllers with a model that can move from one to the other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jimm.simulator.core import Options
from jimm.simulator.faults import Action, Fault
from jimm.simulator.server import Simulator
from jimm.simulator.state import Model
from jimm.simulator.store import Change
from jimm.wire.tags import ModelUUID
from tests.eventually import eventually
from tests.juju_client import Refused, Registration, Socket, logged_in

SPEED = 50.0


@dataclass
class Scene:
    """Controllers by name, and what the source of a migration said."""

    folder: Path
    controllers: dict[str, Simulator] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)

    async def start(self, name: str, **options: Any) -> Simulator:
        """Starts a controller whose state is kept, so that it can be revived."""
        state = self.folder / f"{name}.db"
        made = Simulator(Options(**{"name": name, "state": state, "speed": SPEED, **options}))
        self.controllers[name] = made
        await made.start()
        made.store.listen(self._hear)
        return made

    async def revive(self, name: str, **options: Any) -> Simulator:
        """Ends a controller as by SIGKILL, if it is not dead already, and starts it again on
        its port and its state."""
        dead = self.controllers[name]
        await dead.kill()
        port = int(dead.address.rpartition(":")[2])
        return await self.start(name, port=port, **options)

    def registration(self, name: str) -> Registration:
        """Where a controller is."""
        return Registration.of(self.controllers[name].registration())

    def fault(self, name: str, point: str, action: Action, **more: Any) -> Fault:
        """Makes something go wrong on a controller."""
        return self.controllers[name].faults.add(Fault(point=point, action=action, **more))

    @asynccontextmanager
    async def admin(self, name: str) -> AsyncIterator[Socket]:
        """An administrator's socket on ``/api``."""
        async with logged_in(self.registration(name)) as socket:
            yield socket

    async def create(self, name: str = "m", *, on: str = "a", **more: Any) -> ModelUUID:
        """A new model of the administrator's."""
        params = {"name": name, "owner-tag": "user-admin", **more}
        async with self.admin(on) as socket:
            made = await socket.call("ModelManager", 10, "CreateModel", params)
        return ModelUUID(made["uuid"])

    async def info(self, model: ModelUUID, *, on: str = "a") -> dict[str, Any]:
        """The administrator's ``ModelInfo`` of a model.

        Raises:
            Refused: its row is an error.
        """
        params = {"entities": [{"tag": f"model-{model}"}]}
        async with self.admin(on) as socket:
            row = (await socket.call("ModelManager", 10, "ModelInfo", params))["results"][0]
        if "error" in row:
            raise Refused(row["error"]["message"], row["error"]["code"], row["error"].get("info"))
        found: dict[str, Any] = row["result"]
        return found

    def target_info(self, to: str = "b", **changes: Any) -> dict[str, Any]:
        """How to log in at the target."""
        target = self.registration(to)
        info = {
            "controller-tag": f"controller-{target.uuid}",
            "controller-alias": to,
            "addrs": [target.address],
            "ca-cert": target.ca,
            "auth-tag": f"user-{target.user}",
            "password": target.password,
        }
        return {**info, **changes}

    async def initiate(
        self, model: str, *, on: str = "a", to: str = "b", dry_run: bool = False, **changes: Any
    ) -> dict[str, Any]:
        """The row that ``InitiateMigration`` answers."""
        info = self.target_info(to, **changes)
        spec = {"model-tag": f"model-{model}", "target-info": info}
        params = {"specs": [spec], "dry-run": dry_run}
        async with self.admin(on) as socket:
            result = await socket.call("Controller", 12, "InitiateMigration", params, deadline=30)
        row: dict[str, Any] = result["results"][0]
        return row

    async def refusal(self, model: str, **options: Any) -> tuple[str, str]:
        """Text and code of a migration that may not start."""
        row = await self.initiate(model, **options)
        assert row["migration-id"] == ""
        return row["error"]["message"], row["error"]["code"]

    async def migrate(self, model: ModelUUID, *, on: str = "a", to: str = "b") -> str:
        """Starts a migration and waits for its end; gives its id."""
        row = await self.initiate(model, on=on, to=to)
        assert "error" not in row, row
        await self.ended(model, on=on)
        migration_id: str = row["migration-id"]
        return migration_id

    async def ended(self, model: ModelUUID, *, on: str = "a") -> None:
        """Waits until no attempt of the model is under way."""
        await eventually(lambda: self.is_over(model, on=on), deadline=60)

    def is_over(self, model: ModelUUID, *, on: str = "a") -> bool:
        """Whether no attempt of the model is under way."""
        found = self.controllers[on].store.models.get(model)
        return found is None or found.migration is None or not found.migration.is_active

    async def said(self, message: str) -> None:
        """Waits until the source has said something."""
        await eventually(lambda: message in self.messages, deadline=60)

    def model(self, model: ModelUUID, on: str) -> Model:
        """A model as a controller remembers it."""
        return self.controllers[on].store.models[model]

    def has(self, model: ModelUUID, on: str) -> bool:
        """Whether a controller has the model."""
        return model in self.controllers[on].store.models

    def has_moved(self, model: ModelUUID) -> bool:
        """Whether the model lives on b, and a has nothing of it left."""
        there = self.controllers["b"].store.models.get(model)
        return there is not None and there.mode == "" and not self.has(model, "a")

    def is_back(self, model: ModelUUID) -> bool:
        """Whether the model lives on a, and b has nothing of it left."""
        here = self.controllers["a"].store.models.get(model)
        return here is not None and here.mode == "" and not self.has(model, "b")

    def reason(self, model: ModelUUID) -> str:
        """Why the last attempt was aborted."""
        record = self.model(model, "a").migration
        assert record is not None
        prefix = "aborted, removing model from target controller: "
        assert record.message.startswith(prefix), record.message
        return record.message.removeprefix(prefix)

    def _hear(self, change: Change) -> None:
        before = change.before.migration if isinstance(change.before, Model) else None
        after = change.after.migration if isinstance(change.after, Model) else None
        if after is None or after.message_since == (before and before.message_since):
            return
        self.messages.append(after.message)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """Controllers a and b, and whatever is started besides."""
    made = Scene(tmp_path)
    await asyncio.gather(made.start("a"), made.start("b"))
    yield made
    await asyncio.gather(*(each.stop() for each in made.controllers.values()))
