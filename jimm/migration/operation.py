"""One migration in the hands of one worker: its two controllers, and its row under the lease."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta

from jimm.controllers import deadlines
from jimm.fleet.fleet import Fleet
from jimm.migration import verdict, views
from jimm.migration.phases import Phase, State, move, phase_of
from jimm.migration.reasons import redact_reason
from jimm.migration.verdict import Silent, Situation, Verdict, View
from jimm.registry import controllers, migrations, models
from jimm.registry.controllers import Controller
from jimm.registry.migrations import Migration, Step
from jimm.registry.models import Model


class LeaseLost(Exception):
    """Another worker has it, or an administrator has decided: whatever was found is dropped."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often is looked, and how long is waited; all in seconds. Tests make it quicker.

    ``poll`` is between two looks at a model that moves, ``away`` at a controller that does not
    answer, ``stuck`` at a migration that is stuck; ``beat`` is the longest time between two
    looks at the lease. ``call`` is what ``InitiateMigration`` is given; ``patience`` how long
    one waits for a controller before anything was asked of it. ``unclear`` is how long answers
    may settle nothing, ``unchanged`` how long Juju may say the same thing, before it is stuck.
    """

    poll: float = 0.25
    away: float = 1.0
    stuck: float = 5.0
    beat: float = 2.0
    call: float = deadlines.INITIATE_MIGRATION
    patience: float = deadlines.INITIATE_MIGRATION
    unclear: float = 900.0
    unchanged: float = 3600.0


class Operation:
    """What the steps of one migration work with.

    ``refusals`` counts how often the target would not let the source in.
    """

    def __init__(
        self, fleet: Fleet, pace: Pace, migration: Migration, source: Controller, target: Controller
    ) -> None:
        self.fleet = fleet
        self.pace = pace
        self.migration = migration
        self.source = source
        self.target = target
        self.refusals = 0
        self._same: tuple[str, float] = ("", 0.0)
        self._written = 0.0

    @classmethod
    async def load(cls, fleet: Fleet, pace: Pace, migration: Migration) -> "Operation":
        """The operation that a claim gave.

        Raises:
            NotFound: one of its controllers is not registered any more.
        """
        async with fleet.registry.read() as session:
            source = await controllers.by_id(session, migration.source_id or 0)
            target = await controllers.by_id(session, migration.target_id or 0)
        return cls(fleet, pace, migration, source, target)

    async def model(self) -> Model:
        """The model as the registry knows it.

        Raises:
            ModelNotFound: it was forgotten meanwhile.
        """
        async with self.fleet.registry.read() as session:
            return await models.by_uuid(session, self.migration.model_uuid)

    async def look(self, controller: Controller) -> View:
        """What a controller says of the model now."""
        return await views.look(self.fleet, controller, self.migration.model_uuid)

    async def judge(self) -> Verdict:
        """What both controllers say now, and what it means."""
        return verdict.judge(await self._situation())

    async def apply(self, step: Step) -> Migration:
        """Writes a step down, without the secrets that Juju's texts may hold.

        Raises:
            LeaseLost: nothing was written.
            Conflict: the table of states does not allow it.
        """
        before, step = self.migration, _redacted(step)
        if step.state is not None and step.state != before.state:
            move(before.state, step.state)
        async with self.fleet.registry.write() as session:
            if step.state is not None and step.state is State.DONE:
                after = await migrations.apply_moved(
                    session, before.held, step, controller_id=self.target.id
                )
            else:
                after = await migrations.apply(session, before.held, step)
        if after is None:
            raise LeaseLost
        self._written = _clock()
        self.migration = after
        return after

    async def rest(self, step: Step) -> Migration:
        """Writes a step down if it says anything new, or if the lease was not looked at for
        long; then waits as long as it asks."""
        if self._is_news(_redacted(step)) or _clock() - self._written > self.pace.beat:
            await self.apply(step)
        if step.next_in and self.migration.ended is None:
            await asyncio.sleep(step.next_in)
        return self.migration

    def since_phase(self) -> float:
        """Seconds since state or phase changed."""
        return (self.fleet.now() - self.migration.phase_since).total_seconds()

    def answer_overdue(self) -> bool:
        """Whether the source's answer to the start should have come by now; so too when it was
        never asked."""
        due = self.migration.initiate_deadline
        return due is None or self.fleet.now() >= due

    def same_for(self, what: str) -> float:
        """Seconds for which this worker has been told just this."""
        known, since = self._same
        if known != what:
            self._same = (what, _clock())
            return 0.0
        return _clock() - since

    async def _situation(self) -> Situation:
        migration = self.migration
        known = views.moment(migration.recorded_start) if migration.recorded_start else None
        source = await self.look(self.source)
        target: View = Silent("it was not asked")
        if verdict.asks_target(source, known):
            target = await self.look(self.target)
        attempt = verdict.own_attempt(source, known)
        same = attempt is not None and phase_of(attempt.message) == migration.phase
        return Situation(
            source=source,
            target=target,
            source_uuid=self.source.uuid,
            target_uuid=self.target.uuid,
            known_start=known,
            phase=Phase(migration.phase),
            in_phase_for=timedelta(seconds=self.since_phase() if same else 0.0),
        )

    def _is_news(self, step: Step) -> bool:
        now = self.migration
        told = (
            (step.state, now.state),
            (step.phase, now.phase),
            (step.message, now.message),
            (step.error, now.error),
            (step.error_code, now.error_code),
        )
        return any(new is not None and new != old for new, old in told)


def _redacted(step: Step) -> Step:
    return replace(
        step,
        message=None if step.message is None else redact_reason(step.message),
        error=None if step.error is None else redact_reason(step.error),
    )


def _clock() -> float:
    return asyncio.get_running_loop().time()
