"""How applications are related (Juju ``state.InferEndpoints``, ``state.AddRelation``)."""

import datetime
import itertools
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from jimm.errors import AlreadyExists, Conflict, NotFound
from jimm.simulator import applications, charm_store
from jimm.simulator.sequences import taken
from jimm.simulator.state import Application, Endpoint, Model, Relation

_Pair = tuple[Endpoint, Endpoint]


def related(model: Model, wanted: Sequence[str], now: datetime.datetime) -> tuple[Model, Relation]:
    """The model with one more relation between two of ``application[:endpoint]``.

    Raises:
        NotFound: an application, or its endpoint.
        Conflict: nothing fits, or more than one thing.
        AlreadyExists: they are related so already.
    """
    if len(wanted) != 2:
        raise Conflict(f"cannot relate {len(wanted)} endpoints")
    pair = _one_of(wanted, _pairs(model, wanted))
    key = key_of(pair)
    if any(relation.key == key for relation in model.relations):
        text = f'cannot add relation "{key}": relation {key} already exists'
        raise AlreadyExists(text)
    model, number = _numbered(model)
    relation = Relation(id=number, key=key, endpoints=pair, scope=_scope(model, pair))
    model = replace(model, relations=(*model.relations, relation))
    for end, other in (pair, pair[::-1]):
        if {end.application, other.application} & model.remote_applications.keys():
            continue
        here = applications.find(model, end.application)
        there = applications.find(model, other.application)
        if here.subordinate and not there.subordinate and relation.scope == "container":
            model = applications.with_subordinates(model, here.name, there.name, now)
    return model, relation


def find(model: Model, wanted: Sequence[str], number: int = 0) -> Relation:
    """The relation between two of ``application[:endpoint]``, else the one of that id.

    Raises:
        NotFound: there is none.
    """
    for relation in model.relations:
        if wanted and _is_between(relation, wanted):
            return relation
        if not wanted and relation.id == number:
            return relation
    if not wanted:
        raise NotFound(f"relation {number} not found")
    raise NotFound(f'relation "{" ".join(wanted)}" not found')


def without(model: Model, relation: Relation) -> Model:
    """The model without a relation, and without the subordinates that lived by it.

    Raises:
        Conflict: peers stay related.
    """
    if len(relation.endpoints) == 1:
        raise Conflict(f'cannot destroy relation "{relation.key}": is a peer relation')
    left = tuple(each for each in model.relations if each.id != relation.id)
    model = replace(model, relations=left)
    if relation.scope != "container":
        return model
    for end in relation.endpoints:
        application = model.applications.get(end.application)
        for unit in application.units.values() if application is not None else ():
            others = {each.application for each in relation.endpoints}
            if unit.principal and unit.principal.partition("/")[0] in others:
                model = applications.without_unit(model, unit.name)
    return model


def with_peers(model: Model, application: Application) -> Model:
    """The model with the application's relations between its own units."""
    for end in charm_store.endpoints_of(model, application):
        if end.role == "peer":
            model, number = _numbered(model)
            key = f"{end.application}:{end.name}"
            relation = Relation(id=number, key=key, endpoints=(end,))
            model = replace(model, relations=(*model.relations, relation))
    return model


def key_of(pair: Sequence[Endpoint]) -> str:
    """``wordpress:db mysql:server``: the requirer first."""
    order = {"requirer": 0, "provider": 1}
    ends = sorted(pair, key=lambda end: order.get(end.role, 2))
    return " ".join(f"{end.application}:{end.name}" for end in ends)


def _numbered(model: Model) -> tuple[Model, int]:
    used = max((relation.id for relation in model.relations), default=-1) + 1
    number = max(used, model.sequences.get("relation", 0))
    taken_model, _ = taken(
        replace(model, sequences={**model.sequences, "relation": number}), "relation"
    )
    return taken_model, number


def _pairs(model: Model, wanted: Sequence[str]) -> Iterator[_Pair]:
    left, right = (_candidates(model, each) for each in wanted)
    for one, other in itertools.product(left, right):
        roles = {one.role, other.role}
        if one.interface == other.interface and roles == {"provider", "requirer"}:
            yield one, other


def _candidates(model: Model, wanted: str) -> list[Endpoint]:
    name, _, endpoint = wanted.partition(":")
    found = _endpoints(model, name)
    if not endpoint:
        return found
    chosen = [each for each in found if each.name == endpoint]
    if not chosen:
        raise NotFound(f'application "{name}" has no "{endpoint}" relation')
    return chosen


def _endpoints(model: Model, name: str) -> list[Endpoint]:
    remote = model.remote_applications.get(name)
    if remote is None:
        return charm_store.endpoints_of(model, applications.find(model, name))
    return [
        Endpoint(application=name, name=each.name, role=each.role, interface=each.interface)
        for each in remote.endpoints
    ]


def _one_of(wanted: Sequence[str], pairs: Iterator[_Pair]) -> _Pair:
    found = list(pairs)
    # Juju leaves out implicit endpoints where an explicit one would do.
    explicit = [pair for pair in found if all(end.interface != "juju-info" for end in pair)]
    found = explicit or found
    if not found:
        raise Conflict("no relations found")
    if len(found) > 1:
        choices = "; ".join(sorted(f'"{key_of(pair)}"' for pair in found))
        raise Conflict(f'ambiguous relation: "{" ".join(wanted)}" could refer to {choices}')
    return found[0]


def _scope(model: Model, pair: _Pair) -> str:
    if any(end.application in model.remote_applications for end in pair):
        return "global"
    scopes = {
        charm_store.scope_of(model, applications.find(model, end.application), end.name)
        for end in pair
    }
    return "container" if "container" in scopes else "global"


def _is_between(relation: Relation, wanted: Sequence[str]) -> bool:
    if len(wanted) != len(relation.endpoints):
        return False
    return any(
        all(_fits(end, text) for end, text in zip(ends, wanted, strict=True))
        for ends in itertools.permutations(relation.endpoints)
    )


def _fits(end: Endpoint, text: str) -> bool:
    name, _, endpoint = text.partition(":")
    return end.application == name and endpoint in ("", end.name)
