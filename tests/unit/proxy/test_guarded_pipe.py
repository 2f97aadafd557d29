"""A guarded pipe: whole messages through the guard, all else as in an open one."""

import json

import pytest

from jimm.proxy.guard import Restriction
from jimm.proxy.guarded_pipe import GuardedPipe
from jimm.proxy.pipe import BeginClosing, CloseClient, HoldClient, State
from jimm.wire import frames
from jimm.wire.frames import Control, Message
from tests.unit.proxy.conversation import (
    MASK,
    TOKEN,
    Conversation,
    access_required,
    answers,
    asks,
    closing,
    from_client,
)


class Guarded(Conversation):
    """A conversation through a guarded pipe."""

    def __init__(self) -> None:
        super().__init__()
        self.pipe = GuardedPipe(
            Restriction.EXPORTING,
            token=TOKEN,
            new_mask=lambda: MASK,
            note=self.hear,
            failed=self.hear_failure,
        )


def refused(number: int) -> Message:
    body = {"request-id": number, "error": "model migration in progress", "response": {}}
    return Message(json.dumps(body, separators=(",", ":")).encode(), frames.TEXT)


def test_a_refused_message_is_answered_and_never_sent() -> None:
    talk = Guarded()
    assert talk.client(asks(4, "Deploy", type="Application")) == []
    assert talk.client_heard() == [refused(4)]
    assert talk.to_controller == b""
    assert [call.request for call in talk.calls] == ["Deploy"]
    assert talk.failures == [(4, "model migration in progress", "")]
    assert talk.pipe.in_flight == 0


def test_what_passes_passes_as_it_came() -> None:
    talk = Guarded()
    talk.client(asks(1) + asks(2, "Deploy") + asks(3))
    assert talk.to_controller == asks(1) + asks(3)
    assert talk.client_heard() == [refused(2)]
    assert [call.request_id for call in talk.calls] == [1, 2, 3]
    talk.controller(answers(3) + answers(1))
    assert talk.to_client == answers(3) + answers(1)
    assert talk.pipe.in_flight == 0


def test_nothing_of_a_message_is_sent_before_all_of_it_is_there() -> None:
    talk = Guarded()
    whole = asks(1)
    for at in range(len(whole) - 1):
        talk.client(whole[at : at + 1])
        assert talk.to_controller == b""
    talk.client(whole[-1:])
    assert talk.to_controller == whole


def test_a_refusal_waits_for_the_end_of_a_message_that_is_passing() -> None:
    talk = Guarded()
    first = frames.encode(frames.TEXT, b"x" * 300_000, fin=False)
    last = frames.encode(frames.CONTINUATION, b"y")
    talk.controller(first)
    talk.client(asks(4, "Deploy"))
    assert talk.to_client == first
    talk.controller(last)
    assert talk.to_client.startswith(first + last)
    talk.to_client = talk.to_client[len(first + last) :]
    assert talk.client_heard() == [refused(4)]


def test_it_asks_for_access_and_decides_about_what_came_meanwhile() -> None:
    talk = Guarded()
    talk.client(asks(1))
    talk.to_controller = b""
    (hold, _) = talk.controller(access_required(1))
    assert hold == HoldClient()
    talk.client(asks(2, "Deploy") + asks(3)[:9])
    talk.client(asks(3)[9:])
    assert talk.to_controller == talk.to_client == b""
    talk.obey(talk.pipe.readmitted())
    assert talk.to_controller == asks(1) + asks(3)
    assert talk.client_heard() == [refused(2)]


def test_pings_and_goodbyes_are_as_in_any_pipe() -> None:
    talk = Guarded()
    ping = from_client(b"?", frames.PING)
    talk.client(asks(1)[:9])
    assert talk.to_controller == b""
    talk.client(asks(1)[9:] + ping)
    assert talk.controller_heard()[1:] == [Control(frames.PING, b"?")]
    commands = talk.client(frames.close_frame(1000, "bye", mask=MASK))
    assert commands == [BeginClosing(), CloseClient()]
    assert talk.controller_heard() == [closing(1000, "bye")]
    assert talk.client_heard() == [closing(1000, "bye")]


@pytest.mark.parametrize("payload", [b"", b"nonsense", b"[]"])
def test_what_can_not_be_read_or_answered_ends_it(payload: bytes) -> None:
    talk = Guarded()
    talk.client(from_client(payload) + asks(1))
    text = "this can't be read, and only what can be passes while the model is moved"
    assert talk.client_heard() == [closing(1008, text)]
    assert talk.controller_heard() == [closing(1001, text)]
    assert talk.pipe.state is State.CLOSING


def test_bytes_that_are_no_frames_end_it() -> None:
    talk = Guarded()
    talk.client(b"\xff\xff")
    (heard,) = talk.client_heard()
    assert isinstance(heard, Control)
    assert heard.payload.startswith((1002).to_bytes(2, "big"))
