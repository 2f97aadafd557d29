"""How often a driver looks, and how long it waits."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlanPace:
    """All in seconds; tests make it quicker.

    ``look`` is between two looks at a plan when nobody calls, ``breath`` at least between two
    looks, ``away`` between two tries of a controller that does not answer, for ``patience`` at
    most; ``upgrade`` is how long a model's agents may take to a new version. ``again`` is until
    something that broke is tried again.
    """

    look: float = 1.0
    breath: float = 0.1
    away: float = 2.0
    patience: float = 180.0
    upgrade: float = 900.0
    again: float = 5.0
