"""How a page is made: a template, and headers that let it do nothing but show itself."""

import logging
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Final

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException

from jimm.errors import ConfigurationError, JimmError, TryAgain

log = logging.getLogger(__name__)

FOLDER: Final = Path(__file__).parent
STYLE: Final = "/static/jimm.css"

SEE_OTHER: Final = 303


class Pages:
    """The templates."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def page(
        self, template: str, *, status: int = 200, leads_to: Sequence[str] = (), **values: object
    ) -> Response:
        """A page. ``error`` among the values is the sentence about what was entered, ``field``
        the input at fault. ``leads_to`` are origins that its form may end at."""
        values = {"error": "", "field": "", **values}
        text = self._templates.get_template(f"{template}.html").render(style=STYLE, **values)
        return HTMLResponse(text, status_code=status, headers=_headers(leads_to))

    def problem(self, sentence: str, *, status: int) -> Response:
        """A page that says what went wrong, and no more."""
        return self.page("problem", status=status, sentence=sentence)


def see(where: str, *, status: int = SEE_OTHER) -> Response:
    """Sends the browser on, so that going back repeats nothing."""
    return RedirectResponse(where, status_code=status, headers=_headers(()))


def style() -> Response:
    """The one style sheet."""
    headers = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
    text = (FOLDER / "static" / "jimm.css").read_text()
    return Response(text, media_type="text/css", headers=headers)


class PageRoute(APIRoute):
    """A route whose errors are pages too."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler with errors rendered."""
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except HTTPException as error:
                return _problem(_sentence(str(error.detail)), error.status_code)
            except TryAgain as error:
                return _problem(_sentence(str(error)), 503)
            except ConfigurationError as error:
                log.warning("%s %s: %s", request.method, request.url.path, error)
                return _problem("JIMM can't do this just now. Try again in a minute.", 503)
            except JimmError as error:
                return _problem(_sentence(str(error)), 400)
            except Exception as error:
                log.error("%s %s failed", request.method, request.url.path, exc_info=error)
                return _problem("JIMM failed here, and its log says why.", 500)

        return handled


def _problem(sentence: str, status: int) -> Response:
    return Pages().problem(sentence, status=status)


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _headers(leads_to: Sequence[str]) -> dict[str, str]:
    ends = " ".join(("'self'", *leads_to))
    return {
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; "
        f"form-action {ends}; base-uri 'none'; frame-ancestors 'none'",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
