"""Every model once, groups together, eligible targets only, the order kept, the load even."""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.migration.plans.balancing import MEASURES, rebalance
from jimm.migration.plans.planning import (
    ORDERS,
    ControllerFacts,
    ModelFacts,
    Move,
    Reason,
    Rules,
    plan,
    reasons_against,
)
from jimm.placement import POLICIES

REACH = {"metro": {"north": 10, "south": 1}, "other": {"west": 1}}
NAMES = ("a", "b", "c", "d")


def rules(order: str = "smallest", policy: str = "spread", **more: Any) -> Rules:
    return Rules(order, policy, POLICIES[policy], random.Random(7), **more)


def controller(name: str, **more: Any) -> ControllerFacts:
    return ControllerFacts(name, **{"agent_version": "3.6.9", "reach": REACH, **more})


def model(uuid: str, **more: Any) -> ModelFacts:
    usual = {
        "name": f"alice/{uuid}",
        "source": "a",
        "cloud": "metro",
        "region": "north",
        "agent_version": "3.6.9",
    }
    return ModelFacts(uuid, **{**usual, **more})


controllers_ = st.builds(
    lambda healthy, deprecated, version, reach: {
        "healthy": healthy,
        "deprecated": deprecated,
        "agent_version": version,
        "reach": reach,
    },
    st.sampled_from([True, True, True, False]),
    st.sampled_from([True, False, False]),
    st.sampled_from(["3.6.8", "3.6.9", "3.6.10", "4.0.1", ""]),
    st.sampled_from([REACH, {"metro": {"north": 1}}, {"other": {"west": 10}}, {}]),
)
models_ = st.builds(
    lambda source, cloud, version, machines, created, dying: {
        "source": source,
        "cloud": cloud[0],
        "region": cloud[1],
        "agent_version": version,
        "machines": machines,
        "created": float(created),
        "against": Reason("model-dying", "the model is dying", "let it go") if dying else None,
    },
    st.sampled_from(NAMES),
    st.sampled_from([("metro", "north"), ("metro", "south"), ("other", "west"), ("metro", "")]),
    st.sampled_from(["3.6.8", "3.6.9", "4.0.0"]),
    st.integers(0, 9),
    st.integers(0, 9),
    st.sampled_from([False, False, False, False, True]),
)


@st.composite
def fleets(
    draw: st.DrawFn,
) -> tuple[list[ModelFacts], list[ControllerFacts], list[tuple[str, str]]]:
    known = [controller(name, **draw(controllers_)) for name in NAMES]
    made = draw(st.lists(models_, max_size=14))
    models = [model(f"m{at}", **each) for at, each in enumerate(made)]
    uuids = [each.uuid for each in models] or ["none"]
    one = st.sampled_from([*uuids, "elsewhere"])
    return models, known, draw(st.lists(st.tuples(one, one), max_size=8))


def groups_of(moves: Sequence[Move]) -> dict[int, list[Move]]:
    found: dict[int, list[Move]] = {}
    for each in moves:
        found.setdefault(each.together, []).append(each)
    return found


def check(
    moves: Sequence[Move], known: Sequence[ControllerFacts], ties: Sequence[tuple[str, str]]
) -> None:
    """What holds for every plan."""
    number = {each.model.uuid: each.together for each in moves}
    assert all(number[one] == number[two] for one, two in ties if {one, two} <= set(number))
    by_name = {each.name: each for each in known}
    for group in groups_of(moves).values():
        assert len({each.target for each in group}) == 1
    for each in moves:
        assert (each.target == "") == (each.reason is not None)
        if each.target:
            assert each.target != each.model.source
            assert not reasons_against(each.model, by_name[each.target], by_name)


@given(fleets(), st.sampled_from(ORDERS), st.sampled_from(sorted(POLICIES)))
def test_every_model_once_and_only_where_it_can_be(
    fleet: tuple[list[ModelFacts], list[ControllerFacts], list[tuple[str, str]]],
    order: str,
    policy: str,
) -> None:
    models, known, ties = fleet
    moves = plan(models, known, ties, rules(order, policy))
    assert Counter(each.model.uuid for each in moves) == Counter(each.uuid for each in models)
    check(moves, known, ties)
    going = [bool(each.target) for each in moves]
    assert going == sorted(going, reverse=True)


@given(fleets(), st.sampled_from(ORDERS))
def test_the_order_is_kept(
    fleet: tuple[list[ModelFacts], list[ControllerFacts], list[tuple[str, str]]], order: str
) -> None:
    models, known, ties = fleet
    moves = [each for each in plan(models, known, ties, rules(order)) if each.target]
    groups = list(groups_of(moves).values())
    assert [each for group in groups for each in group] == moves  # each in one piece
    machines = [sum(each.model.machines for each in group) for group in groups]
    ages = [min(each.model.created for each in group) for group in groups]
    names = [min(each.model.name for each in group) for group in groups]
    expected = {
        "smallest": (machines, sorted(machines)),
        "largest": (machines, sorted(machines, reverse=True)),
        "age": (ages, sorted(ages)),
        "name": (names, sorted(names)),
    }
    found, wanted = expected[order]
    assert found == wanted


@given(st.integers(0, 40), st.integers(1, 3))
def test_equal_models_are_spread_evenly(count: int, targets: int) -> None:
    known = [controller(name, models=0) for name in NAMES[: targets + 1]]
    moves = plan([model(f"m{at}", machines=2) for at in range(count)], known, (), rules())
    loads = Counter({each.name: 0 for each in known[1:]})
    loads.update(each.target for each in moves)
    assert max(loads.values()) - min(loads.values()) <= 1
    assert sum(loads.values()) == count


@given(st.lists(st.integers(0, 9), max_size=20))
def test_what_is_unequal_is_never_further_apart_than_the_largest(sizes: list[int]) -> None:
    known = [controller(name) for name in "abc"]
    models = [model(f"m{at}", machines=size) for at, size in enumerate(sizes)]
    loads = Counter({"b": 0, "c": 0})
    for each in plan(models, known, (), rules()):
        loads[each.target] += each.model.machines
    assert abs(loads["b"] - loads["c"]) <= max(sizes, default=0)


def test_what_the_targets_carry_already_counts() -> None:
    known = [controller("a"), controller("b", models=4, machines=4), controller("c")]
    moves = plan([model(f"m{at}", machines=1) for at in range(4)], known, (), rules())
    assert {each.target for each in moves} == {"c"}


def test_its_own_region_comes_first() -> None:
    far = controller("b", reach={"metro": {"north": 1}})
    near = controller("c", models=9, machines=9)
    (move,) = plan([model("m")], [controller("a"), far, near], (), rules())
    assert move.target == "c"


def test_a_chain_of_ties_is_one_group_and_other_models_say_nothing() -> None:
    models = [model(f"m{at}") for at in range(6)]
    ties = [("m0", "m1"), ("m1", "m2"), ("m3", "gone"), ("gone", "m4")]
    moves = plan(models, [controller(name) for name in "abc"], ties, rules())
    groups = {frozenset(m.model.uuid for m in each) for each in groups_of(moves).values()}
    assert groups == {frozenset({"m0", "m1", "m2"}), *(frozenset({f"m{at}"}) for at in (3, 4, 5))}


def test_who_goes_together_stays_together() -> None:
    dying = Reason("model-dying", "the model is dying", "let it go")
    models = [model("m1", against=dying), model("m2"), model("m3")]
    moves = plan(models, [controller(name) for name in "ab"], [("m1", "m2")], rules())
    told = {each.model.uuid: each for each in moves}
    assert (told["m3"].target, told["m1"].reason) == ("b", dying)
    assert told["m2"].reason == Reason(
        "model-dying",
        "it goes together with alice/m1 (offers): alice/m1: the model is dying",
        "let it go",
    )


def test_where_nobody_can_take_it_every_reason_is_told() -> None:
    known = [
        controller("a"),
        controller("b", deprecated=True),
        controller("c", healthy=False, status_info="no route", reach={}),
        controller("d", agent_version="3.6.1", reach={"metro": {"south": 1}}),
    ]
    (move,) = plan([model("m")], known, (), rules())
    assert move.reason is not None
    assert move.reason.code == "no-target"
    assert move.reason.sentence == (
        "no controller can take it (b is deprecated; c is not available: no route, c does not "
        "have cloud metro; d does not have region north of cloud metro, the model runs 3.6.9, "
        "newer than 3.6.1 on d, a runs 3.6.9, newer than 3.6.1 on d)"
    )


def test_one_target_that_was_named() -> None:
    known = [controller("a"), controller("b"), controller("c", agent_version="3.6.8")]
    models = [model("m1"), model("m2", source="b")]
    there = {each.model.uuid: each for each in plan(models, known, (), rules(only="b"))}
    assert there["m1"].target == "b"
    assert there["m2"].reason is not None
    assert there["m2"].reason.code == "target-is-source"
    staying = plan(models, known, (), rules(only="b", stays=True))
    assert {each.target for each in staying} == {"b"}
    old = plan(models, known, (), rules(only="c"))
    assert [each.reason.code for each in old if each.reason] == ["version-model"] * 2


@given(fleets(), st.sampled_from(MEASURES))
def test_a_rebalance_moves_only_what_helps(
    fleet: tuple[list[ModelFacts], list[ControllerFacts], list[tuple[str, str]]], by: str
) -> None:
    models, known, ties = fleet
    moves = rebalance(models, known, ties, rules(), by=by)
    check(moves, known, ties)
    assert len({each.model.uuid for each in moves}) == len(moves)
    assert all(each.target for each in moves)
    weight = {each.uuid: each.machines if by == "machines" else 1 for each in models}
    taking = {each.name for each in known if each.healthy and not each.deprecated}
    before = Counter(dict.fromkeys(taking, 0))
    for each in models:
        if each.source in taking:
            before[each.source] += weight[each.uuid]
    after = Counter(before)
    for move in moves:
        assert {move.model.source, move.target} <= taking
        after[move.model.source] -= weight[move.model.uuid]
        after[move.target] += weight[move.model.uuid]
    assert max(after.values(), default=0) <= max(before.values(), default=0)
    assert sum(each**2 for each in after.values()) <= sum(each**2 for each in before.values())


@given(st.lists(st.integers(0, 30), min_size=2, max_size=4))
def test_equal_models_are_evened_out(counts: list[int]) -> None:
    known = [controller(name) for name in NAMES[: len(counts)]]
    models = [
        model(f"{name}-{at}", source=name)
        for name, count in zip(NAMES, counts, strict=False)
        for at in range(count)
    ]
    loads = Counter(dict(zip(NAMES, counts, strict=False)))
    moves = rebalance(models, known, (), rules(), by="models")
    for each in moves:
        loads[each.model.source] -= 1
        loads[each.target] += 1
    assert max(loads.values()) - min(loads.values()) <= 1
    mean = sum(counts) // len(counts)
    assert len(moves) <= sum(max(0, each - mean) for each in counts)


@pytest.mark.parametrize("by", MEASURES)
def test_a_group_that_lives_on_two_controllers_stays(by: str) -> None:
    models = [model(f"m{at}", machines=1) for at in range(4)]
    models.append(model("m4", source="b", machines=1))
    ties = [(f"m{at}", "m4") for at in range(4)]
    known = [controller("a"), controller("b")]
    assert rebalance(models, known, ties, rules(), by=by) == []
