"""Domain errors as RFC 9457 problem details: the one place that knows their HTTP status."""

import logging
from collections.abc import Mapping, Sequence
from typing import Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from jimm import errors

log = logging.getLogger(__name__)

_STATUS: Final[Mapping[type[errors.JimmError], int]] = {
    errors.ProtocolError: 400,
    errors.BadRequest: 400,
    errors.InvalidLogin: 401,
    errors.SessionTokenInvalid: 401,
    errors.Unauthorized: 403,
    errors.NotFound: 404,
    errors.AlreadyExists: 409,
    errors.Conflict: 409,
    errors.NotValid: 422,
    errors.NotSupported: 501,
    errors.NotImplementedHere: 501,
    errors.WrongController: 502,
    errors.RemoteError: 502,
    errors.ControllerUnavailable: 503,
    errors.TryAgain: 503,
    errors.LostAnswer: 504,
}

_TITLES: Final[Mapping[int, str]] = {
    400: "The request can't be read",
    401: "Not logged in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "The state of things forbids it",
    422: "A value is not valid",
    500: "JIMM failed",
    501: "Not supported",
    502: "A controller failed",
    503: "Not available now",
    504: "No answer in time",
}


def status_of(error: errors.JimmError) -> int:
    """The HTTP status of a domain error: that of its nearest named class."""
    for kind in type(error).__mro__:
        if kind in _STATUS:
            return _STATUS[kind]
    return 500


def problem(
    status: int,
    detail: str,
    *,
    code: str = "",
    field: str = "",
    checks: Sequence[Mapping[str, str]] = (),
) -> JSONResponse:
    """A problem as a response. ``detail`` is one sentence; ``field`` names the input at fault."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
    }
    if code:
        body["code"] = code
    if field:
        body["field"] = field
    if checks:
        body["checks"] = list(checks)
    headers = {"WWW-Authenticate": 'Bearer realm="jimm"'} if status == 401 else None
    return JSONResponse(
        body, status_code=status, media_type="application/problem+json", headers=headers
    )


def install(app: FastAPI) -> None:
    """Renders every error of this application as a problem."""
    app.add_exception_handler(errors.JimmError, _domain_error)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _bug)


async def _domain_error(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, errors.JimmError):
        return await _bug(_request, error)
    return problem(
        status_of(error),
        str(error),
        code=error.juju_code,
        field=error.field,
        checks=error.checks if isinstance(error, errors.ChecksFailed) else (),
    )


async def _unreadable(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        return await _bug(_request, error)
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"] if part not in ("body", "query", "path"))
    detail = f"{field}: {first['msg']}" if field else str(first["msg"])
    return problem(422, detail, code="not valid", field=field)


async def _http_error(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        return await _bug(_request, error)
    return problem(error.status_code, str(error.detail))


async def _bug(request: Request, error: Exception) -> JSONResponse:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(500, "JIMM failed on this request; its log says why")
