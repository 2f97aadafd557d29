"""From request and candidates to the order of trying, with every reason said."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from jimm.placement.candidates import Candidate, Request
from jimm.placement.policies import Policy


@dataclass(frozen=True, slots=True)
class Ranked:
    """An eligible controller: the region a model would get, and why it stands where it does."""

    candidate: Candidate
    region: str
    priority: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """A controller that can't be chosen, and all the reasons why not."""

    candidate: Candidate
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """``ranked`` in the order of trying; ``refused`` in the order given."""

    policy: str
    ranked: tuple[Ranked, ...]
    refused: tuple[Refused, ...]


def decide(
    request: Request,
    candidates: Iterable[Candidate],
    *,
    policy_name: str,
    policy: Policy,
    rng: random.Random,
) -> Decision:
    """Who is eligible, and in which order.

    Own regions come before those merely reached, whatever the policy; among equals the
    client's own Juju major version is preferred; the policy orders the rest.
    """
    refused: list[Refused] = []
    ranked: list[Ranked] = []
    for candidate in candidates:
        against = _reasons_against(request, candidate)
        place = candidate.region_for(request.region)
        if against or place is None:
            refused.append(Refused(candidate, against))
        else:
            ranked.append(_rank(request, candidate, place))
    return Decision(policy_name, tuple(_in_order(ranked, policy, rng)), tuple(refused))


def _reasons_against(request: Request, candidate: Candidate) -> tuple[str, ...]:
    reasons: list[str] = []
    if request.controller and candidate.name != request.controller:
        reasons.append(f"another controller was asked for: {request.controller}")
    if not candidate.may_add:
        reasons.append("the caller may not add models there")
    if not candidate.regions:
        region = f" or not its region {request.region}" if request.region else ""
        reasons.append(f"it does not offer cloud {request.cloud}{region}")
    elif candidate.region_for(request.region) is None:
        reasons.append(f"it does not reach region {request.region} of cloud {request.cloud}")
    if not candidate.healthy:
        why = f": {candidate.status_info}" if candidate.status_info else ""
        reasons.append(f"it is not available{why}")
    if candidate.deprecated:
        reasons.append("it is deprecated: it takes no new models")
    return tuple(reasons)


def _rank(request: Request, candidate: Candidate, place: tuple[str, int]) -> Ranked:
    region, priority = place
    near = "its own region" if priority >= 10 else f"within its reach, priority {priority}"
    reasons = [f"region {region} is {near}"]
    if request.client_major is not None and candidate.major is not None:
        same = candidate.major == request.client_major
        reasons.append(
            "same Juju major version as the client" if same else "another Juju major version"
        )
        priority = 2 * priority + same
    else:
        priority = 2 * priority
    return Ranked(candidate, region, priority, tuple(reasons))


def _in_order(ranked: Sequence[Ranked], policy: Policy, rng: random.Random) -> list[Ranked]:
    by_name = {each.candidate.name: each for each in ranked}
    ordered: list[Ranked] = []
    for priority in sorted({each.priority for each in ranked}, reverse=True):
        equals = [each.candidate for each in ranked if each.priority == priority]
        ordered.extend(by_name[candidate.name] for candidate in policy(equals, rng))
    return ordered
