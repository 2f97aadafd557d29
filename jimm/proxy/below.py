"""All below a model's path that is no RPC, in front of the other doors."""

from starlette.types import ASGIApp, Receive, Scope, Send

from jimm.proxy import paths
from jimm.proxy.streams import Streams
from jimm.proxy.uploads import Uploads


class BelowModels:
    """ASGI middleware: takes what is below a model's path, and leaves the rest alone.

    It goes by the path as it was sent; another spelling of one finds no route behind it.
    """

    def __init__(self, app: ASGIApp, *, uploads: Uploads, streams: Streams) -> None:
        self._app = app
        self._uploads = uploads
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not paths.concerns(scope.get("raw_path", b"")):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._streams.serve(scope, receive, send)
        else:
            await self._uploads.serve(scope, receive, send)
