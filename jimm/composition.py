"""What a running JIMM is made of; nothing is made anywhere else.

A newcomer's path goes from here to a door, from a door to one use case, and from there to the
registry or to a controller.
"""

import ipaddress
import os
import random
import socket
import time
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from jimm.access.accounts import bootstrap_admin
from jimm.access.devices import DeviceFlow, DeviceLogins
from jimm.access.keys import KeyRing
from jimm.access.logins import Logins
from jimm.access.passwords import Passwords
from jimm.access.tokens import SessionTokens
from jimm.audit.months import Months
from jimm.audit.recorder import Recorder
from jimm.controllers.health import Reading
from jimm.controllers.pool import Pool
from jimm.facades.connections import Connections
from jimm.facades.door import ApiDoor
from jimm.fleet.fleet import Fleet
from jimm.fleet.reconcile import Reconciler
from jimm.fleet.summaries import Summaries
from jimm.fleet.trust import Trust
from jimm.fleet.watch import Watch, record_reading
from jimm.migration.experience import Experience
from jimm.migration.followers import Followers
from jimm.migration.plans.driver import Driver
from jimm.migration.reasons import redact_reason
from jimm.migration.worker import Worker
from jimm.net.tasks import Tasks
from jimm.notices import Notices
from jimm.proxy.keeper import Keeper
from jimm.proxy.passing import Turnstile
from jimm.proxy.pipes import Pipes
from jimm.proxy.streams import Streams
from jimm.proxy.uploads import Uploads
from jimm.proxy.visitors import Visitors
from jimm.registry import settings as kept_settings
from jimm.registry.audit_writer import AuditWriter
from jimm.registry.authority import own_authority
from jimm.registry.crypto import Sealer, load_keys
from jimm.registry.session import Registry
from jimm.rest.services import Services
from jimm.settings import Settings
from jimm.web.context import Web
from jimm.web.envelope import Envelope
from jimm.web.guesses import Guesses
from jimm.wire.params.admin import HostPort
from jimm.wire.tags import ModelUUID

if TYPE_CHECKING:
    from jimm.access.oidc_configured import Oidc


@dataclass(frozen=True)
class Running:
    """A JIMM without its socket: its doors, and what they share."""

    services: Services
    api: ApiDoor
    pipes: Pipes
    keeper: Keeper
    uploads: Uploads
    streams: Streams
    web: Web
    recorder: Recorder


@dataclass(frozen=True)
class Composed:
    """``work`` is to be spawned in ``background``, each under its name."""

    running: Running
    work: dict[str, Coroutine[None, None, None]]


async def compose(
    settings: Settings,
    registry: Registry,
    passwords: Passwords,
    tasks: Tasks,
    background: Tasks,
) -> Composed:
    """Puts JIMM together; whoever gave the parts ends them.

    Raises:
        ConfigurationError: the key or a password file is not as it must be.
    """
    sealer = Sealer(*load_keys(settings.secret_key_file))
    months = Months(registry, settings.audit_retention_days, _now)
    await months.look()
    if settings.bootstrap_admin_password_file is not None:
        await bootstrap_admin(
            registry, settings.bootstrap_admin_password_file, settings.local_domain
        )
    keys = KeyRing(registry, sealer, _now)
    fleet = await _fleet(settings, registry, sealer, keys, tasks)
    tokens = SessionTokens(registry, _now)
    oidc = _oidc(settings, registry, tokens)
    devices = DeviceLogins(registry, tokens, _now, f"{settings.url}/login")
    flow: DeviceFlow = oidc.device if oidc and oidc.device else devices
    logins = _logins(settings, registry, passwords, oidc)
    servers = [[_host_port(settings.address)]]
    pipes, connections = Pipes(), Connections()
    keeper = Keeper(fleet, logins, servers, flow)
    recorder = _recorder(settings)
    turnstile = Turnstile(Visitors(logins), keeper, pipes, recorder)
    followers = Followers(registry)
    experience = Experience(registry, time.monotonic)
    work = _work(fleet, pipes, connections, keeper, devices, followers, experience)
    work |= {"record": recorder.run(), "months": months.run()}
    services = Services(
        fleet=fleet,
        logins=logins,
        tokens=tokens,
        keys=keys,
        experience=experience,
        followers=followers,
        is_working=lambda: len(background) == len(work),
    )
    running = Running(
        services=services,
        api=ApiDoor(fleet, logins, servers, connections, flow, recorder),
        pipes=pipes,
        keeper=keeper,
        uploads=Uploads(turnstile),
        streams=Streams(turnstile),
        web=_web(services, sealer, devices, oidc),
        recorder=recorder,
    )
    return Composed(running, work)


def _oidc(settings: Settings, registry: Registry, tokens: SessionTokens) -> "Oidc | None":
    if not settings.oidc_issuer:
        return None
    from jimm.access.oidc_configured import configured  # brings an HTTP client

    return configured(settings, registry, tokens)


def _logins(
    settings: Settings, registry: Registry, passwords: Passwords, oidc: "Oidc | None"
) -> Logins:
    return Logins(
        registry,
        settings.local_domain,
        passwords,
        _now,
        own=settings.url,
        origins=settings.web_origins,
        clients=oidc.clients if oidc else None,
        local_passwords=settings.local_passwords,
    )


def _recorder(settings: Settings) -> Recorder:
    return Recorder(
        AuditWriter(settings.database_url.get_secret_value()),
        hide=redact_reason,
        skip=settings.audit_skip,
        drop=settings.audit_when_full == "drop",
    )


def _work(
    fleet: Fleet,
    pipes: Pipes,
    connections: Connections,
    keeper: Keeper,
    devices: DeviceLogins,
    followers: Followers,
    experience: Experience,
) -> dict[str, Coroutine[None, None, None]]:
    """What goes on without anybody asking."""

    async def on_moved(model: ModelUUID) -> None:
        pipes.close_model(model, "the model has moved; connect again")

    reconciler, watch = Reconciler(fleet), Watch(fleet)
    worker = Worker(fleet, on_moved, experience=experience)
    driver = Driver(fleet)
    notices = Notices(
        fleet,
        pipes,
        connections,
        keeper,
        devices,
        followers=followers,
        reconciler=reconciler,
        watch=watch,
        worker=worker,
        driver=driver,
    )
    return {
        "links": fleet.pool.run(),
        "reconcile": reconciler.run(),
        "watch": watch.run(),
        "migrate": worker.run(),
        "plan": driver.run(),
        "listen": notices.listen(),
        "look": notices.look(),
        "follow": followers.run(),
    }


def _web(services: Services, sealer: Sealer, devices: DeviceLogins, oidc: "Oidc | None") -> Web:
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
