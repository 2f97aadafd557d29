"""What several facades share (Juju ``rpc/params/params.go``)."""

from collections.abc import Mapping

from msgspec import Struct

from jimm.errors import JimmError, RemoteError


class Params(Struct, rename="kebab", kw_only=True, omit_defaults=True):
    """Base of every body: hyphenated keys, defaults left out."""


class Error(Params, kw_only=True):
    """A failure inside a bulk result."""

    message: str
    code: str
    info: Mapping[str, object] | None = None

    @classmethod
    def of(cls, error: JimmError) -> "Error":
        """The row for a domain error."""
        return cls(message=str(error), code=error.juju_code, info=error.info)

    def raised(self) -> RemoteError:
        """The exception for a row that a controller answered."""
        return RemoteError(self.message, self.code, self.info)


class Empty(Params, kw_only=True):
    """No parameters, or no result."""


class Entity(Params, kw_only=True):
    """One tag."""

    tag: str


class Entities(Params, kw_only=True):
    """Tags of anything."""

    entities: list[Entity]

    @classmethod
    def of(cls, *tags: str) -> "Entities":
        """The parameters for these tags."""
        return cls(entities=[Entity(tag=tag) for tag in tags])


class ErrorResult(Params, kw_only=True):
    """One row of a bulk call that returns nothing."""

    error: Error | None = None


class ErrorResults(Params, kw_only=True):
    """One row for each input."""

    results: list[ErrorResult]


class StringResult(Params, kw_only=True):
    """One text, or an error."""

    result: str
    error: Error | None = None


class EntityStatus(Params, kw_only=True):
    """What something is doing. ``since`` is RFC 3339 or ``None``."""

    status: str
    info: str
    data: dict[str, object] | None = None
    since: str | None
