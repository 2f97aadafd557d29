"""Medians, ratios and their spread. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Spread:
    """A middle, and the least and the most that were seen."""

    middle: float
    least: float
    most: float


def spread(values: Sequence[float]) -> Spread:
    """The median of several runs, with the extremes.

    Raises:
        ValueError: there are none.
    """
    if not values:
        raise ValueError("no runs")
    return Spread(median(values), min(values), max(values))


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread | None:
    """The ratio of the medians, with the extremes of the ratios within one run each.

    Runs are paired in their order. One in which theirs is nothing has no ratio; ``None`` where
    their median is nothing.

    Raises:
        ValueError: there are no runs, or not as many of one as of the other.
    """
    pairs = list(zip(ours, theirs, strict=True))
    if not pairs:
        raise ValueError("no runs")
    if median(theirs) <= 0:
        return None
    each = [our / their for our, their in pairs if their > 0]
    return Spread(median(ours) / median(theirs), min(each), max(each))


def less(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """What is left of ours once theirs is taken away, run by run.

    Raises:
        ValueError: there are not as many of one as of the other.
    """
    return [our - their for our, their in zip(ours, theirs, strict=True)]


def each(spent: float, idle: float, elapsed: float, count: int) -> float:
    """What one of ``count`` operations took.

    ``spent`` is what all took in ``elapsed`` seconds, ``idle`` what goes by in a second in which
    nobody asks for anything. Never below nothing.
    """
    if count < 1:
        raise ValueError("no operations")
    return max(0.0, spent - idle * elapsed) / count
