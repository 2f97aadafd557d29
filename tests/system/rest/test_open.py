"""What needs no token: health, readiness, keys, and the description of the API."""

import base64
import re
from typing import Any

import httpx

from tests.fix_dev import Dev

METHODS = {"get", "post", "put", "patch", "delete"}


def root(dev: Dev, path: str) -> str:
    """A URL that is not below `/v1`."""
    return f"https://{dev.address}{path}"


async def test_health(dev: Dev, nobody: httpx.AsyncClient) -> None:
    for path in ("/healthz", "/readyz"):
        answer = await nobody.get(root(dev, path))
        assert (answer.status_code, answer.text) == (200, "ok\n")


async def test_the_keys_are_public_and_nothing_else_of_them(
    dev: Dev, nobody: httpx.AsyncClient
) -> None:
    answer = await nobody.get(root(dev, "/.well-known/jwks.json"))
    assert answer.headers["content-type"] == "application/json"
    assert "max-age" in answer.headers["cache-control"]
    keys = answer.json()["keys"]
    assert keys
    for key in keys:
        assert set(key) <= {"kty", "kid", "use", "alg", "n", "e", "key_ops"}
        assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
        modulus = base64.urlsafe_b64decode(key["n"] + "=" * (-len(key["n"]) % 4))
        assert len(modulus) * 8 >= 2048
    assert len({key["kid"] for key in keys}) == len(keys)


async def test_the_description_of_the_api(nobody: httpx.AsyncClient) -> None:
    answer = await nobody.get("/openapi.json")
    described = answer.json()
    assert described["openapi"].startswith("3.1")
    assert {"title", "version", "summary"} <= set(described["info"])
    assert all(path.startswith("/v1/") for path in described["paths"])
    names = set()
    for path, operations in described["paths"].items():
        assert set(operations) <= METHODS, path
        for method, operation in operations.items():
            names.add(operation["operationId"])
            _check_operation(f"{method} {path}", path, operation)
    assert len(names) == sum(map(len, described["paths"].values()))
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', answer.text))
    assert references <= set(described["components"]["schemas"])
    for name, schema in described["components"]["schemas"].items():
        assert not [key for key in schema.get("properties", {}) if "_" in key], name


async def test_the_description_says_how_to_log_in_and_what_errors_look_like(
    nobody: httpx.AsyncClient,
) -> None:
    described = (await nobody.get("/openapi.json")).json()
    (scheme,) = described["components"]["securitySchemes"].values()
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    problem = described["components"]["schemas"]["Problem"]
    assert {"type", "title", "status", "detail", "code"} <= set(problem["required"])
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            is_login = (path, method) == ("/v1/tokens", "post")
            assert bool(operation.get("security")) != is_login, path
            for status, response in operation["responses"].items():
                kind = "application/problem+json"
                assert (kind in response.get("content", {})) == (not status.startswith("2"))


def _check_operation(name: str, path: str, operation: dict[str, Any]) -> None:
    assert operation.get("summary"), name
    assert operation.get("description"), name
    assert operation["tags"], name
    assert any(status.startswith("2") for status in operation["responses"]), name
    assert all(each["description"] for each in operation["responses"].values()), name
    given = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
    assert given == set(re.findall(r"{(\w+)}", path)), name
    for parameter in operation.get("parameters", []):
        assert parameter["schema"], name
