"""The agents of a model that moves: each machine and each unit reports on three phases
(Juju ``internal/worker/migrationminion``)."""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from jimm.errors import ControllerUnavailable, RemoteError
from jimm.net.tasks import Tasks
from jimm.simulator.core import Core
from jimm.simulator.migration import lifecycle, outbound
from jimm.simulator.migration.faults import on_minion, pass_point
from jimm.simulator.migration.phases import (
    Phase,
    all_reported,
    progress,
    some_failed,
    timed_out,
    waiting,
)
from jimm.simulator.migration.record import MinionReport
from jimm.simulator.state import Model
from jimm.wire.tags import ModelUUID

log = logging.getLogger(__name__)

WORKS: Final = 0.1  # seconds until an agent reports
TELLS: Final = 30.0  # seconds between two progress texts
WAIT_LIMIT: Final = 15 * 60.0
WAIT_SETTING: Final = "migration-agent-wait-time"
TRIES: Final = 20
BETWEEN_TRIES: Final = 15.0

_PART: Final = re.compile(r"(\d+)([hms])")
_UNITS: Final = {"h": 3600.0, "m": 60.0, "s": 1.0}

Say = Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a wait ended: whether all said yes, and the last message of it."""

    success: bool
    message: str


def agents(model: Model) -> list[str]:
    """Who reports: machines by id, units by name; a k8s model has units only."""
    machines = list(model.machines) if model.type == "iaas" else []
    units = [unit for each in model.applications.values() for unit in each.units]
    return sorted(machines) + sorted(units)


class Minions:
    """The agents of one model, as the source's worker waits for them."""

    def __init__(self, core: Core, uuid: ModelUUID, say: Say) -> None:
        self._core = core
        self._uuid = uuid
        self._say = say
        self._tasks = Tasks()

    async def wait(self, phase: Phase, *, fail_fast: bool) -> Verdict:
        """Waits until each agent has reported on the phase, or for the wait limit.

        ``fail_fast`` ends the wait at the first failure. The last message is written only if
        all went well: what a failure means is the worker's to say.
        """
        await self._say(waiting(phase))
        try:
            verdict = await self._gather(phase, fail_fast=fail_fast)
        finally:
            await self._tasks.aclose()
        if verdict.success:
            await self._say(verdict.message)
        return verdict

    async def _gather(self, phase: Phase, *, fail_fast: bool) -> Verdict:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._limit()
        tells = loop.time() + TELLS / self._core.clock.speed
        reporting = self._start(phase)
        while reporting:
            if fail_fast and self._failed(phase):
                break
            pause = min(end, tells) - loop.time()
            done, reporting = await asyncio.wait(
                reporting, timeout=max(pause, 0), return_when=asyncio.FIRST_COMPLETED
            )
            if not done and loop.time() >= end:
                return Verdict(False, timed_out(phase))
            if not done and loop.time() >= tells:
                tells += TELLS / self._core.clock.speed
                await self._say(self._progress(phase))
        if self._failed(phase):
            return Verdict(False, some_failed(phase))
        return Verdict(True, all_reported(phase))

    def _start(self, phase: Phase) -> set[asyncio.Task[None]]:
        model = self._core.store.models[self._uuid]
        heard = {report.agent for report in lifecycle.record_of(model).reports_on(phase)}
        outstanding = [agent for agent in agents(model) if agent not in heard]
        if not outstanding:
            return set()
        home = self._tasks.spawn(self._try_home(phase), name="agents try their new home")
        return {
            self._tasks.spawn(self._report(phase, agent, home), name=f"agent {agent}")
            for agent in outstanding
        }

    async def _report(self, phase: Phase, agent: str, home: asyncio.Task[bool]) -> None:
        await self._core.clock.sleep(WORKS)
        success = await asyncio.shield(home)
        try:
            await pass_point(self._core, on_minion(phase, agent), self._uuid)
        except (RemoteError, ConnectionError):
            success = False
        model = self._core.store.models.get(self._uuid)
        if model is not None and model.migration is not None:
            report = MinionReport(agent=agent, phase=phase, success=success)
            self._core.store.put(lifecycle.reported(model, report))

    async def _try_home(self, phase: Phase) -> bool:
        """Whether the addresses that the migration was given can be reached from the agents:
        all are on one host here, so one try speaks for all."""
        if phase is not Phase.VALIDATION:
            return True
        target = lifecycle.record_of(self._core.store.models[self._uuid]).target
        for _ in range(TRIES):
            try:
                await outbound.reach(target)
            except ControllerUnavailable as error:
                log.info("agents cannot reach their new controller: %s", error)
                await self._core.clock.sleep(BETWEEN_TRIES)
            else:
                return True
        return False

    def _limit(self) -> float:
        setting = self._core.store.controller.config.get(WAIT_SETTING)
        seconds = seconds_of(setting) if isinstance(setting, str) else WAIT_LIMIT
        return seconds / self._core.clock.speed

    def _reports(self, phase: Phase) -> tuple[MinionReport, ...]:
        return lifecycle.record_of(self._core.store.models[self._uuid]).reports_on(phase)

    def _failed(self, phase: Phase) -> bool:
        return any(not report.success for report in self._reports(phase))

    def _progress(self, phase: Phase) -> str:
        reports = self._reports(phase)
        succeeded = sum(report.success for report in reports)
        return progress(
            phase,
            succeeded=succeeded,
            failed=len(reports) - succeeded,
            outstanding=len(agents(self._core.store.models[self._uuid])) - len(reports),
        )


def seconds_of(duration: str) -> float:
    """A Go duration (``15m``, ``1h30m0s``) in seconds; the usual limit for anything else."""
    parts = _PART.findall(duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        return WAIT_LIMIT
    return sum(int(number) * _UNITS[unit] for number, unit in parts)
