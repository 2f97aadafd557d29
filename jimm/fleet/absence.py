"""What is known of a controller that is not there, or of a model that no controller has."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Absence:
    """Why a controller, or what it has, can't be asked, and since when if that is known."""

    why: str
    since: datetime | None


def of_controller(name: str, since: datetime) -> Absence:
    """A controller's."""
    return Absence(
        f"controller {name} has been away since {since.isoformat(timespec='seconds')}", since
    )
