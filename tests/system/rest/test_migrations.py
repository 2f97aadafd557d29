"""Migrations: asked for, looked at, followed, decided."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx

from tests.system.rest.scene import Made, Stage, client_of, problem

KEYS = {
    "migration-id",
    "model-uuid",
    "model-name",
    "owner",
    "source",
    "target",
    "state",
    "phase",
    "message",
    "requested-by",
    "started",
    "phase-since",
    "slow",
    "checks",
    "prepare",
    "prepared",
    "machines",
    "units",
}
UNKNOWN = "11111111-1111-4111-8111-111111111111"


@dataclass(frozen=True)
class Event:
    """One server-sent event."""

    kind: str
    seq: int
    data: dict[str, Any]


async def events(
    client: httpx.AsyncClient, migration: str, *, after: str = ""
) -> AsyncIterator[Event]:
    """The events of a migration that have an id, as they come."""
    headers = {"Last-Event-ID": after} if after else {}
    path = f"/migrations/{migration}/events"
    async with client.stream("GET", path, headers=headers) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        fields: dict[str, str] = {}
        async for line in answer.aiter_lines():
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            else:
                if "id" in fields:
                    yield Event(fields["event"], int(fields["id"]), json.loads(fields["data"]))
                fields = {}


async def begun(stage: Stage, point: str, phase: str) -> tuple[Made, dict[str, Any]]:
    """A migration from controller-1 to controller-2 that is held up at a phase."""
    model = await stage.model("moving", on="controller-1")
    await stage.fault("controller-1", point, "stall")
    asked = {"model": model.uuid, "controller": "controller-2"}
    answer = await stage.admin.post("/migrations", json=asked)
    assert answer.status_code == 202, answer.text
    return model, await stage.until(answer.json()["migration-id"], phase=phase)


async def test_a_dry_run_either_way(stage: Stage, alice: httpx.AsyncClient) -> None:
    model = await stage.model(on="controller-1")
    for client in (stage.admin, alice):
        for reference in (model.uuid, f"model-{model.uuid}", model.reference):
            asked = {"model": reference, "controller": "controller-3", "dry-run": True}
            told = await client.post("/migrations", json=asked)
            assert (told.status_code, told.json()["ready"]) == (200, True)
            assert all(each["advice"] for each in told.json()["checks"])
    asked = {"model": model.uuid, "controller": "controller-1", "dry-run": True}
    told = await stage.admin.post("/migrations", json=asked)
    assert told.status_code == 200
    assert told.json()["ready"] is False
    (check,) = told.json()["checks"]
    assert check["code"] == "target-is-source"
    assert check["remedy"]
    assert (await stage.admin.get("/migrations", params={"model": model.uuid})).json() == {
        "migrations": []
    }


async def test_what_is_refused(stage: Stage) -> None:
    model = await stage.model(on="controller-3")
    itself = {"model": model.uuid, "controller": "controller-3"}
    body = problem(await stage.admin.post("/migrations", json=itself), 409, "not valid")
    assert [each["code"] for each in body["checks"]] == ["target-is-source"]
    assert body["detail"].startswith(f"{model.reference} can't be migrated to controller-3: ")
    older = {"model": model.uuid, "controller": "controller-1"}
    body = problem(await stage.admin.post("/migrations", json=older), 409, "not valid")
    assert body["checks"]
    assert all(each["found"] and each["remedy"] for each in body["checks"])
    nowhere = {"model": model.uuid, "controller": "none"}
    answer = await stage.admin.post("/migrations", json=nowhere)
    problem(answer, 404, "not found", "controller")
    for reference in (UNKNOWN, "alice/none", "none", "", "/", "a/b/c", "model-none"):
        unknown = {"model": reference, "controller": "controller-1"}
        answer = await stage.admin.post("/migrations", json=unknown)
        body = problem(answer, 404, "model not found", "model")
        assert body["detail"] == f'model "{reference}" not found'
    rows = await stage.admin.get("/migrations", params={"model": model.uuid})
    assert rows.json() == {"migrations": []}


async def test_a_migration_to_its_end(stage: Stage, alice: httpx.AsyncClient) -> None:
    model = await stage.model("moving", on="controller-1")
    asked = {"model": model.reference, "controller": "controller-3"}
    answer = await stage.admin.post("/migrations", json=asked)
    assert answer.status_code == 202
    accepted = answer.json()
    assert set(accepted) - {"expected-rest"} == KEYS
    assert (accepted["model-uuid"], accepted["owner"]) == (model.uuid, "alice")
    assert (accepted["model-name"], accepted["state"]) == (model.name, "requested")
    assert (accepted["source"], accepted["target"]) == ("controller-1", "controller-3")
    followed = [each async for each in events(stage.admin, accepted["migration-id"])]
    *changes, end = followed
    assert [each.seq for each in changes] == list(range(1, len(changes) + 1))
    assert {each.kind for each in changes} == {"progress"}
    for each in changes:
        assert set(each.data) == {"seq", "at", "state", "phase", "message"}
        assert each.data["seq"] == each.seq
    states = list(dict.fromkeys(each.data["state"] for each in changes))
    assert states == ["requested", "checking", "starting", "running", "confirming", "done"]
    assert (end.kind, end.seq, end.data["state"]) == ("end", changes[-1].seq, "done")
    path = f"/migrations/{accepted['migration-id']}"
    for client in (stage.admin, alice):
        shown = (await client.get(path)).json()
        assert shown == end.data
        assert set(shown) == KEYS | {"ended"}
    whole = (await alice.get(path, params={"history": True})).json()
    assert whole.pop("history") == [each.data for each in changes]
    assert whole == end.data
    moved = (await alice.get(f"/models/{model.uuid}")).json()
    assert (moved["controller-name"], "migration" in moved) == ("controller-3", False)


async def test_a_stream_is_taken_up_without_a_gap(stage: Stage) -> None:
    _, migration = await begun(stage, "phase.source.IMPORT", "IMPORT")
    identifier = migration["migration-id"]
    seen = []
    async for each in events(stage.admin, identifier):
        seen.append(each.seq)
        if each.data["phase"] == "IMPORT":
            break  # the connection is closed in the middle of the stream
    await stage.mend()
    *rest, _ = [each async for each in events(stage.admin, identifier, after=str(seen[-1]))]
    seen += [each.seq for each in rest]
    assert seen == list(range(1, len(seen) + 1))
    (again,) = [each async for each in events(stage.admin, identifier, after=str(seen[-1]))]
    assert (again.kind, again.data["state"]) == ("end", "done")
    (beyond,) = [each async for each in events(stage.admin, identifier, after=str(2**63 - 1))]
    assert beyond.kind == "end"
    for wrong in ("-1", "text", "9" * 30, "1.5"):
        headers = {"Last-Event-ID": wrong}
        answer = await stage.admin.get(f"/migrations/{identifier}/events", headers=headers)
        problem(answer, 422, "not valid", "last-event-id")


async def test_a_stream_ends_with_its_token(stage: Stage) -> None:
    _, migration = await begun(stage, "phase.source.IMPORT", "IMPORT")
    path = f"/migrations/{migration['migration-id']}/events"
    async with client_of(stage.dev, "alice") as alice:
        (token,) = (await alice.get("/tokens")).json()["tokens"][:1]
        async with asyncio.timeout(8), alice.stream("GET", path) as answer:
            async for line in answer.aiter_lines():
                if line == "event: outlook":
                    assert (await stage.admin.get("/whoami")).is_success
                    assert (await alice.delete(f"/tokens/{token['id']}")).is_success
        problem(await alice.get(path), 401, "session token invalid")


async def test_what_is_expected_is_told_with_each_change(stage: Stage) -> None:
    _, migration = await begun(stage, "phase.source.IMPORT", "IMPORT")
    path = f"/migrations/{migration['migration-id']}"
    async with stage.admin.stream("GET", f"{path}/events") as answer:
        lines = answer.aiter_lines()
        async for line in lines:
            if line == "event: outlook":
                break
        data = (await anext(lines)).removeprefix("data: ")
    outlook = json.loads(data)
    shown = (await stage.admin.get(path)).json()
    assert set(outlook) - {"expected-rest"} == {"at", "state", "phase", "phase-since", "slow"}
    for key in ("state", "phase", "phase-since", "slow"):
        assert outlook[key] == shown[key]
    assert outlook["at"] >= outlook["phase-since"]


async def test_while_a_model_moves(stage: Stage, alice: httpx.AsyncClient) -> None:
    model, migration = await begun(stage, "phase.source.IMPORT", "IMPORT")
    shown = (await alice.get(f"/models/{model.uuid}")).json()
    assert shown["controller-name"] == "controller-1"
    assert shown["status"] in ("available", "busy")  # what the controller last said
    expected = {key: migration[key] for key in ("migration-id", "state", "phase", "message")}
    assert shown["migration"] == {**expected, "started": migration["started"]}
    rows = (await alice.get("/models", params={"limit": "500"})).json()["models"]
    assert shown["migration"] in [each.get("migration") for each in rows]
    asked = {"model": model.uuid, "controller": "controller-3"}
    problem(await stage.admin.post("/migrations", json=asked), 409, "conflict")
    dry = (await stage.admin.post("/migrations", json={**asked, "dry-run": True})).json()
    assert [each["code"] for each in dry["checks"]] == ["already-migrating"]
    path = f"/models/{model.uuid}:update-migrated"
    moved = await stage.admin.post(path, json={"controller": "controller-2"})
    assert "in progress" in problem(moved, 409, "conflict")["detail"]
    for name in ("controller-1", "controller-2"):
        answer = await stage.admin.delete(f"/controllers/{name}?force=true")
        assert "being migrated" in problem(answer, 409, "conflict")["detail"]


async def test_migrations_by_model_and_state(stage: Stage) -> None:
    model, migration = await begun(stage, "phase.source.IMPORT", "IMPORT")

    async def listed(**query: str | list[str]) -> list[str]:
        found = (await stage.admin.get("/migrations", params=query)).json()
        return [each["migration-id"] for each in found["migrations"]]

    identifier = migration["migration-id"]
    for reference in (model.uuid, f"model-{model.uuid}", model.reference):
        assert await listed(model=reference) == [identifier]
    assert await listed(model=model.uuid, state="running") == [identifier]
    assert await listed(model=model.uuid, state=["done", "running"]) == [identifier]
    assert await listed(model=model.uuid, state=["done", "failed"]) == []
    assert identifier in await listed(state="running")
    problem(await stage.admin.get("/migrations?model=alice/none"), 404, "model not found")
    await stage.mend()
    await stage.over(model.uuid)
    assert await listed(model=model.uuid, state="done") == [identifier]


async def test_migrations_are_for_whom_they_concern(
    stage: Stage, alice: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    model, migration = await begun(stage, "phase.source.IMPORT", "IMPORT")
    path = f"/migrations/{migration['migration-id']}"
    assert (await alice.get(path)).json()["migration-id"] == migration["migration-id"]
    hers = (await alice.get("/migrations", params={"model": model.uuid})).json()["migrations"]
    assert [each["migration-id"] for each in hers] == [migration["migration-id"]]
    for each in (path, f"{path}/events"):
        assert path.split("/")[-1] in problem(await bob.get(each), 404, "not found")["detail"]
    theirs = (await bob.get("/migrations")).json()["migrations"]
    assert migration["migration-id"] not in [each["migration-id"] for each in theirs]
    word = {"model-is-on": "controller-1", "reason": "I say so"}
    for client in (alice, bob):
        problem(await client.post(f"{path}:resolve", json=word), 403, "unauthorized access")


async def test_a_failure_is_told_with_its_reason(stage: Stage) -> None:
    model = await stage.model("moving", on="controller-1")
    why = "simulated: the target has no room"
    await stage.fault("controller-2", "phase.target.IMPORT", "refuse", message=why)
    asked = {"model": model.uuid, "controller": "controller-2"}
    begun = (await stage.admin.post("/migrations", json=asked)).json()
    *_, end = [each async for each in events(stage.admin, begun["migration-id"])]
    assert end.data["state"] == "failed"
    assert set(end.data["error"]) == {"code", "message", "remedy"}
    assert why in end.data["error"]["message"]
    shown = (await stage.admin.get(f"/models/{model.uuid}")).json()
    assert (shown["controller-name"], "migration" in shown) == ("controller-1", False)
    again = (await stage.admin.post("/migrations", json=asked)).json()
    assert (await stage.until(again["migration-id"], state="done"))["phase"] == "DONE"


async def test_an_administrator_s_word(stage: Stage) -> None:
    model, migration = await begun(stage, "phase.source.LOGTRANSFER", "LOGTRANSFER")
    path = f"/migrations/{migration['migration-id']}:resolve"
    word = {"model-is-on": "controller-2", "reason": "its logs do not matter"}
    for field in word:
        answer = await stage.admin.post(path, json={**word, field: ""})
        problem(answer, 422, "not valid", field)
    elsewhere = await stage.admin.post(path, json={**word, "model-is-on": "controller-4"})
    body = problem(elsewhere, 422, "not valid", "model-is-on")
    assert body["detail"] == "the model is on controller-1 or on controller-2"
    decided = (await stage.admin.post(path, json=word)).json()
    assert decided["state"] == "done"
    assert decided["message"].endswith("the model is on controller-2: its logs do not matter")
    shown = (await stage.admin.get(f"/models/{model.uuid}")).json()
    assert shown["controller-name"] == "controller-2"
    assert "is over" in problem(await stage.admin.post(path, json=word), 409, "conflict")["detail"]
    unknown = await stage.admin.post(f"/migrations/{UNKNOWN}:resolve", json=word)
    problem(unknown, 404, "not found")
