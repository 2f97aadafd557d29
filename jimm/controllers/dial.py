"""Connecting to a controller: dial, log in, and make sure of who answered.

Whoever answers with another uuid than the registered one gets nothing after the login.
"""

import asyncio

from jimm.controllers.deadlines import Timing
from jimm.controllers.endpoint import Endpoint
from jimm.controllers.link import Link
from jimm.errors import (
    ControllerUnavailable,
    NotValid,
    ProtocolError,
    RemoteError,
    WrongController,
)
from jimm.net.websocket import Disconnected, Websocket, open_websocket
from jimm.wire.envelope import Request, Response, decode, encode_request
from jimm.wire.fold import convert
from jimm.wire.params.admin import LoginRequest, LoginResult
from jimm.wire.tags import ControllerUUID, ModelUUID, model_tag, parse_controller_tag

_LOGIN_ID = 1
_DISCHARGE_REQUIRED = "macaroon discharge required"


async def dial(
    endpoint: Endpoint,
    login: LoginRequest,
    *,
    model: ModelUUID | None = None,
    timing: Timing | None = None,
) -> Link:
    """A logged-in link to the controller, or to one of its models; not started yet.

    Raises:
        ControllerUnavailable: it can't be reached, or does not answer as Juju does.
        WrongController: another controller, or another model, answers there.
        RemoteError: it refuses the login; a model that has moved away answers
            ``redirection required`` with where to in ``info``.
        NotValid: an address or the CA of the endpoint can't be read.
    """
    link = await _log_in(endpoint, login, model, timing or Timing())
    try:
        _check_controller(link)
        _check_model(link, model)
    except WrongController:
        link.abort("another controller answers")
        raise
    return link


async def dial_stranger(
    endpoint: Endpoint, login: LoginRequest, *, timing: Timing | None = None
) -> tuple[ControllerUUID, Link]:
    """As :func:`dial`, for a controller whose uuid is to be learnt: ``endpoint.uuid`` is
    ignored."""
    link = await _log_in(endpoint, login, None, timing or Timing())
    try:
        _check_model(link, None)
        return _told_uuid(link), link
    except WrongController:
        link.abort("no controller answers")
        raise


async def _log_in(
    endpoint: Endpoint, login: LoginRequest, model: ModelUUID | None, timing: Timing
) -> Link:
    socket = await open_websocket(
        endpoint.addresses,
        "/api" if model is None else f"/model/{model}/api",
        context=endpoint.tls(),
        server_hostname=endpoint.server_name,
        deadline=timing.dial,
    )
    try:
        async with asyncio.timeout(timing.login):
            result = await _ask(socket, login)
    except BaseException as error:
        socket.abort()
        if isinstance(error, TimeoutError | Disconnected | ProtocolError):
            raise _no_login(endpoint, socket, error, timing) from error
        raise
    return Link(endpoint, socket, result, first_id=_LOGIN_ID + 1)


async def _ask(socket: Websocket, login: LoginRequest) -> LoginResult:
    request = Request(request_id=_LOGIN_ID, type="Admin", version=3, request="Login", params=login)
    await socket.send(encode_request(request))
    answer = decode(await socket.receive())
    if not isinstance(answer, Response) or answer.request_id != _LOGIN_ID:
        raise ProtocolError("something else than the answer to the login")
    if answer.error is not None:
        raise RemoteError(answer.error, answer.error_code, answer.error_info)
    result = convert(answer.response, LoginResult)
    if result.discharge_required is not None:
        raise RemoteError("the controller wants a login elsewhere first", _DISCHARGE_REQUIRED)
    return result


def _no_login(
    endpoint: Endpoint, socket: Websocket, error: BaseException, timing: Timing
) -> ControllerUnavailable:
    if isinstance(error, TimeoutError):
        why = f"did not answer the login within {timing.login:g} s"
    elif isinstance(error, ProtocolError):
        why = f"does not answer as a Juju controller: {error}"
    else:
        why = "closed the connection before it answered the login"
    return ControllerUnavailable(f"{endpoint} at {socket.address} {why}")


def _check_controller(link: Link) -> None:
    told = _told_uuid(link)
    if told != link.endpoint.uuid:
        raise WrongController(
            f"wrong controller: {link.address} is controller {told},"
            f" and not {link.endpoint.name} ({link.endpoint.uuid})"
        )


def _told_uuid(link: Link) -> ControllerUUID:
    try:
        return parse_controller_tag(link.login_result.controller_tag)
    except NotValid as error:
        raise WrongController(
            f"wrong controller: {link.address} does not say which controller it is"
        ) from error


def _check_model(link: Link, model: ModelUUID | None) -> None:
    wanted = "" if model is None else model_tag(model)
    if link.login_result.model_tag != wanted:
        raise WrongController(
            f"wrong controller: {link.address} answered for"
            f' "{link.login_result.model_tag}" in place of "{wanted}"'
        )
