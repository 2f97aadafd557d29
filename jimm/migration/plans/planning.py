"""Which model goes where, and in which order. Pure: values in, values out.

Models tied by offers are a group. A group goes to one target as a whole, or stays as a whole.
Groups are given to targets the largest first, each by the placement policy over what the targets
would carry by then; that evens them out. They are moved in the order that was asked for.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from jimm.migration.prechecks import Version
from jimm.placement import Candidate, Policy, Request, decide

DEFAULT_POLICY: Final = "spread"
"""Fewest machines first, then fewest models: at random, many models would pile up."""

ORDERS: Final = ("smallest", "largest", "name", "age")
"""``smallest`` and ``largest`` by machines, ``age`` the oldest first."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a model is not moved: a stable code, a sentence, and what to do."""

    code: str
    sentence: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A model that shall be moved. ``name`` is ``owner/name``; ``created`` is seconds since any
    one moment; ``against`` is why it can't be moved at all."""

    uuid: str
    name: str
    source: str
    cloud: str
    region: str
    agent_version: str = ""
    machines: int = 0
    created: float = 0.0
    against: Reason | None = None


@dataclass(frozen=True, slots=True)
class ControllerFacts:
    """A controller as it stands. ``reach`` maps clouds to regions to priorities (10 its own
    region); ``models`` and ``machines`` are what it carries, with those on their way to it."""

    name: str
    healthy: bool = True
    status_info: str = ""
    deprecated: bool = False
    agent_version: str = ""
    reach: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    models: int = 0
    machines: int = 0


@dataclass(frozen=True, slots=True)
class Move:
    """A model and its target; with no ``target`` the ``reason`` why it stays. ``together``
    numbers the groups in their order, from 1."""

    model: ModelFacts
    target: str
    together: int
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Models that go together, in their order."""

    models: tuple[ModelFacts, ...]

    @property
    def machines(self) -> int:
        """Those of all its models."""
        return sum(each.machines for each in self.models)

    @property
    def sources(self) -> frozenset[str]:
        """Where its models are."""
        return frozenset(each.source for each in self.models)


@dataclass(frozen=True, slots=True)
class Rules:
    """How targets are chosen: one of ``ORDERS``, a placement policy with its name, the one
    target ``only`` if it was named, and whether a model that is there already is welcome
    (``stays``: there is something else to do with it)."""

    order: str
    policy_name: str
    policy: Policy
    rng: random.Random
    only: str = ""
    stays: bool = False


def plan(
    models: Iterable[ModelFacts],
    controllers: Sequence[ControllerFacts],
    ties: Iterable[tuple[str, str]],
    rules: Rules,
) -> list[Move]:
    """Every model once, in the order of moving; those that stay come last."""
    known = {each.name: each for each in controllers}
    carried = dict(known)
    ordered = in_order(grouped(models, ties), rules.order)
    targets: dict[int, str | Reason] = {}
    by_size = sorted(
        range(len(ordered)), key=lambda at: (-ordered[at].machines, -len(ordered[at].models), at)
    )
    for at in by_size:
        group = ordered[at]
        chosen = _target(group, known, carried, rules)
        targets[at] = chosen
        if isinstance(chosen, str):
            carried[chosen] = loaded(carried[chosen], group, rules.stays)
    return moves(ordered, [targets[at] for at in range(len(ordered))])


def moves(groups: Sequence[Group], targets: Sequence[str | Reason]) -> list[Move]:
    """The moves of groups to their targets, those that stay last."""
    numbered = list(zip(range(1, len(groups) + 1), groups, targets, strict=True))
    going = [
        Move(model, target, number)
        for number, group, target in numbered
        if isinstance(target, str)
        for model in group.models
    ]
    staying = [
        Move(model, "", number, _own(model, group, reason))
        for number, group, reason in numbered
        if isinstance(reason, Reason)
        for model in group.models
    ]
    return [*going, *staying]


def grouped(models: Iterable[ModelFacts], ties: Iterable[tuple[str, str]]) -> list[Group]:
    """The models in groups: any two of a tie, and of a chain of ties, are in one.

    Ties to models that are not among these say nothing.
    """
    by_uuid = {each.uuid: each for each in models}
    parent = {uuid: uuid for uuid in by_uuid}

    def root(uuid: str) -> str:
        while parent[uuid] != uuid:
            parent[uuid] = parent[parent[uuid]]
            uuid = parent[uuid]
        return uuid

    for one, other in ties:
        if one in parent and other in parent:
            parent[root(one)] = root(other)
    groups: dict[str, list[ModelFacts]] = {}
    for uuid, model in by_uuid.items():
        groups.setdefault(root(uuid), []).append(model)
    return [Group(tuple(each)) for each in groups.values()]


def in_order(groups: Iterable[Group], order: str) -> list[Group]:
    """Groups, and the models in each, in one of ``ORDERS``; equals by name."""
    sorted_within = [
        Group(tuple(sorted(each.models, key=lambda model: _key((model,), order))))
        for each in groups
    ]
    return sorted(sorted_within, key=lambda group: _key(group.models, order))


def _key(models: Sequence[ModelFacts], order: str) -> tuple[float, str, str]:
    machines = sum(each.machines for each in models)
    weights = {
        "smallest": float(machines),
        "largest": -float(machines),
        "age": min(each.created for each in models),
    }
    first = min((each.name, each.uuid) for each in models)
    return (weights.get(order, 0.0), *first)


def reasons_against(
    model: ModelFacts, target: ControllerFacts, known: Mapping[str, ControllerFacts]
) -> list[Reason]:
    """Why a model can't go to a controller."""
    found = [*_against_controller(target), *_against_place(model, target)]
    there = Version.parse(target.agent_version)
    source = known.get(model.source)
    versions = (
        ("version-model", "the model runs", model.agent_version),
        ("version-source", f"{model.source} runs", source.agent_version if source else ""),
    )
    for code, what, text in versions:
        here = Version.parse(text)
        if here is not None and there is not None and here > there:
            found.append(
                Reason(
                    code,
                    f"{what} {text}, newer than {target.agent_version} on {target.name}",
                    f"upgrade {target.name}, or choose a controller with {text} or later",
                )
            )
    return found


def _against_controller(target: ControllerFacts) -> list[Reason]:
    found = []
    if not target.healthy:
        why = f": {target.status_info}" if target.status_info else ""
        found.append(
            Reason(
                "target-unavailable",
                f"{target.name} is not available{why}",
                f"bring {target.name} back",
            )
        )
    if target.deprecated:
        found.append(
            Reason(
                "target-deprecated",
                f"{target.name} is deprecated",
                f"jimmctl set-controller-deprecated {target.name} --undo",
            )
        )
    return found


def _against_place(model: ModelFacts, target: ControllerFacts) -> list[Reason]:
    regions = target.reach.get(model.cloud)
    if regions is None:
        return [
            Reason(
                "cloud-missing",
                f"{target.name} does not have cloud {model.cloud}",
                f"add cloud {model.cloud} to {target.name}",
            )
        ]
    if model.region and model.region not in regions:
        return [
            Reason(
                "region-missing",
                f"{target.name} does not have region {model.region} of cloud {model.cloud}",
                "choose a controller that reaches the region",
            )
        ]
    return []


def _target(
    group: Group,
    known: Mapping[str, ControllerFacts],
    carried: Mapping[str, ControllerFacts],
    rules: Rules,
) -> str | Reason:
    stuck = [each for each in group.models if each.against is not None]
    if stuck and stuck[0].against is not None:
        return _because_of(stuck[0], stuck[0].against)
    if rules.only:
        return _only(group, known, rules)
    fitting = eligible(group, known)
    if not fitting:
        return _none_fits(group, known)
    first = group.models[0]
    chosen = decide(
        Request(cloud=first.cloud),
        [_candidate(carried[name], group) for name in fitting],
        policy_name=rules.policy_name,
        policy=rules.policy,
        rng=rules.rng,
    )
    return chosen.ranked[0].candidate.name


def eligible(group: Group, known: Mapping[str, ControllerFacts]) -> list[str]:
    """The controllers that can take a whole group, by name."""
    return [
        name
        for name, target in sorted(known.items())
        if name not in group.sources
        and not any(reasons_against(model, target, known) for model in group.models)
    ]


def _only(group: Group, known: Mapping[str, ControllerFacts], rules: Rules) -> str | Reason:
    target = known[rules.only]
    for model in group.models:
        if model.source == target.name:
            if rules.stays:
                continue
            return Reason(
                "target-is-source",
                f"{model.name} is on {target.name} already",
                "choose another controller",
            )
        found = reasons_against(model, target, known)
        if found:
            return Reason(
                found[0].code,
                "; ".join(each.sentence for each in found),
                "; ".join(dict.fromkeys(each.remedy for each in found)),
            )
    return target.name


def _none_fits(group: Group, known: Mapping[str, ControllerFacts]) -> Reason:
    told = []
    for name, target in sorted(known.items()):
        found = [
            each.sentence
            for model in group.models
            if model.source != name
            for each in reasons_against(model, target, known)
        ]
        if found:
            told.append(", ".join(dict.fromkeys(found)))
    why = "; ".join(told) or "there is no other"
    return Reason(
        "no-target",
        f"no controller can take it ({why})",
        "mend one of these, or register a controller that has its cloud and region, then try again",
    )


def _because_of(model: ModelFacts, reason: Reason) -> Reason:
    return Reason(reason.code, f"{model.name}: {reason.sentence}", reason.remedy)


def _own(model: ModelFacts, group: Group, reason: Reason) -> Reason:
    """The reason as it is told of one model of a group."""
    if model.against is not None:
        return model.against
    if len(group.models) == 1:
        return reason
    others = ", ".join(each.name for each in group.models if each.uuid != model.uuid)
    return Reason(
        reason.code, f"it goes together with {others} (offers): {reason.sentence}", reason.remedy
    )


def _candidate(target: ControllerFacts, group: Group) -> Candidate:
    """A target that fits, as a candidate with one region: the least near of the group's."""
    priorities = [
        max(regions.values()) if not model.region else regions[model.region]
        for model in group.models
        for regions in (target.reach[model.cloud],)
    ]
    region = (
        group.models[0].region
        or max(target.reach[group.models[0].cloud].items(), key=lambda each: each[1])[0]
    )
    return Candidate(
        name=target.name,
        regions=((region, min(priorities)),),
        healthy=True,
        agent_version=target.agent_version,
        models=target.models,
        machines=target.machines,
    )


def loaded(target: ControllerFacts, group: Group, stays: bool = False) -> ControllerFacts:
    """A target as it stands once the group is there."""
    new = [each for each in group.models if not (stays and each.source == target.name)]
    return replace(
        target,
        models=target.models + len(new),
        machines=target.machines + sum(each.machines for each in new),
    )
