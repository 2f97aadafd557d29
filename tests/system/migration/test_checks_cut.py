"""The checks of a migration when JIMM's link to the source goes away in the middle of them."""

from jimm.migration import requests
from jimm.net.tasks import Tasks
from jimm.registry import controllers
from tests.eventually import eventually
from tests.fix_fleet import ADMIN
from tests.system.migration.conftest import Scene


async def test_a_link_that_is_lost_leaves_questions_without_an_answer(scene: Scene) -> None:
    model = await scene.model()
    faults = scene.peers["a"].faults
    held = scene.fault("a", "Client.FullStatus", "stall")  # asked over another link
    tasks = Tasks()
    asking = tasks.spawn(requests.dry_run(scene.fleet, ADMIN, model, "b"), name="ask")
    await eventually(lambda: held not in faults.list())
    async with scene.fleet.registry.read() as session:
        source = await controllers.by_name(session, "a")
    scene.fault("a", "Admin.Login", "drop-before", times=0)
    scene.fleet.link(source).abort("cut")
    faults.clear(held.id)
    findings = await asking
    assert [each.code for each in findings] == ["not-checked"]
    assert "a does not tell what the model uses of it" in findings[0].found
