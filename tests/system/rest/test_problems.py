"""Everything that can be wrong with a request before a use case sees it."""

import base64
import json
from typing import Any

import httpx
import pytest

from jimm.rest.boundary import LARGEST_BODY
from tests.system.rest.scene import problem


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nothing"), ("GET", "/"), ("POST", "/models/a/b/c"), ("DELETE", "/x/y")],
)
async def test_an_unknown_route(admin: httpx.AsyncClient, method: str, path: str) -> None:
    body = problem(await admin.request(method, path), 404, "not found")
    assert "/v1/openapi.json" in body["detail"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/whoami", "GET"),
        ("DELETE", "/models/11111111-1111-4111-8111-111111111111", "GET"),
        ("PUT", "/migrations/x", "GET"),
        ("GET", "/placements:explain", "POST"),
    ],
)
async def test_an_unknown_method(
    admin: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await admin.request(method, path)
    assert allowed in problem(answer, 405, "method not allowed")["detail"]
    assert answer.headers["allow"] == allowed


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/tokens", {"username": "alice"}, "password"),
        ("/tokens", {"username": 3, "password": "x"}, "username"),
        ("/tokens", {"username": "alice", "password": "x", "extra": 1}, "extra"),
        ("/tokens", {"username": "alice", "password": "x", "name": "x" * 101}, "name"),
        ("/controllers", {}, "name"),
        ("/controllers", {"name": ["x"]}, "name"),
        ("/controllers", {"name": "x", "api-addresses": [3]}, "api-addresses"),
        ("/controllers", {"name": "x", "api_addresses": []}, "api_addresses"),
        ("/migrations", {"model": "alice/m"}, "controller"),
        ("/migrations", {"model": "a/m", "controller": "c", "dry-run": "perhaps"}, "dry-run"),
        ("/migrations", {"model": "a/m", "controller": "c", "dry_run": True}, "dry_run"),
        ("/migrations/x:resolve", {"model-is-on": "x", "reason": "  "}, "reason"),
        ("/placements:explain", {"cloud": 1}, "cloud"),
        ("/placements:explain", {"owner": "no such_name"}, "owner"),
        ("/models/x:update-migrated", {"controller": None}, "controller"),
    ],
)
async def test_a_field_that_can_t_be(
    admin: httpx.AsyncClient, path: str, body: dict[str, Any], field: str
) -> None:
    found = problem(await admin.post(path, json=body), 422, "not valid", field)
    assert found["title"] == "A value is not valid"


async def test_a_body_that_is_no_json_object(admin: httpx.AsyncClient) -> None:
    kind = {"Content-Type": "application/json"}
    for content in (b"{bad", b"\xff\xfe", b"", b"[" * 100_000, b'{"model": NaN'):
        answer = await admin.post("/migrations", content=content, headers=kind)
        if content:
            problem(answer, 400, "bad request")
        else:
            problem(answer, 422, "not valid")
    for content in (b"[1]", b'"text"', b"null"):
        answer = await admin.post("/migrations", content=content, headers=kind)
        assert "JSON object" in problem(answer, 422, "not valid")["detail"]
    form = await admin.post("/migrations", data={"model": "x"})
    assert "application/json" in problem(form, 422, "not valid")["detail"]


async def test_a_body_without_a_bound(nobody: httpx.AsyncClient) -> None:
    body = b'"' + b"x" * LARGEST_BODY + b'"'
    kind = {"Content-Type": "application/json"}
    problem(await nobody.post("/tokens", content=body, headers=kind), 413, "too large")
    problem(await nobody.post("/tokens", json={}), 422, "not valid", "username")


@pytest.mark.parametrize("path", ["/controllers", "/models", "/placements", "/migrations"])
async def test_pages_have_bounds(admin: httpx.AsyncClient, path: str) -> None:
    for limit in ("0", "501", "-1", "many", "1e2", ""):
        problem(await admin.get(path, params={"limit": limit}), 422, "not valid", "limit")
    for limit in ("1", "500"):
        assert (await admin.get(path, params={"limit": limit})).status_code == 200


@pytest.mark.parametrize("path", ["/controllers", "/models", "/placements", "/migrations"])
async def test_a_cursor_that_is_none(admin: httpx.AsyncClient, path: str) -> None:
    keys: list[object] = [[], ["a", "b", "c"], ["a\0"], ["a\0", "b"], {"a": 1}, [1], 5]
    if path in ("/placements", "/migrations"):
        keys += [["text"], ["-1"], ["9" * 30], ["²"], ["x", "y"]]
        keys += [["2026-01-01", "x"], ["2026-01-01T00:00:00", _ID], ["2026-01-01T00:00:00Z", "x"]]
    cursors = [base64.urlsafe_b64encode(json.dumps(key).encode()).decode() for key in keys]
    for cursor in [*cursors, "zzz", "é", "a", "%", "x" * 5000]:
        problem(await admin.get(path, params={"cursor": cursor}), 422, "not valid", "cursor")


async def test_what_the_database_can_t_hold(admin: httpx.AsyncClient) -> None:
    for path in ("/controllers/%00", "/models/a%00/b", "/migrations?model=a%00/b"):
        assert (await admin.get(path)).status_code in (404, 422), path
    for path in ("/models/%00", "/migrations/%00", "/migrations/%00/events"):
        assert problem(await admin.get(path), 404, _code(path))


async def test_an_unknown_state_is_no_filter(admin: httpx.AsyncClient) -> None:
    body = problem(await admin.get("/migrations?state=lost"), 422, "not valid", "state")
    assert "'stuck'" in body["detail"]


def _code(path: str) -> str:
    return "model not found" if path.startswith("/models") else "not found"


_ID = "11111111-1111-4111-8111-111111111111"
