"""The open pipes of this replica, found by model, by identity and by controller."""

from collections.abc import Iterator
from typing import Protocol

from jimm.proxy.doorkeeper import Admission
from jimm.wire.frames import GOING_AWAY


class OpenPipe(Protocol):
    """A client that was admitted, its pipe open or about to be."""

    @property
    def reads_client(self) -> bool:
        """Whether its client is read from; not while the controller takes nothing more."""
        ...

    @property
    def reads_controller(self) -> bool:
        """Whether its controller is read from; not while the client takes nothing more."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Tells both ends and ends it, within a deadline."""
        ...


class Pipes:
    """Who is connected to what. A closed pipe makes its client connect and log in again, and
    so be checked again."""

    def __init__(self) -> None:
        self._admissions: dict[OpenPipe, Admission] = {}

    def __len__(self) -> int:
        return len(self._admissions)

    def __iter__(self) -> Iterator[OpenPipe]:
        return iter(list(self._admissions))

    def add(self, pipe: OpenPipe, admission: Admission) -> None:
        """Somebody was admitted; once more, and the later admission counts."""
        self._admissions[pipe] = admission

    def discard(self, pipe: OpenPipe) -> None:
        """It is gone."""
        self._admissions.pop(pipe, None)

    def admission(self, pipe: OpenPipe) -> Admission | None:
        """Who is at the end of it."""
        return self._admissions.get(pipe)

    def close_model(self, uuid: str, reason: str) -> int:
        """Closes all pipes to a model, which has moved or is gone; gives how many."""
        return self._close([p for p, a in self._admissions.items() if a.model_uuid == uuid], reason)

    def close_identity(self, identity: str, reason: str) -> int:
        """Closes all pipes of somebody, by full name; gives how many."""
        return self._close(
            [p for p, a in self._admissions.items() if a.identity == identity], reason
        )

    def close_controller(self, uuid: str, reason: str) -> int:
        """Closes all pipes to a controller, which was removed; gives how many."""
        found = [p for p, a in self._admissions.items() if a.endpoint.uuid == uuid]
        return self._close(found, reason)

    def close_all(self, reason: str) -> int:
        """Closes every pipe; gives how many."""
        return self._close(list(self._admissions), reason)

    def _close(self, pipes: list[OpenPipe], reason: str) -> int:
        for pipe in pipes:
            pipe.close(GOING_AWAY, reason)
        return len(pipes)
