"""The composition root: what JIMM is made of, in the order in which it starts and stops.

A newcomer's path goes from here to a door, from a door to one use case, and from there to the
registry or to a controller. Nothing is made anywhere else.
"""

import asyncio
import ipaddress
import logging
import os
import random
import signal
import socket
import ssl
import time
import uuid
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final

import uvicorn
from fastapi import FastAPI
from sqlalchemy.exc import DBAPIError
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from jimm.access.accounts import bootstrap_admin
from jimm.access.devices import DeviceFlow, DeviceLogins
from jimm.access.keys import KeyRing
from jimm.access.logins import Logins
from jimm.access.oidc_configured import Oidc, configured
from jimm.access.origins import allowed
from jimm.access.passwords import Passwords
from jimm.access.tokens import SessionTokens
from jimm.controllers.health import Reading
from jimm.controllers.pool import Pool
from jimm.errors import ConfigurationError
from jimm.facades.connections import Connections
from jimm.facades.door import ApiDoor
from jimm.fleet.fleet import Fleet
from jimm.fleet.reconcile import Reconciler
from jimm.fleet.summaries import Summaries
from jimm.fleet.trust import Trust
from jimm.fleet.watch import Watch, record_reading
from jimm.migration.worker import Worker
from jimm.net.certificates import Issued
from jimm.net.tasks import Tasks
from jimm.net.tls import server_context
from jimm.notices import Notices
from jimm.proxy.below import BelowModels
from jimm.proxy.entrance import uvicorn_protocol
from jimm.proxy.keeper import Keeper
from jimm.proxy.passing import Turnstile
from jimm.proxy.pipes import Pipes
from jimm.proxy.streams import Streams
from jimm.proxy.uploads import Uploads
from jimm.proxy.visitors import Visitors
from jimm.registry import intents, migrations, schema
from jimm.registry import settings as kept_settings
from jimm.registry.authority import own_authority
from jimm.registry.crypto import Sealer, load_keys
from jimm.registry.session import Registry
from jimm.rest.application import create_rest
from jimm.rest.context import Services
from jimm.settings import Settings
from jimm.web.application import mount
from jimm.web.context import Web
from jimm.web.envelope import Envelope
from jimm.web.guesses import Guesses
from jimm.wire.params.admin import HostPort
from jimm.wire.secret import Secret
from jimm.wire.tags import ModelUUID

log = logging.getLogger(__name__)

GRACE: Final = 5
"""Seconds that open connections get at a stop."""

LARGEST_MESSAGE: Final = 256 * 1024 * 1024
"""Bytes of one message on ``/api``; Juju has no limit, JIMM closes in good order at its own."""

PING_EVERY: Final = 60.0

KEEP_ALIVE: Final = 75
"""Seconds that an idle HTTP connection is kept: longer than clients keep theirs in their pools,
so that none sends a request into a connection that is just being closed."""


@dataclass(frozen=True)
class Running:
    """A started JIMM: its doors, and what they share."""

    services: Services
    api: ApiDoor
    pipes: Pipes
    keeper: Keeper
    uploads: Uploads
    streams: Streams
    web: Web


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
        running, work = await _assemble(settings, registry, passwords, tasks, background)
        for name, coroutine in work.items():
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


async def _assemble(
    settings: Settings,
    registry: Registry,
    passwords: Passwords,
    tasks: Tasks,
    background: Tasks,
) -> tuple[Running, dict[str, Coroutine[None, None, None]]]:
    sealer = Sealer(*load_keys(settings.secret_key_file))
    if settings.bootstrap_admin_password_file is not None:
        await bootstrap_admin(
            registry, settings.bootstrap_admin_password_file, settings.local_domain
        )
    keys = KeyRing(registry, sealer, _now)
    fleet = await _fleet(settings, registry, sealer, keys, tasks)
    tokens = SessionTokens(registry, _now)
    oidc = configured(settings, registry, tokens)
    devices = DeviceLogins(registry, tokens, _now, f"{settings.url}/login")
    flow: DeviceFlow = oidc.device if oidc and oidc.device else devices
    logins = Logins(
        registry,
        settings.local_domain,
        passwords,
        _now,
        own=settings.url,
        origins=settings.web_origins,
        clients=oidc.clients if oidc else None,
        local_passwords=settings.local_passwords,
    )
    servers = [[_host_port(settings.address)]]
    keeper, pipes, connections = Keeper(fleet, logins, servers, flow), Pipes(), Connections()
    reconciler, watch = Reconciler(fleet), Watch(fleet)

    async def on_moved(model: ModelUUID) -> None:
        pipes.close_model(model, "the model has moved; connect again")

    worker = Worker(fleet, on_moved)
    notices = Notices(
        fleet,
        pipes,
        connections,
        keeper,
        devices,
        reconciler=reconciler,
        watch=watch,
        worker=worker,
    )
    work: dict[str, Coroutine[None, None, None]] = {
        "links": fleet.pool.run(),
        "reconcile": reconciler.run(),
        "watch": watch.run(),
        "migrate": worker.run(),
        "listen": notices.listen(),
        "look": notices.look(),
    }
    services = Services(
        fleet=fleet,
        logins=logins,
        tokens=tokens,
        keys=keys,
        is_working=lambda: len(background) == len(work),
    )
    visitors = Visitors(logins, partial(_is_welcome, settings))
    turnstile = Turnstile(visitors, keeper, pipes)
    running = Running(
        services=services,
        api=ApiDoor(fleet, logins, servers, connections, flow),
        pipes=pipes,
        keeper=keeper,
        uploads=Uploads(turnstile),
        streams=Streams(turnstile),
        web=_web(services, sealer, devices, oidc),
    )
    return running, work


def _web(services: Services, sealer: Sealer, devices: DeviceLogins, oidc: Oidc | None) -> Web:
    return Web(
        settings=services.fleet.settings,
        registry=services.fleet.registry,
        logins=services.logins,
        tokens=services.tokens,
        devices=devices,
        oidc=oidc.logins if oidc else None,
        envelope=Envelope(sealer, _now),
        guesses=Guesses(time.monotonic),
    )


def _is_welcome(settings: Settings, origin: str) -> bool:
    return allowed(origin, settings.url, settings.web_origins)


async def _fleet(
    settings: Settings, registry: Registry, sealer: Sealer, keys: KeyRing, tasks: Tasks
) -> Fleet:
    async with registry.write() as session:
        jimm_uuid = await kept_settings.jimm_uuid(session)
    trust = Trust(
        registry,
        sealer,
        keys,
        jimm_uuid=jimm_uuid,
        local_domain=settings.local_domain,
        issuer=settings.address,
        now=_now,
    )
    own = settings.tls == "own"
    fleet: Fleet

    async def report(reading: Reading) -> None:
        await record_reading(fleet, reading)

    fleet = Fleet(
        settings=settings,
        registry=registry,
        sealer=sealer,
        pool=Pool(trust.own_login, report=report),
        trust=trust,
        uuid=jimm_uuid,
        worker=f"{socket.gethostname()}/{os.getpid()}/{uuid.uuid4().hex[:8]}",
        authority=(await own_authority(registry, sealer)).certificate_pem if own else "",
        rng=random.SystemRandom(),
        now=_now,
        tasks=tasks,
        summaries=Summaries(registry, tasks, local_domain=settings.local_domain),
    )
    await fleet.connect_all()
    return fleet


async def _hand_back(fleet: Fleet) -> None:
    """Gives leases back, so that another replica need not wait for them to end."""
    try:
        async with asyncio.timeout(GRACE), fleet.registry.write() as session:
            await intents.release_all(session, fleet.worker)
            await migrations.release_all(session, fleet.worker)
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


def _host_port(address: str) -> HostPort:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        kind = f"ipv{ipaddress.ip_address(host).version}"
    except ValueError:
        kind = "hostname"
    return HostPort(value=host, type=kind, scope="public", port=int(port))


def _now() -> datetime:
    return datetime.now(UTC)
