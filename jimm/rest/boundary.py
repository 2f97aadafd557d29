"""The outermost layer of door 3: no answer but a problem, and no body without a bound."""

import logging
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from jimm.rest import problems

log = logging.getLogger(__name__)

LARGEST_BODY: Final = 1 << 20
"""Bytes of a request's body; a controller with a long chain of certificates has some 20 KB."""


class Boundary:
    """ASGI middleware. A bug becomes a problem and a line in the log, and the connection stays
    usable: Starlette's own last handler raises once more, whereupon uvicorn cuts the connection
    under a client's next request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def answer(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, _bounded(receive), answer)
        except Exception as error:
            log.error("%s %s failed", scope["method"], scope["path"], exc_info=error)
            if started:
                raise  # half an answer can only be cut off
            await problems.bug()(scope, receive, send)


def _bounded(receive: Receive) -> Receive:
    """The body's messages, until there are too many bytes of it."""
    received = 0

    async def bounded() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > LARGEST_BODY:
            raise HTTPException(413, f"a request may have {LARGEST_BODY} bytes at most")
        return message

    return bounded
