"""Session tokens: asked for, shown, used, taken back."""

from typing import Any

import httpx
import psycopg
import pytest

from jimm.dev.run import DATABASE
from jimm.registry.embedded import EmbeddedPostgres, cluster_folder
from tests.eventually import eventually
from tests.fix_dev import Dev
from tests.system.rest.scene import problem


async def test_a_token_is_issued_used_listed_and_revoked(
    dev: Dev, nobody: httpx.AsyncClient, alice: httpx.AsyncClient
) -> None:
    login = {"username": "alice", "password": dev.password("alice"), "name": "a script"}
    issued = await nobody.post("/tokens", json=login)
    assert issued.status_code == 201
    token = issued.json()
    assert set(token) == {"token", "id", "identity", "expires"}
    assert token["identity"] == "alice"
    mine = {"Authorization": f"Bearer {token['token']}"}
    assert (await nobody.get("/whoami", headers=mine)).json()["identity"] == "alice"

    async def used() -> dict[str, Any] | None:  # it is noted a moment later
        listed = await alice.get("/tokens")
        assert token["token"] not in listed.text
        row: dict[str, Any]
        row = next(each for each in listed.json()["tokens"] if each["id"] == token["id"])
        return row if "last-used" in row else None

    row = await eventually(used)
    assert set(row) == {"id", "name", "created", "last-used", "expires"}
    assert row["name"] == "a script"
    assert (await alice.delete(f"/tokens/{token['id']}")).json() == {}
    problem(await nobody.get("/whoami", headers=mine), 401, "session token invalid")
    problem(await alice.delete(f"/tokens/{token['id']}"), 404, "not found")


async def test_tokens_are_their_owner_s(alice: httpx.AsyncClient, bob: httpx.AsyncClient) -> None:
    hers = (await alice.get("/tokens")).json()["tokens"]
    theirs = (await bob.get("/tokens")).json()["tokens"]
    assert not {each["id"] for each in hers} & {each["id"] for each in theirs}
    problem(await bob.delete(f"/tokens/{hers[0]['id']}"), 404, "not found")
    assert (await alice.get("/whoami")).status_code == 200


async def test_whoami(dev: Dev, admin: httpx.AsyncClient, alice: httpx.AsyncClient) -> None:
    assert (await alice.get("/whoami")).json() == {
        "identity": "alice",
        "display-name": "alice",
        "admin": False,
        "jimm-uuid": dev.described["jimm_uuid"],
        "address": dev.address,
    }
    assert (await admin.get("/whoami")).json()["admin"] is True


@pytest.mark.parametrize(
    ("username", "password"),
    [("alice", "not it at all"), ("nobody", "x"), ("", ""), ("a\0b", "x"), ("alice@corp", "x")],
)
async def test_a_wrong_login(nobody: httpx.AsyncClient, username: str, password: str) -> None:
    login = {"username": username, "password": password}
    body = problem(await nobody.post("/tokens", json=login), 401, "unauthorized access")
    assert body["detail"] == "invalid entity name or password"


async def test_a_token_is_no_password_and_a_password_no_token(
    dev: Dev, nobody: httpx.AsyncClient, alice: httpx.AsyncClient
) -> None:
    token = alice.headers["Authorization"].removeprefix("Bearer ")
    login = {"username": "alice", "password": token}
    problem(await nobody.post("/tokens", json=login), 401, "unauthorized access")
    wrong = {"Authorization": f"Bearer {dev.password('alice')}"}
    problem(await nobody.get("/whoami", headers=wrong), 401, "session token invalid")


@pytest.mark.parametrize(
    "header",
    [b"", b"Bearer", b"Basic YWxpY2U6eA==", b"Bearer garbage", b"Bearer \xff\xfe", b"Bearer a b"],
)
async def test_what_is_no_token(nobody: httpx.AsyncClient, header: bytes) -> None:
    for method, path in (("GET", "/models"), ("POST", "/controllers"), ("GET", "/migrations")):
        answer = await nobody.request(method, path, headers={b"Authorization": header})
        problem(answer, 401, "session token invalid")


async def test_a_token_that_has_expired(dev: Dev, nobody: httpx.AsyncClient) -> None:
    login = {"username": "bob", "password": dev.password("bob"), "name": "old"}
    token = (await nobody.post("/tokens", json=login)).json()
    url = EmbeddedPostgres(cluster_folder(dev.folder)).url(DATABASE)
    async with await psycopg.AsyncConnection.connect(url) as connection:
        past = "update tokens set expires_at = now() - interval '1 second' where id = %s"
        assert (await connection.execute(past, [token["id"]])).rowcount == 1
    mine = {"Authorization": f"Bearer {token['token']}"}
    problem(await nobody.get("/whoami", headers=mine), 401, _INVALID)


async def test_v1_takes_no_cookie(nobody: httpx.AsyncClient, alice: httpx.AsyncClient) -> None:
    token = alice.headers["Authorization"].removeprefix("Bearer ")
    problem(await nobody.get("/whoami", headers={"Cookie": f"token={token}"}), 401, _INVALID)
    problem(await nobody.get("/whoami", params={"token": token}), 401, _INVALID)


_INVALID = "session token invalid"
