"""What somebody asks for, as a record of it is made. Pure."""

from typing import Final, Protocol

from msgspec import Raw, Struct

from jimm.audit.kept import LARGEST

LONGEST_PARAMS: Final = LARGEST + 1
"""Bytes of parameters that a :class:`Call` holds: what is longer is cut off, for no record keeps
as much."""


class Asked(Protocol):
    """A call on its way into the trail.

    ``id`` is an object on the server, or empty. ``params`` are the bytes of its JSON value, as
    they came; empty, or ``null``, where there are none. ``sure`` is false where the names are a
    guess.
    """

    @property
    def request_id(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def request(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def params(self) -> bytes | Raw: ...
    @property
    def sure(self) -> bool: ...


class Call(Struct, frozen=True, gc=False):
    """The same as a value."""

    request_id: int = 0
    type: str = ""
    version: int = 0
    request: str = ""
    id: str = ""
    params: bytes = b""
    sure: bool = True

    @property
    def watches(self) -> bool:
        """Whether it opens, or works on, an object that lives on this very connection."""
        return bool(self.id) or "Watch" in self.request or "Watch" in self.type

    @property
    def waits(self) -> bool:
        """Whether its answer comes when something happens, perhaps never."""
        return self.request == "Next"
