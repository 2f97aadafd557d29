"""What every use case works with."""

import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from jimm.controllers.endpoint import Endpoint
from jimm.controllers.link import Link
from jimm.controllers.pool import Pool
from jimm.fleet.summaries import Summaries
from jimm.fleet.trust import Trust
from jimm.net.tasks import Tasks
from jimm.registry import controllers, destinations
from jimm.registry.controllers import Controller
from jimm.registry.crypto import Sealer
from jimm.registry.session import Registry
from jimm.settings import Settings
from jimm.wire.tags import ControllerUUID, ModelUUID


@dataclass(frozen=True)
class Fleet:
    """Built once, in ``app``; nothing in it changes but what it refers to.

    ``uuid`` is JIMM's own, shown where a controller's would be; ``worker`` names this replica
    on leases; ``authority`` is the PEM of JIMM's own CA, empty when clients need none of ours;
    ``tasks`` are what goes on though its caller has gone; ``summaries`` tell watchers of
    models.
    """

    settings: Settings
    registry: Registry
    sealer: Sealer
    pool: Pool
    trust: Trust
    uuid: ControllerUUID
    worker: str
    authority: str
    rng: random.Random
    now: Callable[[], datetime]
    tasks: Tasks
    summaries: Summaries

    @property
    def local_domain(self) -> str:
        """The domain of the users made in JIMM."""
        return self.settings.local_domain

    def link(self, controller: Controller) -> Link:
        """JIMM's own link.

        Raises:
            ControllerUnavailable, WrongController: away, said at once.
        """
        return self.pool.link(controller.uuid)

    @asynccontextmanager
    async def as_user(
        self,
        controller: Controller,
        identity: str,
        access: Mapping[str, str],
        *,
        model: ModelUUID | None = None,
    ) -> AsyncIterator[tuple[Link, str]]:
        """A link of its own in somebody's name, to the controller or to one of its models, and
        their user id there; ``access`` as :meth:`Trust.user_login`.

        Raises:
            ControllerError: the controller is away, or does not take the login.
        """
        own = self.link(controller)
        login, user = await self.trust.user_login(controller, identity, access, own)
        async with self.pool.as_user(endpoint(controller), login, model=model) as link:
            yield link, user

    async def connect_all(self) -> None:
        """Gives the pool the controllers as they are registered now, and those outside to which
        models are on their way."""
        await self.pool.renew(self._endpoints)

    async def _endpoints(self) -> list[Endpoint]:
        async with self.registry.read() as session:
            outside = [each.controller for each in await destinations.every(session)]
            registered = await controllers.every(session)
        # where one is there twice the last counts: the newest login, or what is registered
        return [endpoint(each) for each in [*reversed(outside), *registered]]


def endpoint(controller: Controller) -> Endpoint:
    """Where a registered controller is dialled."""
    addresses = dict.fromkeys(
        [controller.public_address, *controller.addresses]
        if controller.public_address
        else controller.addresses
    )
    return _shared(
        controller.name,
        controller.uuid,
        tuple(addresses),
        controller.ca_certificate,
        controller.tls_hostname,
    )


_shared = lru_cache(maxsize=1024)(Endpoint)
"""Every connection holds its endpoint: what is the same is one object, for it has a certificate."""
