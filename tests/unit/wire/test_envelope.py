"""Any bytes give a message or the one protocol error; what is written is read back the same."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.errors import ProtocolError
from jimm.wire import envelope
from jimm.wire.envelope import Request, Response

names = st.text(min_size=1, max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.text(), values, max_size=4)

requests = st.builds(
    Request,
    request_id=st.integers(1, 2**70),
    type=names,
    version=st.integers(0, 30),
    request=names,
    id=st.text(max_size=5),
    params=objects,
)
responses = st.builds(Response, request_id=st.integers(1, 2**70), response=objects) | st.builds(
    Response,
    request_id=st.integers(1, 2**70),
    error=names,
    error_code=st.text(max_size=10),
    error_info=st.none() | objects,
)


@given(requests | responses)
def test_what_is_encoded_decodes_to_itself(message: Request | Response) -> None:
    assert envelope.decode(envelope.encode(message)) == message


@given(st.binary() | st.text() | values.map(json.dumps))
def test_any_bytes_give_a_message_or_the_one_protocol_error(data: bytes | str) -> None:
    with contextlib.suppress(ProtocolError):
        assert isinstance(envelope.decode(data), Request | Response)


@given(responses)
def test_an_answer_that_is_read_later_says_the_same(message: Response) -> None:
    data = envelope.encode(message)
    whole = envelope.decode(data)
    assert isinstance(whole, Response)
    answer = envelope.decode_answer(data)
    assert json.loads(bytes(answer.response)) == json.loads(json.dumps(whole.response))
    assert (answer.request_id, answer.error, answer.error_code, answer.error_info) == (
        whole.request_id,
        whole.error,
        whole.error_code,
        whole.error_info,
    )


@pytest.mark.parametrize(
    ("data", "response", "error"),
    [
        (b'{"Request-Id":1,"RESPONSE":{"a":1}}', b'{"a":1}', None),
        (b'{"request-id":1,"response":{"a":1},"ERROR":"no"}', b'{"a":1}', "no"),
        (b'{"request-id":1,"response":null,"error":null}', b"{}", None),
        (b'{"request-id":1,"response":{},"error":""}', b"{}", None),
        (b'{"request-id":1}', b"{}", None),
        (b'{"request-id":1,"response":[1],"more":2}', b"[1]", None),
    ],
)
def test_an_answer_in_another_spelling_is_read_as_go_reads_it(
    data: bytes, response: bytes, error: str | None
) -> None:
    answer = envelope.decode_answer(data)
    assert (answer.request_id, bytes(answer.response), answer.error) == (1, response, error)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"request-id":0,"response":{}}', b'{"request-id":1,"type":"A"}']
)
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        envelope.decode_answer(data)


@given(responses)
def test_every_reply_has_a_response_and_a_success_no_error_key(message: Response) -> None:
    written = json.loads(envelope.encode(message))
    assert "response" in written
    assert ("error" in written) == (message.error is not None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "null",
        '{"request-id":0,"type":"A"}',
        '{"request-id":-1,"type":"A"}',
        '{"request-id":"1","type":"A"}',
        '{"request-id":true,"type":"A"}',
        '{"type":"A"}',
        '{"request-id":1,"type":"A","version":-1}',
        '{"request-id":1,"type":["A"]}',
        "[" * 100_000,
        '{"a":' * 100_000,
    ],
)
def test_what_is_no_message_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError):
        envelope.decode(text)


def test_keys_in_any_case_and_null_params_are_read_as_go_reads_them() -> None:
    text = '{"Request-Id":7,"TYPE":"Pinger","Version":1,"Request":"Ping","Params":null,"x":1}'
    assert envelope.decode(text) == Request(
        request_id=7, type="Pinger", version=1, request="Ping", params={}
    )


def test_integers_keep_every_digit() -> None:
    text = f'{{"request-id":1,"type":"A","request":"B","params":{{"n":{2**80}}}}}'
    message = envelope.decode(text)
    assert isinstance(message, Request)
    assert message.params == {"n": 2**80}
    assert str(2**80).encode() in envelope.encode(message)


def test_an_error_reply_never_lacks_its_text() -> None:
    assert json.loads(envelope.encode_error(1, ""))["error"]


def test_a_request_leaves_out_what_go_leaves_out() -> None:
    bare = Request(request_id=1, type="A", version=0, request="B")
    assert json.loads(envelope.encode(bare)).keys() == {"request-id", "type", "request", "params"}


@given(st.binary() | values.map(json.dumps))
def test_the_number_of_a_refused_message_is_read_where_it_can_be(data: bytes | str) -> None:
    assert envelope.number_of(data) >= 0


def test_a_refused_message_can_still_be_answered_by_its_number() -> None:
    assert envelope.number_of('{"Request-Id":5,"type":["no text"]}') == 5
    assert envelope.number_of("nonsense") == 0
