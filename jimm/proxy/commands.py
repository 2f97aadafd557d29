"""What a pipe wants done, as values."""

from msgspec import Struct


class ToClient(Struct, frozen=True, gc=False):
    """Write this to the client."""

    data: bytes


class ToController(Struct, frozen=True, gc=False):
    """Write this to the controller."""

    data: bytes


class CloseClient(Struct, frozen=True):
    """Close the client's leg once all is written."""


class CloseController(Struct, frozen=True):
    """Close the controller's leg once all is written."""


class CutClient(Struct, frozen=True):
    """Drop the client's leg at once."""


class CutController(Struct, frozen=True):
    """Drop the controller's leg at once."""


class HoldClient(Struct, frozen=True):
    """Read nothing from the client until :class:`ReleaseClient`."""


class ReleaseClient(Struct, frozen=True):
    """Read from the client again."""


class AskForAccess(Struct, frozen=True):
    """Get a leg with fresh levels; report :meth:`Pipe.readmitted` or :meth:`Pipe.refused`."""


class BeginClosing(Struct, frozen=True):
    """It is at its end: whatever leg is still there when your deadline is over, drop it."""


Command = (
    ToClient
    | ToController
    | CloseClient
    | CloseController
    | CutClient
    | CutController
    | HoldClient
    | ReleaseClient
    | AskForAccess
    | BeginClosing
)
