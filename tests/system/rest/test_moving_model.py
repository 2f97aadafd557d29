"""A model that moves, as juju and libjuju see it through JIMM."""

from typing import Any

from tests.juju_client import Refused, Socket
from tests.system.rest.scene import Made, Stage

STOPS = (
    ("phase.source.IMPORT", "IMPORT", "exporting model"),
    ("phase.source.VALIDATION", "VALIDATION", "checking machines in migrated model"),
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
            row = await info(api, model)
            assert message in row["migration"]["status"]
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
    try:
        (row,) = (await api.call("ModelManager", 10, "DestroyModels", params))["results"]
    except Refused as error:
        assert "model migration in progress" in error.message
    else:
        assert row["error"]["message"] == "model migration in progress"
        assert row["error"]["code"] == ""
