"""Plans through REST, ``jimmctl`` and the JIMM facade, against a running JIMM."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from tests.eventually import eventually
from tests.fix_dev import Dev
from tests.juju_client import Refused
from tests.system.jimmctl.conftest import SCRIPT, Ctl, ctl, login_of
from tests.system.rest.conftest import admin, alice, stage
from tests.system.rest.scene import Stage, problem

__all__ = ["admin", "alice", "ctl", "stage"]

FROM, TO = "controller-4", "controller-3"


@pytest.fixture(autouse=True)
async def usual(admin: httpx.AsyncClient) -> AsyncIterator[None]:
    """The controllers are all in use again afterwards."""
    yield
    await admin.patch(f"/controllers/{FROM}", json={"deprecated": False})


async def plan(admin: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    """A plan that was made."""
    answer = await admin.post("/plans", json=body)
    assert answer.status_code == 202, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def over(admin: httpx.AsyncClient, made: dict[str, Any]) -> dict[str, Any]:
    """The plan once it has ended."""

    async def there() -> dict[str, Any] | None:
        now: dict[str, Any] = (await admin.get(f"/plans/{made['plan-id']}")).json()
        return now if "ended" in now else None

    found: dict[str, Any] | None = await eventually(there, deadline=30)
    assert found is not None
    return found


async def events(
    admin: httpx.AsyncClient, made: dict[str, Any], last: int = 0, most: int = 10_000
) -> list[dict[str, Any]]:
    """The events of a plan, each with its name and id, to their end or to ``most``."""
    found: list[dict[str, Any]] = []
    path = f"/plans/{made['plan-id']}/events"
    event: dict[str, Any] = {}
    async with admin.stream("GET", path, headers={"Last-Event-ID": str(last)}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            key, _, value = line.partition(": ")
            if line:
                event[key] = value
                continue
            if "data" in event:
                found.append({**event, "data": json.loads(event["data"])})
            event = {}
            if len(found) >= most:
                break
    return found


async def test_a_drain_over_rest(admin: httpx.AsyncClient, stage: Stage) -> None:
    models = [await stage.model(on=FROM) for _ in range(3)]
    asked = {"kind": "drain", "controller": FROM, "concurrency": 2, "order": "name"}
    preview = await admin.post("/plans", json={**asked, "dry-run": True})
    assert preview.status_code == 200
    planned = {each["model-uuid"]: each for each in preview.json()["items"]}
    assert {each.uuid for each in models} <= set(planned)
    assert all(planned[each.uuid]["target"] != FROM for each in models)
    made = await plan(admin, **asked)
    path = f"/plans/{made['plan-id']}"
    assert (made["state"], made["controller"], made["requested-by"]) == ("running", FROM, "admin")
    told = await events(admin, made)
    assert told[-1]["event"] == "end"
    assert told[-1]["data"]["state"] == "done"
    items = [each["data"] for each in told if each["event"] == "item"]
    done = {each["model-uuid"] for each in items if each["state"] == "done"}
    assert {each.uuid for each in models} <= done
    seen = [each["data"] for each in told if each["event"] == "moving"]
    assert any(each.get("phase") for each in seen)
    page = (await admin.get(f"{path}/items", params={"limit": 1})).json()
    assert len(page["items"]) == 1
    rest = await admin.get(f"{path}/items", params={"cursor": page["next"]})
    assert rest.json()["items"][0]["seq"] == 2
    problem(await admin.get(f"{path}/items", params={"cursor": "x"}), 422, "not valid", "cursor")
    listed = (await admin.get("/plans", params={"limit": 1})).json()
    assert listed["plans"][0] == (await admin.get(path)).json()
    for each in models:
        host = (await admin.get(f"/models/{each.uuid}")).json()["controller-name"]
        assert host == planned[each.uuid]["target"] or host != FROM


async def test_events_go_on_where_they_were_left(admin: httpx.AsyncClient, stage: Stage) -> None:
    models = [(await stage.model(on=FROM)).uuid for _ in range(2)]
    made = await plan(admin, kind="migrate", controller=TO, models=models)
    first = await events(admin, made, most=4)
    whole = await events(admin, made)
    last = max(int(each["id"]) for each in first if "id" in each)
    later = [each for each in await events(admin, made, last=last) if each["event"] == "item"]
    assert later
    assert all(each["data"]["state"] in ("migrating", "done") for each in later)
    assert {each["data"]["model-uuid"] for each in whole if each["event"] == "item"} == set(models)
    end = int(whole[-1]["id"])
    assert [each["event"] for each in await events(admin, made, last=end)] == ["end"]


async def test_what_is_refused_over_rest(
    admin: httpx.AsyncClient, alice: httpx.AsyncClient
) -> None:
    drain = {"kind": "drain", "controller": FROM}
    problem(await alice.post("/plans", json=drain), 403, "unauthorized access")
    problem(await alice.get("/plans"), 403, "unauthorized access")
    none = "00000000-0000-4000-8000-000000000000"
    for path in (f"/plans/{none}", f"/plans/{none}/items", f"/plans/{none}/events"):
        problem(await admin.get(path), 404, "not found")
    for verb in ("pause", "resume", "cancel", "retry"):
        problem(await admin.post(f"/plans/{none}:{verb}"), 404, "not found")
    for change, status, field in (
        ({"controller": "none"}, 404, "controller"),
        ({"kind": "wander"}, 422, "kind"),
        ({"order": "newest"}, 422, "order"),
        ({"policy": "best"}, 422, "policy"),
        ({"concurrency": 0}, 422, "concurrency"),
        ({"kind": "upgrade-to"}, 422, "models"),
        ({"kind": "upgrade-to", "models": [none]}, 404, "models"),
        ({"speed": 1}, 422, "speed"),
    ):
        answer = await admin.post("/plans", json={**drain, **change})
        code = {404: answer.json()["code"], 422: "not valid"}[status]
        problem(answer, status, code, field)


async def test_steering_over_rest(admin: httpx.AsyncClient, stage: Stage) -> None:
    models = [(await stage.model(on=FROM)).uuid for _ in range(2)]
    await stage.fault(FROM, "phase.source.IMPORT", "stall")
    made = await plan(admin, kind="migrate", controller=TO, models=models, concurrency=1)
    path = f"/plans/{made['plan-id']}"

    async def moving() -> bool:
        counts = (await admin.get(path)).json()["counts"]
        return bool(counts["migrating"])

    await eventually(moving)
    assert (await admin.post(f"{path}:pause")).json()["state"] == "paused"
    problem(await admin.post(f"{path}:pause"), 409, "conflict")
    assert (await admin.post(f"{path}:resume")).json()["state"] == "running"
    problem(await admin.post(f"{path}:retry"), 409, "conflict")
    assert (await admin.post(f"{path}:cancel")).json()["counts"]["cancelled"] == 1
    await stage.mend()
    assert (await over(admin, made))["message"] == "2 models: 1 done, 1 cancelled"


async def test_jimmctl_upgrades_models(ctl: Ctl, stage: Stage) -> None:
    model = await stage.model(on=FROM)
    shown = await ctl("upgrade-to", TO, model.uuid, "--dry-run", "--format", "json")
    (item,) = shown.json["items"]
    assert (item["model-uuid"], item["source"], item["target"]) == (model.uuid, FROM, TO)
    done = await ctl("upgrade-to", TO, model.uuid, "--wait", "--format", "json")
    assert done.status == 0, done.err
    assert done.json["state"] == "done"
    assert [each["message"] for each in done.json["items"]] == ["it runs 3.6.10"]
    assert f"alice/{model.name}: running" in done.err
    assert f"plan {done.json['plan-id']} is done: 1 model: 1 done" in done.err
    back = await ctl("upgrade-to", FROM, model.uuid, "--dry-run", "--format", "tabular")
    assert back.status == 1
    assert back.err.startswith(f"ERROR alice/{model.name}: ")
    assert f"{TO} runs 3.6.10, newer than 3.6.9 on {FROM}" in back.err
    listed = await ctl("plan", "list", "--format", "json")
    assert listed.json["plans"][0]["plan-id"] == done.json["plan-id"]
    again = await ctl("plan", "show", done.json["plan-id"], "--watch", "--format", "tabular")
    assert again.status == 0
    assert f"alice/{model.name}" in again.out


async def test_jimmctl_says_what_cannot_be(ctl: Ctl) -> None:
    assert "is not a plan id" in (await ctl("plan", "show", "none")).misuse
    assert "leave one of them out" in (await ctl("drain", FROM, "--dry-run", "--wait")).misuse
    assert "order: " in (await ctl("drain", FROM, "--order", "newest")).error
    even = await ctl("rebalance", "--cloud", "none", "--dry-run", "--format", "json")
    assert even.json["items"] == []


async def test_ctrl_c_stops_watching_and_not_the_plan(
    dev: Dev, ctl: Ctl, admin: httpx.AsyncClient, stage: Stage
) -> None:
    model = await stage.model(on=FROM)
    await stage.fault(FROM, "phase.source.IMPORT", "stall")
    async with waiting(dev, "upgrade-to", TO, model.uuid, "--wait") as process:
        assert process.stderr is not None
        first = (await process.stderr.readline()).decode()
        plan_id = first.split()[1]
        await eventually(lambda: _has_begun(admin, plan_id))
        process.send_signal(signal.SIGINT)
        _, err = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 130
    assert f"plan {plan_id} goes on: look with `jimmctl plan show {plan_id} --watch`" in (
        err.decode()
    )
    await stage.mend()
    assert (await over(admin, {"plan-id": plan_id}))["state"] == "done"


async def test_upgrades_are_jobs_on_the_facade(dev: Dev, stage: Stage) -> None:
    model = await stage.model(on=FROM)
    gone = "00000000-0000-4000-8000-000000000000"
    asked = {"model-uuids": [gone, model.uuid], "target-controller-name": TO}
    async with dev.socket("admin") as socket:
        rows = (await socket.call("JIMM", 4, "UpgradeTo", asked))["results"]
        assert rows[0]["error"]["code"] == "model not found"
        assert rows[1] == {}

        async def status() -> dict[str, Any]:
            told = await socket.call("JIMM", 4, "ModelControllerInfo", {"model": model.uuid})
            found: dict[str, Any] = told["upgrade-to-job-status"]
            return found if found["detail"]["state"] == "completed" else {}

        ended = await eventually(status, deadline=60)
        assert ended["info"] == "Upgrade completed"
        assert set(ended["detail"]) == {
            "state",
            "attempt",
            "max_attempts",
            "attempted_at",
            "finalized_at",
        }
        jobs = await socket.call("JIMM", 4, "ListJobs", {"kinds": ["upgrade-to"], "count": 1})
        (job,) = jobs["jobs"]
        assert (job["status"], job["kind"], job["attempt"]) == ("successful", "upgrade-to", 1)
        shown = await socket.call("JIMM", 4, "JobInfo", {"job-id": job["id"]})
        assert (shown["id"], shown["current_attempt"]) == (job["id"], 1)
        listed = (await socket.call("JIMM", 4, "ListModels", {}))["models"]
        (mine,) = [each for each in listed if each["model-uuid"] == model.uuid]
        assert mine["upgrade-to-job-status"] == "completed"
        back = {"model-uuids": [model.uuid], "target-controller-name": FROM}
        refused = (await socket.call("JIMM", 4, "UpgradeTo", back))["results"]
        assert "newer than" in refused[0]["error"]["message"]
    async with dev.socket("alice") as socket:
        for request, params in (
            ("UpgradeTo", asked),
            ("ListJobs", {}),
            ("JobInfo", {"job-id": "1"}),
        ):
            with pytest.raises(Refused, match="permission denied"):
                await socket.call("JIMM", 4, request, params)


async def _has_begun(admin: httpx.AsyncClient, plan_id: str) -> bool:
    items = (await admin.get(f"/plans/{plan_id}/items")).json()["items"]
    return bool(items[0].get("phase"))


@asynccontextmanager
async def waiting(dev: Dev, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command that is under way."""
    process = await asyncio.create_subprocess_exec(
        SCRIPT,
        *arguments,
        env={"PATH": os.environ["PATH"], "HOME": str(dev.folder), **login_of(dev, "admin")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
