"""The whole fault matrix with real processes: each fault in all phases at once."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from jimm.migration.phases import Phase
from jimm.registry.session import Registry
from tests.migration_matrix import cells
from tests.system.migration_matrix.places import BEFORE, HOLDS, OTHERWISE, WHOLE, rounds
from tests.system.migration_matrix.play import play
from tests.system.migration_matrix.postgres import Database, own_server
from tests.system.migration_matrix.strikes import Told, strike
from tests.system.migration_matrix.theatre import Theatre, theatre
from tests.system.migration_matrix.whole import BLOWS
from tests.unit.migration.juju import Fault

ROUNDS = dict(rounds())
PAIRS = 6


def test_every_cell_can_be_reached_and_is_played_once() -> None:
    assert HOLDS.keys() | BEFORE.keys() == set(Phase)
    assert set(BEFORE.values()) <= HOLDS.keys()
    every = list(cells())
    assert sorted(map(repr, every)) == sorted(repr(each) for row in ROUNDS.values() for each in row)
    assert OTHERWISE.keys() <= {(each.phase, each.party, each.kind) for each in every}
    assert BLOWS.keys() == WHOLE
    for cell in every:
        if (cell.party, cell.kind) not in WHOLE:
            assert strike(cell, Told("model", "target"))["point"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def found(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Theatre]:
    """One for all rounds, with a database server of its own."""
    async with own_server() as server:
        registry = Registry(server.url, application_name="jimm-test", pool_size=5)
        try:
            async with theatre(
                registry,
                Database(server.url),
                tmp_path_factory.mktemp("matrix"),
                server.url_over_wire,
                server=server,
                pairs=PAIRS,
            ) as made:
                yield made
        finally:
            await registry.aclose()


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("row", ROUNDS.values(), ids=ROUNDS.keys())
async def test_each_fault_in_all_phases(found: Theatre, row: list[Fault]) -> None:
    await play(found, row)
