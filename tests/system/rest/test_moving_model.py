"""A model that moves, as juju and libjuju see it through JIMM."""

from typing import Any

from tests.eventually import eventually
from tests.juju_client import Socket
from tests.system.rest.scene import Made, Stage

STOPS = (
    ("phase.source.IMPORT", "IMPORT", "exporting model"),
    ("phase.source.VALIDATION", "VALIDATION", "activating model in target controller"),
    ("phase.source.LOGTRANSFER", "LOGTRANSFER", "successful, transferring logs"),
)


async def info(socket: Socket, model: Made) -> dict[str, Any]:
    """ModelInfo's row."""
    params = {"entities": [{"tag": f"model-{model.uuid}"}]}
    (row,) = (await socket.call("ModelManager", 10, "ModelInfo", params))["results"]
    found: dict[str, Any] = row["result"]
    return found


async def test_model_info_and_full_status_show_what_juju_says(stage: Stage) -> None:
    for point, phase, message in STOPS:
        model = await stage.model("moving", on="controller-1")
        path = f"/model/{model.uuid}/api"
        async with stage.dev.socket() as api, stage.dev.socket(path=path) as socket:
            before = await socket.call("Client", 8, "FullStatus", {"patterns": []})
            assert before["model"]["name"] == model.name
            assert "ubuntu" in before["applications"]
            assert "migration" not in await info(api, model)
            await stage.fault("controller-1", point, "stall")
            asked = {"model": model.uuid, "controller": "controller-2"}
            begun = (await stage.admin.post("/migrations", json=asked)).json()
            await stage.until(begun["migration-id"], phase=phase)

            async def says(api: Socket = api, model: Made = model, message: str = message) -> bool:
                return message in (await info(api, model))["migration"]["status"]

            await eventually(says)
            row = await info(api, model)
            assert row["migration"]["start"]
            assert row["controller-uuid"] == stage.dev.described["jimm_uuid"]
            status = await socket.call("Client", 8, "FullStatus", {"patterns": []})
            said = status["model"]["model-status"]
            assert message in said["info"], said
            await _refuses_to_be_destroyed(api, model)
            await stage.mend()
            assert (await stage.until(begun["migration-id"], state="done"))["phase"] == "DONE"
            assert "end" in (await info(api, model)).get("migration", {"end": ""})
        async with stage.dev.socket(path=path) as socket:
            after = await socket.call("Client", 8, "FullStatus", {"patterns": []})
            assert after["model"]["model-status"]["status"] == "available"
            assert "ubuntu" in after["applications"]


async def _refuses_to_be_destroyed(api: Socket, model: Made) -> None:
    params = {"models": [{"model-tag": f"model-{model.uuid}"}]}
    (row,) = (await api.call("ModelManager", 10, "DestroyModels", params))["results"]
    assert row["error"]["message"] == "model migration in progress"
    assert row["error"]["code"] == ""
