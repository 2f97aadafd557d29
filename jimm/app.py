"""``jimm serve``: JIMM from its start to its end, and the socket that its doors share.

What it is made of is in :mod:`jimm.composition`.
"""

import asyncio
import logging
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import uvicorn
from sqlalchemy.exc import DBAPIError
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from jimm.access.passwords import Passwords
from jimm.composition import Running, compose
from jimm.doors import create_application
from jimm.errors import ConfigurationError
from jimm.fleet.fleet import Fleet
from jimm.listeners import BACKLOG, listener
from jimm.net.certificates import Issued
from jimm.net.tasks import Tasks
from jimm.net.tls import server_context
from jimm.proxy.entrance import uvicorn_protocol
from jimm.registry import intents, migrations, plans, revision
from jimm.registry.authority import own_authority
from jimm.registry.crypto import Sealer, load_keys
from jimm.registry.session import Registry
from jimm.settings import Settings
from jimm.wire.secret import Secret

log = logging.getLogger(__name__)

Stop = Callable[[], None]

CONNECTIONS: Final = 20
"""To Postgres for reading, and as many for writing, for all workers of a replica together."""

FEWEST_CONNECTIONS: Final = 4
"""That each worker has at least."""

GRACE: Final = 5
"""Seconds that open connections get at a stop."""

LARGEST_MESSAGE: Final = 256 * 1024 * 1024
"""Bytes of one message on ``/api``; Juju has no limit, JIMM closes in good order at its own."""

PING_EVERY: Final = 60.0

KEEP_ALIVE: Final = 75
"""Seconds that an idle HTTP connection is kept: longer than clients keep theirs in their pools,
so that none sends a request into a connection that is just being closed."""


async def serve(
    settings: Settings, given: socket.socket | None, on_ready: Callable[[Stop], None]
) -> None:
    """Runs JIMM until it is told to stop, on a listening socket of its own if none is given.

    ``on_ready`` is called once it serves, with what stops it.

    Raises:
        ConfigurationError: the database, its schema, the key or a certificate is not as it
            must be.
    """
    async with started(settings) as running:
        server = _Server(await _config(settings, running), on_ready)
        told = server.told_by(signal.SIGINT, signal.SIGTERM)
        with given or listener(settings) as listening, told:
            log.info("JIMM listens on %s", settings.listen)
            await server.serve(sockets=[listening])


class _Server(uvicorn.Server):
    """uvicorn's server, which leaves the signals to us: its own way of handling them kills the
    process with the signal once the socket is closed, before the rest is put away."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[Stop], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready(self.stop)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    @contextmanager
    def told_by(self, *numbers: signal.Signals) -> Iterator[None]:
        """Ends when one of these arrives; at once when another one does."""
        loop = asyncio.get_running_loop()
        for number in numbers:
            loop.add_signal_handler(number, self.stop)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)

    def stop(self) -> None:
        """Ends it in good order; at once when called once more."""
        self.force_exit = self.should_exit
        self.should_exit = True


@asynccontextmanager
async def started(settings: Settings) -> AsyncIterator[Running]:
    """JIMM without its socket: registry, links and background work."""
    async with opened(settings) as registry:
        await require_schema(registry)
        passwords, tasks, background = Passwords(), Tasks(), Tasks()
        composed = await compose(settings, registry, passwords, tasks, background)
        running = composed.running
        for name, coroutine in composed.work.items():
            background.spawn(coroutine, name=name)
        try:
            yield running
        finally:
            running.pipes.close_all("JIMM stops")
            await tasks.aclose()
            await background.aclose()
            await running.recorder.aclose()
            await _hand_back(running.services.fleet)
            passwords.close()


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Registry]:
    """The registry alone."""
    most = max(CONNECTIONS // settings.workers, FEWEST_CONNECTIONS)
    registry = Registry(
        settings.database_url.get_secret_value(), pool_size=most // 2, max_overflow=most - most // 2
    )
    try:
        yield registry
    finally:
        await registry.aclose()


async def require_schema(registry: Registry) -> None:
    """Nothing, where the database is as this program expects it.

    Raises:
        ConfigurationError: it does not answer, or is at another schema revision.
    """
    await registry.ping()
    if await registry.head() != revision.needed():
        raise ConfigurationError(
            "the database is not at the schema of this program: run `jimm db upgrade`"
        )


async def authority_certificate(settings: Settings) -> str:
    """The PEM of JIMM's own certificate authority, made at the first call ever."""
    async with opened(settings) as registry:
        await require_schema(registry)
        sealer = Sealer(*load_keys(settings.secret_key_file))
        return (await own_authority(registry, sealer)).certificate_pem


async def _hand_back(fleet: Fleet) -> None:
    """Gives leases back, so that another replica need not wait for them to end."""
    try:
        async with asyncio.timeout(GRACE), fleet.registry.write() as session:
            await intents.release_all(session, fleet.worker)
            await migrations.release_all(session, fleet.worker)
            await plans.release_all(session, fleet.worker)
    except (ConfigurationError, DBAPIError, TimeoutError):
        log.warning("could not hand back leases; they run out by themselves")


async def _config(settings: Settings, running: Running) -> uvicorn.Config:
    config = uvicorn.Config(
        create_application(running),
        host=settings.host,
        port=settings.port,
        backlog=BACKLOG,
        ws=uvicorn_protocol(
            running.keeper,
            running.pipes,
            recorder=running.recorder,
            local_domain=settings.local_domain,
            tasks=running.services.fleet.tasks,
            fallback=WebSocketsSansIOProtocol,
        ),
        ws_max_size=LARGEST_MESSAGE,
        ws_ping_interval=PING_EVERY,
        ws_ping_timeout=PING_EVERY,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # jimm.web believes trusted_proxies, and nobody else needs them
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )
    config.load()
    config.ssl = await _tls(settings, running.services.fleet)
    return config


async def _tls(settings: Settings, fleet: Fleet) -> ssl.SSLContext | None:
    if settings.tls == "off":
        return None
    if settings.tls == "files":
        if settings.tls_certificate_file is None or settings.tls_key_file is None:
            raise ConfigurationError(
                "with JIMM_TLS=files give JIMM_TLS_CERTIFICATE_FILE and JIMM_TLS_KEY_FILE"
            )
        try:
            chain = settings.tls_certificate_file.read_text()
            key = Secret(settings.tls_key_file.read_text())
            return server_context(Issued(chain, key))
        except (OSError, ValueError) as error:  # SSLError is an OSError
            raise ConfigurationError(
                f"the certificate or its key can't be used: {error}"
            ) from error
    authority = await own_authority(fleet.registry, fleet.sealer)
    names = [settings.address.rpartition(":")[0].strip("[]"), *settings.public_names]
    return server_context(authority.issue(names))
