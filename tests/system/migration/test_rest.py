"""``/v1/migrations`` as a script sees it."""

import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from jimm.access.keys import KeyRing
from jimm.access.logins import Logins
from jimm.access.passwords import Passwords
from jimm.access.tokens import SessionTokens
from jimm.fleet.caller import Caller
from jimm.migration.experience import Experience
from jimm.migration.followers import Followers
from jimm.net.tasks import Tasks
from jimm.rest import context, problems
from jimm.rest.routes import migrations, model_moves, models
from tests.fix_fleet import ADMIN
from tests.system.migration.conftest import Scene


@pytest.fixture
async def client(scene: Scene) -> AsyncIterator[httpx.AsyncClient]:
    """An administrator's client of the routes."""
    app = FastAPI()
    for router in (migrations.router, model_moves.router, models.router):
        app.include_router(router, prefix="/v1")
    problems.install(app)
    fleet = scene.fleet
    tokens = SessionTokens(fleet.registry, fleet.now)
    logins = Logins(fleet.registry, fleet.local_domain, Passwords(), fleet.now)
    keys = KeyRing(fleet.registry, fleet.sealer, fleet.now)
    followers, tasks = Followers(fleet.registry, every=0.1), Tasks()
    app.state.services = context.Services(
        fleet,
        logins,
        tokens,
        keys,
        Experience(fleet.registry, time.monotonic),
        followers,
        lambda: True,
    )

    async def admin() -> Caller:
        return ADMIN

    app.dependency_overrides[context.caller] = admin
    app.dependency_overrides[context.recheck] = lambda: admin
    tasks.spawn(followers.run(), name="tell of migrations")
    try:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="https://jimm/v1") as made:
            yield made
    finally:
        await tasks.aclose()


def events_of(stream: str) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """The kinds, ids and data of server-sent events; those without an id are left out."""
    for block in stream.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines())
        if "id" in lines:
            yield lines["event"], int(lines["id"]), json.loads(lines["data"])


async def test_a_migration_is_asked_for_and_followed(
    scene: Scene, client: httpx.AsyncClient
) -> None:
    model = await scene.model()
    dry = await client.post(
        "/migrations", json={"model": f"model-{model}", "controller": "b", "dry-run": True}
    )
    assert (dry.status_code, dry.json()["ready"]) == (200, True)
    assert all(each["advice"] for each in dry.json()["checks"])
    asked = await client.post("/migrations", json={"model": "alice/m1", "controller": "b"})
    assert asked.status_code == 202
    body = asked.json()
    assert (body["model-uuid"], body["owner"], body["model-name"]) == (model, "alice", "m1")
    assert (body["source"], body["target"], body["state"]) == ("a", "b", "requested")
    path = f"/migrations/{body['migration-id']}"
    async with scene.working():
        stream = await client.get(f"{path}/events")
    assert stream.headers["content-type"].startswith("text/event-stream")
    events = list(events_of(stream.text))
    assert [kind for kind, _, _ in events] == ["progress"] * (len(events) - 1) + ["end"]
    assert [seq for _, seq, _ in events[:-1]] == list(range(1, len(events)))
    assert events[-1][2]["state"] == "done"
    assert (await client.get(path)).json() == events[-1][2]
    later = await client.get(f"{path}/events", headers={"Last-Event-ID": "3"})
    assert [seq for _, seq, _ in events_of(later.text)][:2] == [4, 5]
    whole = await client.get("/migrations", params={"model": model, "state": "done"})
    assert [each["migration-id"] for each in whole.json()["migrations"]] == [body["migration-id"]]
    assert whole.json().get("next") is None


async def test_pages_of_migrations_go_on_where_the_last_one_ended(
    scene: Scene, client: httpx.AsyncClient
) -> None:
    asked = [await scene.request(await scene.model(f"m{number}")) for number in range(3)]
    seen: list[str] = []
    cursor = ""
    for _ in range(3):
        page = (await client.get("/migrations", params={"limit": 1, "cursor": cursor})).json()
        seen += [each["migration-id"] for each in page["migrations"]]
        cursor = page.get("next", "")
    assert seen == [each.id for each in reversed(asked)]
    assert not cursor


async def test_what_stands_in_the_way_is_a_problem_with_checks(
    scene: Scene, client: httpx.AsyncClient
) -> None:
    model = await scene.model()
    refused = await client.post("/migrations", json={"model": model, "controller": "a"})
    assert refused.status_code == 409
    assert refused.headers["content-type"] == "application/problem+json"
    assert [each["code"] for each in refused.json()["checks"]] == ["target-is-source"]
    unknown = await client.post("/migrations", json={"model": model, "controller": "nowhere"})
    assert unknown.status_code == 404
    assert (await client.get("/migrations/nothing/events")).status_code == 404


async def test_targets_and_moves_by_hand(scene: Scene, client: httpx.AsyncClient) -> None:
    model = await scene.model()
    targets = (await client.get(f"/models/{model}/migration-targets")).json()["controllers"]
    assert [(each["name"], each["ready"]) for each in targets] == [("b", True)]
    path = f"/models/{model}:update-migrated"
    right = await client.post(path, json={"controller": "a"})
    assert right.json()["changed"] is False
    assert (await client.post(path, json={"controller": "b"})).status_code == 409
    asked = await scene.request(model)
    resolved = await client.post(
        f"/migrations/{asked.id}:resolve", json={"model-is-on": "a", "reason": "x"}
    )
    assert resolved.status_code == 409
    assert "nothing to resolve" in resolved.json()["detail"]
