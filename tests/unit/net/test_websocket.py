"""Whole messages over a websocket, and how it ends."""

import http
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from jimm.errors import ControllerUnavailable
from jimm.net.certificates import Authority
from jimm.net.tls import client_context, server_context
from jimm.net.websocket import Disconnected, Websocket, open_websocket

Handler = Callable[[ServerConnection], Awaitable[None]]


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.create("ours")


@asynccontextmanager
async def serving(
    authority: Authority, handler: Handler, refusal: Response | None = None
) -> AsyncIterator[str]:
    def respond(_: ServerConnection, __: Request) -> Response | None:
        return refusal

    context = server_context(authority.issue([]))
    async with serve(
        handler, "127.0.0.1", 0, ssl=context, process_request=respond, ping_interval=None
    ) as server:
        host, port = next(iter(server.sockets)).getsockname()
        yield f"{host}:{port}"


async def opened(authority: Authority, address: str, max_message: int = 1 << 20) -> Websocket:
    return await open_websocket(
        [address],
        "/api",
        context=client_context(authority.certificate_pem),
        server_hostname="juju-apiserver",
        deadline=5,
        headers={"X-Juju-ClientVersion": "3.6.9"},
        max_message=max_message,
    )


async def echo(peer: ServerConnection) -> None:
    async for message in peer:
        await peer.send(message)


async def test_messages_are_text_both_ways_and_never_compressed(authority: Authority) -> None:
    seen: list[object] = []

    async def recording(peer: ServerConnection) -> None:
        assert peer.request is not None
        seen.append(peer.request.path)
        seen.append(peer.request.headers["X-Juju-ClientVersion"])
        seen.append(peer.request.headers.get("Sec-WebSocket-Extensions"))
        seen.append(await peer.recv())
        await peer.send(b"as binary")

    async with serving(authority, recording) as address:
        websocket = await opened(authority, address)
        await websocket.send(b'{"a": 1}')
        assert await websocket.receive() == b"as binary"
        await websocket.aclose()
    assert seen == ["/api", "3.6.9", None, '{"a": 1}']


async def test_a_message_of_a_megabyte_comes_back_whole(authority: Authority) -> None:
    async with serving(authority, echo) as address:
        websocket = await opened(authority, address)
        await websocket.send(b"x" * 1_000_000)
        assert await websocket.receive() == b"x" * 1_000_000
        await websocket.aclose()


async def test_more_than_the_bound_ends_the_connection(authority: Authority) -> None:
    async with serving(authority, echo) as address:
        websocket = await opened(authority, address, max_message=1000)
        await websocket.send(b"x" * 1001)
        with pytest.raises(Disconnected, match="too large a message"):
            await websocket.receive()
        with pytest.raises(Disconnected) as caught:
            await websocket.send(b"x")
        assert not caught.value.sent


async def test_a_close_is_told_with_its_code(authority: Authority) -> None:
    async def leaving(peer: ServerConnection) -> None:
        await peer.close(1001)

    async with serving(authority, leaving) as address:
        websocket = await opened(authority, address)
        with pytest.raises(Disconnected, match=rf"connection to {address} was closed \(1001\)"):
            await websocket.receive()


async def test_an_aborted_connection_is_gone_at_once(authority: Authority) -> None:
    async with serving(authority, echo) as address:
        websocket = await opened(authority, address)
        websocket.abort()
        with pytest.raises(Disconnected):
            await websocket.receive()


@pytest.mark.parametrize(
    ("status", "headers", "why"),
    [
        (http.HTTPStatus.NOT_FOUND, {}, "it answered HTTP 404 in place of a websocket"),
        (
            http.HTTPStatus.FOUND,
            {"Location": "wss://elsewhere.example.com/api"},
            "its answer makes no sense",
        ),
    ],
    ids=["no such path", "a redirect to another host"],
)
async def test_what_is_no_upgrade_is_an_absence(
    authority: Authority, status: http.HTTPStatus, headers: dict[str, str], why: str
) -> None:
    refusal = Response(int(status), status.phrase, Headers({**headers, "Content-Length": "0"}))
    async with serving(authority, echo, refusal) as address:
        with pytest.raises(ControllerUnavailable, match=why):
            await opened(authority, address)
