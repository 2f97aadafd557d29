"""The outermost layer: whatever happens inside, a client hears a problem."""

import logging
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from jimm.errors import ConfigurationError, Conflict, MigrationUnderway, RemoteError
from jimm.rest import problems
from jimm.rest.boundary import LARGEST_BODY, Boundary


def application() -> FastAPI:
    """Routes that fail."""
    made = FastAPI()
    problems.install(made)
    made.add_middleware(Boundary)

    @made.get("/bug")
    async def bug() -> None:
        raise RuntimeError("a secret detail")

    @made.get("/half")
    async def half() -> StreamingResponse:
        async def lines() -> AsyncIterator[str]:
            yield "one"
            raise RuntimeError("a secret detail")

        return StreamingResponse(lines())

    @made.post("/length")
    async def length(request: Request) -> int:
        return len(await request.body())

    @made.get("/errors/{name}")
    async def fail(name: str) -> None:
        raise {
            "conflict": Conflict("x"),
            "moving": MigrationUnderway(),
            "remote": RemoteError("x", ""),
            "coded": RemoteError("x", "quota limit exceeded"),
            "own": ConfigurationError("x"),
        }[name]

    return made


def client() -> httpx.AsyncClient:
    transport = httpx.ASGITransport(application())
    return httpx.AsyncClient(transport=transport, base_url="https://jimm")


async def test_a_bug_is_a_problem_without_details(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        async with client() as http:
            answer = await http.get("/bug")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "internal error"
    assert "secret" not in answer.text
    (record,) = caplog.records
    assert record.getMessage() == "GET /bug failed"
    assert record.exc_info is not None


async def test_half_an_answer_is_cut_off() -> None:
    async with client() as http:
        with pytest.raises(RuntimeError):
            await http.get("/half")


async def test_a_body_has_a_bound() -> None:
    async with client() as http:
        fits = await http.post("/length", content=b"x" * LARGEST_BODY)
        assert fits.json() == LARGEST_BODY
        answer = await http.post("/length", content=b"x" * (LARGEST_BODY + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "too large")


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("conflict", 409, "conflict"),
        ("moving", 409, "conflict"),
        ("remote", 502, "controller error"),
        ("coded", 502, "quota limit exceeded"),
        ("own", 500, "internal error"),
    ],
)
async def test_no_problem_is_without_a_code(name: str, status: int, code: str) -> None:
    async with client() as http:
        answer = await http.get(f"/errors/{name}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
