"""The short way through the pipe and the long one do the same."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jimm.proxy.pipe import HOLD, RESEND, AskForAccess, HoldClient, State
from jimm.wire import frames
from jimm.wire.frames import Message
from tests.unit.proxy.conversation import (
    Conversation,
    access_required,
    answers,
    asks,
    from_client,
    read,
)

requests = st.one_of(
    st.builds(asks, st.integers(1, 4), st.sampled_from(["FullStatus", "Next", "WatchAll"])),
    st.builds(lambda size: asks(2, params="x" * size), st.sampled_from([100, 200, 70_000])),
    st.just(from_client(b'{"REQUEST-ID":3,"type":"A","request":"B"}')),
    st.just(from_client(b"hello")),
    st.just(from_client(b"ping", frames.PING)),
    st.just(from_client(b'{"request-id":5,', fin=False) + from_client(b'"type":"A"}', 0)),
)
replies = st.one_of(
    st.builds(answers, st.integers(1, 4)),
    st.builds(lambda size: answers(1, response="q" * size), st.sampled_from([100, 70_000])),
    st.builds(access_required, st.integers(1, 4)),
    st.just(answers(2, error="no", **{"error-code": "not found"})),
    st.just(answers(3, response={"status": "not required"})),
    st.just(frames.encode(frames.TEXT, b'{"request-id": 1, "response": {}}')),
    st.just(frames.encode(frames.PONG, b"")),
    st.just(answers(response="y" * (HOLD + 1))),
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("client"), st.lists(requests, min_size=1, max_size=2).map(b"".join)),
        st.tuples(st.just("controller"), st.lists(replies, min_size=1, max_size=2).map(b"".join)),
    ),
    max_size=10,
)


@settings(deadline=None, max_examples=150)
@given(steps=steps, cut=st.sampled_from([0, 0, 0, 1, 7, 100]))
def test_both_ways_give_the_same(steps: list[tuple[str, bytes]], cut: int) -> None:
    short, long = Conversation(), Conversation(quick=False)
    for side, data in steps:
        for part in (data[:cut], data[cut:]) if cut else (data,):
            if part:
                commands = [getattr(talk, side)(part) for talk in (short, long)]
                assert commands[0] == commands[1]
    assert short.to_client == long.to_client
    assert short.to_controller == long.to_controller
    assert [call for call in short.calls if call.sure] == [call for call in long.calls if call.sure]
    assert short.failures == long.failures
    assert short.pipe.state is long.pipe.state
    assert short.pipe.in_flight == long.pipe.in_flight


def test_a_plain_call_and_its_answer_take_the_short_way() -> None:
    talk = Conversation()
    assert talk.pipe.client_passes(asks(7, params={"a": 1}))
    assert talk.pipe.in_flight == 1
    assert talk.pipe.controller_passes(frames.encode(frames.TEXT, b'{"request-id":7,"response":1}'))
    assert talk.pipe.in_flight == 0
    (call,) = talk.calls
    assert (call.request_id, call.request, call.sure) == (7, "FullStatus", True)
    assert json.loads(call.params) == {"a": 1}


def test_a_request_that_took_the_short_way_can_be_sent_again() -> None:
    talk = Conversation()
    request = asks(7)
    talk.client(request)
    assert talk.controller(access_required(7)) == [HoldClient(), AskForAccess()]
    talk.to_controller = b""
    assert not talk.pipe.client_passes(asks(8))
    talk.obey(talk.pipe.readmitted())
    assert talk.to_controller == request
    assert talk.pipe.client_passes(asks(9))


def test_a_request_too_long_to_be_sent_again_is_not_kept() -> None:
    talk = Conversation()
    talk.client(asks(7, params="x" * RESEND))
    talk.controller(access_required(7))
    assert talk.pipe.state is State.CLOSING


def test_a_message_that_nobody_can_name_is_answered_and_stays_here() -> None:
    talk = Conversation()
    talk.client(from_client(b'{"request-id":7,"type":"A",'))
    assert talk.to_controller == b""
    (answer,) = talk.client_heard()
    assert isinstance(answer, Message)
    assert json.loads(answer.payload)["error-code"] == "bad request"
    assert talk.pipe.state is State.FLOWING
    assert [call.sure for call in talk.calls] == [False]
    talk.client(asks(8))
    assert read(talk.to_controller, masked=True)


@pytest.mark.parametrize("cut", [5, 9, 15])
def test_one_that_has_begun_to_pass_never_gets_to_its_end(cut: int) -> None:
    talk = Conversation()
    raw = from_client(b'{"request-id":7,"type"')
    talk.client(raw[:cut])
    talk.client(raw[cut:] + asks(8))
    assert talk.pipe.state is State.CLOSING or cut == 5
    assert raw not in talk.to_controller
    assert asks(8) not in talk.to_controller or cut == 5


def test_a_request_as_long_as_may_be_is_named() -> None:
    talk = Conversation()
    params = [{"a": "x" * 1000, "type": "B", "request": "Z"}] * 3000
    raw = asks(7, params=params)
    for at in range(0, len(raw), 200_000):
        talk.client(raw[at : at + 200_000])
    assert talk.to_controller == raw
    (call,) = talk.calls
    assert (call.type, call.request, call.sure) == ("Client", "FullStatus", True)


def test_an_error_is_told_with_its_code() -> None:
    talk = Conversation()
    talk.controller(frames.encode(frames.TEXT, b'{"request-id":7,"error":"no","error-code":"c"}'))
    assert talk.failures == [(7, "no", "c")]


def test_a_message_of_tiny_fragments_costs_no_more_than_its_size() -> None:
    talk = Conversation()
    raw = from_client(b"{", fin=False) + from_client(b"", 0, fin=False) * 20_000
    for at in range(0, len(raw), 60_000):
        talk.client(raw[at : at + 60_000])
    assert talk.to_controller == raw
    talk.client(from_client(b'"request-id":9,"type":"A","request":"B"}', 0))
    assert [call.request_id for call in talk.calls] == [9]


def test_what_follows_a_message_that_is_cut_off_is_not_written() -> None:
    talk = Conversation()
    long = answers(response={"a": "x" * (HOLD * 2), "error": {"code": "access required"}})
    talk.controller(long[: HOLD + 100])
    talk.controller(long[HOLD + 100 :] + answers(2))
    assert talk.pipe.state is State.CLOSING
    assert b"access required" not in talk.to_client
    assert len(talk.to_client) < len(long)


def test_nothing_of_the_old_leg_is_glued_to_the_new_one() -> None:
    talk = Conversation()
    talk.client(asks(7))
    begun = answers(99)[:-5]
    talk.controller(access_required(7) + begun)
    talk.obey(talk.pipe.readmitted())
    talk.controller(answers(7))
    assert talk.to_client == answers(7)


def test_a_message_that_streams_by_ends_its_frame_after_a_close() -> None:
    talk = Conversation()
    long = answers(response={"a": "x" * (HOLD * 2)})
    talk.controller(long[: HOLD + 1000])
    talk.obey(talk.pipe.close(1001, "moved"))
    talk.controller(long[HOLD + 1000 :])
    message, _ = talk.client_heard()
    assert isinstance(message, Message)
