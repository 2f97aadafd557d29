"""Keeps one link to one controller, whatever happens to it."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from datetime import datetime

from jimm.controllers.breaker import Breaker
from jimm.controllers.deadlines import Timing
from jimm.controllers.dial import dial
from jimm.controllers.endpoint import Endpoint, Login
from jimm.controllers.health import Reading, measure, utc_now
from jimm.controllers.link import Link
from jimm.errors import (
    ControllerError,
    ControllerUnavailable,
    JimmError,
    RemoteError,
    WrongController,
)

log = logging.getLogger(__name__)

Report = Callable[[Reading], Awaitable[None]]
"""Takes each reading: when a link comes up, when it breaks, when an attempt fails. The next
attempt waits for it."""


class Supervisor:
    """Dials, watches and dials again; answers for the link at any moment."""

    def __init__(
        self,
        endpoint: Endpoint,
        login: Login,
        report: Report,
        *,
        timing: Timing,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = utc_now,
        rng: random.Random,
    ) -> None:
        self.endpoint = endpoint
        self._login = login
        self._report = report
        self._timing = timing
        self._clock = clock
        self._now = now
        self._rng = rng
        self._breaker = Breaker(timing.breaker_failures, timing.breaker_retry)
        self._link: Link | None = None
        self._away: JimmError = ControllerUnavailable("it has not been dialled yet")
        self._since = now()
        self._changed = asyncio.Event()
        self._failures = 0

    def link(self) -> Link:
        """The living link, at once.

        Raises:
            WrongController: quarantined; says who answered.
            ControllerUnavailable: away; says since when, its ``why`` the reason.
        """
        if self._link is not None and not self._link.closed.is_set():
            return self._link
        if isinstance(self._away, WrongController):
            raise WrongController(str(self._away))
        just_now = self._link  # broken, and its watcher has not run yet
        why = just_now.why_closed if just_now is not None else _described(self._away)
        since = (self._now() if just_now is not None else self._since).isoformat("T", "seconds")
        raise ControllerUnavailable(f"{self.endpoint} has been away since {since}", why=why)

    def admit(self) -> None:
        """Asks whether a dial on somebody else's behalf may begin now; the caller reports the
        outcome by :meth:`reached` or :meth:`missed`.

        Raises:
            WrongController: quarantined.
            ControllerUnavailable: the circuit breaker is open.
        """
        if isinstance(self._away, WrongController) or not self._breaker.allows(self._clock()):
            self.link()
            # The shared link lives though dials fail: a new one would fail as well.
            raise ControllerUnavailable(f"{self.endpoint} takes no new connections just now")

    def reached(self) -> None:
        """A dial found the controller."""
        self._breaker.succeeded()

    def missed(self, error: ControllerError) -> None:
        """A dial did not find it. A stranger in its place ends the shared link too."""
        if isinstance(error, WrongController):
            self._away = error
            if self._link is not None:
                self._link.abort(str(error))
            return
        self._breaker.failed(self._clock())

    def replace(self, endpoint: Endpoint) -> None:
        """Takes over what was registered anew; a link that it still describes goes on."""
        before, self.endpoint = self.endpoint, endpoint
        if before == endpoint:
            return
        if self._link is not None and not before.same_peer(endpoint):
            self._link.abort("the controller was registered anew")
        self._failures = 0
        self._changed.set()

    async def run(self) -> None:
        """Supervises until cancelled; closes the link then."""
        try:
            while True:
                await self._connect()
                if self._link is not None:
                    await self._watch(self._link)
                await self._pause()
        finally:
            if self._link is not None:
                await self._link.aclose()

    async def _connect(self) -> None:
        self._changed.clear()
        try:
            login = await self._login(self.endpoint)
            link = await dial(self.endpoint, login, timing=self._timing)
        except (ControllerUnavailable, WrongController) as error:
            self.missed(error)
            await self._failed(error)
        except RemoteError as error:
            self.reached()
            await self._failed(error)
        except JimmError as error:
            await self._failed(error)
        except Exception:
            log.exception("%s cannot be logged in to", self.endpoint)
            await self._failed(ControllerUnavailable("JIMM could not make a login for it"))
        else:
            self._adopt(link)

    def _adopt(self, link: Link) -> None:
        self.reached()
        if not link.endpoint.same_peer(self.endpoint):
            link.abort("the controller was registered anew while it was dialled")
            return
        link.start(ping_every=self._timing.ping_every, ping_deadline=self._timing.ping)
        self._link = link
        self._away = ControllerUnavailable("it has just gone away")

    async def _failed(self, error: JimmError) -> None:
        if self._failures == 0 and self._link is None:
            log.warning("%s is away: %s", self.endpoint, _described(error))
        self._failures += 1
        self._away = error
        await self._tell(
            Reading(
                self.endpoint.uuid,
                self._now(),
                reachable=False,
                quarantined=isinstance(error, WrongController),
                error=_described(error),
            )
        )

    async def _watch(self, link: Link) -> None:
        began = self._clock()
        log.info("%s is connected at %s", self.endpoint, link.address)
        await self._tell(await measure(link, clock=self._clock, now=self._now))
        await link.closed.wait()
        await link.aclose()
        self._link = None
        self._since = self._now()
        steady = self._clock() - began >= self._timing.steady
        self._failures = 0 if steady else self._failures
        if not isinstance(self._away, WrongController):
            self._away = ControllerUnavailable(link.why_closed)
        await self._failed(self._away)

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._delay()):
                await self._changed.wait()
        except TimeoutError:
            pass

    def _delay(self) -> float:
        """Jittered, so that a fleet that lost one network does not come back in step."""
        timing = self._timing
        if not isinstance(self._away, ControllerUnavailable):
            return timing.retry_refused * self._rng.uniform(0.75, 1.25)
        doubled = timing.retry_first * 2.0 ** min(max(self._failures - 1, 0), 16)
        return min(doubled, timing.retry_most) * self._rng.uniform(0.5, 1.0)

    async def _tell(self, reading: Reading) -> None:
        try:
            await self._report(reading)
        except Exception:
            log.exception("the reading of %s was not taken", self.endpoint)


def _described(error: JimmError) -> str:
    return f"it refuses JIMM's login: {error}" if isinstance(error, RemoteError) else str(error)
