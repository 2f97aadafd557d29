"""A client comes back when the source has let its model go, and JIMM does not know yet where
it is: it waits, and is let in at the target. libjuju tries only once."""

import asyncio

import pytest

from jimm.net.tasks import Tasks
from tests.eventually import eventually
from tests.system.crash.house import House
from tests.system.crash.test_sigkill import create, in_phase, lost


async def test_a_login_waits_for_the_model_to_arrive(home: House) -> None:
    uuid = await create(home)
    source = (await home.on_controllers())[0]
    await in_phase("REAP")(home)
    target = next(name for name in home.peers if name != source[1])
    held = home.fault(target, "ModelManager.ModelInfo", times=0)
    home.peers[source[1]].faults.clear()
    await eventually(lambda: lost(home, source))

    async def come_back() -> str:
        async with home.socket(f"/model/{uuid}/api") as socket:
            status = await socket.call("Client", 8, "FullStatus", {"patterns": []})
        return str(status["model"]["name"])

    tasks = Tasks()
    coming = tasks.spawn(come_back(), name="come back")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(coming), 0.5)
    assert (await home.migrations())[0]["state"] in ("running", "confirming")
    home.peers[held.on].faults.clear()
    assert await asyncio.wait_for(coming, 10) == "m1"
    assert await home.in_registry() == [(uuid, target)]
