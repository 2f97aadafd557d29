"""A running fleet: the registry, links to simulated controllers, and a worker's name of its own.

``async with running_fleet(url, sealer) as fleet`` is one replica; a test may have several on
one database. Controllers are registered through the real use case, by password.
"""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from jimm.access.keys import KeyRing, new_signing_key
from jimm.controllers.calls import model_manager
from jimm.controllers.deadlines import Timing
from jimm.controllers.pool import Pool
from jimm.errors import ControllerError
from jimm.fleet import controllers as fleet_controllers
from jimm.fleet.caller import Caller
from jimm.fleet.controllers import Registration
from jimm.fleet.fleet import Fleet
from jimm.fleet.summaries import Summaries
from jimm.fleet.trust import Trust
from jimm.net.tasks import Tasks
from jimm.registry import identities, models, settings
from jimm.registry import keys as stored_keys
from jimm.registry.controllers import Controller
from jimm.registry.crypto import Sealer
from jimm.registry.keys import SigningKey
from jimm.registry.session import Registry
from jimm.settings import Settings
from jimm.simulator.server import Simulator
from jimm.wire import tags
from jimm.wire.params.model_manager import CreateModel
from jimm.wire.secret import Secret
from jimm.wire.tags import ModelUUID
from tests.eventually import eventually

ADMIN = Caller("admin@jimm", admin=True, door="rest")
ALICE = Caller("alice@jimm", admin=False, door="rest")
BOB = Caller("bob@jimm", admin=False, door="rest")

QUICK = Timing(retry_first=0.02, retry_most=0.1, retry_refused=0.1, breaker_retry=0.1)
"""Links that come back at once."""


@asynccontextmanager
async def running_fleet(
    database_url: str,
    sealer: Sealer,
    *,
    worker: str = "w1",
    registry: Registry | None = None,
    **changed: Any,
) -> AsyncIterator[Fleet]:
    """One replica's fleet with its links running; ``changed`` are fields of ``Settings``.

    ``registry`` stands in for the one that is made.
    """
    opened = registry or Registry(database_url, application_name=worker, pool_size=5)
    given = {"database_url": database_url, "secret_key_file": Path("unused"), **changed}
    async with opened.write() as session:
        uuid = await settings.jimm_uuid(session)
        if not await stored_keys.published(session):
            await stored_keys.add(session, _signing_key(sealer))
    keys = KeyRing(opened, sealer, _now)
    trust = Trust(
        opened,
        sealer,
        keys,
        jimm_uuid=uuid,
        local_domain="jimm",
        issuer="https://jimm.test",
        now=_now,
    )
    pool = Pool(trust.own_login, timing=QUICK)
    tasks = Tasks()
    fleet = Fleet(
        settings=Settings(**given),
        registry=opened,
        sealer=sealer,
        pool=pool,
        trust=trust,
        uuid=uuid,
        worker=worker,
        authority="",
        rng=random.Random(7),
        now=_now,
        tasks=tasks,
        summaries=Summaries(opened, tasks, local_domain="jimm"),
    )
    tasks.spawn(pool.run(), name=f"links of {worker}")
    await fleet.connect_all()
    try:
        yield fleet
    finally:
        await tasks.aclose()
        await opened.aclose()


async def register(fleet: Fleet, peer: Simulator) -> Controller:
    """Registers a simulated controller by its admin's password, and waits for the link."""
    told: dict[str, Any] = peer.registration()
    asked = Registration(
        name=told["name"],
        uuid="",
        public_address="",
        tls_hostname="",
        addresses=tuple(told["api-addresses"]),
        ca_certificate=told["ca-certificate"],
        username=told["username"],
        password=Secret(told["password"]),
    )
    added = await fleet_controllers.register(fleet, ADMIN, asked)
    await connected(fleet, added)
    return added


async def connected(fleet: Fleet, controller: Controller) -> None:
    """Waits until JIMM's own link to it is there."""

    def there() -> bool:
        try:
            return not fleet.link(controller).closed.is_set()
        except ControllerError:
            return False

    await eventually(there)


async def add_model(
    fleet: Fleet, controller: Controller, name: str = "m1", owner: str = "alice@jimm"
) -> ModelUUID:
    """A live model on a controller, created there in its owner's name."""
    async with fleet.registry.write() as session:
        who = await identities.ensure(session, owner)
    link = fleet.link(controller)
    user = await fleet.trust.local_user(controller, owner, link)
    asked = CreateModel(
        name=name,
        owner_tag=tags.user_tag(user.username),
        config={"simulated-applications": "ubuntu:1"},
        cloud_tag="cloud-metro",
    )
    made = await model_manager.create_model(link, asked)
    uuid = ModelUUID(made.uuid)
    async with fleet.registry.write() as session:
        row = await models.add(session, models.NewModel(name, who.id, "metro", "north", None))
        await models.complete(
            session, row, uuid=uuid, controller_id=controller.id, region=made.cloud_region
        )
    return uuid


@pytest.fixture
async def replica(database_url: str, sealer: Sealer) -> AsyncIterator[Fleet]:
    """One replica's fleet, without controllers."""
    async with running_fleet(database_url, sealer) as fleet:
        yield fleet


@cache
def _signing_key(sealer: Sealer) -> SigningKey:
    """One for all fleets, for the making of one is a good part of a quick test."""
    return new_signing_key(sealer, _now())


def _now() -> datetime:
    return datetime.now(UTC)
