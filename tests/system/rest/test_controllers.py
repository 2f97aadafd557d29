"""Controllers: registered after a look at them, shown, retired."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest

from jimm.net.certificates import Authority
from jimm.simulator.server import Simulator
from tests.eventually import eventually
from tests.fix_simulator import SimulatorFactory
from tests.system.rest.scene import CONTROLLERS, Stage, problem

KEYS = {
    "name",
    "uuid",
    "public-address",
    "api-addresses",
    "ca-certificate",
    "cloud-tag",
    "cloud-region",
    "agent-version",
    "status",
    "deprecated",
    "trust",
}


@pytest.fixture(name="spare")
async def _spare(simulator: SimulatorFactory, admin: httpx.AsyncClient) -> AsyncIterator[Simulator]:
    """A controller that JIMM does not know; whatever it was registered as ends with the test."""
    made = await simulator(name="spare")
    yield made
    known = (await admin.get("/controllers")).json()["controllers"]
    for name in {each["name"] for each in known} - set(CONTROLLERS):
        assert (await admin.delete(f"/controllers/{name}?force=true")).status_code == 200


def registration(peer: Simulator, **changes: Any) -> dict[str, Any]:
    """What registers it; ``None`` leaves a field out."""
    told = {**peer.registration(), **{key.replace("_", "-"): changes[key] for key in changes}}
    return {key: value for key, value in told.items() if value is not None}


async def test_a_controller_is_registered_shown_retired_and_removed(
    admin: httpx.AsyncClient, spare: Simulator
) -> None:
    added = await admin.post("/controllers", json=registration(spare))
    assert added.status_code == 201
    body = added.json()
    assert set(body) == KEYS
    assert (body["name"], body["uuid"]) == ("spare", spare.uuid)
    assert (body["cloud-tag"], body["cloud-region"]) == ("cloud-metro", "north")
    assert (body["api-addresses"], body["trust"]) == ([spare.address], "password")
    assert body["agent-version"] == "3.6.9"
    assert body["status"] == {"status": "available", "info": ""}
    assert spare.identity.admin_password.reveal() not in added.text
    assert (await admin.get("/controllers/spare")).json() == body
    retired = await admin.patch("/controllers/spare", json={"deprecated": True})
    assert retired.json()["status"]["status"] == "deprecated"
    again = await admin.patch("/controllers/spare", json={"deprecated": False})
    assert again.json() == body
    removed = await admin.delete("/controllers/spare")
    assert (removed.status_code, removed.json()) == (200, {"unmanaged": []})
    problem(await admin.get("/controllers/spare"), 404, "not found")


async def test_a_name_and_a_uuid_are_taken_once(
    stage: Stage, admin: httpx.AsyncClient, spare: Simulator
) -> None:
    taken = registration(spare, name="controller-1")
    problem(await admin.post("/controllers", json=taken), 409, "already exists", "name")
    assert (await admin.post("/controllers", json=registration(spare))).status_code == 201
    other = registration(spare, name="other")
    problem(await admin.post("/controllers", json=other), 409, "already exists", "uuid")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "Not A Name"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "jimm"}, "name"),
        ({"uuid": "not-a-uuid"}, "uuid"),
        ({"uuid": None, "username": None}, "uuid"),
        ({"api_addresses": []}, "api-addresses"),
        ({"api_addresses": ["nonsense"]}, "api-addresses"),
        ({"api_addresses": ["127.0.0.1:99999"]}, "api-addresses"),
        ({"public_address": "no port"}, "public-address"),
        ({"ca_certificate": "no PEM"}, "ca-certificate"),
    ],
)
async def test_a_field_that_can_t_be(
    admin: httpx.AsyncClient, spare: Simulator, changes: dict[str, Any], field: str
) -> None:
    asked = registration(spare, **changes)
    problem(await admin.post("/controllers", json=asked), 422, "not valid", field)


async def test_a_controller_that_is_not_what_was_said(
    admin: httpx.AsyncClient, spare: Simulator
) -> None:
    stranger = Authority.create("another authority").certificate_pem
    for asked, status, code, field, words in (
        ({"ca_certificate": stranger}, 503, "connection failed", "", "not signed by"),
        ({"ca_certificate": ""}, 503, "connection failed", "", "not signed by"),
        ({"tls_hostname": "elsewhere"}, 503, "connection failed", "", "for another name"),
        ({"uuid": str(uuid.uuid4())}, 502, "not valid", "uuid", f"wrong controller: {spare.uuid}"),
        ({"password": "wrong"}, 502, "unauthorized access", "", "the controller says: invalid"),
        ({"uuid": None, "password": "x"}, 502, "unauthorized access", "", "the controller says"),
        ({"api_addresses": ["127.0.0.1:1"]}, 503, "connection failed", "", "cannot reach"),
    ):
        answer = await admin.post("/controllers", json=registration(spare, **asked))
        assert words in problem(answer, status, code, field)["detail"]
    problem(await admin.get("/controllers/spare"), 404, "not found")
    assert (await admin.post("/controllers", json=registration(spare))).status_code == 201


async def test_another_cloud_under_a_known_name(admin: httpx.AsyncClient, spare: Simulator) -> None:
    here = spare.store.controller
    cloud = msgspec.structs.replace(here.clouds["metro"], endpoint="https://elsewhere")
    spare.store.put(msgspec.structs.replace(here, clouds={"metro": cloud}))
    answer = await admin.post("/controllers", json=registration(spare))
    body = problem(answer, 422, "not valid", "name")
    assert 'its cloud "metro" is another cloud' in body["detail"]
    assert "https://elsewhere" in body["detail"]


async def test_jimm_is_no_controller_of_its_own(stage: Stage) -> None:
    itself = {
        "name": "itself",
        "api-addresses": [stage.dev.address],
        "ca-certificate": stage.dev.ca,
        "username": "admin",
        "password": stage.dev.password("admin"),
    }
    answer = await stage.admin.post("/controllers", json=itself)
    body = problem(answer, 422, "not valid", "api-addresses")
    assert "JIMM itself answers there" in body["detail"]
    problem(await stage.admin.get("/controllers/itself"), 404, "not found")


async def test_a_controller_with_models_is_not_removed_by_mistake(
    stage: Stage, admin: httpx.AsyncClient, spare: Simulator
) -> None:
    assert (await admin.post("/controllers", json=registration(spare))).status_code == 201
    model = await stage.model("orphan", on="spare")
    assert model.host == "spare"
    problem(await admin.delete("/controllers/spare"), 409, "still alive")
    for wrong in ("perhaps", ""):
        answer = await admin.delete("/controllers/spare", params={"force": wrong})
        problem(answer, 422, "not valid", "force")
    problem(await admin.post(f"/models/{model.uuid}:forget"), 409, "conflict")
    removed = await admin.delete("/controllers/spare", params={"force": "true"})
    named = {"model-name": model.name, "model-uuid": model.uuid, "owner": "alice"}
    assert removed.json() == {"unmanaged": [named]}
    shown = (await admin.get(f"/models/{model.uuid}")).json()
    assert (shown["status"], shown["controller-name"]) == ("unmanaged", "")
    asked = {"model": model.uuid, "controller": "controller-1"}
    assert (
        "is unmanaged"
        in problem(await admin.post("/migrations", json=asked), 409, "conflict")["detail"]
    )
    assert (await admin.post("/controllers", json=registration(spare))).status_code == 201
    where = {"controller": "spare"}
    updated = await admin.post(f"/models/{model.uuid}:update-migrated", json=where)
    assert updated.json()["changed"] is True, updated.text
    assert (await admin.delete("/controllers/spare?force=true")).json() == {"unmanaged": [named]}
    assert (await admin.post(f"/models/{model.uuid}:forget")).json() == {}
    problem(await admin.get(f"/models/{model.uuid}"), 404, "model not found")
    problem(await admin.post(f"/models/{model.uuid}:forget"), 404, "model not found")


async def test_a_controller_that_goes_away_is_unavailable(
    admin: httpx.AsyncClient, spare: Simulator
) -> None:
    assert (await admin.post("/controllers", json=registration(spare))).status_code == 201
    await spare.stop()

    async def away() -> dict[str, Any] | None:
        status: dict[str, Any] = (await admin.get("/controllers/spare")).json()["status"]
        return status if status["status"] == "unavailable" else None

    found: dict[str, Any] | None = await eventually(away, deadline=60)
    assert found is not None
    assert found["since"]
    assert found["info"]


async def test_who_is_no_administrator(
    admin: httpx.AsyncClient, alice: httpx.AsyncClient, spare: Simulator
) -> None:
    answers = [
        await alice.post("/controllers", json=registration(spare)),
        await alice.patch("/controllers/controller-1", json={"deprecated": True}),
        await alice.delete("/controllers/controller-1"),
        await alice.delete("/controllers/none"),
    ]
    for answer in answers:
        problem(answer, 403, "unauthorized access")
    rows = (await alice.get("/controllers")).json()["controllers"]
    assert [each["name"] for each in rows] == list(CONTROLLERS)
    for each in [*rows, (await alice.get("/controllers/controller-1")).json()]:
        assert set(each) == KEYS
        hidden = (each["api-addresses"], each["public-address"], each["ca-certificate"])
        assert hidden == ([], "", "")
    for each in (await admin.get("/controllers")).json()["controllers"]:
        assert each["api-addresses"]
        assert "BEGIN CERTIFICATE" in each["ca-certificate"]


async def test_an_unknown_controller(admin: httpx.AsyncClient, alice: httpx.AsyncClient) -> None:
    for client in (admin, alice):
        problem(await client.get("/controllers/none"), 404, "not found")
    change = {"deprecated": True}
    problem(await admin.patch("/controllers/none", json=change), 404, "not found")
    problem(await admin.delete("/controllers/none?force=true"), 404, "not found")
    for wrong in ({}, {"deprecated": "perhaps"}, {"deprecated": None}):
        answer = await admin.patch("/controllers/controller-1", json=wrong)
        problem(answer, 422, "not valid", "deprecated")


async def test_who_may_add_models_on_one_controller(
    admin: httpx.AsyncClient, alice: httpx.AsyncClient
) -> None:
    path = f"/controllers/{CONTROLLERS[0]}/add-model/bob"
    problem(await alice.put(path), 403, "unauthorized access")
    assert (await admin.put(path)).json() == {}
    problem(await admin.put(path), 409, "already exists")
    assert (await admin.delete(path)).json() == {}
    problem(await admin.delete(path), 404, "not found")
    problem(await admin.put("/controllers/none/add-model/bob"), 404, "not found")
    problem(await admin.put(f"/controllers/{CONTROLLERS[0]}/add-model/zoe"), 404, "user not found")
