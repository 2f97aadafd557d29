"""A fixed sample of the fault matrix with real processes; all of it is a soak test."""

from pathlib import Path

from jimm.migration.phases import Phase
from jimm.registry.session import Registry
from tests.system.migration_matrix.play import play
from tests.system.migration_matrix.postgres import Database
from tests.system.migration_matrix.theatre import theatre
from tests.unit.migration.juju import Fault, Party

ALONE = [
    Fault(Phase.NONE, Party.SOURCE, "cut"),
    Fault(Phase.VALIDATION, Party.SOURCE, "refuse"),
    Fault(Phase.REAP, Party.SOURCE, "lie:gone"),
    Fault(Phase.VALIDATION, Party.TARGET, "cut"),
]


async def test_a_sample(registry: Registry, database_url: str, tmp_path: Path) -> None:
    async with theatre(registry, Database(database_url), tmp_path, patient=False) as found:
        await play(found, ALONE)
        await play(found, [Fault(Phase.IMPORT, Party.TARGET, "crash")])
        await play(found, [Fault(Phase.SUCCESS, Party.DATABASE, "cut")])
        await play(found, [Fault(Phase.QUIESCE, Party.DATABASE, "refuse")])
        await play(found, [Fault(Phase.VALIDATION, Party.WORKER, "stall")])
