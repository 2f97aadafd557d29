"""The table of phases, every pair of it."""

from itertools import pairwise, product

import pytest

from jimm.simulator.migration import phases
from jimm.simulator.migration.phases import MOVES, IllegalPhaseChange, Phase

FORWARD = [
    Phase.QUIESCE,
    Phase.IMPORT,
    Phase.PROCESSRELATIONS,
    Phase.VALIDATION,
    Phase.SUCCESS,
    Phase.LOGTRANSFER,
    Phase.REAP,
    Phase.DONE,
]
ALLOWED = {
    *pairwise(FORWARD),
    *((phase, Phase.ABORT) for phase in FORWARD[:4]),
    (Phase.ABORT, Phase.ABORTDONE),
    (Phase.REAP, Phase.REAPFAILED),
}


@pytest.mark.parametrize(("current", "following"), sorted(ALLOWED))
def test_a_move_in_the_table_is_allowed(current: Phase, following: Phase) -> None:
    assert phases.move(current, following) is following


@pytest.mark.parametrize(("current", "following"), sorted(set(product(Phase, Phase)) - ALLOWED))
def test_any_other_move_is_refused(current: Phase, following: Phase) -> None:
    with pytest.raises(IllegalPhaseChange) as raised:
        phases.move(current, following)
    assert str(raised.value) == f"illegal phase change: {current} -> {following}"


def test_every_phase_has_its_moves() -> None:
    assert set(MOVES) == set(Phase)


def test_the_way_forward_ends_in_done() -> None:
    walked = [Phase.QUIESCE]
    while not phases.is_terminal(walked[-1]):
        walked.append(phases.onward(walked[-1]))
    assert walked == FORWARD


def test_nothing_after_success_can_abort() -> None:
    aborting = {phase for phase in Phase if phases.can_abort(phase)}
    assert aborting == set(FORWARD[:4])


@pytest.mark.parametrize("phase", [Phase.DONE, Phase.ABORTDONE, Phase.REAPFAILED])
def test_nothing_follows_the_end(phase: Phase) -> None:
    assert phases.is_terminal(phase)
    with pytest.raises(ValueError, match="nothing follows"):
        phases.onward(phase)


@pytest.mark.parametrize("phase", Phase)
def test_the_messages_of_each_phase_are_known(phase: Phase) -> None:
    assert bool(phases.messages(phase)) is not phases.is_terminal(phase)


def test_the_messages_of_quiesce_in_order() -> None:
    assert phases.messages(Phase.QUIESCE) == (
        "performing source prechecks",
        "performing target prechecks",
        "quiescing, waiting for agents to report back",
        "quiescing, all agents reported success",
        "performing source prechecks",
        "performing target prechecks",
    )


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ((0, 0, 3), "validating, no reports from agents yet"),
        (
            (1, 0, 2),
            "validating, waiting for agents to report back: 1 succeeded, 2 still to report",
        ),
        (
            (1, 2, 3),
            (
                "validating, waiting for agents to report back: "
                "1 succeeded, 3 still to report, 2 failed"
            ),
        ),
    ],
)
def test_progress(counts: tuple[int, int, int], text: str) -> None:
    succeeded, failed, outstanding = counts
    told = phases.progress(
        Phase.VALIDATION, succeeded=succeeded, failed=failed, outstanding=outstanding
    )
    assert told == text


def test_the_diagram_shows_every_move() -> None:
    lines = phases.diagram().splitlines()
    assert [line.split()[0] for line in lines] == list(MOVES)
    for line in lines:
        phase, _, ways = line.partition("->")
        following = MOVES[Phase(phase.strip())]
        assert ways.strip() == (" | ".join(following) or "(the end)")
