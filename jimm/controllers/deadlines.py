"""How long JIMM waits for a controller, in seconds; all of it in this one place."""

from dataclasses import dataclass
from typing import Final

DIAL: Final = 5.0
LOGIN: Final = 10.0
READ: Final = 15.0
CHANGE: Final = 15.0
"""Calls that change something and are quick: access, credentials, passwords, destroy."""
CREATE_MODEL: Final = 120.0
INITIATE_MIGRATION: Final = 180.0
"""Prechecks, a full export and up to a minute of dialling the target (Juju 3.6)."""
UPGRADE_MODEL: Final = 120.0
"""The controller may have to ask Juju's own servers for the versions there are."""
PING: Final = 30.0


@dataclass(frozen=True, slots=True)
class Timing:
    """The pace of a supervised link; tests make it quicker.

    ``ping_every`` is the range from which each pause between pings is drawn; ``retry_first``
    doubles with each failure up to ``retry_most``; ``retry_refused`` is the pause after a
    refused login or a wrong controller, which time alone won't mend; a link that lived shorter
    than ``steady`` counts as a failure when it breaks.
    """

    dial: float = DIAL
    login: float = LOGIN
    ping: float = PING
    ping_every: tuple[float, float] = (30.0, 60.0)
    retry_first: float = 0.25
    retry_most: float = 5.0
    retry_refused: float = 30.0
    steady: float = 10.0
    breaker_failures: int = 3
    breaker_retry: float = 5.0
