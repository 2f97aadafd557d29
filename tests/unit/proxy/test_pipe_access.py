"""The pipe and the two codes that only JIMM may see, as conversations."""

import json
from typing import Any

import pytest

from jimm.errors import ControllerUnavailable, Unauthorized
from jimm.proxy import pipe as words
from jimm.proxy.pipe import (
    AskForAccess,
    BeginClosing,
    Command,
    CutClient,
    CutController,
    HoldClient,
    Pipe,
    ReleaseClient,
    State,
)
from jimm.wire import frames
from jimm.wire.frames import Control
from tests.unit.proxy.conversation import (
    Conversation,
    access_required,
    answers,
    asks,
    closing,
    denial,
    read,
)


@pytest.fixture
def talk() -> Conversation:
    return Conversation()


class TestAccess:
    def test_the_request_goes_once_more_over_a_leg_that_may(self, talk: Conversation) -> None:
        talk.client(asks())
        talk.to_controller = b""
        assert talk.controller(access_required()) == [HoldClient(), AskForAccess()]
        assert talk.to_client == b""
        assert talk.client(asks(2)[:20]) == []
        assert talk.to_controller == b""
        assert talk.obey(talk.pipe.readmitted()) == [ReleaseClient()]
        talk.client(asks(2)[20:])
        assert talk.to_controller == asks() + asks(2)
        talk.controller(answers(1) + answers(2))
        assert talk.to_client == answers(1) + answers(2)
        assert talk.pipe.state is State.FLOWING

    def test_an_answer_that_nobody_asked_for_does_not_take_the_request_away(
        self, talk: Conversation
    ) -> None:
        talk.client(asks())
        talk.controller(access_required())
        talk.controller(answers(9))
        talk.to_controller = b""
        assert talk.obey(talk.pipe.readmitted()) == [ReleaseClient()]
        assert talk.to_controller == asks()

    def test_it_is_tried_only_once(self, talk: Conversation) -> None:
        talk.client(asks())
        talk.controller(access_required())
        talk.obey(talk.pipe.readmitted())
        assert talk.controller(access_required()) == []
        assert talk.client_heard() == [denial()]
        assert talk.pipe.in_flight == 0
        assert talk.client(asks(2)) == []

    def test_where_jimm_says_no_the_client_hears_so(self, talk: Conversation) -> None:
        talk.client(asks())
        talk.controller(access_required())
        assert talk.obey(talk.pipe.refused(Unauthorized())) == [ReleaseClient()]
        assert talk.client_heard() == [denial()]
        assert talk.client(asks(2)) == []
        assert talk.controller(answers(2)) == []

    def test_where_jimm_can_not_tell_a_new_login_may(self, talk: Conversation) -> None:
        talk.client(asks())
        talk.controller(access_required())
        ended = talk.obey(talk.pipe.refused(ControllerUnavailable("away")))
        assert ended == [ReleaseClient(), BeginClosing()]
        assert talk.client_heard() == [
            denial(),
            closing(1001, "connect again to use what was granted"),
        ]

    def test_with_others_in_flight_the_pipe_ends_when_they_are_answered(
        self, talk: Conversation
    ) -> None:
        talk.client(asks(1) + asks(2))
        assert talk.controller(access_required(1)) == []
        assert talk.client_heard() == [denial(1)]
        assert talk.controller(answers(2)) == [BeginClosing()]
        _, goodbye = talk.client_heard()
        assert goodbye == closing(1001, "connect again to use what was granted")

    def test_a_watcher_that_waits_does_not_keep_it_open(self, talk: Conversation) -> None:
        talk.client(asks(1, "WatchAll"))
        talk.controller(answers(1))
        talk.client(asks(2, "Next", id="5") + asks(3, "Destroy"))
        talk.client_heard()
        assert talk.controller(access_required(3)) == [BeginClosing()]
        assert talk.client_heard()[0] == denial(3)

    def test_a_watcher_ties_the_client_to_its_leg(self, talk: Conversation) -> None:
        talk.client(asks(1, "WatchAll"))
        talk.controller(answers(1))
        talk.client(asks(2))
        talk.client_heard()
        assert talk.controller(access_required(2)) == [BeginClosing()]
        assert talk.client_heard()[0] == denial(2)

    def test_a_request_that_is_still_coming_ties_it_too(self, talk: Conversation) -> None:
        talk.client(asks(1) + asks(2)[:-5])
        assert talk.controller(access_required(1)) == [BeginClosing()]

    def test_a_request_too_long_to_be_kept_is_not_sent_again(self, talk: Conversation) -> None:
        long = asks(params={"a": "x" * words.RESEND})
        for at in range(0, len(long), 50_000):
            talk.client(long[at : at + 50_000])
        assert talk.to_controller == long
        assert talk.controller(access_required()) == [BeginClosing()]
        assert talk.client_heard()[0] == denial()

    def test_a_request_in_parts_is_sent_again(self, talk: Conversation) -> None:
        whole = asks(params={"a": "x" * 20_000})
        for at in range(0, len(whole), 5000):
            talk.client(whole[at : at + 5000])
        talk.to_controller = b""
        talk.controller(access_required())
        talk.obey(talk.pipe.readmitted())
        assert talk.to_controller == whole

    def test_rows_are_shown_as_denied(self, talk: Conversation) -> None:
        talk.client(asks())
        error = {"message": "access permissions required", "code": "access required", "info": {}}
        ended = talk.controller(answers(response={"results": [{"error": error}, {}]}))
        assert ended == [BeginClosing()]
        message, _ = talk.client_heard()
        rows = json.loads(message.payload)["response"]["results"]
        assert rows == [
            {"error": {"message": "permission denied", "code": "unauthorized access"}},
            {},
        ]

    @pytest.mark.parametrize("size", [3, 40])
    def test_the_code_is_found_however_it_is_cut(self, talk: Conversation, size: int) -> None:
        talk.client(asks())
        raw = access_required()
        found: list[Command] = []
        for at in range(0, len(raw), size):
            found += talk.controller(raw[at : at + size])
        assert found == [HoldClient(), AskForAccess()]
        assert talk.to_client == b""

    def test_fragments_do_not_hide_it(self, talk: Conversation) -> None:
        talk.client(asks())
        (message,) = read(access_required(), masked=False)
        payload = message.payload
        cut = payload.index(b"access required") + 6
        raw = frames.encode(frames.TEXT, payload[:cut], fin=False)
        raw += frames.encode(frames.PING, b"between")
        raw += frames.encode(frames.CONTINUATION, payload[cut:])
        assert talk.controller(raw) == [HoldClient(), AskForAccess()]
        assert talk.client_heard() == [Control(frames.PING, b"between")]

    def test_in_a_long_answer_it_cuts_the_client_off(self, talk: Conversation) -> None:
        talk.client(asks())
        error = {"message": "no", "code": "access required"}
        long = answers(response={"a": "x" * 1_000_000, "error": error})
        found: list[Command] = []
        for at in range(0, len(long), 100_003):
            found += talk.controller(long[at : at + 100_003])
        assert found == [BeginClosing(), CutClient(), CutController()]
        assert b"access required" not in talk.to_client

    def test_somebodys_own_words_pass(self, talk: Conversation) -> None:
        talk.client(asks())
        raw = answers(response={"status": "access required", "info": "redirection required"})
        assert talk.controller(raw) == []
        assert talk.to_client == raw

    def test_a_model_that_has_moved_closes_the_pipe(self, talk: Conversation) -> None:
        talk.client(asks())
        assert talk.controller(access_required(code="redirection required")) == [BeginClosing()]
        assert talk.client_heard() == [closing(1001, "the model has moved, connect again")]

    @pytest.mark.parametrize("lost", [Pipe.client_lost, Pipe.controller_lost])
    def test_what_ends_meanwhile_stays_ended(self, talk: Conversation, lost: Any) -> None:
        talk.client(asks())
        talk.controller(access_required())
        assert ReleaseClient() in talk.obey(lost(talk.pipe))
        assert talk.pipe.readmitted() == []
        assert talk.pipe.refused(Unauthorized()) == []
        assert talk.pipe.state is State.CLOSING
