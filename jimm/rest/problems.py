"""Domain errors as RFC 9457 problem details: the one place that knows their HTTP status."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from jimm import errors
from jimm.rest import schemas

MEDIA_TYPE: Final = "application/problem+json"

_STATUS: Final[Mapping[type[errors.JimmError], int]] = {
    errors.ProtocolError: 400,
    errors.BadRequest: 400,
    errors.InvalidLogin: 401,
    errors.SessionTokenInvalid: 401,
    errors.FatalLogin: 401,
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
    413: "The request is too large",
    422: "A value is not valid",
    500: "JIMM failed",
    501: "Not supported",
    502: "A controller failed",
    503: "Not available now",
    504: "No answer in time",
}

_CODES: Final[Mapping[int, str]] = {
    400: "bad request",
    404: "not found",
    405: "method not allowed",  # Juju's CodeMethodNotAllowed
    409: "conflict",
    413: "too large",
    500: "internal error",
    502: "controller error",
}
"""What stands in ``code`` where Juju's own is empty: a script can't match on nothing."""


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
    checks: Sequence[Mapping[str, object]] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """A problem as a response. ``detail`` is one sentence; ``field`` names the input at fault."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": _TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "code": code or _CODES.get(status, ""),
    }
    if field:
        body["field"] = field
    if checks:
        told = (schemas.Check.model_validate(each) for each in checks)
        body["checks"] = [each.model_dump(exclude_none=True) for each in told]
    challenge = {"WWW-Authenticate": 'Bearer realm="jimm"'} if status == 401 else {}
    return JSONResponse(
        body,
        status_code=status,
        media_type=MEDIA_TYPE,
        headers={**(headers or {}), **challenge},
    )


def bug() -> JSONResponse:
    """The answer where JIMM itself is at fault; the log has the rest."""
    return problem(500, "JIMM failed on this request; its log says why")


@contextmanager
def naming(fields: Mapping[type[errors.JimmError], str]) -> Iterator[None]:
    """Says which field of a body is at fault where the use case can't know it: that of the
    first class in ``fields`` that the error is of."""
    try:
        yield
    except tuple(fields) as error:
        error.field = error.field or next(
            field for kind, field in fields.items() if isinstance(error, kind)
        )
        raise


def install(app: FastAPI) -> None:
    """Renders every error of this application as a problem."""
    app.add_exception_handler(errors.JimmError, _domain_error)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(HTTPException, _http_error)


async def _domain_error(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, errors.JimmError):
        raise error
    return problem(
        status_of(error),
        str(error),
        code=error.juju_code,
        field=error.field,
        checks=error.checks if isinstance(error, errors.ChecksFailed) else (),
    )


async def _unreadable(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        return problem(400, "the body is not JSON")
    field = ".".join(part for part in first["loc"][1:] if isinstance(part, str))
    if not field:
        return problem(
            422, "the body has to be a JSON object, sent as application/json", code="not valid"
        )
    return problem(422, f"{field}: {_complaint(first)}", code="not valid", field=field)


def _complaint(error: Mapping[str, Any]) -> str:
    match error["type"]:
        case "missing":
            return "it is required"
        case "extra_forbidden":
            return "there is no such field"
    return str(error["msg"])


async def _http_error(request: Request, error: Exception) -> JSONResponse:
    """What the framework finds before a route is reached."""
    if not isinstance(error, HTTPException):
        raise error
    detail = str(error.detail)
    if error.status_code == 404:
        detail = f"there is no {request.url.path}: /v1/openapi.json lists what there is"
    elif error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "another method")
        detail = f"{request.method} can't be used on {request.url.path}: use {allowed}"
    return problem(error.status_code, detail, headers=error.headers)
