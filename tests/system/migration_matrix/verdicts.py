"""The one right end of a case: JIMM's verdict, where the model really is, what JIMM says of it,
and that the next attempt goes well."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.eventually import eventually
from tests.migration_matrix import Outcome, named
from tests.system.migration_matrix.places import outcome
from tests.system.migration_matrix.theatre import Pair, Theatre
from tests.unit.migration.juju import Fault

PATIENCE: Final = 60.0

FAILED: Final = ("failed", "refused")
DONE: Final = ("done",)


@dataclass(frozen=True)
class Right:
    """What is to be seen: the migration's state, the controller that JIMM names, and those that
    have anything of the model; by their parts."""

    states: Collection[str]
    registered: str
    places: Sequence[str]


RIGHT: Final[Mapping[Outcome, Right]] = {
    Outcome.MOVED: Right(DONE, "target", ["target"]),
    Outcome.DEBRIS: Right(DONE, "target", ["source", "target"]),
    Outcome.HIDDEN: Right(DONE, "target", ["source", "target"]),
    Outcome.RETURNED: Right(FAILED, "source", ["source"]),
    Outcome.COPY: Right(("failed",), "source", ["source", "target"]),
}


@dataclass(frozen=True)
class Ended:
    """A migration that is over."""

    cell: Fault
    pair: Pair
    model: str
    migration: str

    @property
    def outcome(self) -> Outcome:
        """What was to come of it."""
        return outcome(self.cell)

    @property
    def right(self) -> Right:
        """What is to be seen."""
        return RIGHT[self.outcome]

    @property
    def registered(self) -> str:
        """The controller that JIMM is to name."""
        return self._name(self.right.registered)

    @property
    def places(self) -> list[str]:
        """The controllers that are to have anything of the model."""
        return [self._name(role) for role in self.right.places]

    def _name(self, part: str) -> str:
        return self.pair.source if part == "source" else self.pair.target


async def wrong_now(theatre: Theatre, ended: Sequence[Ended]) -> list[str]:
    """What is not as it should be; the controllers themselves are asked where the models are."""
    expected = {each.model: each.places for each in ended}
    places = await _settled(theatre, ended, expected)
    found = []
    for each in ended:
        shown = (await theatre.rest.get(f"/v1/migrations/{each.migration}")).json()
        registered = await _registered(theatre, each.model)
        seen = (shown["state"] in each.right.states, registered, places[each.model])
        if seen != (True, each.registered, each.places):
            told = await story(theatre, each.migration)
            found.append(f"{named(each.cell)}: {shown['state']}, {seen[1:]}; {told}")
        found += [f"{named(each.cell)}: {what}" for what in _untold(each, shown)]
        found += await _unordered(theatre, each)
    return [*found, *await _open_work(theatre, [each.migration for each in ended])]


async def wrong_then(theatre: Theatre, ended: Sequence[Ended]) -> list[str]:
    """What failed is tried again, and each model is used once, through JIMM."""
    again = [each for each in ended if each.right.states is not DONE]
    for each in again:
        if each.outcome is Outcome.COPY:
            await theatre.doors[each.pair.target].destroy(each.model)
    found = [await _retry(theatre, each) for each in again]
    expected = {each.model: [each.pair.target] for each in again}
    places = await _settled(theatre, again, expected)
    found += [
        f"{named(each.cell)}: tried again, it is on {places[each.model]}"
        for each in again
        if places[each.model] != expected[each.model]
    ]
    for each in ended:
        if await _registered(theatre, each.model) != each.pair.target:
            found.append(f"{named(each.cell)}: JIMM does not know where it is now")
        elif not await _works(theatre, each.model):
            found.append(f"{named(each.cell)}: the model has lost its unit")
    return [each for each in found if each]


async def _retry(theatre: Theatre, each: Ended) -> str:
    asked = {"model": each.model, "controller": each.pair.target}
    answer = await theatre.rest.post("/v1/migrations", json=asked)
    if answer.status_code != 202:
        return f"{named(each.cell)}: no second attempt: {answer.text}"
    migration = answer.json()["migration-id"]

    async def is_over() -> Any:
        shown = (await theatre.rest.get(f"/v1/migrations/{migration}")).json()
        return shown if "ended" in shown else None

    shown = await eventually(is_over, deadline=PATIENCE, interval=0.1)
    return "" if shown["state"] == "done" else f"{named(each.cell)}: the next one: {shown}"


async def _settled(
    theatre: Theatre, ended: Sequence[Ended], expected: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """Where the models are once they are where they are expected, or after a while."""
    places: dict[str, list[str]] = {}

    async def are_there() -> bool:
        names = {name for each in ended for name in each.pair}
        every = {name: await theatre.doors[name].models() for name in names}
        for model in expected:
            places[model] = [name for name in sorted(every) if model in every[name]]
        return all(places[model] == list(where) for model, where in expected.items())

    try:
        await eventually(are_there, deadline=PATIENCE / 2, interval=0.1)
    except AssertionError:
        return places  # whoever asked says what is wrong
    return places


async def _registered(theatre: Theatre, model: str) -> str:
    shown = (await theatre.rest.get(f"/v1/models/{model}")).json()
    return str(shown.get("controller-name", shown))


def _untold(each: Ended, shown: Mapping[str, Any]) -> list[str]:
    """What an administrator should have been told."""
    found = []
    failed = shown["state"] in FAILED
    error = shown.get("error", {})
    decided = error.get("code") == "resolved"  # whoever said so knows what to do
    if failed and not (error.get("message") and (decided or error.get("remedy"))):
        found.append(f"it failed without a reason or a remedy: {error}")
    if not failed and error:
        found.append(f"an error is left: {error}")
    if each.outcome in (Outcome.DEBRIS, Outcome.COPY) and not shown.get("debris"):
        found.append("nothing is said of what was left behind")
    return found


async def _unordered(theatre: Theatre, each: Ended) -> list[str]:
    """A history with a gap, a doublet, or something after its end."""
    rows = await theatre.rows(
        "SELECT seq, state FROM migration_events WHERE migration_id = :id ORDER BY seq",
        id=each.migration,
    )
    ends = [row[0] for row in rows if row[1] in (*DONE, *FAILED)]
    if [row[0] for row in rows] == list(range(1, len(rows) + 1)) and ends == [len(rows)]:
        return []
    return [f"{named(each.cell)}: {[tuple(row) for row in rows]}"]


async def _open_work(theatre: Theatre, ids: Sequence[str]) -> list[str]:
    rows = await theatre.rows(
        "SELECT kind || ' ' || state FROM intents WHERE state = 'pending' AND kind = 'create' "
        "UNION ALL SELECT id || ' ' || state FROM migrations "
        "WHERE id = ANY(CAST(:ids AS uuid[])) AND (ended IS NULL OR lease_owner IS NOT NULL)",
        ids=list(ids),
    )
    return [f"still open: {row[0]}" for row in rows]


async def story(theatre: Theatre, migration: str) -> list[tuple[str, ...]]:
    """What was written down, and when."""
    rows = await theatre.rows(
        "SELECT to_char(at, 'MI:SS.MS'), state, phase, message FROM migration_events "
        "WHERE migration_id = :id ORDER BY seq",
        id=migration,
    )
    return [tuple(row) for row in rows]


async def _works(theatre: Theatre, model: str) -> bool:
    async with theatre.stage.socket(f"/model/{model}/api", theatre.replica) as socket:
        status = await socket.call("Client", 8, "FullStatus", {"patterns": []})
    return set(status["applications"]["ubuntu"]["units"]) == {"ubuntu/0"}
