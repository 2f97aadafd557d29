"""SIGKILL of JIMM at every turn: each model exists once, and the registry says where."""

import signal
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text

from jimm.net.tasks import Tasks
from tests.eventually import eventually
from tests.juju_client import Refused
from tests.system.crash.house import House

NEW = {"owner-tag": "user-alice", "cloud-tag": "cloud-metro"}

Moment = Callable[[House], Awaitable[None]]


async def create(home: House, name: str = "m1") -> str:
    """A model of alice's; its uuid."""
    async with home.socket() as socket:
        made = await socket.call("ModelManager", 10, "CreateModel", {"name": name, **NEW})
    return str(made["uuid"])


async def lose(home: House, method: str, params: dict[str, Any], moment: Moment) -> None:
    """Calls JIMM, and kills it at the moment."""
    tasks = Tasks()

    async def call() -> None:
        try:
            async with home.socket() as socket:
                await socket.call("ModelManager", 10, method, params, deadline=60)
        except (ConnectionError, Refused):
            return  # it was killed

    tasks.spawn(call(), name=method)
    await moment(home)
    await home.kill()
    await tasks.aclose()


async def before_it_is_sent(home: House) -> None:
    await home.reached(*(home.fault(name, "Admin.Login") for name in home.peers))


async def while_it_is_stalled(home: House) -> None:
    await home.reached(*(home.fault(name, "ModelManager.CreateModel") for name in home.peers))


async def before_the_answer_is_read(home: House) -> None:
    await while_it_is_stalled(home)
    home.send(signal.SIGSTOP)
    home.clear()
    await eventually(lambda: home.on_controllers())


@pytest.mark.parametrize(
    ("moment", "models"),
    [
        pytest.param(before_it_is_sent, 0, marks=pytest.mark.soak),
        (while_it_is_stalled, 1),
        pytest.param(before_the_answer_is_read, 1, marks=pytest.mark.soak),
    ],
)
async def test_while_a_model_is_created(home: House, moment: Moment, models: int) -> None:
    await lose(home, "CreateModel", {"name": "m1", **NEW}, moment)
    home.clear()
    await home.start()
    await eventually(home.is_consistent, deadline=60)
    assert len(await home.in_registry()) == models
    await works(home)
    if not models:
        await create(home)  # the name is free


async def test_while_a_model_is_destroyed(home: House) -> None:
    uuid = await create(home)

    async def moment(home: House) -> None:
        await home.reached(*(home.fault(name, "ModelManager.DestroyModels") for name in home.peers))

    params = {"models": [{"model-tag": f"model-{uuid}"}]}
    await lose(home, "DestroyModels", params, moment)
    home.clear()
    await home.start()
    await eventually(lambda: is_gone(home), deadline=60)


async def is_gone(home: House) -> bool:
    return not await home.on_controllers() and not await home.in_registry()


def in_phase(phase: str) -> Moment:
    """The source is held in a phase, and JIMM has noticed."""

    async def moment(home: House) -> None:
        for name in home.peers:
            home.fault(name, f"phase.source.{phase}")
        await home.begin()
        await eventually(lambda: is_at(home, "phase", phase))

    moment.__name__ = f"in_{phase.lower()}"
    return moment


async def is_at(home: House, column: str, value: str) -> bool:
    async with home.registry.read() as session:
        rows = await session.execute(text(f"SELECT {column} FROM migrations WHERE ended IS NULL"))
        return value in [row[0] for row in rows]


async def while_it_waits_for_its_turn(home: House) -> None:
    """Another model moves first, and only one may at a time."""
    await create(home, "m2")
    for name in home.peers:
        home.fault(name, "phase.source.IMPORT", times=0)
    await home.begin()
    await eventually(lambda: is_at(home, "phase", "IMPORT"))
    await home.begin()
    assert await is_at(home, "state", "requested")


async def while_it_is_checked(home: House) -> None:
    traps = []
    for name in home.peers:
        home.fault(name, "Controller.AllModels", "delay")  # the check that the request makes
        traps.append(home.fault(name, "Controller.AllModels"))
    await home.begin()
    await home.reached(*traps)
    assert await is_at(home, "state", "checking")


async def while_the_source_is_asked(home: House) -> None:
    traps = [home.fault(name, "Controller.InitiateMigration") for name in home.peers]
    await home.begin()
    await home.reached(*traps)
    assert await is_at(home, "state", "starting")


async def before_the_source_answers(home: House) -> None:
    await while_the_source_is_asked(home)
    home.send(signal.SIGSTOP)
    home.clear()
    source = (await home.on_controllers())[0]
    await eventually(lambda: lost(home, source))


async def before_it_is_confirmed(home: House) -> None:
    """The source has let the model go, and the target is not asked yet."""
    source = (await home.in_registry())[0]  # by now it is on the target too
    await in_phase("REAP")(home)
    home.send(signal.SIGSTOP)
    home.clear()
    await eventually(lambda: lost(home, source))


async def lost(home: House, at: tuple[str, str]) -> bool:
    return at not in await home.on_controllers()


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(while_it_waits_for_its_turn, marks=pytest.mark.soak),
        pytest.param(while_it_is_checked, marks=pytest.mark.soak),
        pytest.param(while_the_source_is_asked, marks=pytest.mark.soak),
        before_the_source_answers,
        in_phase("IMPORT"),
        pytest.param(in_phase("VALIDATION"), marks=pytest.mark.soak),
        pytest.param(in_phase("SUCCESS"), marks=pytest.mark.soak),
        pytest.param(in_phase("REAP"), marks=pytest.mark.soak),
        pytest.param(before_it_is_confirmed, marks=pytest.mark.soak),
    ],
    ids=lambda moment: str(moment.__name__),
)
async def test_while_a_model_is_migrated(home: House, moment: Moment) -> None:
    uuid = await create(home)
    source = dict(await home.in_registry())[uuid]
    await moment(home)
    await home.kill()
    home.clear()
    await home.start()
    await eventually(home.is_consistent, deadline=30)
    for row in await home.migrations():
        assert row["state"] == "done", row
    assert dict(await home.in_registry())[uuid] != source
    await works(home)


async def works(home: House) -> None:
    """Every model is to be used through JIMM."""
    for uuid, _ in await home.in_registry():
        async with home.socket(f"/model/{uuid}/api") as socket:
            status = await socket.call("Client", 8, "FullStatus", {"patterns": []})
        assert status["model"]["name"] in ("m1", "m2")
