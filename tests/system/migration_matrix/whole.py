"""What strikes a whole process, while models are held in many phases at once.

Each has three moments: the blow, what is held goes on (``release``), and the end of the trouble.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Final, Protocol

import psycopg

from jimm.migration.phases import Phase
from tests.eventually import eventually
from tests.system.migration_matrix.places import BEFORE
from tests.system.migration_matrix.strikes import LOOK
from tests.system.migration_matrix.theatre import SOURCE, TARGET, Theatre
from tests.unit.migration.juju import Party

LONG: Final = 120.0
"""Seconds; nothing that is waited for takes so long."""

ALONE: Final = (Phase.REAP, *BEFORE)
"""From here on the source and its agents need no target."""


class Held(Protocol):
    """The models that a round has brought where they are."""

    @property
    def ids(self) -> list[str]:
        """Their migrations."""

    @property
    def phases(self) -> Mapping[str, Phase]:
        """The phase that each migration is held in."""

    async def release(self, *phases: Phase) -> None:
        """What is held, in these phases or in all, goes on."""

    async def until_the_source_rests(self) -> None:
        """Waits until no attempt is under way on the source."""

    async def until_ended(self) -> None:
        """Waits until every migration is over."""


Blow = Callable[[Theatre, Held], Awaitable[None]]


def blow(party: Party, kind: str) -> Blow:
    """What is done to all models of a round.

    Raises:
        KeyError: nothing; each is struck alone.
    """
    return BLOWS[party, kind]


# Controllers


async def _source_stalls(theatre: Theatre, held: Held) -> None:
    process = theatre.stage.peers[SOURCE].process
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    asked = [each for each, phase in held.phases.items() if phase is not Phase.NONE]
    await eventually(lambda: _missed(theatre, asked, SOURCE), deadline=LONG, interval=0.2)
    process.send_signal(signal.SIGCONT)
    await held.release()


async def _target_stalls(theatre: Theatre, held: Held) -> None:
    process = theatre.stage.peers[TARGET].process
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    await held.release(*ALONE)
    asked = [each for each, phase in held.phases.items() if phase in BEFORE]
    await eventually(lambda: _missed(theatre, asked, TARGET), deadline=LONG, interval=0.2)
    process.send_signal(signal.SIGCONT)
    await held.release()


async def _missed(theatre: Theatre, ids: list[str], name: str) -> bool:
    """Whether all of them went on without a controller's answer, or said why there was none."""
    rows = await theatre.rows(
        "SELECT count(*) FROM migrations m WHERE id = ANY(CAST(:ids AS uuid[])) AND "
        "(ended IS NOT NULL OR EXISTS (SELECT 1 FROM migration_events e "
        "WHERE e.migration_id = m.id AND e.message LIKE :text))",
        ids=ids,
        text=f"%controller {name} %",
    )
    return bool(rows) and rows[0][0] == len(ids)


async def _source_dies(theatre: Theatre, held: Held) -> None:
    await theatre.stage.peers[SOURCE].end()
    await theatre.start_again(SOURCE)
    await held.release()


async def _target_dies(theatre: Theatre, held: Held) -> None:
    await theatre.stage.peers[TARGET].end()
    await held.release(*ALONE)
    await eventually(lambda: theatre.is_noticed(TARGET), deadline=LONG, interval=0.1)
    await theatre.start_again(TARGET)
    await held.release()


# JIMM's worker


async def _worker_is_killed(theatre: Theatre, held: Held) -> None:
    await theatre.stage.replicas[0].end()
    await held.release()
    await held.until_the_source_rests()
    await theatre.stage.start_replica(0)


async def _worker_is_told_to_stop(theatre: Theatre, held: Held) -> None:
    """Whatever it held is free at once."""
    before = await theatre.fences(held.ids)
    await theatre.stage.replicas[0].end(signal.SIGTERM)
    leased = await theatre.rows("SELECT id FROM migrations WHERE lease_owner IS NOT NULL")
    assert leased == []
    await theatre.stage.start_replica(1)
    await theatre.listen_to(1)
    await _until_claimed_since(theatre, before)
    await held.release()


async def _worker_stalls(theatre: Theatre, held: Held) -> None:
    """It wakes up when all is over."""
    await _overtaken(theatre, held)
    await held.release()
    await held.until_ended()
    theatre.send(0, signal.SIGCONT)
    await _finds_out(theatre, held)


async def _worker_is_late(theatre: Theatre, held: Held) -> None:
    """It wakes up in the midst of it, with its old claims."""
    await _overtaken(theatre, held)
    theatre.send(0, signal.SIGCONT)
    await held.release()
    await _finds_out(theatre, held)


async def _overtaken(theatre: Theatre, held: Held) -> None:
    before = await theatre.fences(held.ids)
    theatre.send(0, signal.SIGSTOP)
    await theatre.lapse()
    await theatre.stage.start_replica(1)
    await theatre.listen_to(1)
    await _until_claimed_since(theatre, before)


async def _finds_out(theatre: Theatre, held: Held) -> None:
    """The late one is told of each that another has it."""
    await eventually(
        lambda: _says(theatre, held.ids, "is in other hands"), deadline=LONG, interval=0.2
    )


def _says(theatre: Theatre, ids: Collection[str], what: str) -> bool:
    said = theatre.log(0)
    return all(f"migration {each} {what}" in said for each in ids)


async def _worker_is_cut_off(theatre: Theatre, held: Held) -> None:
    for name in (SOURCE, TARGET):
        await theatre.doors[name].add(point=LOOK, action="drop-before", times=2)
    await asyncio.to_thread(theatre.database.end_all)
    await held.release()


async def _until_claimed_since(theatre: Theatre, before: Mapping[str, int]) -> None:
    async def are_claimed() -> bool:
        now = await theatre.fences(before)
        return bool(now) and all(now[each] > fence for each, fence in before.items())

    await eventually(are_claimed, deadline=LONG, interval=0.2)


# The database


async def _database_refuses(theatre: Theatre, held: Held) -> None:
    database = theatre.database
    await asyncio.to_thread(lambda: database.allow(connections=False))
    await asyncio.to_thread(database.end_all)
    await eventually(lambda: asyncio.to_thread(database.is_left_alone), deadline=LONG)
    await held.release()
    await held.until_the_source_rests()
    await asyncio.to_thread(lambda: database.allow(connections=True))


async def _database_stalls(theatre: Theatre, held: Held) -> None:
    """Somebody else holds the table for longer than any lease."""
    async with await psycopg.AsyncConnection.connect(theatre.database.url) as connection:
        await connection.execute("LOCK TABLE migrations IN ACCESS EXCLUSIVE MODE")
        await held.release()

        async def are_lapsed() -> bool:
            found = await connection.execute(
                "SELECT 1 FROM migrations WHERE ended IS NULL AND lease_expires > clock_timestamp()"
            )
            return await found.fetchone() is None

        await eventually(are_lapsed, deadline=LONG, interval=0.2)
        await held.until_the_source_rests()


async def _database_is_cut_off(theatre: Theatre, held: Held) -> None:
    await asyncio.to_thread(theatre.database.end_all)
    await held.release()


async def _database_crashes(theatre: Theatre, held: Held) -> None:
    server = theatre.server
    assert server is not None
    await asyncio.to_thread(server.kill)
    await eventually(lambda: not server.runs(), deadline=LONG)
    await held.release()
    await held.until_the_source_rests()
    await asyncio.to_thread(server.start)


async def _database_keeps_answers(theatre: Theatre, held: Held) -> None:
    """What is committed is not confirmed, until that has befallen each of them."""
    server = theatre.server
    assert server is not None
    server.wire.keeping = True
    await held.release()
    await eventually(lambda: _says(theatre, held.ids, "broke"), deadline=LONG, interval=0.2)
    server.wire.keeping = False
    assert server.wire.kept >= len(held.ids)


BLOWS: Final[Mapping[tuple[Party, str], Blow]] = {
    (Party.SOURCE, "stall"): _source_stalls,
    (Party.SOURCE, "crash"): _source_dies,
    (Party.SOURCE, "crash:late"): _source_dies,
    (Party.TARGET, "stall"): _target_stalls,
    (Party.TARGET, "crash"): _target_dies,
    (Party.WORKER, "refuse"): _worker_is_told_to_stop,
    (Party.WORKER, "stall"): _worker_stalls,
    (Party.WORKER, "crash"): _worker_is_killed,
    (Party.WORKER, "cut"): _worker_is_cut_off,
    (Party.WORKER, "lie"): _worker_is_late,
    (Party.DATABASE, "refuse"): _database_refuses,
    (Party.DATABASE, "stall"): _database_stalls,
    (Party.DATABASE, "crash"): _database_crashes,
    (Party.DATABASE, "cut"): _database_is_cut_off,
    (Party.DATABASE, "lie"): _database_keeps_answers,
}
