"""What is asked of JIMM before and beside any work: health, readiness, and the public keys.

Plain ASGI, since probes come from the first moment and the routes are made later.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from jimm.errors import ConfigurationError
from jimm.registry import revision
from jimm.rest.services import Services


class Health:
    """Answers on its own paths, and says which they are."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._pages: Final[Mapping[str, Callable[[], Awaitable[Response]]]] = {
            "/healthz": self._healthz,
            "/readyz": self._readyz,
            "/.well-known/jwks.json": self._jwks,
        }

    def concerns(self, path: str) -> bool:
        """Whether it answers there."""
        return path in self._pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] in {"GET", "HEAD"}:
            response = await self._pages[scope["path"]]()
        else:
            response = PlainTextResponse("use GET\n", 405, headers={"Allow": "GET, HEAD"})
        await response(scope, receive, send)

    async def _healthz(self) -> Response:
        """That this process answers."""
        return PlainTextResponse("ok\n")

    async def _readyz(self) -> Response:
        """That this process can work: database, schema, background work."""
        registry = self._services.fleet.registry
        try:
            await registry.ping()
        except ConfigurationError as error:
            return PlainTextResponse(f"{error}\n", status_code=503)
        if await registry.head() != revision.needed():
            return PlainTextResponse("the schema is not at its head\n", status_code=503)
        if not self._services.is_working():
            return PlainTextResponse("background work has stopped\n", status_code=503)
        return PlainTextResponse("ok\n")

    async def _jwks(self) -> Response:
        """The public keys of the tokens that controllers are shown (RFC 7517)."""
        keys = await self._services.keys.jwks()
        return JSONResponse(keys, headers={"Cache-Control": "public, max-age=600"})
