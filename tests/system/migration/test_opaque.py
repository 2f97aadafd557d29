"""A source of Juju 4.0, which shows nothing of what it does."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jimm.migration.pace import Pace
from jimm.registry.crypto import Sealer
from tests.eventually import eventually
from tests.fix_fleet import running_fleet
from tests.system.migration.conftest import QUICK, Scene


@pytest.fixture
async def opaque(database_url: str, sealer: Sealer, tmp_path: Path) -> AsyncIterator[Scene]:
    """c and d; such a source can move models to such a target alone."""
    async with running_fleet(database_url, sealer) as fleet:
        made = Scene(fleet, tmp_path)
        try:
            await made.start("c", version="4.0.13")
            await made.start("d", version="4.1.0")
            yield made
        finally:
            for peer in made.peers.values():
                await peer.stop()


async def test_a_model_moves_and_nothing_but_its_place_tells(opaque: Scene) -> None:
    model = await opaque.model(on="c")
    async with opaque.working():
        done = await opaque.until(await opaque.request(model, "d"), "done")
    assert opaque.hosts(model) == ["d"]
    assert (await opaque.registered(model)).controller_name == "d"
    assert done.juju_id
    assert done.error == ""


async def test_an_attempt_that_failed_is_found_out_and_the_next_one_succeeds(
    opaque: Scene,
) -> None:
    model = await opaque.model(on="c")
    opaque.fault("d", "phase.target.IMPORT", "refuse", message="disk full")
    async with opaque.working():
        failed = await opaque.until(await opaque.request(model, "d"), "failed")
        assert failed.error_code == "reason-lost"
        assert opaque.hosts(model) == ["c"]
        await opaque.until(await opaque.request(model, "d"), "done")
    assert opaque.hosts(model) == ["d"]


async def test_a_half_import_that_was_left_is_cleared_once_the_source_is_idle(
    opaque: Scene,
) -> None:
    model = await opaque.model(on="c")
    opaque.fault("c", "phase.source.VALIDATION", "refuse", message="no")
    opaque.fault("c", "phase.source.ABORT", "refuse")
    async with opaque.working():
        await opaque.until(await opaque.request(model, "d"), "failed")
        assert opaque.hosts(model) == ["c"]


async def test_a_lost_answer_is_found_out(opaque: Scene) -> None:
    model = await opaque.model(on="c")
    opaque.fault("c", "Controller.InitiateMigration", "drop-after")
    async with opaque.working():
        await opaque.until(await opaque.request(model, "d"), "done")
    assert opaque.hosts(model) == ["d"]


async def test_one_that_is_held_up_is_neither_lost_nor_taken_for_moved(opaque: Scene) -> None:
    model = await opaque.model(on="c")
    stall = opaque.fault("c", "phase.source.VALIDATION", "stall")
    impatient = Pace(poll=0.005, away=QUICK.away, stuck=0.05, beat=0.1, unchanged=0.3)
    async with opaque.working(pace=impatient):
        asked = await opaque.request(model, "d")
        stuck = await opaque.until(asked, "stuck")
        assert "jimmctl resolve-migration" in stuck.message
        assert (await opaque.registered(model)).controller_name == "c"
        await eventually(lambda: not opaque.peers["c"].faults.list())
        opaque.peers["c"].faults.clear(stall.id)
        await opaque.until(asked, "done")
    assert opaque.hosts(model) == ["d"]
