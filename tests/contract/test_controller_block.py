"""Commands that are disabled on a model."""

from typing import Any

import pytest

from tests.fix_simulator import BusyModel
from tests.juju_client import Refused, Socket, logged_in

CHANGES = [
    ("Application", 20, "Expose", {"application": "web"}),
    ("Application", 20, "AddUnits", {"application": "web", "num-units": 1}),
    ("Application", 20, "AddRelation", {"endpoints": ["web", "postgresql"]}),
    ("Application", 20, "SetConstraints", {"application": "web", "constraints": {}}),
    ("Application", 20, "SetConfigs", {"Args": [{"application": "web", "config": {}}]}),
    ("Application", 20, "Deploy", {"applications": []}),
    ("MachineManager", 10, "AddMachines", {"params": []}),
    ("ModelConfig", 3, "ModelSet", {"config": {"development": True}}),
    ("ModelConfig", 3, "SetModelConstraints", {"constraints": {}}),
    ("KeyManager", 1, "AddKeys", {"user": "admin", "ssh-keys": ["x"]}),
    ("Storage", 6, "AddToUnit", {"storages": []}),
    ("Action", 7, "EnqueueOperation", {"actions": []}),
]
REMOVALS = [
    ("Application", 20, "DestroyUnit", {"units": []}),
    ("Application", 20, "DestroyApplication", {"applications": []}),
    ("Application", 20, "DestroyRelation", {"endpoints": ["web", "postgresql"]}),
    ("MachineManager", 10, "DestroyMachineWithParams", {"machine-tags": []}),
    ("KeyManager", 1, "DeleteKeys", {"user": "admin", "ssh-keys": ["x"]}),
    ("Storage", 6, "Remove", {"storage": []}),
]


async def refusal(socket: Socket, call: tuple[str, int, str, Any]) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        await socket.call(*call)
    return caught.value.message, caught.value.code


async def switch_on(socket: Socket, kind: str, message: str = "hands off") -> None:
    wanted = {"type": kind, "message": message}
    assert await socket.call("Block", 2, "SwitchBlockOn", wanted) == {}


async def test_blocks_are_listed_replaced_and_switched_off(busy: BusyModel) -> None:
    tag = f"model-{busy.path.split('/')[2]}"
    async with busy.socket() as socket:
        await switch_on(socket, "BlockDestroy", "keep it")
        await switch_on(socket, "BlockDestroy", "keep it still")
        [row] = (await socket.call("Block", 2, "List"))["results"]
        assert {**row["result"], "id": ""} == {
            "id": "",
            "tag": tag,
            "type": "BlockDestroy",
            "message": "keep it still",
        }
        for _ in range(2):
            assert await socket.call("Block", 2, "SwitchBlockOff", {"type": "BlockDestroy"}) == {}
        assert await socket.call("Block", 2, "List") == {"results": []}
        wrong = await socket.call("Block", 2, "SwitchBlockOn", {"type": "BlockTalk"})
        assert wrong["error"]["code"] == "not valid"


async def test_a_block_on_changes_refuses_changes_and_removals(busy: BusyModel) -> None:
    async with busy.socket() as socket:
        await switch_on(socket, "BlockChange")
        for call in (*CHANGES, *REMOVALS):
            assert await refusal(socket, call) == ("hands off", "operation is blocked"), call
        await socket.call("Application", 20, "Get", {"application": "web"})


async def test_a_block_on_removals_lets_changes_pass(busy: BusyModel) -> None:
    async with busy.socket() as socket:
        await switch_on(socket, "BlockRemove", "")
        for call in REMOVALS:
            text = "the operation has been blocked"
            assert await refusal(socket, call) == (text, "operation is blocked"), call
        await socket.call("Application", 20, "Expose", {"application": "web"})


@pytest.mark.parametrize("kind", ["BlockDestroy", "BlockRemove", "BlockChange"])
async def test_a_blocked_model_is_not_destroyed(busy: BusyModel, kind: str) -> None:
    tag = f"model-{busy.path.split('/')[2]}"
    async with busy.socket() as socket, logged_in(busy.controller) as admin:
        await switch_on(socket, kind)
        wanted = {"models": [{"model-tag": tag}]}
        [row] = (await admin.call("ModelManager", 10, "DestroyModels", wanted))["results"]
        assert row["error"] == {"message": "hands off", "code": "operation is blocked"}
        [model] = (await admin.call("Controller", 12, "ListBlockedModels"))["models"]
        assert (model["name"], model["blocks"]) == ("busy", [kind])
        await admin.call("Controller", 12, "RemoveBlocks", {"all": True})
        [row] = (await admin.call("ModelManager", 10, "DestroyModels", wanted))["results"]
        assert row == {}


async def test_readers_switch_nothing(busy: BusyModel) -> None:
    reader = await busy.join("alice", "read")
    async with busy.socket(*reader) as socket:
        answer = await socket.call("Block", 2, "SwitchBlockOn", {"type": "BlockChange"})
        assert answer["error"] == {"message": "permission denied", "code": "unauthorized access"}
        assert await socket.call("Block", 2, "List") == {"results": []}
