"""Models with what their controllers say of them now: many at a time, each controller asked
once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from jimm.access import rules
from jimm.controllers.calls import model_manager as calls
from jimm.errors import JimmError, ModelNotFound
from jimm.fleet import asking, levels
from jimm.fleet.absence import Absence
from jimm.fleet.caller import Caller
from jimm.fleet.fleet import Fleet
from jimm.registry import listings
from jimm.registry.listings import Listed
from jimm.registry.words import EVERYONE, ObjectKind, Relation
from jimm.wire import codes
from jimm.wire.tags import ModelUUID


@dataclass(frozen=True, slots=True)
class Shown:
    """A model as it is shown: ``info`` is the controller's own answer, the values of its keys
    still JSON, and ``None`` while it is away; then ``absence`` says so. ``level`` is the
    caller's; ``people`` are everybody's relations to the model, and ``connections`` the last
    connections to it, by identity."""

    model: Listed
    level: str
    info: Mapping[str, object] | None
    people: Mapping[str, Collection[str]] = field(default_factory=dict)
    connections: Mapping[str, datetime] = field(default_factory=dict)
    absence: Absence | None = None


async def show(fleet: Fleet, caller: Caller, model: ModelUUID, *, series: bool = False) -> Shown:
    """A model with what its controller says of it now.

    Raises:
        ModelNotFound: there is none that the caller may know of, or its controller says so.
    """
    outcome = (await show_all(fleet, caller, [model], series=series))[0]
    if isinstance(outcome, JimmError):
        raise outcome
    return outcome


async def show_all(
    fleet: Fleet, caller: Caller, wanted: Sequence[ModelUUID], *, series: bool = False
) -> list[Shown | JimmError]:
    """As :func:`show` for many: an outcome for each, in order. Every controller is asked once,
    and all of them at once; ``series`` as in
    :func:`jimm.controllers.calls.model_manager.model_infos_raw`."""
    async with fleet.registry.read() as session:
        known = await listings.of(session, set(wanted))
        people = await listings.people(session, known)
        connections = await listings.connections(session, known)
    allowed = {uuid: _level(each, caller, people.get(uuid, {})) for uuid, each in known.items()}
    told = await asking.about(
        fleet,
        [each for uuid, each in known.items() if allowed[uuid]],
        lambda link, uuids: calls.model_infos_raw(link, uuids, series=series),
    )

    def outcome(uuid: ModelUUID) -> Shown | JimmError:
        said = told.get(uuid)
        if said is None or _is_gone(said):
            return ModelNotFound(f'model "{uuid}" not found')
        absent = isinstance(said, JimmError)
        return Shown(
            known[uuid],
            allowed[uuid],
            None if isinstance(said, JimmError) else said,
            people.get(uuid, {}),
            connections.get(uuid, {}),
            Absence(str(said), known[uuid].away_since) if absent else None,
        )

    return [outcome(uuid) for uuid in wanted]


def _level(model: Listed, caller: Caller, people: Mapping[str, Collection[str]]) -> str:
    if caller.admin or model.owner == caller.identity:
        return levels.ADMIN
    held = {*people.get(caller.identity, ()), *people.get(EVERYONE, ())}
    return rules.level(ObjectKind.MODEL, [Relation(each) for each in held])


def _is_gone(said: object) -> bool:
    return isinstance(said, JimmError) and said.juju_code in (
        codes.NOT_FOUND,
        codes.MODEL_NOT_FOUND,
    )
