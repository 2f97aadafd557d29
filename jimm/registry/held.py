"""A lease that somebody holds, as a value. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Held:
    """A lease that was held when it was claimed: the row's id, and the fence of the claim."""

    id: str
    fence: int
