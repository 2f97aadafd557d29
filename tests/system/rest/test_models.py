"""Models with the controllers that host them, and where one would be put."""

import httpx

from tests.eventually import eventually
from tests.system.rest.scene import CONTROLLERS, Stage, problem

KEYS = [
    "model-name",
    "model-uuid",
    "owner",
    "controller-name",
    "controller-uuid",
    "cloud",
    "region",
    "status",
    "life",
]
UNKNOWN = "11111111-1111-4111-8111-111111111111"


async def test_a_model_is_shown_with_its_host(stage: Stage, alice: httpx.AsyncClient) -> None:
    model = await stage.model()
    shown = (await alice.get(f"/models/{model.uuid}")).json()
    assert list(shown) == KEYS
    assert (shown["model-name"], shown["owner"]) == (model.name, "alice")
    hosts = {each["name"]: each["uuid"] for each in stage.dev.described["controllers"]}
    assert hosts[shown["controller-name"]] == shown["controller-uuid"]
    assert (shown["cloud"], shown["region"], shown["life"]) == ("metro", "north", "alive")
    for path in (f"alice/{model.name}", f"alice@jimm/{model.name}"):
        assert (await alice.get(f"/models/{path}")).json() == shown
    assert shown in (await alice.get("/models", params={"limit": "500"})).json()["models"]
    here = {"controller": model.host, "limit": "500"}
    assert shown in (await stage.admin.get("/models", params=here)).json()["models"]
    elsewhere = {"controller": next(each for each in CONTROLLERS if each != model.host)}
    rows = (await stage.admin.get("/models", params=elsewhere)).json()["models"]
    assert model.uuid not in [each["model-uuid"] for each in rows]


async def test_pages_hold_each_model_once(stage: Stage, alice: httpx.AsyncClient) -> None:
    for _ in range(7):
        await stage.model("page")
    whole = (await alice.get("/models", params={"limit": "500"})).json()
    assert "next" not in whole
    seen: list[str] = []
    query = {"limit": "3"}
    while True:
        page = (await alice.get("/models", params=query)).json()
        seen += [each["model-uuid"] for each in page["models"]]
        if "next" not in page:
            break
        assert len(page["models"]) == 3
        query["cursor"] = page["next"]
    assert seen == [each["model-uuid"] for each in whole["models"]]
    assert len(set(seen)) == len(seen)
    assert {each.uuid for each in stage.made} <= set(seen)


async def test_controllers_and_placements_have_pages_too(
    stage: Stage, admin: httpx.AsyncClient
) -> None:
    for _ in range(3):
        await stage.model("placed")
    for noun, key, first in (("controllers", "name", ""), ("placements", "id", "")):
        seen, cursor = [], first
        for _ in range(2):
            query = {"limit": "2", "cursor": cursor}
            page = (await admin.get(f"/{noun}", params=query)).json()
            seen += [each[key] for each in page[noun]]
            cursor = page.get("next", "")
        whole = (await admin.get(f"/{noun}")).json()[noun]
        assert seen == [each[key] for each in whole[:4]]


async def test_a_model_of_somebody_else_is_an_unknown_one(
    stage: Stage, bob: httpx.AsyncClient
) -> None:
    model = await stage.model()
    params = {"limit": "500"}
    rows = (await bob.get("/models", params=params)).json()["models"]
    assert model.uuid not in {each["model-uuid"] for each in rows}

    async def has_only_his_own() -> bool:
        # What another test shared with him and destroyed takes a moment to go.
        rows = (await bob.get("/models", params=params)).json()["models"]
        return {each["owner"] for each in rows} <= {"bob"}

    assert await eventually(has_only_his_own, deadline=30, interval=0.2)
    for real, unknown in (
        (model.uuid, UNKNOWN),
        (f"alice/{model.name}", "alice/unknown"),
        (f"{model.uuid}/migration-targets", f"{UNKNOWN}/migration-targets"),
    ):
        one = problem(await bob.get(f"/models/{real}"), 404, "model not found")["detail"]
        other = problem(await bob.get(f"/models/{unknown}"), 404, "model not found")["detail"]
        shown, expected = real.split("/mig")[0], unknown.split("/mig")[0]
        assert one.replace(shown, "…") == other.replace(expected, "…")
    asked = {"model": model.reference, "controller": "controller-3", "dry-run": True}
    body = problem(await bob.post("/migrations", json=asked), 404, "model not found", "model")
    assert model.uuid not in body["detail"]
    filtered = await bob.get("/migrations", params={"model": model.uuid})
    problem(filtered, 404, "model not found")


async def test_what_only_administrators_may_do_with_models(
    stage: Stage, alice: httpx.AsyncClient
) -> None:
    model = await stage.model()
    where = {"controller": model.host}
    problem(await alice.post(f"/models/{model.uuid}:forget"), 403, "unauthorized access")
    moved = await alice.post(f"/models/{model.uuid}:update-migrated", json=where)
    problem(moved, 403, "unauthorized access")
    asked = {"model": model.uuid, "controller": "controller-3"}
    problem(await alice.post("/migrations", json=asked), 403, "unauthorized access")


async def test_unknown_models(admin: httpx.AsyncClient) -> None:
    for path in (UNKNOWN, "none", "alice/none", f"{UNKNOWN}/migration-targets"):
        problem(await admin.get(f"/models/{path}"), 404, "model not found")
    problem(await admin.post(f"/models/{UNKNOWN}:forget"), 404, "model not found")
    where = {"controller": "controller-1"}
    moved = await admin.post(f"/models/{UNKNOWN}:update-migrated", json=where)
    problem(moved, 404, "model not found")


async def test_a_model_that_is_where_it_is_said_to_be(stage: Stage) -> None:
    model = await stage.model(on="controller-1")
    path = f"/models/{model.uuid}:update-migrated"
    right = (await stage.admin.post(path, json={"controller": "controller-1"})).json()
    assert right["changed"] is False
    assert "already" in right["message"]
    wrong = await stage.admin.post(path, json={"controller": "controller-2"})
    assert "does not have the model" in problem(wrong, 409, "conflict")["detail"]
    unknown = await stage.admin.post(path, json={"controller": "none"})
    problem(unknown, 404, "not found", "controller")
    assert (await stage.admin.get(f"/models/{model.uuid}")).json()["controller-name"] == model.host


async def test_targets_say_what_stands_in_the_way(stage: Stage, alice: httpx.AsyncClient) -> None:
    model = await stage.model(on="controller-3")
    path = f"/models/{model.uuid}/migration-targets"
    rows = (await stage.admin.get(path)).json()["controllers"]
    assert [each["name"] for each in rows] == ["controller-1", "controller-2", "controller-4"]
    for each in rows:
        assert each["ready"] is False
        assert all(set(check) == {"code", "found", "remedy"} for check in each["checks"])
        assert any("3.6.10" in check["found"] for check in each["checks"]), each["checks"]
    hers = (await alice.get(path)).json()["controllers"]
    assert [each["name"] for each in hers] == [each["name"] for each in rows]
    assert not any(each["api-addresses"] or each["ca-certificate"] for each in hers)


async def test_placements_are_recorded_for_the_owner(
    stage: Stage, alice: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    model = await stage.model(on="controller-2")
    for client in (stage.admin, alice):
        newest = (await client.get("/placements", params={"limit": "1"})).json()["placements"][0]
        assert (newest["model-name"], newest["owner"]) == (model.name, "alice")
        assert (newest["chosen"], newest["policy"]) == ("controller-2", "random")
        assert newest["attempts"] == [{"controller": "controller-2", "outcome": "created"}]
        by_name = {each["controller"]: each for each in newest["candidates"]}
        assert set(by_name) == set(CONTROLLERS)
        assert by_name["controller-2"]["rank"] == 1
        assert by_name["controller-1"]["reasons"] == ["it is deprecated: it takes no new models"]
    rows = (await bob.get("/placements", params={"limit": "500"})).json()["placements"]
    assert {each["owner"] for each in rows} <= {"bob"}


async def test_a_placement_is_explained_beforehand(
    stage: Stage, admin: httpx.AsyncClient, alice: httpx.AsyncClient
) -> None:
    for client, asked in (
        (alice, {}),
        (alice, {"cloud": "metro", "region": "north", "owner": "alice"}),
        (admin, {"cloud": "metro", "owner": "bob"}),
    ):
        told = (await client.post("/placements:explain", json=asked)).json()
        assert told["policy"] == "random"
        assert [each["rank"] for each in told["candidates"]] == [1, 2, 3, 4]
        assert {each["controller"] for each in told["candidates"]} == set(CONTROLLERS)
    told = (await alice.post("/placements:explain", json={"region": "south"})).json()
    for each in told["candidates"]:
        assert each["eligible"] is False
        assert each["reasons"] == ["it does not offer cloud metro or not its region south"]
    answer = await alice.post("/placements:explain", json={"cloud": "none"})
    problem(answer, 404, "not found", "cloud")
    other = await alice.post("/placements:explain", json={"owner": "bob"})
    problem(other, 403, "unauthorized access")
