"""The client's side of the conversation: what it sends, and what it makes of the answers."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from jimm.net.certificates import Authority
from jimmctl.client import Client, connect
from jimmctl.config import Place
from jimmctl.errors import (
    AnswerLost,
    BadAnswer,
    JimmctlError,
    NotLoggedIn,
    Refused,
    Unreachable,
    Usage,
)

HERE = Place(addresses=("192.0.2.1:443",), token="t")
Answer = Callable[[httpx.Request], httpx.Response]


class Script:
    """Requests as they came, and the answers they get, one after the other."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.heard: list[str] = []
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.heard.append(f"{request.method} {request.url.raw_path.decode()}")
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, place: Place = HERE, *, patience: float = 60.0) -> Client:
        http = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return Client(http, place, pauses=(0.0,), patience=patience)


def problem(status: int, detail: str, **more: object) -> httpx.Response:
    content = {"type": "about:blank", "title": "x", "status": status, "detail": detail, **more}
    return httpx.Response(
        status, json=content, headers={"content-type": "application/problem+json"}
    )


def events(*lines: str) -> httpx.Response:
    return httpx.Response(
        200, content="".join(lines), headers={"content-type": "text/event-stream"}
    )


def event(seq: int, name: str = "progress") -> str:
    return f'id: {seq}\nevent: {name}\ndata: {{"seq": {seq}, "state": "running"}}\n\n'


async def test_a_token_is_sent() -> None:
    script = Script(httpx.Response(200, json={"identity": "alice"}))
    assert await script.client().get("/whoami") == {"identity": "alice"}
    assert str(script.requests[0].url) == "https://192.0.2.1/v1/whoami"
    assert script.requests[0].headers["authorization"] == "Bearer t"


async def test_a_password_becomes_a_token_which_is_taken_back() -> None:
    script = Script(
        httpx.Response(201, json={"token": "fresh", "id": "7"}),
        httpx.Response(200, json={}),
        httpx.Response(200, json={}),
        httpx.Response(204),
    )
    client = script.client(Place(addresses=("a:1",), user="alice", password="pw"))
    await client.get("/whoami")
    await client.get("/whoami")
    await client.revoke_own_token()
    await client.revoke_own_token()
    assert script.heard == [
        "POST /v1/tokens",
        "GET /v1/whoami",
        "GET /v1/whoami",
        "DELETE /v1/tokens/7",
    ]
    assert "authorization" not in script.requests[0].headers
    assert script.requests[1].headers["authorization"] == "Bearer fresh"


async def test_an_expired_token_is_renewed_where_there_is_a_password() -> None:
    script = Script(
        problem(401, "session token expired"),
        httpx.Response(201, json={"token": "fresh"}),
        httpx.Response(200, json={"identity": "alice"}),
    )
    place = Place(addresses=("a:1",), user="alice", password="pw", token="old")
    assert await script.client(place).get("/whoami") == {"identity": "alice"}


async def test_an_expired_token_says_how_to_get_another() -> None:
    script = Script(problem(401, "session token expired."))
    with pytest.raises(NotLoggedIn, match=r"^session token expired: run `jimmctl login`$"):
        await script.client().get("/whoami")


async def test_a_wrong_password_is_tried_once() -> None:
    script = Script(problem(401, "session token expired"), problem(401, "invalid password"))
    place = Place(addresses=("a:1",), user="alice", password="pw", token="old")
    with pytest.raises(NotLoggedIn, match="invalid password"):
        await script.client(place).get("/whoami")
    assert len(script.heard) == 2


async def test_a_refusal_keeps_its_code_and_checks() -> None:
    checks = [{"code": "version", "found": "c2 is older.", "remedy": "upgrade it"}]
    script = Script(problem(409, "not now", code="conflict", checks=checks))
    with pytest.raises(Refused) as refused:
        await script.client().post("/migrations", {})
    assert (refused.value.message, refused.value.code) == ("not now", "conflict")
    assert refused.value.checks[0].sentence == "c2 is older. upgrade it"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(404, text="404 page not found"), BadAnswer),
        (httpx.Response(302, headers={"location": "https://elsewhere"}), BadAnswer),
        (httpx.Response(502, text="<html>"), Refused),
        (httpx.Response(200, text="hello"), BadAnswer),
        (httpx.Response(200, json=[1]), BadAnswer),
        (httpx.ConnectError("refused"), Unreachable),
        (httpx.ConnectTimeout("late"), Unreachable),
        (httpx.ReadTimeout("late"), AnswerLost),
    ],
)
async def test_everything_else_is_one_sentence(
    answer: httpx.Response | Exception, error: type[JimmctlError]
) -> None:
    with pytest.raises(error) as raised:
        await Script(answer).client().post("/x", {})
    assert "\n" not in raised.value.message


async def test_a_read_is_repeated_and_a_write_is_not() -> None:
    lost = httpx.RemoteProtocolError("closed")
    script = Script(lost, httpx.Response(200, json={}))
    await script.client().get("/whoami")
    script = Script(lost)
    with pytest.raises(AnswerLost, match="unknown: look first"):
        await script.client().post("/migrations", {})


async def test_the_next_address_is_tried() -> None:
    script = Script(
        httpx.ConnectError("refused"), httpx.Response(200, json={}), httpx.Response(200, json={})
    )
    client = script.client(Place(addresses=("a:1", "b:2"), token="t"))
    await client.get("/whoami")
    await client.get("/whoami")
    assert [request.url.host for request in script.requests] == ["a", "b", "b"]


async def test_lists_are_followed_to_their_end() -> None:
    script = Script(
        httpx.Response(200, json={"models": [{"model-name": "a"}], "next": "c1"}),
        httpx.Response(200, json={"models": [{"model-name": "b"}], "next": None}),
    )
    found = await script.client().every("models")
    assert [row["model-name"] for row in found] == ["a", "b"]
    assert script.heard == ["GET /v1/models?limit=500", "GET /v1/models?limit=500&cursor=c1"]


async def test_lists_that_have_no_end_or_no_rows_are_refused() -> None:
    page = {"models": [], "next": "c1"}
    with pytest.raises(BadAnswer, match="circle"):
        await Script(*(httpx.Response(200, json=page) for _ in range(2))).client().every("models")
    with pytest.raises(BadAnswer, match="no list of models"):
        await Script(httpx.Response(200, json={})).client().every("models")


async def test_a_broken_stream_is_taken_up_after_the_last_event() -> None:
    script = Script(
        events(": hello\n\n", event(1), event(2), "id: 3\nevent: prog"),
        httpx.ConnectError("refused"),
        httpx.ConnectError("refused"),
        httpx.Response(503, text="away"),
        events(event(2), event(3)),
        events(event(4), event(5, "end")),
    )
    told: list[str] = []
    found = [
        (one.id, one.name) async for one in script.client().follow("/migrations/m1", told.append)
    ]
    assert found == [
        ("1", "progress"),
        ("2", "progress"),
        ("3", "progress"),
        ("4", "progress"),
        ("5", "end"),
    ]
    resumed = [request.headers.get("last-event-id") for request in script.requests]
    assert resumed == [None, "2", "2", "2", "2", "3"]
    assert len(told) == 1


async def test_a_stream_that_is_refused_or_away_for_good_ends() -> None:
    with pytest.raises(Refused, match="no such migration"):
        async for _ in (
            Script(problem(404, "no such migration")).client().follow("/migrations/m1", print)
        ):
            pass
    with pytest.raises(Unreachable, match="away for too long"):
        async for _ in (
            Script(httpx.ConnectError("no")).client(patience=-1.0).follow("/migrations/m1", print)
        ):
            pass


@asynccontextmanager
async def served(authority: Authority, folder: Path) -> AsyncIterator[str]:
    """The address of a TLS server that answers every request ``{}``; its certificate is for
    ``juju-apiserver`` and ``localhost`` alone."""
    issued = authority.issue([])
    (folder / "chain.pem").write_text(issued.chain_pem)
    (folder / "key.pem").write_text(issued.key_pem.reveal())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "chain.pem", folder / "key.pem")

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_with_its_authority_the_name_that_juju_asks_for_is_enough(tmp_path: Path) -> None:
    authority = Authority.create("ours")
    async with served(authority, tmp_path) as address:
        place = Place((address,), ca_certificate=authority.certificate_pem, token="t")
        async with connect(place) as client:
            assert await client.get("/whoami") == {}


async def test_whom_we_do_not_trust_gets_nothing(tmp_path: Path) -> None:
    stranger = Authority.create("theirs").certificate_pem
    async with served(Authority.create("ours"), tmp_path) as address:
        async with connect(Place((address,), token="t")) as client:
            with pytest.raises(Unreachable, match="give JIMM's own with --ca-cert FILE"):
                await client.get("/whoami")
        async with connect(Place((address,), ca_certificate=stranger, token="t")) as client:
            with pytest.raises(Unreachable, match="another authority than the given one"):
                await client.get("/whoami")


async def test_a_certificate_that_is_none_is_said() -> None:
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    with pytest.raises(Usage, match="can't be read"):
        async with connect(Place(("a:1",), ca_certificate=pem, token="t")):
            pass


async def test_where_nobody_listens_it_is_said() -> None:
    async with connect(Place(("127.0.0.1:1",), token="t")) as client:
        with pytest.raises(Unreachable, match=r"nothing answers at 127\.0\.0\.1:1:"):
            await client.get("/whoami")
