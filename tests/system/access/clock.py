"""A clock that goes on when told to."""

from datetime import UTC, datetime, timedelta


class Clock:
    """Starts at the real time, so that it agrees with the database's."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.time

    def seconds(self) -> float:
        """The same in seconds."""
        return self.time.timestamp()

    def pass_by(self, **length: float) -> None:
        """Lets a ``timedelta`` go by."""
        self.time += timedelta(**length)
