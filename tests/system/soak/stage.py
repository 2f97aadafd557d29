"""Replicas of `jimm serve` and simulated controllers, all as processes, on one database.

Everything is as in the real thing but the machines: any process may be killed, and what a
replica costs is read from the operating system and from Postgres.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import yaml
from sqlalchemy import text

from jimm import accounts
from jimm.net.tls import client_context
from jimm.registry import settings as kept_settings
from jimm.registry.authority import own_authority
from jimm.registry.crypto import Sealer, load_keys
from jimm.registry.session import Registry
from jimm.settings import Settings
from tests.eventually import eventually
from tests.juju_client import Registration, Socket, logged_in

PASSWORD = "a password of nobody's"
USERS = ("admin", "alice")
TICK = os.sysconf("SC_CLK_TCK")


class Cost(NamedTuple):
    """What JIMM has used until now: CPU seconds of its replicas, transactions and rows read."""

    cpu: float
    transactions: int
    rows: int

    def since(self, before: "Cost", count: int) -> "PerMigration":
        """The difference, shared among so many migrations."""
        return PerMigration(
            (self.cpu - before.cpu) / count,
            (self.transactions - before.transactions) / count,
            (self.rows - before.rows) / count,
        )


class PerMigration(NamedTuple):
    """What one migration costs JIMM."""

    cpu: float
    transactions: float
    rows: float


@dataclass
class Program:
    """A process that can be killed and started again."""

    arguments: Sequence[str]
    environment: dict[str, str]
    log: Path
    process: "asyncio.subprocess.Process | None" = None
    spent: float = 0.0

    async def start(self) -> None:
        """Starts it; whoever calls waits until it is ready."""
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "jimm", *self.arguments),
                env={**os.environ, **self.environment},
                stdout=log,
                stderr=log,
            )

    async def end(self, number: int = signal.SIGKILL) -> None:
        """Sends the signal and waits; what it has used is kept."""
        if self.process is None or self.process.returncode is not None:
            return
        self.spent += self._running_cpu()
        self.process.send_signal(number)
        await self.process.wait()

    @property
    def cpu(self) -> float:
        """CPU seconds of all its lives."""
        return self.spent + self._running_cpu()

    def _running_cpu(self) -> float:
        if self.process is None or self.process.returncode is not None:
            return 0.0
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK


@dataclass
class Stage:
    """JIMM's replicas, the first of which answers, and controllers by name."""

    registry: Registry
    folder: Path
    environment: dict[str, str]
    ports: list[int]
    ca: str
    replicas: list[Program] = field(default_factory=list)
    peers: dict[str, Program] = field(default_factory=dict)
    uuid: str = ""
    token: str = ""

    async def start_replica(self, number: int) -> None:
        """Starts a replica and waits until it is ready."""
        await self.replicas[number].start()
        await eventually(lambda: self._is_ready(number), deadline=60, interval=0.1)

    async def add_controller(self, name: str, *, speed: float, region: str = "north") -> None:
        """Starts a controller that trusts JIMM's tokens, and registers it."""
        registration = self.folder / f"{name}.yaml"
        trusted = f"https://127.0.0.1:{self.ports[0]}/.well-known/jwks.json"
        options = {
            "name": name,
            "port": "0",
            "speed": str(speed),
            "region": region,
            "state": str(self.folder / f"{name}.db"),
            "registration": str(registration),
            "jwks-url": trusted,
            "jwks-ca": str(self.folder / "ca.crt"),
        }
        arguments = ["simulate"] + [f"--{key}={value}" for key, value in options.items()]
        self.peers[name] = Program(arguments, {}, self.folder / f"{name}.log")
        await self.peers[name].start()
        await eventually(registration.exists, deadline=60, interval=0.1)
        port = self.registration(name)["api-addresses"][0].rpartition(":")[2]
        self.peers[name].arguments = [*arguments, f"--port={port}"]  # whenever it starts again
        async with self.rest() as rest:
            added = await rest.post("/v1/controllers", json=self.registration(name))
            assert added.status_code == 201, added.text

            async def is_connected() -> bool:
                shown = (await rest.get(f"/v1/controllers/{name}")).json()
                return bool(shown["status"]["status"] == "available")

            await eventually(is_connected, deadline=30, interval=0.1)

    async def retire_all_but(self, names: Sequence[str]) -> None:
        """Only these take new models from now on."""
        async with self.rest() as rest:
            for name in self.peers:
                change = {"deprecated": name not in names}
                answer = await rest.patch(f"/v1/controllers/{name}", json=change)
                assert answer.status_code == 200, answer.text

    async def revive(self, number: int) -> None:
        """Starts a replica if it was killed."""
        process = self.replicas[number].process
        if process is None or process.returncode is not None:
            await self.start_replica(number)

    def registration(self, name: str) -> Any:
        """What a controller says of itself."""
        return yaml.safe_load((self.folder / f"{name}.yaml").read_text())

    @asynccontextmanager
    async def rest(self, replica: int = 0) -> AsyncIterator[httpx.AsyncClient]:
        """A client of ``/v1``, the administrator's; its one token outlives the replicas."""
        async with httpx.AsyncClient(
            base_url=f"https://127.0.0.1:{self.ports[replica]}",
            verify=client_context(self.ca),
            timeout=60,
        ) as client:
            if not self.token:
                login = {"username": "admin", "password": PASSWORD}
                answer = await client.post("/v1/tokens", json=login)
                assert answer.status_code == 201, answer.text
                self.token = answer.json()["token"]
            client.headers["Authorization"] = f"Bearer {self.token}"
            yield client

    @asynccontextmanager
    async def socket(self, path: str = "/api", replica: int = 0) -> AsyncIterator[Socket]:
        """alice's socket to JIMM, logged in."""
        address = f"127.0.0.1:{self.ports[replica]}"
        place = Registration("jimm", self.uuid, address, self.ca, "alice", PASSWORD)
        async with logged_in(place, path) as opened:
            yield opened

    async def create(self, names: Sequence[str], *, at_once: int = 8, **more: Any) -> set[str]:
        """Models of alice's; their uuids. ``more`` are parameters of ``CreateModel``."""
        waiting, made = list(names), set[str]()

        async def work(opened: Socket) -> None:
            while waiting:
                params = {
                    "name": waiting.pop(),
                    "owner-tag": "user-alice",
                    "cloud-tag": "cloud-metro",
                    **more,
                }
                answer = await opened.call("ModelManager", 10, "CreateModel", params, deadline=60)
                made.add(answer["uuid"])

        async with AsyncExitStack() as stack:
            sockets = [await stack.enter_async_context(self.socket()) for _ in range(at_once)]
            async with asyncio.TaskGroup() as group:
                for opened in sockets:
                    group.create_task(work(opened))
        return made

    async def on_controllers(self) -> dict[str, list[str]]:
        """For each model the controllers that have it, as their own administrators see it."""
        found: dict[str, list[str]] = {}
        for name in self.peers:
            told = self.registration(name)
            async with logged_in(Registration.of(told)) as opened:
                rows = (await opened.call("Controller", 12, "AllModels"))["user-models"]
            for row in rows:
                if row["model"]["name"] != "controller":
                    found.setdefault(row["model"]["uuid"], []).append(name)
        return found

    async def in_registry(self) -> dict[str, str]:
        """Every model's controller, as JIMM remembers it."""
        return {
            str(uuid): name
            for uuid, name in await self.rows(
                "SELECT m.uuid, c.name FROM models m JOIN controllers c ON c.id = m.controller_id"
            )
        }

    async def rows(self, statement: str, **params: Any) -> Sequence[Any]:
        """What a query of the test's own finds."""
        async with self.registry.read() as session:
            return (await session.execute(text(statement), params)).all()

    async def cost(self) -> Cost:
        """What the replicas have used until now."""
        found = await self.rows(
            "SELECT xact_commit + xact_rollback, tup_returned + tup_fetched "
            "FROM pg_stat_database WHERE datname = current_database()"
        )
        return Cost(sum(each.cpu for each in self.replicas), *map(int, found[0]))

    async def _is_ready(self, number: int) -> bool:
        process = self.replicas[number].process
        assert process is not None
        assert process.returncode is None, self.replicas[number].log.read_text()[-4000:]
        url = f"https://127.0.0.1:{self.ports[number]}/readyz"
        try:
            async with httpx.AsyncClient(verify=client_context(self.ca)) as client:
                return (await client.get(url)).status_code == 200
        except httpx.TransportError:
            return False


@asynccontextmanager
async def stage(
    registry: Registry,
    database_url: str,
    folder: Path,
    changed: Mapping[str, str],
    *,
    replicas: int = 1,
    resting: int = 0,
) -> AsyncIterator[Stage]:
    """Running replicas with users, and without controllers yet; ``changed`` are variables of
    their environment. So many ``resting`` ones besides may be started later."""
    ports = _free_ports(replicas + resting)
    environment = {
        "JIMM_DATABASE_URL": database_url,
        "JIMM_SECRET_KEY_FILE": str(folder / "key"),
        **changed,
    }
    keys = load_keys(folder / "key", create=True)
    ca = (await own_authority(registry, Sealer(*keys))).certificate_pem
    (folder / "ca.crt").write_text(ca)
    made = Stage(registry, folder, environment, ports, ca)
    for number, port in enumerate(ports):
        listen = {"JIMM_LISTEN": f"127.0.0.1:{port}"}
        log = folder / f"jimm-{number}.log"
        made.replicas.append(Program(["serve"], {**environment, **listen}, log))
    settings = Settings.model_validate(
        {key.removeprefix("JIMM_").lower(): value for key, value in environment.items()}
    )
    for name in USERS:
        await accounts.add(settings, name, PASSWORD, admin=name == "admin")
    try:
        for number in range(replicas):
            await made.start_replica(number)
        async with registry.read() as session:
            made.uuid = await kept_settings.get(session, kept_settings.JIMM_UUID) or ""
        yield made
    finally:
        for each in [*made.replicas, *made.peers.values()]:
            await each.end()


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports
