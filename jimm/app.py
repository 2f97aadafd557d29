"""``jimm serve``: JIMM from its start to its end, and the socket that its doors share.

What it is made of is in :mod:`jimm.composition`.
"""

import asyncio
import logging
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final

import uvicorn
from fastapi import FastAPI
from sqlalchemy.exc import DBAPIError
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from jimm.access.passwords import Passwords
from jimm.composition import Running, compose
from jimm.errors import ConfigurationError
from jimm.fleet.fleet import Fleet
from jimm.net.certificates import Issued
from jimm.net.tasks import Tasks
from jimm.net.tls import server_context
from jimm.proxy.below import BelowModels
from jimm.proxy.entrance import uvicorn_protocol
from jimm.registry import intents, migrations, plans, schema
from jimm.registry.authority import own_authority
from jimm.registry.crypto import Sealer, load_keys
from jimm.registry.session import Registry
from jimm.rest.application import create_rest
from jimm.settings import Settings
from jimm.web.application import mount
from jimm.wire.secret import Secret

log = logging.getLogger(__name__)

GRACE: Final = 5
"""Seconds that open connections get at a stop."""

LARGEST_MESSAGE: Final = 256 * 1024 * 1024
"""Bytes of one message on ``/api``; Juju has no limit, JIMM closes in good order at its own."""

PING_EVERY: Final = 60.0

KEEP_ALIVE: Final = 75
"""Seconds that an idle HTTP connection is kept: longer than clients keep theirs in their pools,
so that none sends a request into a connection that is just being closed."""


async def serve(settings: Settings) -> None:
    """Runs JIMM until it is told to stop.

    Raises:
        ConfigurationError: the database, its schema, the key or a certificate is not as it
            must be.
    """
    async with started(settings) as running:
        server = _Server(await _config(settings, running))
        with _listener(settings) as listener, server.told_by(signal.SIGINT, signal.SIGTERM):
            log.info("JIMM listens on %s", settings.listen)
            await server.serve(sockets=[listener])


def _listener(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise ConfigurationError(f"JIMM can't listen on {settings.listen}: {why}") from error


class _Server(uvicorn.Server):
    """uvicorn's server, which leaves the signals to us: its own way of handling them kills the
    process with the signal once the socket is closed, before the rest is put away."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    @contextmanager
    def told_by(self, *numbers: signal.Signals) -> Iterator[None]:
        """Ends when one of these arrives; at once when another one does."""
        loop = asyncio.get_running_loop()
        for number in numbers:
            loop.add_signal_handler(number, self._stop)
        try:
            yield
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)

    def _stop(self) -> None:
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
            await _hand_back(running.services.fleet)
            passwords.close()


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Registry]:
    """The registry alone."""
    registry = Registry(settings.database_url.get_secret_value())
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
    if await registry.head() != schema.head():
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
        ws=uvicorn_protocol(
            running.keeper,
            running.pipes,
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


def create_application(running: Running) -> FastAPI:
    """All doors but the models' own as one ASGI application."""
    application = create_rest(running.services)
    application.add_api_websocket_route("/api", running.api.enter)
    application.add_api_websocket_route("/", running.api.enter)
    mount(application, running.web)
    application.add_middleware(BelowModels, uploads=running.uploads, streams=running.streams)
    return application


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
