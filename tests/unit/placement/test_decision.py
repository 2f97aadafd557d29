"""Who is eligible, who comes first, and whether the reasons are said."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jimm.placement import POLICIES, Candidate, Decision, Request, decide

OWN = (("north", 10),)
WITHIN_REACH = (("north", 1),)

candidates = st.builds(
    Candidate,
    name=st.text("abcdefgh", min_size=1, max_size=3),
    regions=st.sampled_from([OWN, WITHIN_REACH, (("south", 10),), ()]),
    healthy=st.booleans(),
    deprecated=st.booleans(),
    may_add=st.booleans(),
    agent_version=st.sampled_from(["3.6.9", "4.0.1", ""]),
    models=st.integers(0, 50),
    machines=st.integers(0, 50),
    weight=st.sampled_from([0.0, 0.5, 1.0, 3.0]),
)
fleets = st.lists(candidates, max_size=8, unique_by=lambda candidate: candidate.name)


def placed(
    *fleet: Candidate, request: Request | None = None, policy: str = "random", seed: int = 1
) -> Decision:
    return decide(
        request or Request(cloud="metro", region="north"),
        fleet,
        policy_name=policy,
        policy=POLICIES[policy],
        rng=random.Random(seed),
    )


def names(decision: Decision) -> list[str]:
    return [each.candidate.name for each in decision.ranked]


@given(fleets, st.sampled_from(sorted(POLICIES)), st.integers())
def test_every_controller_is_either_ranked_or_refused_with_a_reason(
    fleet: list[Candidate], policy: str, seed: int
) -> None:
    decision = placed(*fleet, policy=policy, seed=seed)
    refused = [each.candidate.name for each in decision.refused]
    assert sorted(names(decision) + refused) == sorted(each.name for each in fleet)
    reasons = [each.reasons for each in decision.ranked]
    assert all(reasons + [each.reasons for each in decision.refused])


@given(fleets, st.sampled_from(sorted(POLICIES)), st.integers())
def test_the_ranked_are_all_eligible_and_own_regions_come_first(
    fleet: list[Candidate], policy: str, seed: int
) -> None:
    ranked = placed(*fleet, policy=policy, seed=seed).ranked
    for each in ranked:
        assert each.candidate.healthy
        assert each.candidate.may_add
        assert not each.candidate.deprecated
    own = [("north", 10) in each.candidate.regions for each in ranked]
    assert own == sorted(own, reverse=True)


def test_equal_controllers_share_the_load_evenly() -> None:
    fleet = [Candidate(name, OWN, healthy=True) for name in "abcd"]
    rng = random.Random(7)
    chosen = Counter(
        decide(Request("metro"), fleet, policy_name="random", policy=POLICIES["random"], rng=rng)
        .ranked[0]
        .candidate.name
        for _ in range(4000)
    )
    assert all(900 < chosen[name] < 1100 for name in "abcd")


def test_a_weight_draws_in_proportion() -> None:
    fleet = [
        Candidate("heavy", OWN, healthy=True, weight=3),
        Candidate("light", OWN, healthy=True, weight=1),
        Candidate("never", OWN, healthy=True, weight=0),
    ]
    rng = random.Random(7)
    first = Counter(POLICIES["weighted"](fleet, rng)[0].name for _ in range(4000))
    assert 2800 < first["heavy"] < 3200
    assert first["never"] == 0


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (Candidate("a", OWN, healthy=False, status_info="no route"), "not available: no route"),
        (Candidate("a", OWN, healthy=True, deprecated=True), "deprecated"),
        (Candidate("a", OWN, healthy=True, may_add=False), "may not add models"),
        (Candidate("a", (), healthy=True), "does not offer cloud metro"),
        (Candidate("a", (("south", 10),), healthy=True), "does not reach region north"),
    ],
)
def test_a_refusal_says_why(candidate: Candidate, reason: str) -> None:
    decision = placed(candidate)
    assert not decision.ranked
    assert any(reason in each for each in decision.refused[0].reasons)


def test_a_controller_asked_for_by_name_is_the_only_one() -> None:
    fleet = [Candidate(name, OWN, healthy=True) for name in "abc"]
    assert names(placed(*fleet, request=Request("metro", controller="b"))) == ["b"]


def test_the_clients_major_version_is_preferred_but_not_demanded() -> None:
    fleet = [
        Candidate("three", OWN, healthy=True, agent_version="3.6.9"),
        Candidate("four", OWN, healthy=True, agent_version="4.0.1"),
    ]
    for seed in range(20):
        asked = Request("metro", "north", client_major=4)
        assert names(placed(*fleet, request=asked, seed=seed)) == ["four", "three"]


def test_without_a_region_each_offers_its_nearest() -> None:
    far_and_near = Candidate("a", (("south", 1), ("north", 10)), healthy=True)
    assert placed(far_and_near, request=Request("metro")).ranked[0].region == "north"


@pytest.mark.parametrize(("policy", "first"), [("least-models", "b"), ("spread", "a")])
def test_policies_that_count(policy: str, first: str) -> None:
    fleet = [
        Candidate("a", OWN, healthy=True, models=9, machines=1),
        Candidate("b", OWN, healthy=True, models=1, machines=9),
    ]
    assert names(placed(*fleet, policy=policy))[0] == first
