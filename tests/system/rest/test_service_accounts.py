"""Service accounts and tokens as an administrator sees them."""

import uuid
from typing import Any

import httpx
import psycopg
import pytest

from jimm.dev.run import DATABASE
from jimm.registry.embedded import EmbeddedPostgres, cluster_folder
from tests.eventually import eventually
from tests.fix_dev import Dev
from tests.system.rest.scene import client_of, problem


def fresh() -> str:
    """A name that nobody has."""
    return f"ci-{uuid.uuid4().hex[:8]}"


async def test_one_is_made_used_listed_replaced_and_removed(
    dev: Dev, nobody: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    name = fresh()
    answer = await admin.post("/service-accounts", json={"name": name})
    assert answer.status_code == 201
    made = answer.json()
    assert set(made) == {"client-id", "client-secret", "identity"}
    assert (made["client-id"], made["identity"]) == (name, f"{name}@serviceaccount")
    login = {"username": name, "password": made["client-secret"]}
    token = (await nobody.post("/tokens", json=login)).json()["token"]
    mine = {"Authorization": f"Bearer {token}"}
    assert (await nobody.get("/whoami", headers=mine)).json()["identity"] == made["identity"]

    async def used() -> dict[str, Any] | None:  # it is noted a moment later
        listed = await admin.get("/service-accounts")
        assert made["client-secret"] not in listed.text
        rows = listed.json()["service-accounts"]
        row: dict[str, Any] = next(each for each in rows if each["client-id"] == name)
        return row if "last-login" in row else None

    row = await eventually(used)
    assert set(row) == {"client-id", "identity", "created-by", "created", "last-login"}
    assert row["created-by"] == "admin"
    problem(
        await admin.post("/service-accounts", json={"name": name}), 409, "already exists", "name"
    )
    replace = {"name": name, "replace": True}
    new = (await admin.post("/service-accounts", json=replace)).json()
    assert new["client-secret"] != made["client-secret"]
    problem(await nobody.post("/tokens", json=login), 401, "unauthorized access")
    problem(await nobody.get("/whoami", headers=mine), 401, "session token invalid")
    assert (await admin.delete(f"/service-accounts/{name}")).json() == {}
    problem(await admin.delete(f"/service-accounts/{name}"), 404, "not found")
    problem(await admin.post("/service-accounts", json=replace), 404, "not found")
    assert await _actions(dev, name) == [
        "add-service-account",
        "replace-service-account-key",
        "remove-service-account",
    ]


@pytest.mark.parametrize("name", ["", "a", "A-B", "x@corp", "user-x", "alice"])
async def test_names_that_cannot_be(admin: httpx.AsyncClient, name: str) -> None:
    answer = await admin.post("/service-accounts", json={"name": name})
    code, status = ("already exists", 409) if name == "alice" else ("not valid", 422)
    problem(answer, status, code, "name")


async def test_administrators_alone(alice: httpx.AsyncClient) -> None:
    for answer in (
        await alice.post("/service-accounts", json={"name": fresh()}),
        await alice.get("/service-accounts"),
        await alice.delete("/service-accounts/ci"),
        await alice.get("/tokens", params={"user": "bob"}),
    ):
        problem(answer, 403, "unauthorized access")


async def test_an_administrator_ends_somebody_s_token(
    dev: Dev, nobody: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    async with client_of(dev, "bob") as bob:
        (newest, *_) = (await bob.get("/tokens")).json()["tokens"]
        assert (await bob.get("/tokens", params={"user": "bob"})).is_success
        listed = (await admin.get("/tokens", params={"user": "bob"})).json()["tokens"]
        assert newest["id"] in {each["id"] for each in listed}
        assert (await admin.delete(f"/tokens/{newest['id']}")).json() == {}
        problem(await bob.get("/whoami"), 401, "session token invalid")
    problem(await admin.delete(f"/tokens/{newest['id']}"), 404, "not found")
    for user, status, code in (("nobody-here", 404, "user not found"), ("a b", 422, "not valid")):
        problem(await admin.get("/tokens", params={"user": user}), status, code, "user")


async def _actions(dev: Dev, client_id: str) -> list[str]:
    url = EmbeddedPostgres(cluster_folder(dev.folder)).url(DATABASE)
    query = "select action from audit_events where params->>'client-id' = %s order by id"
    async with await psycopg.AsyncConnection.connect(url) as connection:
        rows = await (await connection.execute(query, [client_id])).fetchall()
    return [row[0] for row in rows]
