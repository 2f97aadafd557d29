"""What everybody else sees and may do while a model moves, through a whole JIMM."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect

from jimm.net.tasks import Tasks
from jimm.net.tls import client_context
from tests.eventually import eventually
from tests.fix_dev import Dev
from tests.juju_client import Refused, Socket
from tests.system.rest.scene import Made, Stage, client_of

FROM, TO = "controller-1", "controller-2"
EXPORTING = "exporting model"
MOVING = ("model migration in progress", "")

WRITES = [
    ("ModelConfig", 3, "ModelGet"),
    ("Application", 19, "Deploy"),
    ("Client", 8, "WatchAll"),
    ("Pinger", 1, "Stop"),
    ("Admin", 3, "Login"),
]
"""Calls that Juju refuses to a restricted user, reads among them."""


@pytest.fixture
async def stage(dev: Dev) -> AsyncIterator[Stage]:
    """``dev`` with models and faults that end with the test."""
    async with client_of(dev, "admin") as admin:
        made = Stage(dev, admin)
        try:
            yield made
        finally:
            await made.clear()


async def begin(stage: Stage, model: Made) -> str:
    """Asks for a migration; its id."""
    asked = {"model": model.uuid, "controller": TO}
    begun = (await stage.admin.post("/migrations", json=asked)).json()
    found: str = begun["migration-id"]
    return found


async def refusal(socket: Socket, facade: str, version: int, method: str) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        await socket.call(facade, version, method, {})
    return caught.value.message, caught.value.code


async def row(api: Socket, method: str, params: dict[str, Any]) -> dict[str, Any]:
    (found,) = (await api.call("ModelManager", 10, method, params))["results"]
    return dict(found)


async def info(api: Socket, model: Made) -> dict[str, Any]:
    told = await row(api, "ModelInfo", {"entities": [{"tag": f"model-{model.uuid}"}]})
    found: dict[str, Any] = told["result"]
    return found


async def summary(api: Socket, model: Made) -> dict[str, Any]:
    params = {"user-tag": "user-alice"}
    rows = (await api.call("ModelManager", 10, "ListModelSummaries", params))["results"]
    found: dict[str, Any] = next(
        each["result"] for each in rows if each["result"]["uuid"] == model.uuid
    )
    return found


async def status(socket: Socket) -> dict[str, Any]:
    found: dict[str, Any] = await socket.call("Client", 8, "FullStatus", {"patterns": []})
    return found


def as_it_was(told: dict[str, Any]) -> dict[str, Any]:
    """All of a model's description but what says when something was asked, and of the move."""
    kept = {key: value for key, value in told.items() if key not in ("migration", "status")}
    users = [{**each, "last-connection": None} for each in kept.get("users", [])]
    return kept | ({"users": users} if users else {})


def unmoved(told: dict[str, Any]) -> dict[str, Any]:
    """The same of a status."""
    model = {key: value for key, value in told["model"].items() if key != "model-status"}
    gone = ("model", "controller-timestamp")
    return {key: value for key, value in told.items() if key not in gone} | {"model": model}


async def test_a_move_that_fails_is_shown_as_juju_does_and_leaves_all_as_it_was(
    stage: Stage,
) -> None:
    model = await stage.model("meanwhile", on=FROM)
    path = f"/model/{model.uuid}/api"
    dev = stage.dev
    async with dev.socket() as api, dev.socket(path=path) as before:
        was, looked = await info(api, model), await status(before)
        held = await hold(dev)
        await stage.fault(TO, "phase.target.IMPORT", "refuse", message="password: s3cret")
        moving = await begin(stage, model)
        await stage.until(moving, phase="IMPORT")
        told = await info(api, model)
        assert (told["status"]["status"], told["status"]["info"]) == (
            "busy",
            f"migrating: {EXPORTING}",
        )
        assert told["migration"]["status"] == EXPORTING
        assert "end" not in told["migration"]
        assert as_it_was(told) == as_it_was(was)
        await eventually(lambda: summary_says(api, model, EXPORTING))
        async with dev.socket(path=path) as during:
            await is_restricted(during)
            assert "config" in await before.call("ModelConfig", 3, "ModelGet")
            await refused_on_the_controller(api, model)
            await let_go(dev, held)
            failed = await stage.until(moving, state="failed")
            assert await refusal(during, "ModelConfig", 3, "ModelGet") == MOVING
            assert unmoved(await status(during)) == unmoved(looked)
        assert "config" in await before.call("ModelConfig", 3, "ModelGet")
        told = await info(api, model)
        assert told["status"]["status"] == "available"
        assert told["migration"]["status"].startswith("aborted, removing model from target")
        assert told["migration"]["end"] > told["migration"]["start"]
        assert "s3cret" not in str(told) + str(failed)
        assert as_it_was(told) == as_it_was(was)
        await eventually(lambda: summary_says(api, model, "aborted, removing model"))
        assert "s3cret" not in str(await summary(api, model))
    async with dev.socket(path=path) as after:
        assert "config" in await after.call("ModelConfig", 3, "ModelGet")
        assert unmoved(await status(after)) == unmoved(looked)


async def is_restricted(socket: Socket) -> None:
    for call in WRITES:
        assert await refusal(socket, *call) == MOVING, call
    assert await socket.call("Pinger", 1, "Ping") == {}
    told = await status(socket)
    assert told["model"]["model-status"]["info"] == f"migrating: {EXPORTING}"


async def summary_says(api: Socket, model: Made, message: str) -> bool:
    told = (await summary(api, model)).get("migration") or {"status": ""}
    return bool(told.get("start")) and told["status"].startswith(message)


async def refused_on_the_controller(api: Socket, model: Made) -> None:
    """What JIMM does with a model itself."""
    tag = f"model-{model.uuid}"
    credential = "cloudcred-metro_alice_alice"
    answers = [
        await row(api, "DestroyModels", {"models": [{"model-tag": tag}]}),
        (await api.call("ApplicationOffers", 4, "Offer", {"Offers": [an_offer(tag)]}))["results"][
            0
        ],
    ]
    changed = {"model-credentials": [{"model-tag": tag, "credential-tag": credential}]}
    answers.append(await row(api, "ChangeModelCredential", changed))
    upgrade = {"model-tag": tag, "target-version": "3.6.20"}
    with pytest.raises(Refused) as caught:
        await api.call("ModelUpgrader", 1, "UpgradeModel", upgrade)
    said = [(each["error"]["message"], each["error"]["code"]) for each in answers]
    assert said[:2] == [MOVING, MOVING]
    assert said[2] == MOVING or "already uses credential" in said[2][0]
    assert (caught.value.message, caught.value.code) == MOVING


def an_offer(tag: str) -> dict[str, Any]:
    return {
        "model-tag": tag,
        "offer-name": "o",
        "application-name": "ubuntu",
        "endpoints": {"juju-info": "juju-info"},
    }


async def test_asked_for_is_as_good_as_moving_and_shows_nothing_false(stage: Stage) -> None:
    model = await stage.model("meanwhile", on=FROM)
    async with stage.dev.socket() as api:
        await stage.fault(FROM, "Controller.InitiateMigration", "stall")
        moving = await begin(stage, model)
        await stage.until(moving, state="starting")
        await refused_on_the_controller(api, model)
        told = await info(api, model)
        assert told["status"]["status"] == "available"
        assert "migration" not in told
        async with stage.dev.socket(path=f"/model/{model.uuid}/api") as socket:
            assert "config" in await socket.call("ModelConfig", 3, "ModelGet")
        await stage.mend()
        await stage.until(moving, state="done")


async def test_connections_go_over_without_a_wrong_answer(stage: Stage) -> None:
    model = await stage.model("meanwhile", on=FROM)
    path = f"/model/{model.uuid}/api"
    dev, tasks = stage.dev, Tasks()
    async with dev.socket() as api, dev.socket(path=path) as before:
        asking = tasks.spawn(ask_on(api, model), name="ask on and on")
        held = await hold(dev)
        moving = await begin(stage, model)
        await stage.until(moving, phase="IMPORT")
        async with dev.socket(path=path) as during:
            await stage.fault(TO, "ModelManager.ModelInfo", "delay", seconds=0.3, times=0)
            await stage.fault(FROM, "Client.FullStatus", "stall", times=2)
            waiting = [each.spawn_call("Client", 8, "FullStatus") for each in (before, during)]

            async def all_wait() -> bool:
                return not await faults(dev, "GET")

            await eventually(all_wait)
            await let_go(dev, held)
            for socket, call in zip((before, during), waiting, strict=True):
                assert await socket.closed(20) in (None, 1000, 1001)
                with pytest.raises(ConnectionError):
                    await call
        async with dev.socket(path=path) as after:
            assert "config" in await after.call("ModelConfig", 3, "ModelGet")
            assert (await status(after))["model"]["model-status"]["status"] == "available"
        await stage.mend()
        await stage.until(moving, state="done")
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    await tasks.aclose()


async def ask_on(api: Socket, model: Made) -> None:
    """Asks about the model all the time; it is never unknown, elsewhere or gone."""
    entities = {"entities": [{"tag": f"model-{model.uuid}"}]}
    while True:
        told = await row(api, "ModelInfo", entities)
        assert "result" in told, told
        assert told["result"]["life"] == "alive"
        (found,) = (await api.call("ModelManager", 10, "ModelStatus", entities))["models"]
        assert "error" not in found, found
        assert (await summary(api, model))["status"]["status"] in ("available", "busy")


async def hold(dev: Dev) -> int:
    """The next migration from the source stands still while the model is exported."""
    made = await faults(dev, "POST", body={"point": f"message.{EXPORTING}", "action": "stall"})
    found: int = made["id"]
    return found


async def let_go(dev: Dev, held: int) -> None:
    """It goes on."""
    await faults(dev, "DELETE", f"/{held}")


async def faults(dev: Dev, method: str, path: str = "", body: object = None) -> Any:
    """The faults of the source."""
    told = next(each for each in dev.described["controllers"] if each["name"] == FROM)
    context = client_context(Path(told["ca_cert"]).read_text())
    login = (told["username"], told["password"])
    async with httpx.AsyncClient(verify=context, auth=login) as client:
        url = f"https://{told['address']}/simulator/faults{path}"
        answer = await client.request(method, url, json=body)
    assert answer.is_success, answer.text
    return answer.json()


async def test_what_is_below_the_path_goes_over_too(stage: Stage) -> None:
    model = await stage.model("meanwhile", on=FROM)
    dev = stage.dev
    login = f"user-alice:{dev.password('alice')}"
    basic = f"Basic {base64.b64encode(login.encode()).decode()}"
    charm = f"/model/{model.uuid}/charms?schema=local&series=jammy"

    async def upload() -> tuple[int, str]:
        async with httpx.AsyncClient(
            base_url=f"https://{dev.address}", verify=client_context(dev.ca)
        ) as http:
            headers = {"Authorization": basic, "Content-Type": "application/zip"}
            answer = await http.post(charm, content=b"PK", headers=headers)
        return answer.status_code, answer.json().get("error", "")

    url = f"wss://{dev.address}/model/{model.uuid}/log?replay=true"
    options: Any = {"additional_headers": {"Authorization": basic}, "proxy": None}
    async with connect(url, ssl=client_context(dev.ca), **options) as log:
        assert json.loads(await log.recv()) == {}
        await stage.fault(FROM, f"message.{EXPORTING}", "stall")
        moving = await begin(stage, model)
        assert await upload() == (409, MOVING[0])
        await stage.until(moving, phase="IMPORT")
        assert await upload() == (409, MOVING[0])
        async with connect(url, ssl=client_context(dev.ca), **options) as during:
            assert json.loads(await during.recv()) == {}
        await stage.mend()
        async with asyncio.timeout(20):
            lines = [json.loads(line) async for line in log]
        assert all("error" not in each for each in lines)
    async with connect(url, ssl=client_context(dev.ca), **options) as after:
        assert json.loads(await after.recv()) == {}
    await stage.until(moving, state="done")
    code, error = await upload()
    assert (code, error) != (409, MOVING[0])
    assert "unknown model" not in error
