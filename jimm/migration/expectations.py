"""How long a migration should still take, from how long others took. Pure.

What is said of a *stage* counts: Juju's phase where one is known, and else JIMM's own state, for
a source that shows nothing (Juju 4.0) is ``running`` all the time. What a phase takes grows with
the agents that must report in it and with what is uploaded, so that models are compared with
those of their own size class.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from jimm.registry.words import MigrationState as State

SIZES: Final = (1, 10, 100)
"""Where the next class begins, in agents: machines and units together."""

AGENT_WAIT: Final = 900.0
"""Seconds that Juju waits for the agents' reports in each of three phases, by default
(controller config ``migration-agent-wait-time``)."""

LONGEST_PATIENCE: Final = 86_400.0

_ENOUGH: Final = 10  # migrations, before what they took makes anybody more patient
_OVER: Final = 4.0  # times what nine of ten took: stuck
_SLOW: Final = 1.5  # times what nine of ten took: slow
_ALWAYS_QUICK: Final = 30.0  # seconds that nobody calls slow

_BASE: Final[Mapping[str, tuple[float, float]]] = {
    # Juju looks at everything twice and waits for the agents in between
    "QUIESCE": (2 * AGENT_WAIT, 2.0),
    # export and import grow with the description; charms, agent binaries and resources are sent
    "IMPORT": (2 * AGENT_WAIT, 30.0),
    # an agent tries the new controller for five minutes and more, then every machine is checked
    "VALIDATION": (2 * AGENT_WAIT, 5.0),
    # the agents report once more, and the cloud is asked to change each resource's owner
    "SUCCESS": (2 * AGENT_WAIT, 5.0),
    # a model's logs may be gigabytes
    "LOGTRANSFER": (4 * AGENT_WAIT, 5.0),
    # a source that shows nothing: all phases in one
    State.RUNNING: (8 * AGENT_WAIT, 45.0),
}
"""Seconds without any history, and the seconds that each agent adds."""

_GOES_ON: Final = frozenset(
    {State.REQUESTED, State.CHECKING, State.STARTING, State.RUNNING, State.CONFIRMING}
)

_OTHERWISE: Final = (AGENT_WAIT, 1.0)


@dataclass(frozen=True, slots=True)
class Pastime:
    """What one stage took in ``count`` migrations of one size class, in seconds: the median,
    what nine of ten did not exceed, and the median of what came after it until the end."""

    median: float
    ninetieth: float
    after: float
    count: int


@dataclass(frozen=True, slots=True)
class Pastimes:
    """What each stage took, by stage and size class."""

    stages: Mapping[tuple[str, int], Pastime]

    def nearest(self, stage: str, size: int) -> Pastime | None:
        """That of the size class, or of the nearest one that there is; of two the larger."""
        known = [size_class for name, size_class in self.stages if name == stage]
        if not known:
            return None
        return self.stages[stage, min(known, key=lambda each: (abs(each - size), -each))]

    def up_to(self, stage: str, size: int) -> Iterable[Pastime]:
        """Those of the size class and of the smaller ones."""
        return (
            pastime
            for (name, size_class), pastime in self.stages.items()
            if name == stage and size_class <= size
        )


NONE: Final = Pastimes({})
"""No history."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What may be said of one that is under way: the seconds it should still take, ``None``
    where nobody can tell, and whether it is slow."""

    rest: float | None = None
    slow: bool = False


def stage(state: str, phase: str) -> str:
    """What is compared: Juju's phase, and the state as long as there is none."""
    return phase or state


def size_class(machines: int, units: int) -> int:
    """The size class of a model."""
    return bisect_right(SIZES, machines + units)


def forecast(
    pastimes: Pastimes, state: State, phase: str, in_phase: float, machines: int, units: int
) -> Forecast:
    """What to expect of a migration; nothing of one that is over, stuck, or failing."""
    if state not in _GOES_ON:
        return Forecast()
    at = stage(state, phase)
    waits = state is State.REQUESTED  # for its turn, which may take long
    return Forecast(
        rest=remaining(pastimes, at, in_phase, machines, units),
        slow=not waits and is_slow(pastimes, at, in_phase, machines, units),
    )


def remaining(
    pastimes: Pastimes, phase: str, in_phase: float, machines: int, units: int
) -> float | None:
    """Seconds expected until the end; ``None`` where there is no history. ``phase`` is a
    :func:`stage`, ``in_phase`` the seconds since it began.

    For one that waits for its turn it is what comes once it has it.
    """
    if phase == State.REQUESTED:
        phase, in_phase = State.CHECKING, 0.0
    known = pastimes.nearest(phase, size_class(machines, units))
    if known is None:
        return None
    return max(0.0, known.median - max(0.0, in_phase)) + known.after


def is_slow(pastimes: Pastimes, phase: str, in_phase: float, machines: int, units: int) -> bool:
    """Whether it has been in a phase for longer than nearly all of its size were: slow, which
    is not stuck. Without history, whether half of the patience is gone."""
    limit = patience(pastimes, phase, machines, units)
    known = pastimes.nearest(phase, size_class(machines, units))
    if known is None:
        return in_phase > limit / 2
    return in_phase > min(limit, max(_ALWAYS_QUICK, _SLOW * known.ninetieth))


def patience(pastimes: Pastimes, phase: str, machines: int, units: int) -> float:
    """Seconds in one phase after which a migration counts as stuck.

    It is never less than Juju's own wait for the agents, grows with the model, and grows where
    others took long; history makes nobody less patient.
    """
    base, each = _BASE.get(phase, _OTHERWISE)
    longest = base + each * (machines + units)
    for known in pastimes.up_to(phase, size_class(machines, units)):
        if known.count >= _ENOUGH:
            longest = max(longest, _OVER * known.ninetieth)
    return min(longest, LONGEST_PATIENCE)
