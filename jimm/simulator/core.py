"""What every part of a simulated controller shares: state, clock, faults, open connections.

:class:`~jimm.simulator.server.Simulator` is this with a socket. Facades and the migration know
only this class.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from starlette.requests import HTTPConnection

from jimm.net.tasks import Tasks
from jimm.simulator.blobs import Blobs
from jimm.simulator.clock import Clock
from jimm.simulator.dialects import Release
from jimm.simulator.faults import Faults
from jimm.simulator.logbook import Logbook
from jimm.simulator.state import Model
from jimm.simulator.store import Change, Identity, Store
from jimm.wire.params.admin import HostPort
from jimm.wire.tags import ControllerUUID, ModelUUID

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a controller is simulated.

    ``version`` decides how it behaves: Juju 3.6, 4.0 or 4.1. ``advertise`` is the host name
    that clients are told (default: ``host``); ``jwks_ca`` is a
    PEM file's path, ``None`` for the system's roots; ``speed`` divides every duration;
    ``cloud_type`` is a provider that clients know; ``scenario`` names a model to begin with;
    ``password`` is the administrator's, made up if empty and kept once there is one.
    """

    name: str = "simulated"
    host: str = "127.0.0.1"
    port: int = 0
    advertise: str = ""
    state: Path | None = None
    version: str = "3.6.9"
    cloud: str = "metro"
    cloud_type: str = "openstack"
    regions: tuple[str, ...] = ("north",)
    scenario: str = ""
    jwks_url: str = ""
    jwks_ca: Path | None = None
    speed: float = 1.0
    registration: Path | None = None
    password: str = field(default="", repr=False)


class Client(Protocol):
    """An open websocket."""

    @property
    def model_uuid(self) -> ModelUUID | None:
        """The model in the socket's path; ``None`` on ``/api``."""
        ...

    async def close(self, code: int) -> None:
        """Ends it with a close frame."""
        ...

    def cut(self) -> None:
        """Ends it without one."""
        ...


class Core:
    """A simulated controller without its socket."""

    def __init__(self, options: Options, *, clock: Clock | None = None) -> None:
        self.options = options
        self.clock = clock or Clock(options.speed)
        self.store = Store(options.state)
        self.blobs = Blobs(_beside(options.state))
        self.logs = Logbook(self.clock.now)
        self.faults = Faults()
        self.release = Release.of(options.version)
        self.tasks = Tasks()
        self.clients: set[Client] = set()
        self._identity: Identity | None = None
        self._port = options.port

    @property
    def identity(self) -> Identity:
        """Uuid, certificates and administrator.

        Raises:
            RuntimeError: the controller was never started.
        """
        if self._identity is None:
            raise RuntimeError("the controller was never started")
        return self._identity

    @property
    def uuid(self) -> ControllerUUID:
        """The controller's uuid."""
        return self.identity.uuid

    @property
    def address(self) -> str:
        """``host:port``, as clients are told it."""
        return f"{self.options.advertise or self.options.host}:{self._port}"

    @property
    def host_ports(self) -> list[list[HostPort]]:
        """The address as login results and redirects hold it."""
        host, _, port = self.address.rpartition(":")
        kind = "ipv4" if host.replace(".", "").isdigit() else "hostname"
        # libjuju takes only ``public`` addresses; juju drops machine-local ones.
        return [[HostPort(value=host, type=kind, scope="public", port=int(port))]]

    def clients_of(self, uuid: ModelUUID) -> list[Client]:
        """The open connections to one model."""
        return [client for client in self.clients if client.model_uuid == uuid]

    async def close_clients(self, clients: Iterable[Client], code: int = 1001) -> None:
        """Closes some connections, each on its own."""
        for client in list(clients):
            self.tasks.spawn(client.close(code), name="close connection")

    def cut(self, connection: HTTPConnection) -> None:
        """Ends a request's connection as by a pulled cable; nothing without a socket."""

    async def crash(self) -> None:
        """Dies as by SIGKILL: nothing is told, nothing more is written."""
        raise NotImplementedError

    def on_change(self, change: Change) -> None:
        """Closes the sockets of a model that is gone, as Juju does."""
        if isinstance(change.before, Model) and change.after is None:
            uuid = change.before.uuid
            self.tasks.spawn(
                self.close_clients(self.clients_of(uuid)), name="close model's sockets"
            )


def _beside(state: Path | None) -> Path | None:
    return None if state is None else state.with_name(f"{state.name}.blobs")
