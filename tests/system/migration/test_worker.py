"""A model moves, fails to move, and is never lost, whatever stops halfway."""

from jimm.registry.words import MigrationState
from jimm.simulator.migration import phases as juju
from tests.system.migration.conftest import Scene


async def test_a_model_moves_and_everything_follows_it(scene: Scene) -> None:
    model = await scene.model()
    async with scene.working():
        done = await scene.until(await scene.request(model), "done")
    assert done.error == ""
    assert scene.hosts(model) == ["b"]
    assert (await scene.registered(model)).controller_name == "b"
    assert scene.moved == [model]
    history = await scene.history(done)
    states = list(dict.fromkeys(event.state.value for event in history))
    assert states == ["requested", "checking", "starting", "running", "confirming", "done"]
    assert [event.seq for event in history] == list(range(1, len(history) + 1))
    seen = {event.phase for event in history}
    assert {juju.Phase.QUIESCE, juju.Phase.IMPORT, juju.Phase.VALIDATION} <= seen
    assert done.juju_id == f"{model}:0"
