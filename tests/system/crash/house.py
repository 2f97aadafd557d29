"""`jimm serve` as a process that can be killed, with two quick simulated controllers.

The database and the controllers stay while JIMM dies and comes back.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from sqlalchemy import text

from jimm import accounts
from jimm.net.tls import client_context
from jimm.registry import settings as kept_settings
from jimm.registry.authority import own_authority
from jimm.registry.crypto import Sealer, load_keys
from jimm.registry.session import Registry
from jimm.settings import Settings
from jimm.simulator.core import Options
from jimm.simulator.faults import Action, Fault
from jimm.simulator.server import Simulator
from tests.eventually import eventually
from tests.juju_client import Registration, Socket, logged_in

PASSWORD = "a password of nobody's"
USERS = ("admin", "alice")


class Trap(NamedTuple):
    """A fault, and the controller that it waits on."""

    on: str
    fault: Fault


@dataclass
class House:
    """JIMM at one address, and controllers ``a`` and ``b``."""

    registry: Registry
    folder: Path
    environment: dict[str, str]
    port: int
    ca: str = ""
    uuid: str = ""
    token: str = ""
    peers: dict[str, Simulator] = field(default_factory=dict)
    process: "asyncio.subprocess.Process | None" = None

    async def start(self) -> None:
        """Starts JIMM and waits until it is ready."""
        with (self.folder / "jimm.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "jimm", "serve"),
                env={**os.environ, **self.environment},
                stdout=log,
                stderr=log,
            )
        async with httpx.AsyncClient(verify=client_context(self.ca)) as client:
            await eventually(lambda: self._is_ready(client), deadline=30)

    async def kill(self) -> None:
        """SIGKILL; what it had is free for another at once, as it would be after a while."""
        self.send(signal.SIGKILL)
        assert self.process is not None
        await self.process.wait()
        async with self.registry.write() as session:
            for table, due in (("intents", "look_at"), ("migrations", "next_at")):
                lapsed = f"UPDATE {table} SET lease_expires = now(), {due} = now()"
                await session.execute(text(f"{lapsed} WHERE lease_owner IS NOT NULL"))

    def send(self, number: int) -> None:
        """A signal to JIMM."""
        assert self.process is not None
        self.process.send_signal(number)

    async def stop(self) -> int:
        """SIGTERM, and its exit status."""
        assert self.process is not None
        if self.process.returncode is None:
            self.send(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), 20)

    async def add_controller(self, name: str) -> None:
        """Starts a controller that trusts JIMM's tokens, and registers it."""
        peer = self.peers[name] = Simulator(
            Options(
                name=name,
                speed=20.0,
                state=self.folder / f"{name}.db",
                jwks_url=f"https://127.0.0.1:{self.port}/.well-known/jwks.json",
                jwks_ca=self.folder / "ca.crt",
            )
        )
        await peer.start()
        async with self.rest() as rest:
            added = await rest.post("/v1/controllers", json=peer.registration())
            assert added.status_code == 201, added.text

            async def is_connected() -> bool:
                shown = (await rest.get(f"/v1/controllers/{name}")).json()
                return bool(shown["status"]["status"] == "available")

            await eventually(is_connected)

    def fault(self, on: str, point: str, action: Action = "stall", **more: Any) -> Trap:
        """Makes something go wrong on a controller."""
        return Trap(on, self.peers[on].faults.add(Fault(point=point, action=action, **more)))

    async def reached(self, *traps: Trap) -> None:
        """Waits until one of these has caught something."""
        await eventually(
            lambda: any(trap.fault not in self.peers[trap.on].faults.list() for trap in traps)
        )

    def clear(self) -> None:
        """Whatever was held goes on."""
        for peer in self.peers.values():
            peer.faults.clear()

    @asynccontextmanager
    async def rest(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client of ``/v1``, the administrator's; its one token outlives JIMM's process."""
        async with httpx.AsyncClient(
            base_url=f"https://127.0.0.1:{self.port}", verify=client_context(self.ca), timeout=30
        ) as client:
            if not self.token:
                login = {"username": "admin", "password": PASSWORD}
                answer = await client.post("/v1/tokens", json=login)
                assert answer.status_code == 201, answer.text
                self.token = answer.json()["token"]
            client.headers["Authorization"] = f"Bearer {self.token}"
            yield client

    @asynccontextmanager
    async def socket(self, path: str = "/api") -> AsyncIterator[Socket]:
        """alice's socket to JIMM, logged in."""
        address = f"127.0.0.1:{self.port}"
        place = Registration("jimm", self.uuid, address, self.ca, "alice", PASSWORD)
        async with logged_in(place, path) as opened:
            yield opened

    async def on_controllers(self) -> list[tuple[str, str]]:
        """Every model and its controller, as each controller's own administrator sees them."""
        found = []
        for name, peer in self.peers.items():
            async with logged_in(Registration.of(peer.registration())) as opened:
                rows = (await opened.call("Controller", 12, "AllModels"))["user-models"]
            found += [(row["model"]["uuid"], name) for row in rows]
        own = {peer.store.controller.model_uuid for peer in self.peers.values()}
        return sorted(each for each in found if each[0] not in own)

    async def in_registry(self) -> list[tuple[str, str]]:
        """Every model and its controller, as JIMM tells."""
        async with self.rest() as rest:
            rows = (await rest.get("/v1/models")).json()["models"]
        return sorted((row["model-uuid"], row["controller-name"]) for row in rows)

    async def is_consistent(self) -> bool:
        """Whether each model exists once, JIMM says where, and nothing is left to be done."""
        there = await self.on_controllers()
        once = len({uuid for uuid, _ in there}) == len(there)
        return once and there == await self.in_registry() and not await self.open_work()

    async def open_work(self) -> list[str]:
        """The creations and migrations whose outcome is not known yet."""
        async with self.registry.read() as session:
            rows = await session.execute(
                text(
                    "SELECT kind || ' ' || request FROM intents "
                    "WHERE state = 'pending' AND kind = 'create' "
                    "UNION ALL SELECT id || ' ' || state FROM migrations WHERE ended IS NULL"
                )
            )
            return [row[0] for row in rows]

    async def begin(self) -> None:
        """An administrator has a model that does not move yet moved to the other controller."""
        async with self.rest() as rest:
            moving = {row["model-uuid"] for row in await self.migrations() if "ended" not in row}
            model, host = next(each for each in await self.in_registry() if each[0] not in moving)
            target = next(name for name in self.peers if name != host)
            asked = {"model": model, "controller": target}
            answer = await rest.post("/v1/migrations", json=asked)
            assert answer.status_code == 202, answer.text

    async def migrations(self) -> list[dict[str, Any]]:
        """All migrations, as JIMM tells."""
        async with self.rest() as rest:
            rows: list[dict[str, Any]] = (await rest.get("/v1/migrations")).json()["migrations"]
        return rows

    async def _is_ready(self, client: httpx.AsyncClient) -> bool:
        assert self.process is not None
        assert self.process.returncode is None, (self.folder / "jimm.log").read_text()
        try:
            answer = await client.get(f"https://127.0.0.1:{self.port}/readyz")
        except httpx.TransportError:
            return False
        return answer.status_code == 200


@asynccontextmanager
async def house(
    registry: Registry,
    database_url: str,
    folder: Path,
    *,
    users: Sequence[str] = USERS,
    workers: int = 1,
) -> AsyncIterator[House]:
    """JIMM with users, and without controllers yet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {
        "JIMM_DATABASE_URL": database_url,
        "JIMM_SECRET_KEY_FILE": str(folder / "key"),
        "JIMM_LISTEN": f"127.0.0.1:{port}",
        "JIMM_MIGRATIONS_AT_ONCE": "1",
        "JIMM_WORKERS": str(workers),
    }
    made = House(registry, folder, environment, port)
    keys = load_keys(folder / "key", create=True)
    made.ca = (await own_authority(registry, Sealer(*keys))).certificate_pem
    (folder / "ca.crt").write_text(made.ca)
    settings = Settings.model_validate(
        {key.removeprefix("JIMM_").lower(): value for key, value in environment.items()}
    )
    for name in users:
        await accounts.add(settings, name, PASSWORD, admin=name == "admin")
    try:
        await made.start()
        async with registry.read() as session:
            made.uuid = await kept_settings.get(session, kept_settings.JIMM_UUID) or ""
        yield made
    finally:
        made.clear()
        if made.process is not None and made.process.returncode is None:
            made.process.kill()
            await made.process.wait()
        for peer in made.peers.values():
            await peer.stop()
