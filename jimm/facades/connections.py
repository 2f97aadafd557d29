"""The logged-in connections on ``/api`` of this replica, found by identity."""

from typing import Protocol


class OpenConnection(Protocol):
    """A client that has logged in."""

    async def close(self, reason: str) -> None:
        """Tells the client to connect again, and ends it."""


class Connections:
    """Who is connected. A closed connection makes its client log in again, and so be checked."""

    def __init__(self) -> None:
        self._identities: dict[OpenConnection, str] = {}

    def __len__(self) -> int:
        return len(self._identities)

    def identities(self) -> set[str]:
        """Who is connected, by full name."""
        return set(self._identities.values())

    def add(self, connection: OpenConnection, identity: str) -> None:
        """Somebody, by full name, has logged in."""
        self._identities[connection] = identity

    def discard(self, connection: OpenConnection) -> None:
        """It is gone."""
        self._identities.pop(connection, None)

    async def close_identity(self, identity: str, reason: str) -> int:
        """Closes all connections of somebody; gives how many."""
        found = [each for each, who in self._identities.items() if who == identity]
        for connection in found:
            await connection.close(reason)
        return len(found)
