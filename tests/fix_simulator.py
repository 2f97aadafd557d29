"""Simulated controllers for tests, and the controller that the contract suite judges."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from jimm.simulator.core import Options
from jimm.simulator.server import Simulator
from tests.juju_client import Registration, Socket, logged_in
from tests.key_server import KeyServer

SimulatorFactory = Callable[..., Awaitable[Simulator]]


@pytest.fixture
async def simulator() -> AsyncIterator[SimulatorFactory]:
    """``await simulator(name="b", speed=50, …)``: a started controller on a free port, with the
    fields of :class:`~jimm.simulator.core.Options`; stopped when the test ends."""
    started: list[Simulator] = []

    async def start(**options: Any) -> Simulator:
        made = Simulator(Options(**{"speed": 20.0, **options}))
        started.append(made)
        await made.start()
        return made

    yield start
    for each in reversed(started):
        await each.stop()


@pytest.fixture
def key_server(tmp_path: Path) -> Iterator[KeyServer]:
    """A JWKS on HTTPS, and the keys behind it."""
    with KeyServer.running(tmp_path) as server:
        yield server


@pytest.fixture
async def controller(simulator: SimulatorFactory) -> Registration:
    """The controller that the contract suite is about: a simulated one, or the real one whose
    registration file ``JIMM_CONTRACT_CONTROLLER`` names."""
    real = os.environ.get("JIMM_CONTRACT_CONTROLLER")
    if real:
        return Registration.of(yaml.safe_load(Path(real).read_text()))
    return Registration.of((await simulator(name="judged")).registration())


@pytest.fixture
async def trusting(simulator: SimulatorFactory, key_server: KeyServer) -> Registration:
    """A simulated controller that trusts the key server's tokens."""
    made = await simulator(name="trusting", jwks_url=key_server.url, jwks_ca=key_server.ca_file)
    return Registration.of(made.registration())


@dataclass(frozen=True)
class BusyModel:
    """A model with something of everything, on a controller of its own."""

    controller: Registration
    path: str

    def socket(self, user: str = "", password: str = "") -> AbstractAsyncContextManager[Socket]:
        """A login on the model: the administrator's, or the one given."""
        return logged_in(self.controller, self.path, user=user, password=password)

    async def join(self, name: str, access: str) -> tuple[str, str]:
        """Gives a new local user a level on the model; their name and password."""
        password = f"{name}-password"
        async with logged_in(self.controller) as admin:
            user = {"username": name, "display-name": name, "password": password}
            await admin.call("UserManager", 3, "AddUser", {"users": [user]})
            change = {
                "user-tag": f"user-{name}",
                "action": "grant",
                "access": access,
                "model-tag": f"model-{self.path.split('/')[2]}",
            }
            await admin.call("ModelManager", 10, "ModifyModelAccess", {"changes": [change]})
        return name, password


@pytest.fixture
async def busy(simulator: SimulatorFactory) -> BusyModel:
    """The model of the scenario ``busy``, without its block on ``destroy-model``."""
    made = Registration.of((await simulator(name="busy", scenario="busy")).registration())
    async with logged_in(made) as admin:
        listed = await admin.call("Controller", 12, "AllModels")
    uuids = [each["model"]["uuid"] for each in listed["user-models"]]
    names = [each["model"]["name"] for each in listed["user-models"]]
    model = BusyModel(made, f"/model/{uuids[names.index('busy')]}/api")
    async with model.socket() as socket:
        await socket.call("Block", 2, "SwitchBlockOff", {"type": "BlockDestroy"})
    return model
