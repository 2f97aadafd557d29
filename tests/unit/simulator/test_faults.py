"""Things that go wrong on demand."""

from jimm.net.tasks import Tasks
from jimm.simulator.faults import Fault, Faults


def test_a_fault_is_taken_as_often_as_it_says() -> None:
    faults = Faults()
    faults.add(Fault(point="A.*", action="refuse", times=2))
    assert faults.take("B.x") is None
    assert [faults.take("A.x") is not None for _ in range(3)] == [True, True, False]


def test_a_fault_for_ever_stays_until_cleared() -> None:
    faults = Faults()
    kept = faults.add(Fault(point="*", action="refuse", times=0))
    assert all(faults.take("any") == kept for _ in range(5))
    faults.clear(kept.id)
    assert faults.take("any") is None


async def test_a_stall_holds_until_cleared() -> None:
    faults, tasks = Faults(), Tasks()
    faults.add(Fault(point="*", action="stall"))
    fault = faults.take("any")
    assert fault is not None
    held = tasks.spawn(faults.hold(fault), name="held")
    faults.clear()
    await held
    await faults.hold(fault)


async def test_a_stall_may_end_by_itself() -> None:
    faults = Faults()
    await faults.hold(faults.add(Fault(point="*", action="stall", seconds=0.01)))
