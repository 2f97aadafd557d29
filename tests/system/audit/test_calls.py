"""Calls on ``/api`` and what passes below a model's path, as the trail has them."""

import uuid
from typing import Any

import httpx
import psycopg
import pytest

from jimm.net.tls import client_context
from tests.eventually import eventually
from tests.fix_dev import Dev
from tests.juju_client import Refused, dialled
from tests.system.fleet.test_trail import database_url


def rows(dev: Dev, conversation: str) -> list[dict[str, Any]]:
    """What was recorded of one conversation, in the order of time."""
    query = "SELECT * FROM audit_events WHERE conversation = %s ORDER BY at, id"
    with psycopg.connect(database_url(dev), row_factory=psycopg.rows.dict_row) as connection:
        return connection.execute(query, [conversation]).fetchall()


async def conversation_with(dev: Dev, column: str, value: str) -> str:
    """The id of the conversation that holds such a record, once it is written."""
    query = f"SELECT conversation FROM audit_events WHERE {column} = %s LIMIT 1"

    def find() -> str | None:
        with psycopg.connect(database_url(dev)) as connection:
            found = connection.execute(query.encode(), [value]).fetchone()
            return str(found[0]) if found else None

    return await eventually(find) or ""


async def test_each_call_on_api_leaves_a_row_and_each_error_one_more(dev: Dev) -> None:
    name = f"m-{uuid.uuid4().hex[:8]}"
    async with dev.socket() as socket:
        await socket.call("Pinger", 1, "Ping")
        await socket.call("Cloud", 7, "Clouds")
        with pytest.raises(Refused):
            await socket.call("ModelManager", 10, f"Dance-{name}", {"password": name})
        await socket.call("ModelManager", 10, "DestroyModels", {"models": []})
        conversation = await conversation_with(dev, "method", f"Dance-{name}")

        def complete() -> list[dict[str, Any]] | None:
            found = rows(dev, conversation)
            return found if len(found) == 5 else None

        found = await eventually(complete)
    assert found is not None
    told = [(row["facade"], row["method"], row["is_response"]) for row in found]
    assert sorted(told) == sorted(
        [
            ("Admin", "Login", False),
            ("Cloud", "Clouds", False),
            ("ModelManager", f"Dance-{name}", False),
            ("", "", True),
            ("ModelManager", "DestroyModels", False),
        ]
    )
    assert {row["identity"] for row in found} == {"alice@jimm"}
    assert {row["door"] for row in found} == {"api"}
    assert {row["client"] for row in found} == {"127.0.0.1"}
    dance = next(row for row in found if row["method"].startswith("Dance"))
    assert dance["params"] == {"params": "redacted"}
    failure = next(row for row in found if row["is_response"])
    assert failure["message_id"] == dance["message_id"]
    assert (failure["outcome"], failure["error_code"]) == ("failed", "not implemented")
    destroyed = next(row for row in found if row["method"] == "DestroyModels")
    assert destroyed["params"] == {"models": []}


async def test_a_refused_login_is_recorded_with_whom_it_claimed_to_be(dev: Dev) -> None:
    nobody, password = f"nobody-{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
    async with dialled(dev.registration()) as socket:
        with pytest.raises(Refused):
            await socket.login(nobody, password)
        with pytest.raises(Refused):
            await socket.call("Admin", 4, "LoginWithSessionToken", {"session-token": password})
        conversation = await conversation_with(dev, "identity", f"{nobody}@jimm")
        await eventually(lambda: len(rows(dev, conversation)) == 4)
    asked, failed, with_token, refused = sorted(
        rows(dev, conversation), key=lambda row: (row["message_id"], row["is_response"])
    )
    assert (asked["facade"], asked["method"]) == ("Admin", "Login")
    assert asked["params"] == {}
    assert (failed["identity"], failed["error_code"]) == (f"{nobody}@jimm", "unauthorized access")
    assert (with_token["identity"], with_token["method"]) == ("", "LoginWithSessionToken")
    assert refused["error_code"] == "session token invalid"
    assert password not in str(rows(dev, conversation))


async def test_an_upload_leaves_a_row_and_a_refused_one_two(dev: Dev) -> None:
    model = str(uuid.uuid4())
    context = client_context(dev.ca)
    async with httpx.AsyncClient(base_url=f"https://{dev.address}", verify=context) as client:
        for user, password in (("alice", dev.password("alice")), ("bob", "wrong")):
            await client.post(f"/model/{model}/charms", auth=(user, password), content=b"x")
    conversation = await conversation_with(dev, "model_uuid", model)
    assert conversation
    query = "SELECT method, object_id, outcome, is_response FROM audit_events WHERE model_uuid = %s"

    def complete() -> list[Any] | None:
        with psycopg.connect(database_url(dev)) as connection:
            found = connection.execute(query, [model]).fetchall()
            return found if len(found) == 4 else None

    found = await eventually(complete)
    assert found is not None
    assert {(method, path) for method, path, _, answer in found if not answer} == {
        ("POST charms", f"/model/{model}/charms")
    }
    assert [outcome for _, _, outcome, answer in found if answer] == ["failed"] * 2
