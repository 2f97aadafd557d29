"""Frames: any bytes give frames or the one error, and nothing depends on how they were cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.errors import ProtocolError
from jimm.wire import frames
from jimm.wire.frames import (
    Close,
    Control,
    FrameError,
    Header,
    Message,
    MessageReader,
    Splitter,
)

LIMIT = 4096

masks = st.one_of(st.just(b""), st.binary(min_size=4, max_size=4))
payloads = st.one_of(
    st.binary(max_size=300),
    st.sampled_from([125, 126, 127, 65535, 65536]).map(lambda size: b"x" * size),
)


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def read_all(
    data: bytes, *, masked: bool, size: int = 1, limit: int = LIMIT
) -> list[Message | Control]:
    reader = MessageReader(masked=masked, limit=limit)
    found: list[Message | Control] = []
    for part in cut(data, size):
        reader.feed(part)
        while (item := reader.next()) is not None:
            found.append(item)
    return found


@given(payload=payloads, mask=masks, fin=st.booleans())
def test_what_is_encoded_is_read_back(payload: bytes, mask: bytes, fin: bool) -> None:
    raw = frames.encode(frames.TEXT, payload, mask=mask, fin=fin)
    header = frames.read_header(raw, 0, masked=bool(mask))
    assert header == Header(fin, frames.TEXT, len(payload), mask, len(raw) - len(payload))
    body = raw[header.size :]
    assert (frames.unmask(body, mask, 0) if mask else body) == payload


@given(
    payload=st.binary(max_size=60), mask=st.binary(min_size=4, max_size=4), at=st.integers(0, 60)
)
def test_a_payload_is_unmasked_in_parts_as_in_one(payload: bytes, mask: bytes, at: int) -> None:
    masked = frames.apply_mask(payload, mask)
    parts = frames.unmask(masked[:at], mask, 0) + frames.unmask(masked[at:], mask, len(masked[:at]))
    assert parts == payload


@given(data=st.binary(max_size=400), masked=st.booleans(), size=st.integers(1, 400))
def test_any_bytes_give_messages_or_the_protocol_error(
    data: bytes, masked: bool, size: int
) -> None:
    try:
        found = read_all(data, masked=masked, size=size)
    except FrameError:
        return
    assert sum(len(item.payload) for item in found) <= len(data)


@given(data=st.binary(max_size=400), masked=st.booleans(), size=st.integers(1, 400))
def test_any_bytes_give_spans_in_order_or_the_protocol_error(
    data: bytes, masked: bool, size: int
) -> None:
    splitter = Splitter(masked=masked)
    passed = b""
    try:
        for part in cut(data, size):
            at, spans = splitter.split(part)
            position = 0
            for span in spans:
                assert position == span.start < span.end or not span.header.length
                position = span.end
                passed += at[span.start : span.end]
    except FrameError:
        pass
    assert data.startswith(passed)


@given(
    parts=st.lists(st.binary(max_size=200), min_size=1, max_size=5),
    ping=st.binary(max_size=125),
    mask=masks,
    size=st.integers(1, 300),
)
def test_a_message_is_the_same_however_it_was_cut(
    parts: list[bytes], ping: bytes, mask: bytes, size: int
) -> None:
    stream = b""
    for number, part in enumerate(parts):
        opcode = frames.CONTINUATION if number else frames.TEXT
        stream += frames.encode(opcode, part, mask=mask, fin=number == len(parts) - 1)
        stream += frames.encode(frames.PING, ping, mask=mask)
    found = read_all(stream, masked=bool(mask), size=size)
    assert Message(b"".join(parts), frames.TEXT) in found
    assert found.count(Control(frames.PING, ping)) == len(parts)
    assert len(found) == len(parts) + 1


@given(
    items=st.lists(
        st.tuples(st.sampled_from([frames.TEXT, frames.PING]), st.binary(max_size=125)), max_size=6
    ),
    mask=masks,
    size=st.integers(1, 300),
)
def test_spans_cover_the_stream_and_end_where_frames_end(
    items: list[tuple[int, bytes]], mask: bytes, size: int
) -> None:
    stream = b"".join(frames.encode(opcode, each, mask=mask) for opcode, each in items)
    splitter = Splitter(masked=bool(mask))
    passed, ended = b"", []
    for part in cut(stream, size):
        data, spans = splitter.split(part)
        for span in spans:
            passed += data[span.start : span.end]
            if span.last:
                ended.append((span.header.opcode, span.header.length))
            if span.header.opcode >= frames.CLOSE:
                assert span.first
                assert span.last
    assert passed == stream
    assert ended == [(opcode, len(each)) for opcode, each in items]


def test_the_error_is_the_one_protocol_error() -> None:
    assert issubclass(FrameError, ProtocolError)


@pytest.mark.parametrize(
    ("raw", "masked"),
    [
        pytest.param(b"\xc1\x00", False, id="reserved bit"),
        pytest.param(b"\x83\x00", False, id="unknown opcode"),
        pytest.param(b"\x81\x00", True, id="a client's frame without a mask"),
        pytest.param(b"\x81\x80\x00\x00\x00\x00", False, id="a server's frame with one"),
        pytest.param(b"\x09\x00", False, id="fragmented ping"),
        pytest.param(b"\x89\x7e\x00\x7e", False, id="long ping"),
        pytest.param(b"\x80\x00", False, id="continuation of nothing"),
        pytest.param(b"\x01\x00\x81\x00", False, id="a message inside a message"),
        pytest.param(b"\x81\x7f\x80" + bytes(7), False, id="a length of 2^63"),
    ],
)
def test_what_rfc_6455_forbids_is_refused(raw: bytes, masked: bool) -> None:
    with pytest.raises(FrameError) as refused:
        read_all(raw, masked=masked, size=100, limit=1 << 64)
    assert refused.value.close_code == frames.PROTOCOL_ERROR
    with pytest.raises(FrameError):
        Splitter(masked=masked).split(raw)


def test_a_message_beyond_the_limit_is_refused_before_it_is_here() -> None:
    reader = MessageReader(masked=False, limit=10)
    reader.feed(frames.encode(frames.TEXT, b"12345", fin=False))
    assert reader.next() is None
    reader.feed(frames.encode(frames.CONTINUATION, b"678901")[:3])
    with pytest.raises(FrameError, match="more than 10 bytes") as refused:
        reader.next()
    assert refused.value.close_code == frames.TOO_BIG


@given(at=st.integers(1, 40))
def test_what_was_not_given_out_is_handed_over_as_it_came(at: int) -> None:
    mask = b"abcd"
    first = frames.encode(frames.TEXT, b"read", mask=mask)
    begun = frames.encode(frames.TEXT, b"begun, ", mask=mask, fin=False)
    later = frames.encode(frames.CONTINUATION, b"and ended", mask=mask)
    reader = MessageReader(masked=True, limit=LIMIT)
    stream = first + begun + later[: at % len(later)]
    reader.feed(stream)
    assert reader.next() == Message(b"read", frames.TEXT)
    assert reader.next() is None
    assert reader.rest() == stream[len(first) :]
    assert reader.rest() == b""


def test_close_frames_say_a_code_and_a_reason() -> None:
    for code, reason in ((1000, ""), (1001, "going"), (1005, ""), (4999, "ü")):
        raw = frames.close_frame(code, reason)
        assert frames.parse_close(raw[2:]) == Close(code, reason)


def test_a_long_reason_is_cut_between_letters() -> None:
    raw = frames.close_frame(1001, "ü" * 100)
    assert frames.parse_close(raw[2:]) == Close(1001, "ü" * 61)


@pytest.mark.parametrize(
    "payload", [b"\x03", b"\x03\xed", b"\x03\xe7", b"\x13\x88", b"\x03\xe8\xff"]
)
def test_a_close_frame_that_says_nonsense_is_refused(payload: bytes) -> None:
    with pytest.raises(FrameError):
        frames.parse_close(payload)
