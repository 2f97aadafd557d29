"""Uploads and downloads below a model's path: bytes pass, slowly if need be, and leave nothing."""

import asyncio
import contextlib
import resource
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from jimm.proxy.carrier import Pace
from jimm.proxy.doorkeeper import Admission
from tests.eventually import eventually
from tests.system.proxy.below_stage import BelowStage, answer, login, staged
from tests.system.proxy.stage import MODEL

OBJECT = f"/model-{MODEL}/charms/tiny-0123abc"
CHARMS = f"/model/{MODEL}/charms"
RESOURCE = f"/model/{MODEL}/applications/app/resources/data"
PIECE = bytes(range(256)) * 256
MEGABYTE = 1024 * 1024
MANY = 1200
"""Pieces, 75 MiB: more than wait in all buffers of the system together."""
FEW = 500


@pytest.fixture
def pace() -> Pace:
    return Pace(stall=30, answer=30)


@pytest.fixture
async def stage(tmp_path: Path, pace: Pace) -> AsyncIterator[BelowStage]:
    async with staged(tmp_path, pace) as made:
        yield made
        assert await eventually(made.is_quiet)


async def pieces(number: int) -> AsyncIterator[bytes]:
    """A body of 64 KiB pieces."""
    for _ in range(number):
        yield PIECE


async def test_an_upload_passes_with_the_controller_s_login(stage: BelowStage) -> None:
    async with stage.http(Cookie="a=b", **{"Juju-Curl": "local:tiny-0"}) as http:
        told = await http.put(
            f"{OBJECT}?secret=1",
            content=b"x" * 100_000,
            headers={"Content-Type": "application/zip"},
        )
    assert (told.status_code, told.json()) == (200, {"got": 100_000})
    head = stage.controller.heads[0].decode().lower()
    assert head.startswith(f"put {OBJECT} http/1.1\r\n")
    assert "authorization: bearer jwt\r\n" in head
    assert "juju-curl: local:tiny-0\r\n" in head
    assert "content-type: application/zip\r\n" in head
    assert "content-length: 100000\r\n" in head
    assert "host: juju-apiserver\r\n" in head
    assert not any(word in head for word in ("cookie", "user-agent", "basic", "secret"))


async def test_a_body_of_unknown_length_passes_in_chunks(stage: BelowStage) -> None:
    async with stage.http() as http:
        told = await http.post(CHARMS, content=pieces(5))
    assert told.json() == {"got": 5 * len(PIECE)}
    assert b"transfer-encoding: chunked" in stage.controller.heads[0].lower()


async def test_an_answer_keeps_only_what_is_the_client_s(stage: BelowStage) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await stage.controller.head(reader)
        lines = ("Juju-Curl: local:tiny-7", "Set-Cookie: a=b", "Server: 10.0.0.1", "ETag: x")
        writer.write(answer(b'{"charm-url":"local:tiny-7"}', "200 OK", *lines))

    stage.controller.script = script
    async with stage.http() as http:
        told = await http.get(f"{CHARMS}?url=local%3Atiny-7&file=*&:modeluuid=other")
    assert told.headers["juju-curl"] == "local:tiny-7"
    assert told.headers["etag"] == "x"
    assert told.headers["content-type"] == "application/json"
    assert not {"set-cookie"} & set(told.headers)
    assert "10.0.0.1" not in str(told.headers)
    assert stage.controller.heads[0].startswith(
        f"GET {CHARMS}?url=local%3Atiny-7&file=%2A HTTP/1.1\r\n".encode()
    )


async def test_sixty_four_megabytes_pass_and_little_is_kept(stage: BelowStage) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with stage.http() as http:
        told = await http.put(RESOURCE, content=pieces(1024))
    assert told.json() == {"got": 64 * MEGABYTE}
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 24 * 1024  # KiB, for client, JIMM and controller in one process


async def test_a_controller_that_reads_nothing_stops_the_client(stage: BelowStage) -> None:
    taken = 0
    reads = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reads.wait()
        while taken < MANY or not reader.at_eof():
            piece = await reader.read(65536)
            if piece.endswith(b"0\r\n\r\n"):
                break
        writer.write(answer(b"{}"))

    async def counted() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(MANY):
            taken += 1
            yield PIECE

    stage.controller.script = script
    async with stage.http() as http, asyncio.TaskGroup() as group:
        sending = group.create_task(http.put(RESOURCE, content=counted()))
        await eventually(lambda: taken > 5)
        stalled = await settled(lambda: taken)
        assert stalled < FEW
        assert not sending.done()
        reads.set()
        assert (await sending).status_code == 200


async def test_a_client_that_reads_nothing_stops_the_controller(stage: BelowStage) -> None:
    sent = 0

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MANY * len(PIECE)))
        for _ in range(MANY):
            writer.write(PIECE)
            await writer.drain()
            sent += 1

    stage.controller.script = script
    async with stage.http() as http, http.stream("GET", RESOURCE) as told:
        await eventually(lambda: sent > 5)
        assert await settled(lambda: sent) < FEW
        size = 0
        async for piece in told.aiter_bytes():
            size += len(piece)
    assert (size, sent) == (MANY * len(PIECE), MANY)


async def settled(count: Callable[[], int]) -> int:
    """The number once it stays as it is."""
    last = -1
    while (now := count()) != last:
        last = now
        await asyncio.sleep(0.3)  # there is no sign for what does not happen
    return last


async def test_an_upload_cut_midway_leaves_nothing_open(stage: BelowStage) -> None:
    cut = asyncio.Event()

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with contextlib.suppress(OSError):
            while await reader.read(65536):
                pass
        cut.set()

    stage.controller.script = script
    async with stage.raw() as (_, writer):
        writer.write(request("PUT", RESOURCE, "Content-Length: 1000000") + b"x" * 5000)
        await eventually(lambda: stage.controller.open == 1)
        assert len(stage.pipes) == 1
    await asyncio.wait_for(cut.wait(), 5)
    assert await eventually(stage.is_quiet)


async def test_a_client_that_goes_while_the_controller_works_leaves_nothing(
    stage: BelowStage,
) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(5)
        with contextlib.suppress(OSError):
            await reader.read()

    stage.controller.script = script
    async with stage.raw() as (_, writer):
        writer.write(request("PUT", RESOURCE, "Content-Length: 5") + b"12345")
        await eventually(lambda: stage.controller.open == 1)
    assert await eventually(stage.is_quiet)


async def test_an_answer_may_come_before_the_request_is_whole(stage: BelowStage) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(b'{"error":"operation is blocked"}', "400 Bad Request"))

    stage.controller.script = script
    async with stage.raw() as (reader, writer):
        writer.write(request("PUT", RESOURCE, "Content-Length: 1000000") + b"x" * 100)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        assert head.startswith(b"HTTP/1.1 400 ")


async def test_a_controller_that_breaks_off_is_told_as_away(stage: BelowStage) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    stage.controller.script = script
    async with stage.http() as http:
        told = await http.put(RESOURCE, content=b"12345")
    assert told.status_code == 503
    assert told.json()["error"]["code"] == "connection failed"


async def test_an_answer_cut_short_is_cut_short(stage: BelowStage) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 1000)
        await writer.drain()
        writer.transport.close()

    stage.controller.script = script
    async with stage.http() as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get(RESOURCE)


@pytest.mark.parametrize(
    ("status", "seen"),
    [
        ("401 Unauthorized", 503),
        ("301 Moved Permanently", 503),
        ("403 Forbidden", 403),
        ("404 Not Found", 404),
        ("405 Method Not Allowed", 405),
        ("500 Internal Server Error", 500),
    ],
)
async def test_what_a_controller_refuses(stage: BelowStage, status: str, seen: int) -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(b'{"error":"x"}', status, "Location: https://10.0.0.1/"))

    stage.controller.script = script
    async with stage.http() as http:
        told = await http.get(RESOURCE)
    assert told.status_code == seen
    assert "location" not in told.headers


async def test_a_controller_that_is_away(stage: BelowStage) -> None:
    stage.gate.admission = with_addresses(stage, "127.0.0.1:1")
    async with stage.http() as http:
        told = await http.put(OBJECT, content=b"12345")
    assert told.status_code == 503
    assert told.json()["error-code"] == "connection failed"
    assert "127.0.0.1" not in told.text


async def test_an_impostor_is_sent_nothing(stage: BelowStage, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    async with staged(folder, Pace()) as other:
        stage.gate.admission = with_addresses(stage, *other.gate.admission.endpoint.addresses)
        async with stage.http() as http:
            told = await http.put(OBJECT, content=b"12345")
        assert told.status_code == 503
        assert other.controller.heads == []


def with_addresses(stage: BelowStage, *addresses: str) -> Admission:
    """The same admission to a controller elsewhere."""
    found = stage.gate.admission
    return replace(found, endpoint=replace(found.endpoint, addresses=addresses))


@pytest.mark.parametrize(
    ("headers", "method", "path", "status", "code"),
    [
        ({}, "PUT", RESOURCE, 401, "unauthorized access"),
        ({"Authorization": "Basic eDp5"}, "PUT", RESOURCE, 401, "unauthorized access"),
        ({"Authorization": "Bearer jwt"}, "PUT", RESOURCE, 401, "unauthorized access"),
        (login("user-bob"), "PUT", RESOURCE, 403, "forbidden"),
        (login("user-bob"), "PUT", OBJECT, 403, "forbidden"),
        (login("user-alice"), "DELETE", RESOURCE, 405, "method not allowed"),
        (login("user-alice"), "GET", f"/model/{MODEL}/commands", 404, "not found"),
        (login("user-alice"), "GET", f"/model/{MODEL}/log", 400, "bad request"),
        (login("user-alice"), "GET", f"/model/{MODEL}/charms%2f..", 400, "bad request"),
        (login("user-alice"), "GET", "/model/x/charms", 400, "bad request"),
        (
            login("user-alice"),
            "PUT",
            RESOURCE.replace(MODEL, "6bd9cd3b-0b6e-4f0c-8a25-8c0b0d8c9b34"),
            404,
            "model not found",
        ),
    ],
)
async def test_refusals_are_juju_s(
    stage: BelowStage, headers: dict[str, str], method: str, path: str, status: int, code: str
) -> None:
    stage.headers = headers
    async with stage.http() as http:
        told = await http.request(method, path, content=b"12345" if method == "PUT" else None)
    assert told.status_code == status
    assert told.headers["content-type"] == "application/json"
    found = told.json()
    assert (found["error-code"] if "error-code" in found else found["error"]["code"]) == code
    assert told.headers.get("www-authenticate") == ('Basic realm="juju"' if status == 401 else None)
    assert stage.controller.heads == []


async def test_a_browser_s_cookie_is_a_login_for_our_own_pages(stage: BelowStage) -> None:
    stage.headers = {"Cookie": "jimm-browser-session=token"}
    async with stage.http(Origin="https://own") as http:
        assert (await http.put(RESOURCE, content=b"1")).status_code == 200
    async with stage.http(Origin="https://elsewhere") as http:
        assert (await http.put(RESOURCE, content=b"1")).status_code == 401
    assert all(b"cookie" not in head.lower() for head in stage.controller.heads)


async def test_a_model_that_moves_takes_no_uploads(stage: BelowStage) -> None:
    stage.gate.moving = True
    async with stage.http() as http:
        told = await http.put(OBJECT, content=b"12345")
        assert told.status_code == 409
        assert told.json() == {"error": "model migration in progress", "error-code": ""}
        assert (await http.get(RESOURCE)).status_code == 200


async def test_the_body_is_asked_for_only_when_it_is_wanted(stage: BelowStage) -> None:
    async with stage.raw() as (reader, writer):
        head = request("PUT", RESOURCE, "Content-Length: 5", "Expect: 100-continue", user="user-x")
        writer.write(head)
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 401 ")
    async with stage.raw() as (reader, writer):
        writer.write(request("PUT", RESOURCE, "Content-Length: 5", "Expect: 100-continue"))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"12345")
        assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200 ")
    assert b"expect" not in stage.controller.heads[0].lower()


async def test_it_is_ended_when_the_model_has_moved(stage: BelowStage) -> None:
    async with stage.raw() as (reader, writer):
        writer.write(request("PUT", RESOURCE, "Content-Length: 1000000") + b"x" * 5000)
        await eventually(lambda: stage.controller.open == 1)
        assert stage.pipes.close_model(MODEL, "the model has moved") == 1
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
        assert head.startswith(b"HTTP/1.1 503 ")
        assert await eventually(stage.is_quiet)


class TestImpatient:
    """With little time."""

    @pytest.fixture
    def pace(self) -> Pace:
        return Pace(stall=0.3, answer=0.6)

    async def test_a_client_that_sends_nothing(self, stage: BelowStage) -> None:
        async with stage.raw() as (reader, writer):
            writer.write(request("PUT", RESOURCE, "Content-Length: 1000000") + b"x" * 5000)
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            assert head.startswith(b"HTTP/1.1 408 ")
            assert await eventually(stage.is_quiet)

    async def test_a_controller_that_does_not_answer(self, stage: BelowStage) -> None:
        async def script(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                while await reader.read(65536):
                    pass

        stage.controller.script = script
        async with stage.http() as http:
            told = await http.put(RESOURCE, content=b"12345")
        assert told.status_code == 503

    async def test_a_controller_that_takes_nothing(self, stage: BelowStage) -> None:
        over = asyncio.Event()

        async def script(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
            await over.wait()

        stage.controller.script = script
        async with stage.http() as http:
            told = await http.put(RESOURCE, content=endless())
        assert told.status_code == 503
        over.set()

    async def test_a_slow_upload_that_moves_is_left_alone(self, stage: BelowStage) -> None:
        async with stage.http() as http:
            told = await http.put(RESOURCE, content=dripping())
        assert told.json() == {"got": 8}


async def endless() -> AsyncIterator[bytes]:
    for _ in range(4000):
        yield PIECE


async def dripping() -> AsyncIterator[bytes]:
    for _ in range(8):
        await asyncio.sleep(0.1)  # longer in all than nothing may move
        yield b"x"


def request(method: str, path: str, *headers: str, user: str = "user-alice") -> bytes:
    """The head of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
    lines += [f"{name}: {value}" for name, value in login(user).items()]
    return "\r\n".join([*lines, "", ""]).encode()
