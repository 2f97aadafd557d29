"""`jimm dev` as a fixture: JIMM and simulated controllers in processes of their own."""

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from jimm.net.tls import client_context
from jimm.registry.embedded import EmbeddedPostgres, cluster_folder
from tests.juju_client import Registration, Socket, logged_in
from tests.waiting import wait_until

READY_WITHIN = 60.0

LIBJUJU_WITHIN = 120.0
"""Seconds for all that a test does with libjuju, none of whose waits has a deadline: a reply that
was lost with its connection is waited for until the end of time."""


@dataclass
class Dev:
    """A `jimm dev` under the test's control; its folder survives its stops."""

    folder: Path
    port: int
    controllers: int
    speed: float
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Starts it and waits until it says that it is ready."""
        command = [sys.executable, "-m", "jimm", "dev", "--data", str(self.folder)]
        command += ["--port", str(self.port), "--controllers", str(self.controllers)]
        command += ["--speed", str(self.speed)]
        (self.folder / "dev.json").unlink(missing_ok=True)  # of one that was killed
        with (self.folder.parent / f"{self.folder.name}.log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_until(self._is_ready, deadline=READY_WITHIN)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Signals it and waits for its end; the exit status."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(30)

    def destroy(self) -> None:
        """Ends whatever is left, the database with it."""
        if self.process is not None and self.process.poll() is None:
            self.stop()
        EmbeddedPostgres(cluster_folder(self.folder)).destroy()
        shutil.rmtree(self.folder.parent, ignore_errors=True)

    @property
    def described(self) -> dict[str, Any]:
        """What `dev.json` says."""
        found: dict[str, Any] = json.loads((self.folder / "dev.json").read_text())
        return found

    @property
    def address(self) -> str:
        """JIMM's own."""
        return f"127.0.0.1:{self.port}"

    @property
    def ca(self) -> str:
        """The PEM of JIMM's authority."""
        return Path(self.described["ca_cert"]).read_text()

    def password(self, user: str) -> str:
        """A user's password."""
        found = next(each for each in self.described["users"] if each["name"] == user)
        return str(found["password"])

    def registration(self) -> Registration:
        """JIMM in a controller's place, for the raw client."""
        return Registration.of(
            {
                "name": "jimm",
                "uuid": self.described["jimm_uuid"],
                "api-addresses": [self.address],
                "ca-certificate": self.ca,
                "username": "admin",
                "password": self.password("admin"),
            }
        )

    @asynccontextmanager
    async def socket(self, user: str = "alice", path: str = "/api") -> AsyncIterator[Socket]:
        """The raw client, logged in."""
        async with logged_in(
            self.registration(), path, user=user, password=self.password(user)
        ) as found:
            yield found

    @asynccontextmanager
    async def libjuju(self, user: str = "alice") -> AsyncIterator[Any]:
        """An unmodified python-libjuju, connected as anybody would connect it."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from juju.controller import Controller
        controller = Controller()
        async with asyncio.timeout(LIBJUJU_WITHIN):
            await controller.connect(
                endpoint=self.address, cacert=self.ca, username=user, password=self.password(user)
            )
            try:
                yield controller
            finally:
                async with asyncio.timeout(20):
                    await controller.disconnect()

    def jimmctl(self, *arguments: str, user: str = "admin") -> subprocess.CompletedProcess[str]:
        """The administrator's tool, run to its end."""
        environment = {
            **os.environ,
            "JIMMCTL_ADDRESS": self.address,
            "JIMMCTL_CA_CERT": self.described["ca_cert"],
            "JIMMCTL_USER": user,
            "JIMMCTL_PASSWORD": self.password(user),
        }
        return subprocess.run(
            [sys.executable, "-m", "jimmctl", *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def asked(self, *arguments: str, user: str = "admin") -> Any:
        """What jimmctl says, read; it must succeed."""
        done = self.jimmctl(*arguments, "--format", "json", user=user)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def rest(self, user: str = "admin") -> httpx.Client:
        """A client of `/v1` with a token; close it."""
        client = httpx.Client(
            base_url=f"https://{self.address}/v1", verify=client_context(self.ca), timeout=30
        )
        login = {"username": user, "password": self.password(user)}
        answer = client.post("/tokens", json=login)
        assert answer.status_code == 201, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        return client

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, "jimm dev ended before it was ready"
        return (self.folder / "dev.json").exists()


def make(*, controllers: int = 3, speed: float = 10.0) -> Dev:
    """One that is not started yet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    folder = Path(tempfile.mkdtemp(prefix="jimm-test-")) / "dev"
    folder.mkdir()
    return Dev(folder, port, controllers, speed)


@pytest.fixture(scope="session")
def dev() -> Iterator[Dev]:
    """One for all tests that leave it as they found it: four controllers, quick ones.

    The third runs a newer patch version, so models go there and not back.
    """
    made = make(controllers=4)
    try:
        made.start()
        yield made
    finally:
        made.destroy()


@pytest.fixture
def own_dev() -> Iterator[Dev]:
    """One for a test that kills, not started yet."""
    made = make()
    try:
        yield made
    finally:
        made.destroy()
