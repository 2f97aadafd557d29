"""The machine among its parties, all in memory and in simulated time: two controllers, the row
with its lease and fence, and workers that break, stall, die, or are late."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from jimm.migration import machine
from jimm.migration.case import Case, Parties
from jimm.migration.orders import (
    AbortImport,
    Admit,
    Ask,
    Check,
    Checked,
    Look,
    MakeReady,
    Order,
    Ready,
    Rest,
    Side,
    Undo,
    Unready,
    Write,
)
from jimm.migration.pace import Pace
from jimm.migration.phases import State, move
from jimm.migration.prechecks import Finding
from jimm.migration.verdict import Absent, Present, Silent, View, is_exporting
from jimm.registry.migration_records import Migration, Step
from jimm.registry.words import ENDED
from jimm.wire.tags import ModelUUID
from tests.unit.migration.juju import CUT, DOWN, Clock, Fault, Juju, Party

BEGINNING: Final = datetime(2026, 1, 1, tzinfo=UTC)
LEASE: Final = 10.0
AGAIN: Final = 5.0
A_MOMENT: Final = 0.02
"""Seconds that an order takes."""

ORDERS: Final = 30_000
"""More than any migration needs."""

Worker = Callable[[Order], None]
"""Told of each order that was carried out; may raise :class:`Died`."""


class Died(Exception):
    """The worker's process is no more."""


class Broke(Exception):
    """Something in the worker, or the database, failed; the worker goes on."""


class LeaseLost(Exception):
    """Nothing was written."""


@dataclass(frozen=True)
class Lease:
    """Whose turn it is, and until when."""

    fence: int = 0
    until: datetime | None = None


class Scene:
    """A model on ``a`` that is to move to ``b``; ``registered`` is where JIMM has it."""

    def __init__(self, *faults: Fault, **kind: Any) -> None:
        self.clock = Clock(BEGINNING, list(faults))
        self.a = Juju("a", self.clock, has="live", **kind)
        self.b = Juju("b", self.clock, **kind)
        self.registered = "a"
        self.orders: list[Order] = []
        self.history: list[tuple[State, str, str]] = []
        self.admitted = 0
        self.record = self._request("a", "b")
        self._lease = Lease()
        self._database_until = BEGINNING

    @property
    def source(self) -> Juju:
        """Of the migration under way."""
        return self.a if self.record.source_name == "a" else self.b

    @property
    def target(self) -> Juju:
        """Of the migration under way."""
        return self.b if self.record.source_name == "a" else self.a

    def request(self, source: str, target: str) -> None:
        """Asks for another one."""
        assert self.record.ended is not None
        self.record = self._request(source, target)
        self._lease = Lease(self._lease.fence)

    def advance(self, seconds: float) -> None:
        """Lets time pass, and Juju work."""
        end = self.clock.after(seconds)
        while True:
            due = [each for each in (self.a, self.b) if each.due is not None and each.due <= end]
            if not due:
                break
            first = min(due, key=lambda each: each.due or end)
            self.clock.now = max(self.clock.now, first.due or end)
            first.work()
        self.clock.now = end

    def settle(self) -> None:
        """Lets Juju come to rest."""
        while self.source.is_active() or self.source.due:
            self.advance(1.0)

    def run(self, worker: Worker = lambda _: None, *, until: State | None = None) -> Migration:
        """Has workers claim it, one after the other, until it is over, or in a state.

        Raises:
            AssertionError: it never is.
        """
        while self.record.ended is None and self.record.state is not until:
            self._claimed(worker, until)
        return self.record

    def places(self) -> list[str]:
        """Where the model can be worked with."""
        return [each.name for each in (self.a, self.b) if each.is_usable()]

    def _claimed(self, worker: Worker, until: State | None) -> None:
        fence = self._claim()
        hands = Hands(self, fence, worker)
        try:
            hands.work(until)
        except (Died, LeaseLost):
            return  # the lease runs out
        except Broke:
            self.advance(AGAIN)
            if self._lease.fence == fence:
                self._lease = Lease(fence)

    def _claim(self) -> int:
        now = self.clock.now
        free = max(self._lease.until or now, self._database_until)
        if free > now:
            self.advance((free - now).total_seconds() + A_MOMENT)
        self._lease = Lease(self._lease.fence + 1, self.clock.after(LEASE))
        if self.record.state is State.REQUESTED:
            self._put(machine.first_step(self.record))
        return self._lease.fence

    def write(self, step: Step, fence: int) -> Migration:
        """One transaction, guarded by the fence.

        Raises:
            Broke, LeaseLost: the database is at fault, or the worker was too slow.
        """
        if self.clock.now < self._database_until:
            raise Broke
        kind = self.clock.strikes(self.source.phase, Party.DATABASE)
        if kind == "crash":
            self._database_until = self.clock.lasting(DOWN)
        if kind in ("refuse", "crash"):
            raise Broke
        if kind == "lie":
            raise LeaseLost
        if kind == "stall":
            self.overtaken()
        if self._lease.fence != fence or self.record.ended is not None:
            raise LeaseLost
        self._put(step)
        self._lease = Lease(fence, self.clock.after(LEASE))
        if kind == "cut":
            raise Broke
        return self.record

    def overtaken(self) -> None:
        """The lease runs out, and another worker is at it for a minute."""
        fence = self._claim()
        hands = Hands(self, fence, lambda _: None)
        try:
            hands.work(None, end=self.clock.after(60.0))
        except (Broke, LeaseLost):
            return
        finally:
            if self._lease.fence == fence:
                self._lease = Lease(fence)

    def _put(self, step: Step) -> None:
        before = self.record
        if step.state is not None and step.state is not before.state:
            move(before.state, step.state)
        self.record = written(before, step, self.clock.now)
        if self.record.state is State.DONE:
            self.registered = self.record.target_name
        shown = (self.record.state, self.record.phase, self.record.message)
        if (before.state, before.phase, before.message) != shown:
            self.history.append(shown)

    def _request(self, source: str, target: str) -> Migration:
        now = self.clock.now
        return Migration(
            id="id",
            model_uuid=ModelUUID("m"),
            model_name="alice@jimm/m1",
            source_id=1,
            target_id=2,
            source_name=source,
            target_name=target,
            state=State.REQUESTED,
            phase="",
            message="",
            juju_id="",
            recorded_start=None,
            initiate_deadline=None,
            requested_by="admin@jimm",
            started=now,
            phase_since=now,
            ended=None,
            error_code="",
            error="",
            remedy="",
            debris="",
            checks=(),
            prepare=False,
            prepared=(),
            machines=1,
            units=1,
            next_at=now,
            fence=0,
        )


class Hands:
    """One worker's drive of the machine."""

    def __init__(self, scene: Scene, fence: int, worker: Worker) -> None:
        self._scene = scene
        self._fence = fence
        self._worker = worker
        self._written = scene.clock.now
        self._seen: dict[Side, View] = {}
        self._from_before = False
        version = "4.1.0" if scene.source.opaque else "3.6.9"
        source = scene.source
        parties = Parties(source.name, scene.target.name, version, version, blind=source.blind)
        self._case = Case(scene.record, parties, Pace(), lambda: scene.clock.now)

    def work(self, until: State | None, *, end: datetime | None = None) -> None:
        """Carries on.

        Raises:
            Died, Broke, LeaseLost: and no further.
        """
        life = machine.life(self._case)
        answer: object = None
        scene = self._scene
        while scene.record.state is not until and (end is None or scene.clock.now < end):
            try:
                order = life.send(answer)
            except StopIteration:
                return
            self._disturb()
            answer = self._carry_out(order)
            scene.orders.append(order)
            assert len(scene.orders) < ORDERS, scene.history[-5:]
            self._worker(order)

    def _disturb(self) -> None:
        scene = self._scene
        match scene.clock.strikes(scene.source.phase, Party.WORKER):
            case "refuse":
                raise Broke
            case "crash":
                raise Died
            case "stall":
                scene.advance(LEASE)
                scene.overtaken()
            case "cut":
                scene.a.cut(scene.clock.lasting(CUT))
                scene.b.cut(scene.clock.lasting(CUT))
            case "lie":
                self._from_before = True

    def _carry_out(self, order: Order) -> object:
        scene = self._scene
        if not isinstance(order, Rest):
            scene.advance(A_MOMENT)
        match order:
            case Look(at):
                return self._look(at)
            case Check():
                return self._check()
            case MakeReady():
                away = scene.target.is_away()
                return Unready("no route to host", away=True) if away else Ready()
            case Ask(within):
                return scene.source.initiate(scene.target, within, scene.advance)
            case AbortImport():
                return scene.target.abort()
            case Admit():
                scene.admitted += 1
                return None
            case Undo():
                return None
            case Write(step):
                return self._write(step)
            case Rest(step):
                return self._rest(step)

    def _look(self, at: Side) -> View:
        scene = self._scene
        controller = scene.source if at is Side.SOURCE else scene.target
        before = self._seen.get(at)
        if self._from_before and before is not None:
            self._from_before = False
            return before
        self._seen[at] = controller.seen()
        return self._seen[at]

    def _check(self) -> Checked:
        scene = self._scene
        here, there = scene.source.seen(), scene.target.seen()
        findings = []
        if not isinstance(here, Present):
            findings.append(Finding("source-unavailable", f"{here}", "wait"))
        leftover = isinstance(there, Present) and there.importing
        if isinstance(there, Silent):
            findings.append(Finding("target-unavailable", f"{there}", "wait"))
        elif not (leftover or isinstance(there, Absent)):
            findings.append(Finding("leftover-import", f"{there}", "wait"))
        if is_exporting(here):  # of an opaque source nobody can tell here
            findings.append(Finding("already-migrating", f"{here}", "wait"))
        return Checked(tuple(findings), leftover=leftover, start=scene.source.start_shown())

    def _write(self, step: Step) -> Migration:
        self._written = self._scene.clock.now
        return self._scene.write(step, self._fence)

    def _rest(self, step: Step) -> Migration:
        scene = self._scene
        values = changes(step).items()
        same = all(getattr(scene.record, name) == value for name, value in values)
        if not same or scene.clock.now - self._written > timedelta(seconds=Pace().beat):
            self._write(step)
        scene.advance(step.next_in or A_MOMENT)
        return scene.record


NAMES: Final = [each.name for each in fields(Step) if not each.name.endswith("_in")]


def changes(step: Step) -> dict[str, Any]:
    """What a step says, but for times."""
    told = {name: getattr(step, name) for name in NAMES}
    return {name: value for name, value in told.items() if value is not None}


def written(before: Migration, step: Step, now: datetime) -> Migration:
    """A row after a step, as the registry writes it."""
    values = changes(step)
    moved = values.get("state", before.state), values.get("phase", before.phase)
    if step.next_in is not None:
        values["next_at"] = now + timedelta(seconds=step.next_in)
    if step.initiate_in is not None:
        values["initiate_deadline"] = now + timedelta(seconds=step.initiate_in)
    if step.state in ENDED:
        values["ended"] = now
    if moved != (before.state, before.phase):
        values["phase_since"] = now
    return replace(before, **values)
