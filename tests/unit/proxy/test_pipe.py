"""The pipe, as conversations: this arrives, that is sent."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jimm.proxy import pipe as words
from jimm.proxy.peer import ANSWER_WITHIN, PING_EVERY
from jimm.proxy.pipe import (
    BeginClosing,
    CloseClient,
    CloseController,
    CutClient,
    CutController,
    State,
    ToClient,
    ToController,
)
from jimm.wire import frames
from jimm.wire.frames import Control, Message
from tests.unit.proxy.conversation import (
    MASK,
    TOKEN,
    Conversation,
    answers,
    asks,
    closing,
    from_client,
    read,
)


@pytest.fixture
def talk() -> Conversation:
    return Conversation()


def test_frames_pass_as_they_are(talk: Conversation) -> None:
    request, answer = asks(), answers()
    assert talk.pipe.client_sent(request) == [ToController(request)]
    assert talk.pipe.controller_sent(answer) == [ToClient(answer)]
    assert [call.request for call in talk.calls] == ["FullStatus"]
    assert talk.pipe.in_flight == 0


def test_one_whole_frame_is_not_even_copied(talk: Conversation) -> None:
    request, answer = asks(), answers()
    (passed,) = talk.pipe.client_sent(request)
    assert isinstance(passed, ToController)
    assert passed.data is request
    (shown,) = talk.pipe.controller_sent(answer)
    assert isinstance(shown, ToClient)
    assert shown.data is answer


def request(content: bytes) -> bytes:
    return b'{"request-id":1,"type":"A","request":"B","params":"%s"}' % content.hex().encode()


pieces = st.lists(
    st.tuples(
        st.sampled_from(["text", "binary", "ping", "pong", "parts"]), st.binary(max_size=120)
    ),
    max_size=8,
)


def stream(items: list[tuple[str, bytes]], mask: bytes) -> bytes:
    made = b""
    for kind, content in items:
        payload = content if kind in {"ping", "pong"} or not mask else request(content)
        match kind:
            case "text" | "binary":
                opcode = frames.TEXT if kind == "text" else frames.BINARY
                made += frames.encode(opcode, payload, mask=mask)
            case "parts":
                made += frames.encode(frames.TEXT, payload[:10], mask=mask, fin=False)
                made += frames.encode(frames.PING, b"between", mask=mask)
                made += frames.encode(frames.CONTINUATION, payload[10:], mask=mask)
            case _:
                opcode = frames.PING if kind == "ping" else frames.PONG
                made += frames.encode(opcode, payload, mask=mask)
    return made


@settings(deadline=None)
@given(up=pieces, down=pieces, size=st.integers(1, 200), pings=st.booleans())
def test_every_stream_passes_unchanged_but_for_jimms_own_pings(
    up: list[tuple[str, bytes]], down: list[tuple[str, bytes]], size: int, pings: bool
) -> None:
    talk = Conversation()
    sent_up, sent_down = stream(up, MASK), stream(down, b"")
    talk.pipe.tick(0)
    now = 0.0
    for at in range(0, max(len(sent_up), len(sent_down)), size):
        assert talk.client(sent_up[at : at + size]) == []
        assert talk.controller(sent_down[at : at + size]) == []
        if pings:
            now += PING_EVERY
            talk.obey(talk.pipe.tick(now))
    own = Control(frames.PING, TOKEN)
    if not pings:
        assert talk.to_controller == sent_up
    # A held message lets control frames that lie inside it go ahead.
    shown = Counter(item for item in talk.client_heard() if item != own)
    assert shown == Counter(read(sent_down, masked=False))
    heard = [item for item in talk.controller_heard() if item != own]
    assert heard == read(sent_up, masked=True)
    assert len(talk.calls) == sum(kind in {"text", "binary", "parts"} for kind, _ in up)


@settings(deadline=None)
@given(data=st.binary(max_size=300), size=st.integers(1, 100), client=st.booleans())
def test_any_bytes_pass_or_close_the_pipe(data: bytes, size: int, client: bool) -> None:
    talk = Conversation()
    for at in range(0, len(data), size):
        part = data[at : at + size]
        others = talk.client(part) if client else talk.controller(part)
        assert not others or talk.pipe.state is State.CLOSING


def test_a_long_message_streams_by(talk: Conversation) -> None:
    talk.client(asks())
    long = answers(response={"a": "x" * 1_000_000})
    first = long[: words.HOLD // 2]
    assert talk.pipe.controller_sent(first) == []
    at = len(first)
    while at < len(long):
        talk.controller(long[at : at + 60_000])
        at += 60_000
    assert talk.to_client == long
    assert talk.pipe.in_flight == 0


class TestClosing:
    def test_the_client_closes(self, talk: Conversation) -> None:
        goodbye = frames.close_frame(1000, "bye", mask=MASK)
        assert talk.client(goodbye) == [BeginClosing(), CloseClient()]
        assert talk.client_heard() == [closing(1000, "bye")]
        assert talk.controller_heard() == [closing(1000, "bye")]
        assert talk.controller(answers() + frames.close_frame(1000)) == [CloseController()]
        assert talk.to_client == b""
        assert talk.obey(talk.pipe.client_lost()) == []
        assert talk.obey(talk.pipe.controller_lost()) == []

    def test_the_controller_closes(self, talk: Conversation) -> None:
        assert talk.controller(frames.close_frame(1001, "stopping")) == [
            BeginClosing(),
            CloseController(),
        ]
        assert talk.client_heard() == [closing(1001, "stopping")]
        assert talk.controller_heard() == [closing(1001, "stopping")]
        assert talk.client(frames.close_frame(1001, mask=MASK)) == [CloseClient()]

    def test_what_came_before_a_close_still_passes(self, talk: Conversation) -> None:
        talk.client(asks(1) + frames.close_frame(1005, mask=MASK))
        first, second = talk.controller_heard()
        assert isinstance(first, Message)
        assert second == closing(1005)

    def test_the_controller_goes_away(self, talk: Conversation) -> None:
        talk.client(asks())
        assert talk.obey(talk.pipe.controller_lost()) == [BeginClosing()]
        assert talk.client_heard() == [closing(1001, "the controller went away")]
        assert talk.client(asks(2)) == []
        assert talk.client(frames.close_frame(1001, mask=MASK)) == [CloseClient()]

    def test_the_controller_goes_away_inside_a_long_frame(self, talk: Conversation) -> None:
        talk.controller(answers(response={"a": "x" * 600_000})[:-1])
        assert talk.obey(talk.pipe.controller_lost()) == [BeginClosing(), CutClient()]

    def test_the_controller_goes_away_inside_a_message_that_was_kept(
        self, talk: Conversation
    ) -> None:
        talk.controller(answers()[:-1])
        assert talk.obey(talk.pipe.controller_lost()) == [BeginClosing()]
        assert talk.client_heard() == [closing(1001, "the controller went away")]

    def test_the_client_goes_away(self, talk: Conversation) -> None:
        assert talk.obey(talk.pipe.client_lost()) == [BeginClosing()]
        assert talk.controller_heard() == [closing(1001, "the client went away")]
        assert talk.controller(frames.close_frame(1001)) == [CloseController()]

    def test_the_client_goes_away_inside_a_frame(self, talk: Conversation) -> None:
        talk.client(asks()[:-1])
        assert talk.obey(talk.pipe.client_lost()) == [BeginClosing(), CutController()]

    def test_jimm_closes(self, talk: Conversation) -> None:
        assert talk.obey(talk.pipe.close(1001, "moved")) == [BeginClosing()]
        assert talk.client_heard() == [closing(1001, "moved")]
        assert talk.controller_heard() == [closing(1001, "moved")]
        assert talk.pipe.close(1001, "again") == []
        assert talk.client(frames.close_frame(1001, mask=MASK)) == [CloseClient()]
        assert talk.controller(frames.close_frame(1001)) == [CloseController()]

    def test_jimm_closes_where_the_frame_that_is_passing_ends(self, talk: Conversation) -> None:
        long = answers(response={"a": "x" * 600_000})
        talk.controller(long[:-10])
        request = asks()
        talk.client(request[:-10])
        assert talk.obey(talk.pipe.close(1001, "moved")) == [BeginClosing()]
        talk.controller(long[-10:] + answers())
        talk.client(request[-10:] + asks())
        (message, goodbye) = talk.client_heard()
        assert isinstance(message, Message)
        assert goodbye == closing(1001, "moved")
        assert [type(item) for item in talk.controller_heard()] == [Message, Control]

    def test_a_client_that_sends_no_frames_is_told_so(self, talk: Conversation) -> None:
        assert talk.client(b"\x81\x00") == [BeginClosing()]
        assert talk.client_heard() == [closing(1002, "a client's frame is not masked")]
        assert talk.controller_heard() == [closing(1001, "a client's frame is not masked")]

    def test_a_controller_that_sends_no_frames_is_cut(self, talk: Conversation) -> None:
        assert talk.controller(b"\xff\x00") == [CutController(), BeginClosing()]
        assert talk.client_heard() == [
            closing(1001, "the controller failed: reserved bits are set")
        ]

    @pytest.mark.parametrize("payload", [b"\x03", b"\x03\xed"])
    def test_a_close_frame_that_says_nonsense(self, talk: Conversation, payload: bytes) -> None:
        talk.client(asks() + from_client(payload, frames.CLOSE))
        assert talk.client_heard() == [closing(1002, "a close frame without a valid code")]
        assert len(talk.controller_heard()) == 2
        other = Conversation()
        assert CutController() in other.controller(frames.encode(frames.CLOSE, payload))


class TestSilence:
    def test_both_are_pinged_and_their_pongs_stay_here(self, talk: Conversation) -> None:
        talk.obey(talk.pipe.tick(0))
        assert talk.obey(talk.pipe.tick(PING_EVERY)) == []
        assert talk.client_heard() == [Control(frames.PING, TOKEN)]
        assert talk.controller_heard() == [Control(frames.PING, TOKEN)]
        talk.client(from_client(TOKEN, frames.PONG))
        talk.controller(frames.encode(frames.PONG, TOKEN))
        assert (talk.to_client, talk.to_controller) == (b"", b"")

    def test_other_pings_and_pongs_pass(self, talk: Conversation) -> None:
        talk.client(from_client(b"a", frames.PING) + from_client(b"b", frames.PONG))
        assert talk.controller_heard() == [Control(frames.PING, b"a"), Control(frames.PONG, b"b")]
        talk.controller(frames.encode(frames.PING, b"c") + frames.encode(frames.PONG, b"a"))
        assert talk.client_heard() == [Control(frames.PING, b"c"), Control(frames.PONG, b"a")]

    def test_a_ping_waits_for_the_end_of_a_frame(self, talk: Conversation) -> None:
        talk.obey(talk.pipe.tick(0))
        request = asks()
        talk.client(request[:10])
        talk.obey(talk.pipe.tick(PING_EVERY))
        assert talk.to_controller == request[:10]
        talk.client(request[10:] + asks(2))
        ping = frames.encode(frames.PING, TOKEN, mask=MASK)
        assert talk.to_controller == request + ping + asks(2)

    @pytest.mark.parametrize("client", [True, False])
    def test_who_says_nothing_for_too_long_is_gone(self, talk: Conversation, client: bool) -> None:
        talk.pipe.tick(0)
        talk.obey(talk.pipe.tick(PING_EVERY))
        if client:
            talk.controller(frames.encode(frames.PONG, TOKEN))
        else:
            talk.client(from_client(TOKEN, frames.PONG))
        talk.client_heard(), talk.controller_heard()
        assert talk.pipe.tick(PING_EVERY + ANSWER_WITHIN - 1) == []
        ended = talk.obey(talk.pipe.tick(PING_EVERY + ANSWER_WITHIN))
        cut = CutClient() if client else CutController()
        assert ended == [cut, BeginClosing()]
        heard = talk.controller_heard() if client else talk.client_heard()
        assert heard[-1].payload.endswith(b"went away")

    def test_who_is_not_read_from_owes_nothing(self, talk: Conversation) -> None:
        talk.pipe.tick(0)
        for minute in range(1, 10):
            talk.client(from_client(b"", frames.PONG))
            now = minute * PING_EVERY
            assert talk.obey(talk.pipe.tick(now, controller_read=False)) == []

    def test_anything_is_a_sign_of_life(self, talk: Conversation) -> None:
        talk.pipe.tick(0)
        for minute in range(1, 10):
            assert talk.obey(talk.pipe.tick(minute * PING_EVERY)) == []
            talk.client(asks(minute))
            talk.controller(answers(minute))
