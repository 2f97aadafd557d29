"""How a migration changes a model, step by step."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from jimm.simulator.migration import lifecycle, phases
from jimm.simulator.migration.phases import MOVES, IllegalPhaseChange, Phase
from jimm.simulator.migration.record import MinionReport
from jimm.simulator.state import Model, ModelUser
from tests.unit.simulator.migration.values import LATER, NOW, THERE, UUID, model, target


def walked(*following: Phase) -> Model:
    moving = lifecycle.started(model(), target(), NOW)
    for phase in following:
        moving = lifecycle.moved(moving, phase, LATER)
    return moving


TO_REAP = (
    Phase.IMPORT,
    Phase.PROCESSRELATIONS,
    Phase.VALIDATION,
    Phase.SUCCESS,
    Phase.LOGTRANSFER,
    Phase.REAP,
)


def test_a_start() -> None:
    moving = lifecycle.started(model(), target(), NOW)
    record = lifecycle.record_of(moving)
    assert record.migration_id == f"{UUID}:0"
    assert (record.phase, record.message, record.end) == (Phase.QUIESCE, "starting", None)
    assert (moving.mode, moving.status.status) == ("exporting", "busy")
    assert moving.status.info == "migrating: starting"
    assert [(each.user, each.access) for each in record.users] == [
        ("alice@jimm", "admin"),
        ("bob", "read"),
    ]


def test_attempts_are_counted() -> None:
    again = lifecycle.started(walked(Phase.ABORT, Phase.ABORTDONE), target(), LATER)
    assert lifecycle.record_of(again).migration_id == f"{UUID}:1"
    assert again.migration_attempts == 2


def test_no_secret_in_a_repr() -> None:
    assert "hunter2" not in repr(lifecycle.started(model(), target(), NOW))


def test_an_abort_gives_the_model_back_and_keeps_the_record() -> None:
    moving = lifecycle.said(walked(Phase.ABORT), phases.aborted("reason"), NOW)
    back = lifecycle.moved(moving, Phase.ABORTDONE, LATER)
    text = "aborted, removing model from target controller: reason"
    assert (back.mode, back.status.status) == ("", "available")
    assert back.status.info == f"migrating: {text}"
    assert lifecycle.record_of(back).end == LATER
    assert lifecycle.record_of(back).message == text


def test_a_failed_reap_ends_the_attempt_and_leaves_the_mode() -> None:
    stranded = walked(*TO_REAP, Phase.REAPFAILED)
    assert stranded.mode == "exporting"
    assert lifecycle.record_of(stranded).end == LATER
    assert lifecycle.fault_of(stranded) == ""


def test_an_import_and_its_activation() -> None:
    incoming = lifecycle.imported(model(), NOW)
    assert (incoming.mode, incoming.status.status) == ("importing", "busy")
    assert (incoming.status.info, incoming.migration) == ("importing", None)
    alive = lifecycle.activated(incoming, LATER)
    assert (alive.mode, alive.status.status, alive.status.info) == ("", "available", "")


def test_what_is_left_behind() -> None:
    leaving = walked(*TO_REAP)
    granted_meanwhile = {"bob": ModelUser(access="read"), "carol": ModelUser(access="read")}
    former = lifecycle.departed(replace(leaving, users=granted_meanwhile), LATER)
    assert {name: each.access for name, each in former.users.items()} == {
        "alice@jimm": "admin",
        "bob": "read",
    }
    assert former.redirect.controller_tag == f"controller-{THERE}"
    assert former.redirect.ca_cert == "PEM"
    assert [(each.value, each.type, each.port) for each in former.redirect.servers[0]] == [
        ("10.0.0.1", "ipv4", 17070),
        ("b.example", "hostname", 17070),
    ]
    assert former.migration is not None
    assert former.migration.phase is Phase.DONE
    assert not former.migration.target.password


def test_only_a_model_in_reap_departs() -> None:
    with pytest.raises(IllegalPhaseChange):
        lifecycle.departed(walked(Phase.IMPORT), LATER)
    with pytest.raises(ValueError, match="never migrated"):
        lifecycle.departed(model(), LATER)


def test_an_agent_reports_once_for_each_phase() -> None:
    moving = walked()
    for success in (True, False):
        report = MinionReport(agent="0", phase=Phase.QUIESCE, success=success)
        moving = lifecycle.reported(moving, report)
    record = lifecycle.record_of(moving)
    assert [each.success for each in record.reports_on(Phase.QUIESCE)] == [True]
    assert record.reports_on(Phase.VALIDATION) == ()
    with pytest.raises(ValueError, match="no agent reports on IMPORT"):
        record.reported(MinionReport(agent="0", phase=Phase.IMPORT, success=True))


@given(st.lists(st.sampled_from(Phase), max_size=12))
def test_no_walk_reaches_a_state_that_juju_does_not_have(steps: list[Phase]) -> None:
    moving = lifecycle.started(model(), target(), NOW)
    for phase in steps:
        current = lifecycle.record_of(moving).phase
        if phase not in MOVES[current] or phase is Phase.DONE:
            continue
        moving = lifecycle.moved(moving, phase, LATER)
        assert lifecycle.fault_of(moving) == ""
        if phases.is_terminal(phase):
            return
        moving = lifecycle.said(moving, "whatever", LATER)
        assert lifecycle.fault_of(moving) == ""


@pytest.mark.parametrize(
    ("impossible", "text"),
    [
        (replace(model(), mode="exporting"), 'migration mode is "exporting" instead of ""'),
        (replace(walked(), mode=""), 'migration mode is "" instead of "exporting"'),
        (replace(walked(), mode="importing"), 'migration mode is "importing" instead of'),
        (replace(walked(), uuid=THERE), "another model's"),
        (replace(walked(), migration_attempts=0), "has not been counted"),
        (replace(walked(), is_controller=True), "controllers can't be migrated"),
        (
            replace(walked(), migration=replace(lifecycle.record_of(walked()), end=LATER)),
            "an attempt has an end",
        ),
        (
            replace(walked(), migration=lifecycle.departed(walked(*TO_REAP), LATER).migration),
            "moved away and is still here",
        ),
    ],
)
def test_states_that_juju_cannot_reach(impossible: Model, text: str) -> None:
    assert text in lifecycle.fault_of(impossible)


def test_states_that_it_can() -> None:
    for possible in (model(), walked(), lifecycle.imported(model(), NOW)):
        assert lifecycle.fault_of(possible) == ""
