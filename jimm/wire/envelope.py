"""One message on the socket (Juju ``rpc/jsoncodec/codec.go``).

Requests and responses share the socket and may cross in any order; ``request-id`` ties them.
Every response that JIMM writes has ``response`` (``{}`` at least, on errors too), and ``error``
is never there on success: python-libjuju and jujulib test for the key, not for its value.
"""

from collections.abc import Mapping
from functools import cache

import msgspec
from msgspec import Struct

from jimm.errors import ProtocolError
from jimm.wire.fold import convert


class Request(Struct, frozen=True, kw_only=True):
    """A call: ``type`` is the facade, ``id`` an object on the server (a watcher's) or ``""``.

    ``params`` is a plain JSON value, ``{}`` where the caller sent none or ``null``.
    """

    request_id: int
    type: str
    version: int
    request: str
    id: str = ""
    params: object = msgspec.field(default_factory=dict)


class Response(Struct, frozen=True, kw_only=True):
    """An answer: ``error`` is ``None`` on success, else the text (which may be empty)."""

    request_id: int
    response: object = msgspec.field(default_factory=dict)
    error: str | None = None
    error_code: str = ""
    error_info: Mapping[str, object] | None = None


class Answer(Struct, frozen=True, kw_only=True):
    """As :class:`Response`, what was answered still as JSON: to be read by who asked."""

    request_id: int
    response: msgspec.Raw
    error: str | None = None
    error_code: str = ""
    error_info: Mapping[str, object] | None = None


class _Plain(Struct, rename="kebab", forbid_unknown_fields=True):
    """An answer as Juju writes it, letter by letter."""

    request_id: int
    response: msgspec.Raw = msgspec.Raw()
    error: str = ""
    error_code: str = ""
    error_info: dict[str, object] | None = None


class _Envelope(Struct, rename="kebab", kw_only=True):
    request_id: int
    type: str
    version: int
    id: str
    request: str
    params: object
    response: object
    error: str | None
    error_code: str
    error_info: dict[str, object] | None


class _Number(Struct, rename="kebab"):
    request_id: int


def decode(data: bytes | str) -> Request | Response:
    """The message in one text (or binary) websocket message.

    Raises:
        ProtocolError: not JSON, not an object, wrong types, nested too deep, or a
            ``request-id`` that is no positive integer (Juju counts from 1).
    """
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ProtocolError(f"not a JSON message: {error}") from error
    if not isinstance(value, dict):
        raise ProtocolError("a message is a JSON object")
    envelope = convert(value, _Envelope)
    if envelope.request_id < 1:
        raise ProtocolError("request-id is not a positive integer")
    if envelope.type or envelope.request:
        return _request(envelope)
    return _response(envelope)


def decode_answer(data: bytes) -> Answer:
    """The answer in one message, which is not read any further.

    Raises:
        ProtocolError: as :func:`decode`; or it is a request.
    """
    try:
        found = _plain().decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        found = None
    if found is not None and found.request_id > 0 and (found.error or found.response):
        return Answer(
            request_id=found.request_id,
            response=found.response,
            error=found.error or None,
            error_code=found.error_code,
            error_info=found.error_info,
        )
    message = decode(data)  # another spelling, or it is broken
    if isinstance(message, Request):
        raise ProtocolError("a request in place of an answer")
    return Answer(
        request_id=message.request_id,
        response=msgspec.Raw(msgspec.json.encode(message.response)),
        error=message.error,
        error_code=message.error_code,
        error_info=message.error_info,
    )


def number_of(data: bytes | str) -> int:
    """The ``request-id`` in a message that :func:`decode` refused, 0 if none can be read."""
    try:
        value = msgspec.json.decode(data)
        return max(0, convert(value, _Number).request_id)
    except (msgspec.DecodeError, UnicodeError, RecursionError, ProtocolError):
        return 0


@cache
def _plain() -> msgspec.json.Decoder[_Plain]:
    return msgspec.json.Decoder(_Plain)


def _request(envelope: _Envelope) -> Request:
    if envelope.version < 0:
        raise ProtocolError("version is negative")
    return Request(
        request_id=envelope.request_id,
        type=envelope.type,
        version=envelope.version,
        request=envelope.request,
        id=envelope.id,
        params={} if envelope.params is None else envelope.params,
    )


def _response(envelope: _Envelope) -> Response:
    # Go's client takes an empty error text for success.
    return Response(
        request_id=envelope.request_id,
        response={} if envelope.response is None else envelope.response,
        error=envelope.error or None,
        error_code=envelope.error_code,
        error_info=envelope.error_info,
    )


def encode(message: Request | Response) -> bytes:
    """The bytes of one message."""
    if isinstance(message, Request):
        return encode_request(message)
    if message.error is None:
        return encode_result(message.request_id, message.response)
    return encode_error(message.request_id, message.error, message.error_code, message.error_info)


def encode_request(request: Request) -> bytes:
    """The bytes of a request; ``id`` and ``version`` are left out when empty, as Go does."""
    body: dict[str, object] = {"request-id": request.request_id, "type": request.type}
    if request.version:
        body["version"] = request.version
    if request.id:
        body["id"] = request.id
    body["request"] = request.request
    body["params"] = request.params
    return msgspec.json.encode(body)


def encode_result(request_id: int, result: object = None) -> bytes:
    """The bytes of a success; ``None`` is an empty result."""
    response = {} if result is None else result
    return msgspec.json.encode({"request-id": request_id, "response": response})


def encode_error(
    request_id: int, message: str, code: str = "", info: Mapping[str, object] | None = None
) -> bytes:
    """The bytes of a failure."""
    body: dict[str, object] = {"request-id": request_id, "error": message or "unknown error"}
    if code:
        body["error-code"] = code
    if info is not None:
        body["error-info"] = info
    body["response"] = {}
    return msgspec.json.encode(body)
