"""The opening handshake, as requests and answers."""

from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.errors import ProtocolError
from jimm.wire import handshake
from jimm.wire.handshake import HandshakeError, ResponseReader

# The example of RFC 6455, section 1.3.
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
AGREED = b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"

REQUEST = (
    b"GET /model/m/api?x=1 HTTP/1.1\r\nhost: jimm\r\nUpgrade: WebSocket\r\n"
    b"connection: keep-alive, Upgrade\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-key: " + KEY.encode() + b"\r\nX-Juju-ClientVersion: 4.0.1\r\n\r\n"
)


def test_a_request_is_read_and_agreed_to() -> None:
    request = handshake.parse_request(REQUEST)
    assert (request.path, request.query, request.key) == ("/model/m/api", "x=1", KEY)
    assert request.headers["x-juju-clientversion"] == "4.0.1"
    answer = handshake.accept(request)
    assert answer.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert b"Sec-WebSocket-Accept: " + ACCEPT in answer
    assert b"xtension" not in answer


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"GET", b"POST", HTTPStatus.METHOD_NOT_ALLOWED),
        (b"HTTP/1.1", b"HTTP/1.0", HTTPStatus.BAD_REQUEST),
        (b"/model", b"model", HTTPStatus.BAD_REQUEST),
        (b"keep-alive, Upgrade", b"keep-alive", HTTPStatus.BAD_REQUEST),
        (b"WebSocket", b"h2c", HTTPStatus.BAD_REQUEST),
        (b"version: 13", b"version: 8", HTTPStatus.UPGRADE_REQUIRED),
        (KEY.encode(), b"short", HTTPStatus.BAD_REQUEST),
        (b"host: jimm", b"ho st: jimm", HTTPStatus.BAD_REQUEST),
        (b"host: jimm", b"host: " + b"x" * 20_000, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE),
        (b"\r\n\r\n", b"\r\n", HTTPStatus.BAD_REQUEST),
    ],
)
def test_what_is_no_upgrade_is_refused_with_a_status(
    old: bytes, new: bytes, status: HTTPStatus
) -> None:
    with pytest.raises(HandshakeError) as refused:
        handshake.parse_request(REQUEST.replace(old, new, 1))
    assert refused.value.status is status
    answer = handshake.refuse(status, str(refused.value))
    assert answer.startswith(f"HTTP/1.1 {status.value} ".encode())
    assert answer.endswith(str(refused.value).encode() + b"\n")


@given(data=st.binary(max_size=300))
def test_any_bytes_give_a_request_or_the_protocol_error(data: bytes) -> None:
    for head in (data, data + b"\r\n\r\n", REQUEST[:20] + data + REQUEST[20:]):
        handshake.request_path(head)
        try:
            handshake.parse_request(head)
        except ProtocolError:
            pass


def test_the_path_is_known_before_the_rest_is_read() -> None:
    assert handshake.request_path(REQUEST) == "/model/m/api"
    assert handshake.request_path(b"nonsense") == ""


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_both_ends_agree_however_the_answer_is_cut(size: int) -> None:
    asked = handshake.build_request(host="c:17070", path="/api", key=KEY, headers={"X-A": "b"})
    answer = handshake.accept(handshake.parse_request(asked)) + b"\x81\x00"
    reader = ResponseReader(KEY)
    found = None
    for at in range(0, len(answer), size):
        part = answer[at : at + size]
        if found is None:
            found = reader.feed(part)
            rest = reader.rest() if found else b""
        else:
            rest += part
    assert found is not None
    assert found.status == 101
    assert rest == b"\x81\x00"


def test_a_refusal_is_read_with_its_status() -> None:
    response = ResponseReader(KEY).feed(handshake.refuse(HTTPStatus.NOT_FOUND, "no"))
    assert response is not None
    assert response.status == 404


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.0 101 x\r\n\r\n",
        b"HTTP/1.1 1x1 x\r\n\r\n",
        b"HTTP/1.1 101 x\r\n\r\n",
        AGREED + b"Sec-WebSocket-Accept: other\r\n\r\n",
        AGREED + b"Sec-WebSocket-Accept: " + ACCEPT + b"\r\nSec-WebSocket-Extensions: a\r\n\r\n",
        AGREED + b"Sec-WebSocket-Accept: " + ACCEPT + b"\r\nSec-WebSocket-Protocol: a\r\n\r\n",
        b"x" * 20_000,
    ],
)
def test_an_answer_that_is_none_is_refused(answer: bytes) -> None:
    with pytest.raises(ProtocolError):
        ResponseReader(KEY).feed(answer)


@given(data=st.binary(max_size=300))
def test_any_bytes_give_an_answer_or_the_protocol_error(data: bytes) -> None:
    reader = ResponseReader(KEY)
    try:
        reader.feed(b"HTTP/1.1 101 x\r\n" + data + b"\r\n\r\n")
    except ProtocolError:
        pass


@pytest.mark.parametrize(
    ("path", "headers"), [("/a b", {}), ("/api", {"X": "a\r\nb"}), ("/api", {"X Y": "a"})]
)
def test_what_would_split_a_request_is_never_written(path: str, headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="not a"):
        handshake.build_request(host="c", path=path, key=KEY, headers=headers)
