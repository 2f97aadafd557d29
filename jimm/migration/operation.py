"""One migration in the hands of one worker: its two controllers, and its row under the lease."""

import asyncio
from dataclasses import replace
from typing import Final

from jimm import audit
from jimm.fleet.fleet import Fleet
from jimm.migration import ending, outside, views
from jimm.migration.looks import Looks
from jimm.migration.orders import Side
from jimm.migration.pace import Pace
from jimm.migration.phases import State, move
from jimm.migration.reasons import redact_reason
from jimm.migration.verdict import View, is_opaque
from jimm.registry import controllers, destinations, migrations, models
from jimm.registry.controllers import Controller
from jimm.registry.migrations import Migration, Step
from jimm.registry.models import Model
from jimm.registry.session import WriteSession

_NEWS: Final = (
    *("state", "phase", "message", "error_code", "error", "remedy", "debris"),
    *("juju_id", "recorded_start", "prepared"),
)


class LeaseLost(Exception):
    """Another worker has it, or an administrator has decided: whatever was found is dropped."""


class Operation:
    """What is needed to carry out the orders about one migration."""

    def __init__(
        self,
        fleet: Fleet,
        looks: Looks,
        pace: Pace,
        migration: Migration,
        source: Controller,
        target: Controller,
    ) -> None:
        self.fleet = fleet
        self.looks = looks
        self.pace = pace
        self.migration = migration
        self.source = source
        self.target = target
        self._written = 0.0

    @classmethod
    async def load(
        cls, fleet: Fleet, looks: Looks, pace: Pace, migration: Migration
    ) -> "Operation":
        """The operation that a claim gave.

        Raises:
            NotFound: one of its controllers is not registered any more.
        """
        async with fleet.registry.read() as session:
            source = await controllers.by_id(session, migration.source_id or 0)
            if migration.target_id is None:
                target = (await destinations.of_migration(session, migration.id)).controller
            else:
                target = await controllers.by_id(session, migration.target_id)
        if target.is_outside:
            await fleet.connect_all()
        return cls(fleet, looks, pace, migration, source, target)

    async def model(self) -> Model:
        """The model as the registry knows it.

        Raises:
            ModelNotFound: it was forgotten meanwhile.
        """
        async with self.fleet.registry.read() as session:
            return await models.by_uuid(session, self.migration.model_uuid)

    async def look(self, at: Side) -> View:
        """What a controller says of the model now."""
        model = self.migration.model_uuid
        if at is Side.TARGET:
            return await self.looks.look(self.target, model)
        seen = await self.looks.look(self.source, model)
        if is_opaque(self.source.agent_version):
            return await views.ask_closely(self.fleet, self.source, model, seen)
        return seen

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
            after = await self._write(session, step)
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

    async def _write(self, session: WriteSession, step: Step) -> Migration | None:
        held, target = self.migration.held, self.target
        if step.state is State.DONE:
            after = await migrations.apply_moved(session, held, step, controller_id=target.id)
        else:
            after = await migrations.apply(session, held, step)
        if after is not None and after.ended is not None:
            await ending.note(session, after)
            if after.state is State.DONE and target.is_outside:
                await audit.record(session, outside.left(after, target))
        return after

    def _is_news(self, step: Step) -> bool:
        now = self.migration
        values = ((getattr(step, name), getattr(now, name)) for name in _NEWS)
        return any(new is not None and new != old for new, old in values)


def _redacted(step: Step) -> Step:
    def clean(text: str | None) -> str | None:
        return None if text is None else redact_reason(text)

    return replace(
        step,
        message=clean(step.message),
        error=clean(step.error),
        remedy=clean(step.remedy),
        debris=clean(step.debris),
    )


def _clock() -> float:
    return asyncio.get_running_loop().time()
