"""The websocket's opening handshake (RFC 6455, section 4) as values and bytes.

No extension and no subprotocol is ever offered or accepted: frames can then pass from one
connection to another as they are.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from jimm.errors import ProtocolError

MAX_HEAD: Final = 16 * 1024
"""Bytes of a request's or a response's head; more is refused."""

_GUID: Final = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_TARGET: Final = re.compile(r"/[\x21-\x7e]*")
_VERSION: Final = "13"


class HandshakeError(ProtocolError):
    """A request that is no upgrade; ``status`` is the HTTP status to answer with."""

    def __init__(self, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class UpgradeRequest:
    """A client's wish for a websocket. ``path`` is as it was sent, without the query;
    header names are in lower case, repeated ones joined by commas."""

    path: str
    query: str
    key: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class UpgradeResponse:
    """A server's answer; ``status`` is 101 where it agreed."""

    status: int
    headers: Mapping[str, str]


def request_path(head: bytes) -> str:
    """The path in a request's first line, without the query; empty if it can't be read.

    It tells whose request this is before anything else of it is read.
    """
    parts = head[:MAX_HEAD].split(b"\r\n", 1)[0].split(b" ")
    target = parts[1].decode("latin-1") if len(parts) == 3 else ""
    return target.partition("?")[0]


def parse_request(head: bytes) -> UpgradeRequest:
    """The upgrade request in a whole head, the empty line included.

    Raises:
        HandshakeError: it is no HTTP/1.1 request for a websocket of version 13.
    """
    if len(head) > MAX_HEAD:
        raise HandshakeError(
            "the request's head is too large", HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        )
    first, headers = _parse_head(head)
    parts = first.split(" ")
    if len(parts) != 3 or parts[2] != "HTTP/1.1" or not _TARGET.fullmatch(parts[1]):
        raise HandshakeError("not an HTTP/1.1 request")
    if parts[0] != "GET":
        raise HandshakeError("a websocket is asked for with GET", HTTPStatus.METHOD_NOT_ALLOWED)
    _check_upgrade(headers)
    if headers.get("sec-websocket-version") != _VERSION:
        raise HandshakeError("websocket version 13 is needed", HTTPStatus.UPGRADE_REQUIRED)
    key = headers.get("sec-websocket-key", "")
    if not _is_key(key):
        raise HandshakeError("the header Sec-WebSocket-Key is missing or wrong")
    path, _, query = parts[1].partition("?")
    return UpgradeRequest(path, query, key, headers)


def accept(request: UpgradeRequest) -> bytes:
    """The answer that opens the websocket."""
    return _head(
        "HTTP/1.1 101 Switching Protocols",
        {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Accept": _accept_key(request.key),
        },
    )


def refuse(status: HTTPStatus, text: str) -> bytes:
    """The answer that opens nothing; ``text`` is shown by the juju client."""
    body = (text + "\n").encode()
    headers = {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": str(len(body)),
        "Connection": "close",
    }
    if status is HTTPStatus.UPGRADE_REQUIRED:
        headers |= {"Upgrade": "websocket", "Sec-WebSocket-Version": _VERSION}
    return _head(f"HTTP/1.1 {status.value} {status.phrase}", headers) + body


def build_request(*, host: str, path: str, key: str, headers: Mapping[str, str]) -> bytes:
    """A client's upgrade request; ``key`` is the base64 of 16 random bytes.

    Raises:
        ValueError: a header or the path can't be written.
    """
    if not _TARGET.fullmatch(path):
        raise ValueError(f"not a path: {path!r}")
    own = {
        "Host": host,
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": key,
        "Sec-WebSocket-Version": _VERSION,
    }
    return _head(f"GET {path} HTTP/1.1", own | dict(headers))


class ResponseReader:
    """The answer to an upgrade request, out of a stream of bytes."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._buffer = b""

    def feed(self, data: bytes) -> UpgradeResponse | None:
        """The response once its head is whole; ``None`` before.

        Raises:
            ProtocolError: it is no HTTP/1.1 response, or it agrees in a way that is not
                allowed (a wrong key, an extension that nobody offered).
        """
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEAD:
                raise ProtocolError("the response's head is too large")
            return None
        head, self._buffer = self._buffer[: end + 4], self._buffer[end + 4 :]
        first, headers = _parse_head(head)
        status = first.split(" ", 2)
        if (
            status[0] != "HTTP/1.1"
            or len(status) < 2
            or not re.fullmatch("[1-5][0-9]{2}", status[1])
        ):
            raise ProtocolError("not an HTTP/1.1 response")
        response = UpgradeResponse(int(status[1]), headers)
        if response.status == HTTPStatus.SWITCHING_PROTOCOLS:
            self._check(headers)
        return response

    def rest(self) -> bytes:
        """The bytes that came after the head. The reader is empty afterwards."""
        rest, self._buffer = self._buffer, b""
        return rest

    def _check(self, headers: Mapping[str, str]) -> None:
        _check_upgrade(headers)
        if headers.get("sec-websocket-accept") != _accept_key(self._key):
            raise ProtocolError("the header Sec-WebSocket-Accept is wrong")
        if "sec-websocket-extensions" in headers or "sec-websocket-protocol" in headers:
            raise ProtocolError("an extension or a subprotocol that was not offered")


def _parse_head(head: bytes) -> tuple[str, dict[str, str]]:
    if not head.endswith(b"\r\n\r\n"):
        raise HandshakeError("the head is not whole")
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        value = value.strip(" \t")
        if not colon or not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise HandshakeError("a header can't be read")
        known = headers.get(name.lower())
        headers[name.lower()] = value if known is None else f"{known}, {value}"
    return first, headers


def _check_upgrade(headers: Mapping[str, str]) -> None:
    if "upgrade" not in _tokens(headers.get("connection", "")):
        raise HandshakeError("the header Connection does not say upgrade")
    if "websocket" not in _tokens(headers.get("upgrade", "")):
        raise HandshakeError("the header Upgrade does not say websocket")


def _tokens(value: str) -> list[str]:
    return [token.strip(" \t").lower() for token in value.split(",")]


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False


def _accept_key(key: str) -> str:
    digest = hashlib.sha1((key + _GUID).encode(), usedforsecurity=False).digest()
    return base64.b64encode(digest).decode()


def _head(first: str, headers: Mapping[str, str]) -> bytes:
    lines = [first]
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError(f"not a header: {name!r}")
        lines.append(f"{name}: {value}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
