"""The tap names what Juju would execute, and finds what only JIMM may see."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from jimm.audit.call import Call
from jimm.proxy import tap
from jimm.proxy.tap import Finding, Tap
from jimm.wire import frames
from jimm.wire.frames import Splitter

MASK = b"\x12\x34\x56\x78"
STATUS = Call(request_id=7, type="Client", version=6, request="FullStatus")


def message(**other: Any) -> bytes:
    body = {"request-id": 7, "type": "Client", "version": 6, "request": "FullStatus"}
    return json.dumps(body | {"params": {"patterns": []}} | other).encode()


def seen(stream: bytes, *, size: int = 1 << 20, limit: int = tap.NAME_LIMIT) -> list[Call]:
    """The calls that a tap names in a client's stream, arriving in parts of ``size`` bytes."""
    looking, splitter = Tap(limit), Splitter(masked=True)
    calls: list[Call] = []
    for at in range(0, len(stream), size):
        data, spans = splitter.split(stream[at : at + size])
        named = [looking.see(data, span) for span in spans if span.header.opcode < frames.CLOSE]
        calls += [call for call in named if call is not None]
    return calls


def sent(payload: bytes, *, opcode: int = frames.TEXT, pieces: int = 1) -> bytes:
    step = max(1, -(-len(payload) // pieces))
    parts = [payload[at : at + step] for at in range(0, len(payload), step)]
    stream = b""
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        kind = frames.CONTINUATION if number else opcode
        stream += frames.encode(kind, part, mask=MASK, fin=last)
        stream += frames.encode(frames.PING, b"", mask=MASK)
    return stream


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(message(), id="as clients write it"),
        pytest.param(
            b'{"params":{"request":"Other"},"request":"FullStatus","type":"Client",'
            b'"version":6,"request-id":7}',
            id="params first, as libjuju may",
        ),
        pytest.param(
            b'{"request-id":7,"type":"Other","type":"Client","version":6,"request":"FullStatus"}',
            id="the last of two",
        ),
        pytest.param(
            b'{"request-id":7,"type":"Other","TYPE":"Client","version":6,"request":"FullStatus"}',
            id="the last of two, in another case",
        ),
        pytest.param(
            b'{"TYPE":"Other","type":"Another","request-id":7,"version":6,"request":"FullStatus",'
            b'"Type":"Client"}',
            id="the last of three",
        ),
        pytest.param(
            b'{"request-id":7,"type":"Client","type":null,"version":6,"request":"FullStatus"}',
            id="a null changes nothing",
        ),
        pytest.param(
            rb'{"request-id":7,"t\u0079pe":"Cl\u0069ent","version":6,"request":"FullStatus"}',
            id="escapes",
        ),
        pytest.param(
            '{"reque\u017ft-id":7,"type":"Client","version":6,"reque\u017ft":"FullStatus"}'.encode(),
            id="a letter that Go folds",
        ),
        pytest.param(b" \n" + message() + b"} and more", id="what follows is not read"),
        pytest.param(
            b'{"RequestId":7,"Type":"Client","Version":6,"Request":"FullStatus","Params":{}}',
            id="the old envelope",
        ),
        pytest.param(message(**{"trace-id": "x", "span-id": "y", "trace-flags": 1}), id="traced"),
        pytest.param(message(more=1), id="an unknown key"),
        pytest.param(message().replace(b"patterns", b"pat\xffterns"), id="bytes that are no UTF-8"),
    ],
)
@pytest.mark.parametrize("opcode", [frames.TEXT, frames.BINARY])
@pytest.mark.parametrize("pieces", [1, 3])
@pytest.mark.parametrize("size", [5, 1 << 20])
def test_it_names_what_juju_would_execute(
    payload: bytes, opcode: int, pieces: int, size: int
) -> None:
    calls = seen(sent(payload, opcode=opcode, pieces=pieces), size=size)
    assert [replace(call, params=b"") for call in calls] == [STATUS]


def test_several_messages_at_once_are_all_named() -> None:
    stream = sent(message()) + sent(message(**{"request-id": 8})) + sent(message(), pieces=2)
    assert [call.request_id for call in seen(stream)] == [7, 8, 7]


@pytest.mark.parametrize(
    "payload", [b"", b"nonsense", b"[1]", b'{"type":5}', b"{" * 100_000, b'{"a":' * 100_000]
)
def test_what_can_not_be_named_is_noted_all_the_same(payload: bytes) -> None:
    (call,) = seen(frames.encode(frames.TEXT, payload, mask=MASK))
    assert (call.type, call.request, call.request_id) == ("", "", 0)


@pytest.mark.parametrize("pieces", [1, 9])
@pytest.mark.parametrize("size", [100, 1 << 20])
def test_a_message_too_long_to_be_kept_is_named_all_the_same(pieces: int, size: int) -> None:
    stream = sent(message(params="x" * 10_000), pieces=pieces) + sent(message())
    first, second = seen(stream, size=size, limit=5000)
    assert replace(first, params=b"") == STATUS
    assert replace(second, params=b"") == STATUS


@given(payload=st.binary(max_size=200), size=st.integers(1, 50))
def test_any_bytes_are_one_call_a_message(payload: bytes, size: int) -> None:
    stream = frames.encode(frames.TEXT, payload, mask=MASK) * 2
    assert len(seen(stream, size=size)) == 2


@pytest.mark.parametrize(
    ("call", "watches", "waits"),
    [
        (STATUS, False, False),
        (Call(1, "Client", 6, "WatchAll"), True, False),
        (Call(1, "AllWatcher", 3, "Next", "5"), True, True),
        (Call(1, "NotifyWatcher", 1, "Stop", "5"), True, False),
    ],
)
def test_watchers_are_known_as_such(call: Call, watches: bool, waits: bool) -> None:
    assert (call.watches, call.waits) == (watches, waits)


DENIED = {"message": "permission denied", "code": "unauthorized access"}


@pytest.mark.parametrize(
    ("answer", "finding", "shown"),
    [
        (
            {
                "request-id": 4,
                "error": "access permissions required: map[model-x:admin]",
                "error-code": "access required",
                "error-info": {"model-x": "admin"},
                "response": {},
            },
            Finding(4, "access required", True),
            {
                "request-id": 4,
                "error": "permission denied",
                "error-code": "unauthorized access",
                "response": {},
            },
        ),
        (
            {
                "request-id": 4,
                "response": {
                    "results": [
                        {"result": 12345678901234567890123},
                        {
                            "error": {
                                "message": "access permissions required",
                                "code": "access required",
                                "info": {"model-x": "admin"},
                            }
                        },
                    ]
                },
            },
            Finding(4, "access required", False),
            {
                "request-id": 4,
                "response": {"results": [{"result": 12345678901234567890123}, {"error": DENIED}]},
            },
        ),
    ],
)
def test_access_required_is_found_and_shown_as_a_denial(
    answer: dict[str, Any], finding: Finding, shown: dict[str, Any]
) -> None:
    raw = json.dumps(answer).encode()
    assert tap.suspicious(raw)
    assert tap.find(raw) == finding
    assert json.loads(tap.denied(raw)) == shown


def test_a_redirect_is_found() -> None:
    raw = b'{"request-id":4,"error":"moved","error-code":"redirection required","response":{}}'
    assert tap.find(raw) == Finding(4, "redirection required", True)


@pytest.mark.parametrize(
    "answer",
    [
        b'{"request-id":1,"response":{"status":"access required"}}',
        b'{"request-id":1,"response":{"code":"access required"}}',
        b'{"request-id":1,"error":"access required","response":{}}',
        b'{"request-id":1,"type":"A","request":"redirection required"}',
        b"access required",
    ],
)
def test_somebodys_own_words_are_no_code(answer: bytes) -> None:
    assert tap.find(answer) is None


def test_that_the_model_itself_is_unknown_is_found() -> None:
    raw = (
        b'{"request-id":4,"error":"unknown model: \\"0d2ba4c6\\"",'
        b'"error-code":"model not found","response":{}}'
    )
    assert tap.suspicious(raw)
    assert tap.find(raw) == Finding(4, "model not found", True)
    other = raw.replace(b"unknown model", b"no such offer")
    assert tap.find(other) is None


def test_in_a_long_stream_a_code_is_known_by_its_key() -> None:
    assert tap.mentions(b'..."message":"x","code":"access required","info"...')
    assert tap.mentions(b'"error-code" : "redirection required"')
    assert not tap.mentions(b'"info":"access required"')
