"""How often is looked, and how long is waited. Pure."""

from dataclasses import dataclass

from jimm.controllers.deadlines import INITIATE_MIGRATION


@dataclass(frozen=True, slots=True)
class Pace:
    """All in seconds; tests make it quicker.

    ``poll`` is between two looks at a model that moves, ``away`` at a controller that does not
    answer, ``stuck`` at a migration that is stuck; ``beat`` is the longest time between two
    looks at the lease. ``call`` is what ``InitiateMigration`` is given; ``patience`` how long
    one waits for a controller before anything was asked of it. ``unclear`` is how long answers
    may settle nothing before it is stuck, ``unchanged`` how long a phase may take, ``None`` for
    what the model's size and the fleet's history tell.
    """

    poll: float = 0.25
    away: float = 1.0
    stuck: float = 5.0
    beat: float = 2.0
    call: float = INITIATE_MIGRATION
    patience: float = INITIATE_MIGRATION
    unclear: float = 900.0
    unchanged: float | None = None
