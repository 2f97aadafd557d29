"""Things that go wrong on demand."""

import base64
from typing import Any

import pytest

from jimm.errors import RemoteError
from jimm.net.tasks import Tasks
from jimm.simulator.faults import Fault, Faults, mentions


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


def test_a_fault_for_one_model_waits_for_it() -> None:
    faults = Faults()
    faults.add(Fault(point="*", action="refuse", model="u1"))
    assert faults.take("any") is None
    assert faults.take("any", about=lambda uuid: uuid == "u2") is None
    assert faults.take("any", about=lambda uuid: uuid == "u1") is not None


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({"entities": [{"tag": "model-u1"}]}, True),
        ({"entities": [{"tag": "model-u2"}]}, False),
        ({"bytes": base64.b64encode(b"config: {uuid: u1}").decode()}, True),
        ({"bytes": base64.b64encode(b"\xff").decode(), "n": 1}, False),
        (None, False),
    ],
)
def test_what_parameters_are_about(params: object, found: bool) -> None:
    assert mentions(params, "u1") is found


@pytest.mark.parametrize(
    ("given", "answer"),
    [({}, {}), ({"answer": '{"a": 1}'}, {"a": 1}), ({"answer": "x"}, "x"), ({"answer": []}, [])],
)
def test_what_a_lie_answers(given: dict[str, Any], answer: object) -> None:
    assert Fault(point="*", action="lie", **given).lied == answer


def test_a_lie_afterwards_is_a_refusal_unless_it_has_an_answer() -> None:
    assert Fault(point="*", action="lie-after", answer={}).lied == {}
    with pytest.raises(RemoteError, match="no"):
        _ = Fault(point="*", action="lie-after", message="no").lied


def test_nobody_can_lie_where_nobody_asks() -> None:
    with pytest.raises(ValueError, match="nobody waits for an answer"):
        Faults().add(Fault(point="phase.source.IMPORT", action="lie"))
