"""Evening out what controllers carry. Pure.

Again and again the group is moved that evens the two controllers out the most, from one that
carries much to the one that the policy puts first. Each group is moved once at most, and only if
the target still carries less afterwards than the source did before, so that it comes to an end.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from jimm.migration.plans.planning import (
    ControllerFacts,
    Group,
    ModelFacts,
    Move,
    Rules,
    eligible,
    grouped,
    in_order,
    moves,
)

MEASURES: Final = ("models", "machines")
"""What a rebalance evens out."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """Groups that are alike: where they are, their size, and which controllers can take them."""

    source: str
    size: int
    targets: tuple[str, ...]


def rebalance(
    models: Iterable[ModelFacts],
    controllers: Sequence[ControllerFacts],
    ties: Iterable[tuple[str, str]],
    rules: Rules,
    *,
    by: str,
) -> list[Move]:
    """The moves that even out models or machines; only models that are to move.

    What is counted is what ``models`` says. A group that lives on several controllers stays, and
    so does one with a model that can't be moved.
    """
    known = {each.name: each for each in controllers}
    groups = grouped(models, ties)
    loads = _loads(groups, known, by)
    alike = _alike(groups, known, loads, by)
    targets: dict[str, str] = {}
    chosen: list[Group] = []
    while (found := _best(alike, loads)) is not None:
        kind, target = found
        group = alike[kind].pop()
        loads[kind.source] -= kind.size
        loads[target] += kind.size
        targets[group.models[0].uuid] = target
        chosen.append(group)
    ordered = in_order(chosen, rules.order)
    return moves(ordered, [_target_of(group, targets) for group in ordered])


def _alike(
    groups: Iterable[Group],
    known: Mapping[str, ControllerFacts],
    loads: Mapping[str, int],
    by: str,
) -> dict[_Kind, list[Group]]:
    """The groups that may move, those that cost the least at the end of each list."""
    alike: dict[_Kind, list[Group]] = {}
    for group in groups:
        if len(group.sources) != 1 or any(each.against for each in group.models):
            continue
        (source,) = group.sources
        size = _size(group, by)
        targets = tuple(each for each in eligible(group, known) if each in loads)
        if source in loads and size and targets:
            alike.setdefault(_Kind(source, size, targets), []).append(group)
    for each in alike.values():
        each.sort(key=lambda group: (group.machines, group.models[0].name), reverse=True)
    return alike


def _best(alike: Mapping[_Kind, list[Group]], loads: Mapping[str, int]) -> tuple[_Kind, str] | None:
    """From the most loaded controller that can give: what leaves the lower peak of the two, and
    then costs the least."""
    ranked = []
    for kind, groups in alike.items():
        target = min(kind.targets, key=lambda each: (loads[each], each))
        if not groups or loads[target] + kind.size >= loads[kind.source]:
            continue
        peak = max(loads[kind.source] - kind.size, loads[target] + kind.size)
        last = groups[-1]
        rank = (-loads[kind.source], peak, last.machines, last.models[0].name)
        ranked.append((rank, kind, target))
    best = min(ranked, key=lambda each: each[0], default=None)
    return None if best is None else (best[1], best[2])


def _loads(
    groups: Iterable[Group], known: Mapping[str, ControllerFacts], by: str
) -> dict[str, int]:
    """What each controller carries that takes part: one that is away or retired takes none."""
    loads = {name: 0 for name, each in known.items() if each.healthy and not each.deprecated}
    for group in groups:
        for model in group.models:
            if model.source in loads:
                loads[model.source] += 1 if by == "models" else model.machines
    return loads


def _size(group: Group, by: str) -> int:
    return len(group.models) if by == "models" else group.machines


def _target_of(group: Group, chosen: Mapping[str, str]) -> str:
    return next(chosen[each.uuid] for each in group.models if each.uuid in chosen)
