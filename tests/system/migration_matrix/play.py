"""A round: models are brought into their phases and held there, are struck, and go on to the one
right end."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jimm.migration.phases import Phase
from tests.eventually import eventually
from tests.migration_matrix import EXPECTED, named
from tests.system.migration_matrix import whole
from tests.system.migration_matrix.places import BEFORE, CALLS, HOLDS, IN_CALL, WHOLE, point
from tests.system.migration_matrix.strikes import LOOK, Told, is_asked, is_seen, strike
from tests.system.migration_matrix.theatre import Pair, Theatre
from tests.system.migration_matrix.verdicts import Ended, story, wrong_now, wrong_then
from tests.system.migration_matrix.whole import LONG
from tests.unit.migration.juju import Fault, Party


@dataclass
class Case:
    """A cell with its model and its migration. ``held`` and ``struck`` are faults that were put
    in: where, which, and how often they strike."""

    cell: Fault
    told: Told
    pair: Pair
    migration: str = ""
    held: dict[str, int] = field(default_factory=dict)
    struck: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Whether it suffers with all others."""
        return (self.cell.party, self.cell.kind) in WHOLE

    @property
    def is_held(self) -> bool:
        """Whether it is struck while it is held."""
        return self.is_whole or not is_asked(self.cell)

    @property
    def first(self) -> Phase:
        """The phase in which it is held first."""
        return BEFORE.get(self.cell.phase, self.cell.phase)

    @property
    def called(self) -> str:
        """The call that is under way when it is struck; empty for none."""
        if (self.cell.party, self.cell.kind) not in IN_CALL:
            return ""
        return CALLS.get(self.cell.phase, "")


class Round:
    """Cases that are played at once."""

    def __init__(self, theatre: Theatre, cases: Sequence[Case]) -> None:
        self._theatre = theatre
        self._cases = cases

    @property
    def ids(self) -> list[str]:
        """Of the migrations."""
        return [each.migration for each in self._cases]

    @property
    def phases(self) -> Mapping[str, Phase]:
        """The phase that each migration is struck in."""
        return {each.migration: each.cell.phase for each in self._cases}

    async def bring(self) -> None:
        """Has every model on its way, and held where it is to be struck."""
        await _each(self._prepare(case) for case in self._cases)
        await _each(self._ask(case) for case in self._cases)
        await eventually(self._are_there, deadline=LONG, interval=0.1)
        await _each(self._lead_on(case) for case in self._cases)
        await eventually(self._are_in_place, deadline=LONG, interval=0.1)

    async def strike(self) -> None:
        """What was to come to them comes."""
        blows = {(each.cell.party, each.cell.kind) for each in self._cases if each.is_whole}
        await _each(
            self._put_in(case) for case in self._cases if case.is_held and not case.is_whole
        )
        for party, kind in sorted(blows):
            await whole.blow(party, kind)(self._theatre, self)
        await self.release()
        if (Party.DATABASE, "refuse") in blows:
            await self._theatre.lapse()

    async def release(self, *phases: Phase) -> None:
        """What is held, in these phases or in all, goes on."""
        for case in self._cases:
            if not phases or case.cell.phase in phases:
                for name in list(case.held):
                    await self._theatre.doors[name].clear(case.held.pop(name))

    async def until_the_source_rests(self) -> None:
        """Waits until no attempt is under way on the source."""

        async def rests() -> bool:
            return not {each.told.model for each in self._cases} & await self._moving()

        await eventually(rests, deadline=LONG, interval=0.1)

    async def until_ended(self) -> None:
        """Waits until every migration is over."""
        await eventually(self._are_over, deadline=LONG, interval=0.2)

    async def stories(self) -> list[str]:
        """What has happened to each until now."""
        return [
            f"{named(each.cell)}: {await story(self._theatre, each.migration)}"
            for each in self._cases
            if each.migration
        ]

    async def wrong(self) -> list[str]:
        """What is not as it should be when all are over, and when what failed was tried again."""
        ended = [
            Ended(each.cell, each.pair, each.told.model, each.migration) for each in self._cases
        ]
        spared = [
            f"{named(case.cell)}: nothing was struck: {await story(self._theatre, case.migration)}"
            for case in self._cases
            if await self._is_spared(case)
        ]
        return [
            *spared,
            *await wrong_now(self._theatre, ended),
            *await wrong_then(self._theatre, ended),
        ]

    async def _prepare(self, case: Case) -> None:
        door, model = self._theatre.doors[case.pair.source], case.told.model
        case.told.info = await door.info(model)
        for way in EXPECTED[case.cell.phase].way:
            text = "it is to fail"
            await door.add(model, point=point(way.phase), action="refuse", message=text)
        if case.is_held:
            held = await door.add(model, point=HOLDS[case.first], action="stall")
            case.held[case.pair.source] = held
        else:
            await self._put_in(case)

    async def _ask(self, case: Case) -> None:
        asked = {"model": case.told.model, "controller": case.pair.target}
        answer = await self._theatre.rest.post("/v1/migrations", json=asked)
        assert answer.status_code == 202, answer.text
        case.migration = answer.json()["migration-id"]

    async def _are_there(self) -> bool:
        """Whether each that is to be held is in its first phase, and JIMM knows it."""
        waiting = await self._waiting()
        seen = await self._seen()
        return all(
            case.held[case.pair.source] not in waiting[case.pair.source]
            and seen[case.migration] == case.first
            for case in self._cases
            if case.is_held
        )

    async def _lead_on(self, case: Case) -> None:
        """From where it was held first to where it is struck."""
        source, model = self._theatre.doors[case.pair.source], case.told.model
        if case.cell.phase in BEFORE:
            # JIMM hears nothing any more of the model, however often it asks.
            held = await source.add(model, point=LOOK, action="stall", times=0)
            await source.clear(case.held.pop(case.pair.source))
            case.held[case.pair.source] = held
        if not case.called:
            return
        is_late = case.cell.kind == "crash:late"
        carried = is_late or case.cell.phase is Phase.IMPORT
        action = "stall-after" if carried else "stall"
        if is_late and case.cell.phase is Phase.NONE:
            name, spec = case.pair.source, {"point": "initiate.after", "action": "stall"}
        else:
            name, spec = case.pair.target, {"point": case.called, "action": action}
        held = await self._theatre.doors[name].add(model, **spec)
        await source.clear(case.held.pop(case.pair.source))
        case.held[name] = held

    async def _are_in_place(self) -> bool:
        waiting = await self._waiting()
        moving = await self._moving()
        last = {each.told.model for each in self._cases if each.cell.phase in BEFORE}
        in_call = [each for each in self._cases if each.called]
        return not moving & last and not any(
            held in waiting[name] for case in in_call for name, held in case.held.items()
        )

    async def _put_in(self, case: Case) -> None:
        name = case.pair.source if case.cell.party is Party.SOURCE else case.pair.target
        spec = strike(case.cell, case.told)
        fault = await self._theatre.doors[name].add(case.told.model, **spec)
        case.struck[name] = fault, spec.get("times", 1)

    async def _is_spared(self, case: Case) -> bool:
        for name, (fault, times) in case.struck.items():
            if (await self._theatre.doors[name].waiting()).get(fault, 0) == times:
                return True
        return False

    async def _moving(self) -> set[str]:
        sources = {each.pair.source for each in self._cases}
        found = [await self._theatre.doors[name].moving() for name in sources]
        return set().union(*found)

    async def _waiting(self) -> dict[str, dict[int, int]]:
        names = {name for each in self._cases for name in each.pair}
        return {name: await self._theatre.doors[name].waiting() for name in names}

    async def _seen(self) -> dict[str, str]:
        rows = await self._theatre.rows(
            "SELECT id, phase FROM migrations WHERE id = ANY(CAST(:ids AS uuid[]))", ids=self.ids
        )
        return {str(row[0]): str(row[1]) for row in rows}

    async def _are_over(self) -> bool:
        rows = await self._theatre.rows(
            "SELECT id, ended, message FROM migrations WHERE id = ANY(CAST(:ids AS uuid[]))",
            ids=self.ids,
        )
        for row in rows:
            if row[1] is None and row[2] == "the source shows no attempt":
                await self._resolve(str(row[0]))
        return bool(rows) and all(row[1] is not None for row in rows)

    async def _resolve(self, migration: str) -> None:
        """Says what JIMM would find out after a quarter of an hour: a source that said that it
        had begun has not."""
        believed = [
            each
            for each in self._cases
            if (each.migration, each.cell.kind) == (migration, "lie:begun")
        ]
        if believed:
            word = {"model-is-on": believed[0].pair.source, "reason": "nothing has begun"}
            url = f"/v1/migrations/{migration}:resolve"
            answer = await self._theatre.rest.post(url, json=word)
            assert answer.status_code == 200, answer.text


async def play(theatre: Theatre, cells: Sequence[Fault]) -> None:
    """Plays these cells, as many at once as do not disturb each other.

    Raises:
        AssertionError: tells each that did not end as it should.
    """
    alone = [each for each in cells if is_seen(each)]
    together = [each for each in cells if not is_seen(each)]
    try:
        wrong = await _play(theatre, [(each, theatre.pairs[0]) for each in together])
        for few in batched(alone, len(theatre.pairs)):
            wrong += await _play(theatre, list(zip(few, theatre.pairs, strict=False)))
    finally:
        await theatre.restore()
    assert not wrong, "\n".join(wrong)


async def _play(theatre: Theatre, cast: Sequence[tuple[Fault, Pair]]) -> list[str]:
    if not cast:
        return []
    models = await theatre.create([pair for _, pair in cast])
    cases = [
        Case(cell, Told(model, theatre.doors[pair.target].told["uuid"]), pair)
        for (cell, pair), model in zip(cast, models, strict=True)
    ]
    found = Round(theatre, cases)
    try:
        await found.bring()
        await found.strike()
        await found.until_ended()
        return await found.wrong()
    except AssertionError as error:
        error.add_note("\n".join(await found.stories()))
        raise


def batched(cells: Sequence[Fault], most: int) -> list[Sequence[Fault]]:
    """So many at a time."""
    return [cells[first : first + most] for first in range(0, len(cells), most)]


async def _each(work: Any) -> None:
    async with asyncio.TaskGroup() as group:
        for each in work:
            group.create_task(each)
