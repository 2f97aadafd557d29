"""Policies: the order in which equally eligible controllers are tried."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from jimm.placement.candidates import Candidate

Policy = Callable[[Sequence[Candidate], random.Random], list[Candidate]]
"""Takes candidates that are equal in all else, gives them in the order of trying."""


def at_random(candidates: Sequence[Candidate], rng: random.Random) -> list[Candidate]:
    """Every order is as likely as any other."""
    return rng.sample(candidates, len(candidates))


def weighted(candidates: Sequence[Candidate], rng: random.Random) -> list[Candidate]:
    """At random, each in proportion to its weight; weight 0 comes last."""

    def key(candidate: Candidate) -> float:
        # Efraimidis and Spirakis: the largest u^(1/w) first is a weighted draw without return.
        return rng.random() ** (1 / candidate.weight) if candidate.weight > 0 else -1.0

    return [each for _, each in sorted(((key(c), c) for c in candidates), key=_first, reverse=True)]


def least_models(candidates: Sequence[Candidate], rng: random.Random) -> list[Candidate]:
    """Those that carry the fewest models first; ties at random."""
    return sorted(at_random(candidates, rng), key=lambda candidate: candidate.models)


def spread(candidates: Sequence[Candidate], rng: random.Random) -> list[Candidate]:
    """Those that carry the fewest machines first, then the fewest models; ties at random."""
    return sorted(at_random(candidates, rng), key=lambda each: (each.machines, each.models))


def _first(pair: tuple[float, Candidate]) -> float:
    return pair[0]


POLICIES: Final[Mapping[str, Policy]] = {
    "random": at_random,
    "weighted": weighted,
    "least-models": least_models,
    "spread": spread,
}
"""By the name that settings and requests use."""
