"""What is made of a migration's events, on a clock that the test moves."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimmctl import track
from jimmctl.rows import Row
from jimmctl.track import Track

BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def at(seconds: float) -> str:
    return (BEGAN + timedelta(seconds=seconds)).isoformat()


def progress(seconds: float, state: str, phase: str = "", message: str = "m") -> Row:
    return {"seq": 1, "at": at(seconds), "state": state, "phase": phase, "message": message}


def outlook(seconds: float, since: float, rest: float | None, *, slow: bool = False) -> Row:
    told: Row = {"at": at(seconds), "state": "running", "phase": "IMPORT", "slow": slow}
    return {**told, "phase-since": at(since), **({} if rest is None else {"expected-rest": rest})}


def importing() -> Track:
    """At 1000 on the reader's clock it has been importing for 20 s, 60 s after its turn came."""
    one = Track("alice/m1")
    one.take("progress", progress(0, "requested"), 1000)
    one.take("progress", progress(100, "checking"), 1000)
    one.take("progress", progress(140, "running", "IMPORT"), 1000)
    one.take("outlook", outlook(160, 140, 40), 1000)
    return one


def test_times_are_the_server_s_carried_on_by_our_own_clock() -> None:
    one = importing()
    assert (one.stage, one.in_phase(1000), one.rest(1000)) == ("IMPORT", 20, 40)
    assert (one.in_phase(1015), one.rest(1015), one.rest(2000)) == (35, 25, 0)
    assert one.share(1000) == 0.6
    assert one.share(1020) == 0.8
    assert one.share(1000) == 0.8  # never back
    assert one.share(9000) == 0.99
    assert track.outlook(one, 1000) == "about 0:40 left"
    assert track.outlook(one, 1040) == "any moment"


def test_a_new_phase_begins_anew_and_a_replayed_history_turns_no_clock_back() -> None:
    one = importing()
    one.take("progress", progress(165, "running", "VALIDATION"), 1005)
    assert (one.stage, one.in_phase(1006), one.rest(1006)) == ("VALIDATION", 1, None)
    again = importing()
    again.take("progress", progress(0, "requested"), 1010)
    again.take("progress", progress(140, "running", "IMPORT"), 1010)
    assert again.in_phase(1010) == 30


def test_the_end_is_the_end() -> None:
    one = importing()
    one.take("progress", progress(170, "done", "DONE", "the model has arrived"), 1010)
    one.take("end", {"state": "done", "phase": "DONE", "message": "the model has arrived"}, 1010)
    assert (one.over, one.share(1010), one.in_phase(1010), one.rest(1010)) == (True, 1, None, None)
    assert (one.stage, track.outlook(one, 1010)) == ("done", "")
    failed = importing()
    failed.take("end", {"state": "failed", "phase": "ABORTDONE"}, 1000)
    assert failed.share(1000) < 1
    assert failed.message == "m"


def test_without_history_the_phase_says_how_far_it_is() -> None:
    one = Track("alice/m1")
    assert (one.share(0), track.outlook(one, 0)) == (0, "waits for its turn")
    shares = []
    for phase in ("QUIESCE", "IMPORT", "VALIDATION", "SUCCESS", "LOGTRANSFER", "REAP"):
        one.take("progress", progress(1, "running", phase), 5)
        shares.append(one.share(5))
    assert shares == sorted(set(shares))
    one.take("outlook", {**outlook(2, 1, None, slow=True), "phase": "REAP"}, 5)
    assert (one.slow, track.outlook(one, 5)) == (True, "slow")


@given(st.lists(st.tuples(st.sampled_from(["progress", "outlook", "end", "news"]), st.integers())))
def test_nothing_that_is_told_breaks_it(events: list[tuple[str, int]]) -> None:
    one = Track("alice/m1")
    share = 0.0
    for kind, number in events:
        told: list[Row] = [
            {},
            {"at": "yesterday", "state": None, "expected-rest": "soon"},
            {"at": at(number % 1000), "expected-rest": True, "state": 7, "phase-since": 1},
            outlook(number % 100, number % 77, number % 9000),
        ]
        one.take(kind, told[number % 4], number % 50)
        assert one.share(number % 50) >= share
        share = one.share(number % 50)
        assert (one.rest(0) or 0) >= 0
        assert (one.in_phase(0) or 0) >= 0


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.9, "0:00"), (61, "1:01"), (3600, "1:00:00"), (93784, "26:03:04")]
)
def test_a_span_is_written_as_a_clock_would(seconds: float, text: str) -> None:
    assert track.clock(seconds) == text


def test_where_room_is_short_what_moves_is_shown_and_the_rest_summed_up() -> None:
    states = ["done", "requested", "running", "failed", "stuck", "running", "requested"]
    tracks = [Track(str(number), state=state) for number, state in enumerate(states)]
    assert track.chosen(tracks, 7) == (tracks, [])
    shown, rest = track.chosen(tracks, 4)
    assert [one.name for one in shown] == ["2", "4", "5"]
    assert track.summary(rest) == "and 4 more: 2 waiting, 1 done, 1 failed"
    assert track.chosen(tracks, 1) == ([], tracks)
    assert track.summary(tracks) == (
        "and 7 more: 1 stuck, 2 under way, 2 waiting, 1 done, 1 failed"
    )
