"""Simulated controllers for tests, and the controller that the contract suite judges."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from jimm.simulator.core import Options
from jimm.simulator.server import Simulator
from tests.juju_client import Registration
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
