"""Both kinds of sockets, the registry behind ``dev``, and a second replica on it."""

import os
import socket as sockets
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from jimm.access.devices import DeviceLogins
from jimm.access.tokens import SessionTokens
from jimm.dev.run import DATABASE
from jimm.net.tls import client_context
from jimm.registry.embedded import EmbeddedPostgres, cluster_folder
from jimm.registry.session import Registry
from tests.fix_dev import Dev
from tests.juju_client import Registration, Socket, dialled
from tests.system.facades.test_access import create, destroy
from tests.system.rest.scene import client_of
from tests.waiting import wait_until


@dataclass(frozen=True)
class House:
    """What stands in a replica's place for the raw client; ``path`` is the socket's."""

    registration: Registration
    path: str

    @property
    def is_model(self) -> bool:
        """Whether it is a model's socket."""
        return self.path.startswith("/model/")

    def socket(self, **headers: str) -> AbstractAsyncContextManager[Socket]:
        """A socket on which nobody has logged in."""
        shown = {name.replace("_", "-"): value for name, value in headers.items()}
        return dialled(self.registration, self.path, headers=shown)


@dataclass(frozen=True)
class Account:
    """A service account."""

    client_id: str
    secret: str

    @property
    def params(self) -> dict[str, str]:
        """How it logs in with ``Admin`` 4."""
        return {"client-id": self.client_id, "client-secret": self.secret}


@pytest.fixture
async def registry(dev: Dev) -> AsyncIterator[Registry]:
    """The registry of ``dev``."""
    opened = Registry(EmbeddedPostgres(cluster_folder(dev.folder)).url(DATABASE))
    yield opened
    await opened.aclose()


@pytest.fixture
def tokens(registry: Registry) -> SessionTokens:
    return SessionTokens(registry, _now)


@pytest.fixture
def page(registry: Registry, tokens: SessionTokens) -> DeviceLogins:
    """A page on which codes are entered; no replica of ``dev`` serves it."""
    return DeviceLogins(registry, tokens, _now)


@pytest.fixture
async def model(dev: Dev) -> AsyncIterator[str]:
    """The uuid of a model of alice's."""
    async with dev.socket() as alice:
        made = str((await create(alice))["uuid"])
    yield made
    async with dev.socket() as alice:
        await destroy(alice, made)


@pytest.fixture(params=["api", "model"])
async def house(dev: Dev, model: str, request: pytest.FixtureRequest) -> House:
    """``/api``, and a model's socket."""
    path = "/api" if request.param == "api" else f"/model/{model}/api"
    return House(dev.registration(), path)


@pytest.fixture(scope="session")
def second(dev: Dev) -> Iterator[Registration]:
    """Another replica on the database of ``dev``."""
    environment = dict(os.environ) | _environment(dev)
    with sockets.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    environment["JIMM_LISTEN"] = address
    command = [sys.executable, "-m", "jimm", "serve"]
    with (dev.folder.parent / "second.log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    url, context = f"https://{address}/readyz", client_context(dev.ca)

    def is_ready() -> bool:
        assert process.poll() is None, "the second replica ended before it was ready"
        try:
            return httpx.get(url, verify=context).is_success
        except httpx.TransportError:
            return False

    try:
        wait_until(is_ready, deadline=30)
        yield replace(dev.registration(), address=address)
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
async def account(dev: Dev) -> AsyncIterator[Account]:
    """A service account, gone at the end."""
    async with client_of(dev, "admin") as admin:
        answer = await admin.post("/service-accounts", json={"name": f"ci-{uuid.uuid4().hex[:8]}"})
        assert answer.status_code == 201, answer.text
        made = answer.json()
        yield Account(made["client-id"], made["client-secret"])
        await admin.delete(f"/service-accounts/{made['client-id']}")


def _environment(dev: Dev) -> dict[str, str]:
    pid = dev.described["pids"]["jimm"][0]
    lines = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(each.split("=", 1) for each in lines if each.startswith("JIMM_"))


def _now() -> datetime:
    return datetime.now(UTC)
