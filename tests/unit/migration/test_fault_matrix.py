"""Each kind of fault, in each phase, with each party: one right verdict, the model in exactly one
place, the registry right, and the next attempt goes well.

The table is made from ``Phase``: a new phase grows it, and fails until it says here what to
expect.
"""

import pytest

from jimm.migration.phases import Phase, State, phase_of
from tests.migration_matrix import EXPECTED, Outcome, cells, expected, named
from tests.unit.migration.juju import MESSAGES, TERMINAL, Fault
from tests.unit.migration.parties import Scene

LONG = 7200.0
"""Seconds after which every fault is over."""


def test_every_phase_has_its_row_and_every_exception_its_cell() -> None:
    assert set(EXPECTED) == set(Phase)
    every = {(cell.phase, cell.party, cell.kind) for cell in cells()}
    assert {(phase, *key) for phase, row in EXPECTED.items() for key in row.but} <= every
    assert {cell.kind.partition(":")[0] for cell in cells()} == {
        *("refuse", "stall", "crash", "cut", "lie")
    }


def test_the_parties_say_of_every_phase_what_juju_does() -> None:
    silent = TERMINAL - {Phase.REAPFAILED} | {Phase.ABORT}
    assert set(MESSAGES) == set(Phase) - silent
    assert {phase: phase_of(message) for phase, message in MESSAGES.items()} == {
        phase: phase for phase in MESSAGES
    }


@pytest.mark.parametrize("fault", list(cells()), ids=named)
def test_each_fault_has_one_verdict_and_it_is_right(fault: Fault) -> None:
    row, outcome = expected(fault)
    scene = Scene(*row.way, fault)
    ended = scene.run()
    scene.settle()
    assert scene.clock.faults == []
    _check(scene, outcome)
    if outcome in (Outcome.RETURNED, Outcome.COPY):
        assert ended.error
        assert ended.remedy
    _check_next(scene, outcome)


@pytest.mark.parametrize("fault", list(cells()), ids=named)
def test_a_source_that_shows_nothing_is_judged_as_right(fault: Fault) -> None:
    row, outcome = expected(fault)
    scene = Scene(*row.way, fault, opaque=True)
    if outcome in (Outcome.DEBRIS, Outcome.COPY):
        # both have the model, and neither tells why
        stuck = scene.run(until=State.STUCK)
        assert stuck.state is State.STUCK
        assert f"jimmctl resolve-migration {stuck.id}" in stuck.message
        assert scene.registered == "a"
        return
    scene.run()
    scene.settle()
    assert scene.clock.faults == []
    _check(scene, outcome)
    _check_next(scene, outcome)


def _check(scene: Scene, outcome: Outcome) -> None:
    """The verdict, against what is really so."""
    record = scene.record
    match outcome:
        case Outcome.MOVED | Outcome.DEBRIS | Outcome.HIDDEN:
            assert record.state is State.DONE
            assert (scene.registered, scene.places()) == ("b", ["b"])
            assert (record.error_code, record.error) == ("", "")
            assert scene.a.has == ("" if outcome is Outcome.MOVED else "exporting")
            assert scene.admitted
        case Outcome.RETURNED:
            assert record.state in (State.FAILED, State.REFUSED)
            assert (scene.registered, scene.places()) == ("a", ["a"])
            assert scene.b.has == ""
            assert record.debris == ""
        case Outcome.COPY:
            assert record.state is State.FAILED
            assert scene.registered == "a"
            assert (scene.a.has, scene.b.has) == ("live", "live")
    if outcome in (Outcome.DEBRIS, Outcome.COPY):
        assert record.debris
        assert "destroy-model" in record.remedy


def _check_next(scene: Scene, outcome: Outcome) -> None:
    """What failed succeeds now, and what has moved goes back; what was kept is in the way until
    it is gone."""
    scene.advance(LONG)
    here, there = ("a", "b") if outcome in (Outcome.RETURNED, Outcome.COPY) else ("b", "a")
    if outcome in (Outcome.DEBRIS, Outcome.HIDDEN, Outcome.COPY):
        scene.request(here, there)
        assert scene.run().state is State.REFUSED
        scene.target.has = ""
    scene.request(here, there)
    assert scene.run().state is State.DONE
    scene.settle()
    assert (scene.registered, scene.places()) == (there, [there])
