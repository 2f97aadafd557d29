"""The machine among its parties: each trap of Juju's as a named test, and every run interrupted
after every step."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jimm.migration import advice
from jimm.migration.orders import AbortImport, Ask, Order, Rest
from jimm.migration.phases import Phase, State
from tests.migration_matrix import OWN, SOURCE, TARGET, kinds
from tests.unit.migration.juju import Fault, Party
from tests.unit.migration.parties import BEGINNING, Died, Scene

HOUR = 3600.0
ABORTED = Fault(Phase.VALIDATION, Party.SOURCE, "refuse")


def asked(scene: Scene) -> int:
    """How often the source was asked to begin."""
    return sum(isinstance(order, Ask) for order in scene.orders)


def states(scene: Scene) -> list[State]:
    """The states it went through."""
    return list(dict.fromkeys(state for state, _, _ in scene.history))


# Traps


def test_the_stale_end_of_an_earlier_attempt_is_not_the_end_of_this_one() -> None:
    scene = Scene(ABORTED)
    assert scene.run().state is State.FAILED
    scene.clock.faults.append(Fault(Phase.NONE, Party.SOURCE, "stall"))
    scene.history.clear()
    scene.request("a", "b")
    # while the source takes its time it shows the end of before
    assert scene.run().state is State.DONE
    assert State.CLEANING not in states(scene)
    assert scene.registered == "b"


def test_the_lost_answer_of_the_start_is_found_out_by_looking() -> None:
    scene = Scene(Fault(Phase.NONE, Party.SOURCE, "cut"))
    assert scene.run().state is State.DONE
    assert (asked(scene), scene.a.attempts) == (1, 1)
    assert scene.record.juju_id == ""


def test_the_lost_answer_of_the_start_is_found_out_by_asking_again() -> None:
    """The source does not show the attempt at once; the second call is refused for it."""
    scene = Scene(
        Fault(Phase.NONE, Party.SOURCE, "cut"), Fault(Phase.QUIESCE, Party.SOURCE, "lie:nothing")
    )
    assert scene.run().state is State.DONE
    assert (asked(scene), scene.a.attempts) == (2, 1)


def test_a_blind_source_is_asked_again_and_its_refusal_is_the_answer() -> None:
    """Juju 4.0 that knows JIMM by its tokens: nothing shows whether it has begun."""
    scene = Scene(Fault(Phase.NONE, Party.SOURCE, "cut"), opaque=True, blind=True)
    assert scene.run().state is State.DONE
    assert (asked(scene), scene.a.attempts) == (2, 1)
    texts = [message for _, _, message in scene.history]
    assert 'model "m" already has an active migration' in texts


def test_what_somebody_else_has_begun_is_not_taken_for_ours() -> None:
    scene = Scene(opaque=True, blind=True)

    def begin_by_hand(order: Order) -> None:
        if scene.record.state is State.STARTING and not scene.a.is_active():
            scene.a.initiate(scene.b, 1.0, scene.advance)

    ended = scene.run(begin_by_hand)
    assert ended.state is State.FAILED
    assert ended.error


def test_a_blind_source_whose_attempt_failed_is_stuck_and_nothing_is_guessed() -> None:
    scene = Scene(ABORTED, opaque=True, blind=True)
    stuck = scene.run(until=State.STUCK)
    assert stuck.state is State.STUCK
    assert f"jimmctl resolve-migration {stuck.id}" in stuck.remedy


def test_a_reap_that_failed_is_a_move_with_debris_that_nobody_shall_destroy() -> None:
    scene = Scene(Fault(Phase.REAP, Party.SOURCE, "refuse"))
    done = scene.run()
    assert (done.state, done.phase, scene.registered) == (State.DONE, Phase.REAPFAILED, "b")
    assert done.debris == "a: removing exported model failed: no space"
    assert done.remedy == advice.DEBRIS.format(source="a", target="b")
    assert done.error == ""


def test_a_source_that_restarts_in_abort_has_forgotten_the_reason() -> None:
    scene = Scene(ABORTED, Fault(Phase.ABORT, Party.SOURCE, "crash"))
    failed = scene.run()
    assert (failed.state, failed.error_code) == (State.FAILED, "reason-lost")
    assert scene.places() == ["a"]


def test_a_half_import_that_a_crash_of_the_target_left_is_aborted_there() -> None:
    scene = Scene(Fault(Phase.IMPORT, Party.TARGET, "crash"))
    failed = scene.run()
    assert failed.state is State.FAILED
    assert any(isinstance(order, AbortImport) for order in scene.orders)
    assert scene.b.has == ""
    scene.request("a", "b")
    assert scene.run().state is State.DONE


@pytest.mark.parametrize("gone", ["redirection required", "unauthorized access", "not found"])
def test_whatever_a_source_says_after_success_the_model_has_moved(gone: str) -> None:
    scene = Scene(gone=gone)
    done = scene.run()
    assert (done.state, scene.registered, done.debris) == (State.DONE, "b", "")


@pytest.mark.parametrize("opaque", [False, True])
def test_a_target_that_is_unreachable_in_validation_for_an_hour_is_waited_for(
    opaque: bool,
) -> None:
    scene = Scene(Fault(Phase.VALIDATION, Party.TARGET, "crash", HOUR), opaque=opaque)
    done = scene.run()
    assert (done.state, scene.registered, scene.places()) == (State.DONE, "b", ["b"])
    assert scene.clock.now - BEGINNING > timedelta(hours=1)
    assert State.CLEANING not in states(scene)
    stuck = next(message for state, _, message in scene.history if state is State.STUCK)
    assert f"jimmctl resolve-migration {done.id}" in stuck


def test_an_hour_in_validation_that_ends_in_an_abort_brings_the_model_back() -> None:
    scene = Scene(
        Fault(Phase.VALIDATION, Party.TARGET, "crash", HOUR),
        Fault(Phase.VALIDATION, Party.TARGET, "refuse"),
    )
    failed = scene.run()
    assert (failed.state, scene.registered, scene.places()) == (State.FAILED, "a", ["a"])
    assert failed.error_code != "resolved"


def test_a_source_that_dies_before_it_was_seen_beyond_an_abort_is_not_left_for_dead() -> None:
    """The target has activated the model; the source comes back, tries again, and aborts."""
    scene = Scene(Fault(Phase.VALIDATION, Party.SOURCE, "crash:late", 600.0))
    failed = scene.run()
    assert (failed.state, scene.registered) == (State.FAILED, "a")
    assert failed.remedy == advice.COPY.format(source="a", target="b")


def test_an_answer_after_the_deadline_is_waited_for_once_more() -> None:
    scene = Scene(Fault(Phase.NONE, Party.SOURCE, "stall"))
    assert scene.run().state is State.DONE
    assert asked(scene) == 2
    assert scene.a.attempts == 1


def test_a_refusal_is_not_the_end_while_an_earlier_call_may_bear_fruit() -> None:
    """The first call takes longer than anybody waits for it; the second one is refused."""
    scene = Scene(
        Fault(Phase.NONE, Party.SOURCE, "stall"), Fault(Phase.NONE, Party.SOURCE, "refuse")
    )
    assert scene.run().state is State.DONE
    assert (asked(scene), scene.registered) == (2, "b")


@pytest.mark.parametrize("opaque", [False, True])
def test_what_failed_has_failed_only_once_the_source_shows_the_model(opaque: bool) -> None:
    scene = Scene(ABORTED, opaque=opaque)
    hidden: list[datetime] = []

    def hide(_: Order) -> None:
        if scene.record.state is State.CLEANING and not hidden:
            hidden.append(scene.clock.after(100.0))
            scene.a.hide(hidden[0])

    failed = scene.run(hide)
    assert failed.state is State.FAILED
    assert scene.clock.now > hidden[0]


@pytest.mark.parametrize("number", range(1, 7))
def test_who_lost_the_lease_takes_nothing_away(number: int) -> None:
    """A worker falls asleep over a half import; when it wakes, the next attempt may be at it."""
    scene = Scene(Fault(Phase.IMPORT, Party.TARGET, "crash"))
    looks: list[Order] = []

    def sleep(order: Order) -> None:
        if scene.record.state is State.CLEANING and not scene.b.is_away():
            looks.append(order)
            if len(looks) == number:
                scene.advance(10.0)
                scene.overtaken()

    assert scene.run(sleep).state is State.FAILED
    assert len(looks) >= number
    assert sum(isinstance(order, AbortImport) for order in scene.orders) == 1


# Interruptions


WAYS: dict[str, tuple[Fault, ...]] = {
    "moves": (),
    "aborts": (ABORTED, ABORTED),  # a lost attempt of an opaque source is begun anew
    "leaves a half import": (ABORTED, Fault(Phase.ABORT, Party.SOURCE, "refuse")),
    "keeps a copy": (Fault(Phase.VALIDATION, Party.TARGET, "cut"),),
    "leaves debris": (Fault(Phase.REAP, Party.SOURCE, "refuse"),),
    "loses the answer": (Fault(Phase.NONE, Party.SOURCE, "cut"),),
    "is refused": (Fault(Phase.NONE, Party.SOURCE, "refuse"),) * 3,
    "is away at the end": (Fault(Phase.DONE, Party.TARGET, "crash"),),
}


def dying_after(number: int) -> Callable[[Order], None]:
    """A worker that dies once, after so many orders."""
    left = [number]

    def count(_: Order) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise Died

    return count


def steps_of(scene: Scene) -> list[int]:
    """The numbers of the orders after which something was new."""
    found: list[int] = []
    before: list[object] = []
    for number, order in enumerate(scene.orders, start=1):
        shown = [replace(order.step, next_in=None)] if isinstance(order, Rest) else [order]
        if shown[0] not in before[-3:]:  # looking on, and resting in between, is one step
            found.append(number)
        before += shown
    return found


def summary(scene: Scene) -> tuple[object, ...]:
    """What must be the same, however often somebody died."""
    scene.settle()
    record = scene.record
    debris = bool(record.debris) and "destroy-model" in record.remedy
    return record.state, record.error_code, scene.registered, scene.a.has, scene.b.has, debris


@pytest.mark.parametrize("opaque", [False, True])
@pytest.mark.parametrize("way", WAYS)
def test_a_worker_may_die_after_any_step(way: str, opaque: bool) -> None:
    if opaque and way in ("keeps a copy", "leaves debris"):
        return  # nobody can tell: see the blind source
    undisturbed = Scene(*WAYS[way], opaque=opaque)
    undisturbed.run()
    wanted = summary(undisturbed)
    for number in steps_of(undisturbed):
        scene = Scene(*WAYS[way], opaque=opaque)
        scene.run(dying_after(number))
        assert summary(scene) == wanted, number


@pytest.mark.parametrize("life", [8, 13])
@pytest.mark.parametrize("way", WAYS)
def test_every_worker_may_die_young(way: str, life: int) -> None:
    undisturbed = Scene(*WAYS[way])
    undisturbed.run()
    scene = Scene(*WAYS[way])

    def count(_: Order) -> None:
        if len(scene.orders) % life == 0:
            raise Died

    scene.run(count)
    assert summary(scene)[2:] == summary(undisturbed)[2:]


honest = st.one_of(
    *(
        st.builds(
            Fault,
            st.just(phase),
            st.just(party),
            st.sampled_from([kind for kind in kinds(phase, party) if "lie" not in kind]),
        )
        for phase in Phase
        for party in Party
    )
)
lying = st.builds(
    Fault,
    st.sampled_from(sorted(set(Phase) - {Phase.NONE})),
    st.sampled_from([Party.SOURCE, Party.TARGET]),
    st.sampled_from(sorted(set(SOURCE) & set(TARGET) - set(OWN))),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(honest, max_size=5), st.lists(lying, max_size=1))
def test_however_much_goes_wrong_the_registry_is_right_and_the_model_there(
    honest_faults: list[Fault], lies: list[Fault]
) -> None:
    scene = Scene(*honest_faults, *lies)
    ended = scene.run()
    scene.settle()
    assert scene.registered in scene.places()
    assert (ended.state is State.DONE) == (scene.registered == "b")


@settings(max_examples=40, deadline=None)
@given(st.lists(honest, max_size=4))
def test_of_an_opaque_source_nothing_is_guessed(faults: list[Fault]) -> None:
    scene = Scene(*faults, opaque=True)
    ended = scene.run(until=State.STUCK)
    scene.settle()
    if ended.state is State.DONE:
        assert (scene.registered, scene.b.has) == ("b", "live")
    if ended.state in (State.FAILED, State.REFUSED):
        assert (scene.registered, scene.a.has) == ("a", "live")
