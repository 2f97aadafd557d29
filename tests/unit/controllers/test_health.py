"""A reading is what the controller says, or why it says nothing."""

from datetime import UTC, datetime

from jimm.controllers.dial import dial
from jimm.controllers.health import Reading, measure
from jimm.net.certificates import Authority
from tests.unit.controllers.scripted import LOGIN, UUID, Conversation, Peer

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


async def _measured(authority: Authority, script: object) -> Reading:
    assert callable(script)

    async def after_login(peer: Conversation) -> None:
        await peer.log_in()
        await script(peer)

    ticks = iter([10.0, 10.5])
    async with Peer(authority, after_login) as peer:
        link = await dial(peer.endpoint(), LOGIN)
        link.start()
        async with link:
            return await measure(link, deadline=0.2, clock=lambda: next(ticks), now=lambda: NOON)


async def test_a_healthy_one(authority: Authority) -> None:
    async def healthy(peer: Conversation) -> None:
        await peer.asked("Controller.ControllerVersion", {"version": "3.6.10", "git-commit": ""})

    assert await _measured(authority, healthy) == Reading(
        UUID, NOON, reachable=True, agent_version="3.6.10", latency=0.5
    )


async def test_one_that_refuses_is_there_and_not_well(authority: Authority) -> None:
    async def refusing(peer: Conversation) -> None:
        request = await peer.expect("Controller", "ControllerVersion")
        await peer.refuse(request, "upgrade in progress", "upgrade in progress")

    reading = await _measured(authority, refusing)
    assert (reading.reachable, reading.error) == (True, "upgrade in progress")
    assert reading.agent_version == "3.6.9"


async def test_one_that_stalls_is_away(authority: Authority) -> None:
    async def stalling(peer: Conversation) -> None:
        await peer.expect("Controller", "ControllerVersion")

    reading = await _measured(authority, stalling)
    assert not reading.reachable
    assert "did not answer" in reading.error
