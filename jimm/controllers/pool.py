"""All controllers' links: one of JIMM's own to each, and short ones in users' names."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime

from jimm.controllers.deadlines import Timing
from jimm.controllers.dial import dial
from jimm.controllers.endpoint import Endpoint, Login
from jimm.controllers.health import Reading, utc_now
from jimm.controllers.link import Link
from jimm.controllers.supervisor import Report, Supervisor
from jimm.errors import ControllerUnavailable, RemoteError, WrongController
from jimm.net.tasks import Tasks
from jimm.wire.params.admin import LoginRequest
from jimm.wire.tags import ControllerUUID, ModelUUID


async def _ignore(_: Reading) -> None:
    """For a pool whose readings nobody wants."""


class Pool:
    """Supervised links by controller.

    No request waits here for a dial of JIMM's own: a controller is there, or it is away and
    that is said at once.
    """

    def __init__(
        self,
        login: Login,
        *,
        report: Report = _ignore,
        timing: Timing | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
        rng: random.Random | None = None,
    ) -> None:
        self._login = login
        self._report = report
        self._timing = timing or Timing()
        self._clock = clock
        self._now = now
        self._rng = rng or random.Random()  # noqa: S311 - jitter, no secret
        self._supervisors: dict[ControllerUUID, Supervisor] = {}
        self._running: dict[ControllerUUID, asyncio.Task[None]] = {}
        self._visits: dict[ControllerUUID, list[Link]] = {}
        self._tasks: Tasks | None = None
        self._turn = asyncio.Lock()

    def set_endpoints(self, endpoints: Iterable[Endpoint]) -> None:
        """Makes these the controllers: adds, replaces what changed, drops the rest.

        A link goes on where only the name or the addresses changed.
        """
        wanted = {endpoint.uuid: endpoint for endpoint in endpoints}
        for uuid in self._supervisors.keys() - wanted.keys():
            del self._supervisors[uuid]
            if uuid in self._running:
                self._running.pop(uuid).cancel()
        for uuid, endpoint in wanted.items():
            if uuid in self._supervisors:
                self._supervisors[uuid].replace(endpoint)
            else:
                self._supervisors[uuid] = self._supervisor(endpoint)
                self._start(uuid)

    async def renew(self, read: Callable[[], Awaitable[Iterable[Endpoint]]]) -> None:
        """Reads which the controllers are, and makes it so; in turns, so that what was read last
        is what counts."""
        async with self._turn:
            self.set_endpoints(await read())

    async def run(self) -> None:
        """Supervises until cancelled, then closes every link."""
        self._tasks = Tasks()
        for uuid in self._supervisors:
            self._start(uuid)
        try:
            await asyncio.Event().wait()
        finally:
            await self._tasks.aclose()
            self._tasks = None
            self._running.clear()

    def link(self, uuid: ControllerUUID) -> Link:
        """JIMM's own link to a controller, at once.

        Raises:
            ControllerUnavailable: away, with since when and why; or not registered here.
            WrongController: quarantined, with who answered.
        """
        try:
            return self._supervised(uuid).link()
        except ControllerUnavailable:
            if visits := self._visits.get(uuid):
                return visits[-1]
            raise

    @asynccontextmanager
    async def as_user(
        self, endpoint: Endpoint, login: LoginRequest, *, model: ModelUUID | None = None
    ) -> AsyncIterator[Link]:
        """A link of its own in somebody's name, to the controller or to one of its models.

        Raises:
            ControllerUnavailable, WrongController, RemoteError, NotValid: as :func:`dial`; the
                first two at once while the controller is known to be away.
        """
        supervisor = self._supervisors.get(endpoint.uuid)
        if supervisor is not None:
            supervisor.admit()
        link = await self._dial_as(supervisor, endpoint, login, model)
        link.start()
        async with link:
            yield link

    @asynccontextmanager
    async def visit(self, endpoint: Endpoint, login: LoginRequest) -> AsyncIterator[Link]:
        """A link to a controller that is no endpoint here, for the length of a block:
        :meth:`link` gives it meanwhile, where it has no other.

        Raises:
            ControllerUnavailable, WrongController, RemoteError, NotValid: as :func:`dial`.
        """
        async with self.as_user(endpoint, login) as link:
            visits = self._visits.setdefault(endpoint.uuid, [])
            visits.append(link)
            try:
                yield link
            finally:
                visits.remove(link)
                if not visits:
                    self._visits.pop(endpoint.uuid, None)

    async def _dial_as(
        self,
        supervisor: Supervisor | None,
        endpoint: Endpoint,
        login: LoginRequest,
        model: ModelUUID | None,
    ) -> Link:
        try:
            link = await dial(endpoint, login, model=model, timing=self._timing)
        except RemoteError:
            if supervisor is not None:
                supervisor.reached()  # refused, but there
            raise
        except (ControllerUnavailable, WrongController) as error:
            if supervisor is not None:
                supervisor.missed(error)
            if isinstance(error, WrongController):
                raise
            # The reason names addresses, and this may be told to the user in whose name it is.
            raise ControllerUnavailable(
                f"{endpoint} cannot be reached just now", why=str(error)
            ) from error
        if supervisor is not None:
            supervisor.reached()
        return link

    def _supervised(self, uuid: ControllerUUID) -> Supervisor:
        supervisor = self._supervisors.get(uuid)
        if supervisor is None:
            raise ControllerUnavailable(f"controller {uuid} is not connected here")
        return supervisor

    def _supervisor(self, endpoint: Endpoint) -> Supervisor:
        return Supervisor(
            endpoint,
            self._login,
            self._report,
            timing=self._timing,
            clock=self._clock,
            now=self._now,
            rng=self._rng,
        )

    def _start(self, uuid: ControllerUUID) -> None:
        if self._tasks is None or uuid in self._running:
            return
        supervisor = self._supervisors[uuid]
        self._running[uuid] = self._tasks.spawn(
            supervisor.run(), name=f"supervise {supervisor.endpoint}"
        )
