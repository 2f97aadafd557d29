"""The situations that a caller can act on, each with the code Juju gives it.

::

    JimmError
    ├── ProtocolError            bytes from a peer that are not what the protocol allows
    ├── NotFound                 "not found"
    │   ├── ModelNotFound        "model not found"
    │   └── UserNotFound         "user not found"
    ├── AlreadyExists            "already exists"
    ├── Unauthorized             "unauthorized access"
    │   └── InvalidLogin         the same code, the text that `juju login` looks for
    ├── SessionTokenInvalid      "session token invalid"
    ├── FatalLogin               "fatal login error"
    ├── NotValid                 "not valid"; names the field at fault
    │   ├── CloudRegionRequired  "cloud region required"
    │   └── IncompatibleClouds   "incompatible clouds"
    ├── BadRequest               "bad request"
    ├── NotSupported             "not supported"
    ├── NotImplementedHere       "not implemented"
    ├── Conflict                 "" (the text says what stands in the way)
    │   ├── StillAlive           "still alive"
    │   ├── ChecksFailed         "not valid"; holds every check that failed, with its remedy
    │   ├── MigrationUnderway    "", with the text that Juju itself gives
    │   └── WatcherStopped       "stopped"
    ├── TryAgain                 "try again"
    ├── ControllerError          something about a controller behind JIMM
    │   ├── ControllerUnavailable  "connection failed"; the request may be tried later
    │   ├── LostAnswer           "connection failed"; sent, and nobody knows what came of it
    │   ├── WrongController      "not valid"; another controller answers at that address
    │   └── RemoteError          the controller's own text, code and info
    └── ConfigurationError       the operator's to mend; never sent to a client

No class here knows of HTTP. Each door maps the tree once.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar


class JimmError(Exception):
    """Base of every error that JIMM raises on purpose.

    ``message`` is one sentence fit for a user: it holds no secret and says, where it can,
    what to do. ``field`` names the input at fault, in the door's own spelling, or is empty.
    """

    code: ClassVar[str] = ""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field

    def __str__(self) -> str:
        return self.message

    @property
    def juju_code(self) -> str:
        """The ``error-code`` that a Juju client is sent (Juju ``rpc/params/apierror.go``)."""
        return self.code

    @property
    def info(self) -> Mapping[str, object] | None:
        """The ``error-info`` that a Juju client is sent, if any."""
        return None


class ProtocolError(JimmError):
    """A peer sent bytes that the protocol does not allow."""

    code = "bad request"


class NotFound(JimmError):
    """No such thing, or none that the caller may know of."""

    code = "not found"


class ModelNotFound(NotFound):
    """No such model; a juju client drops it from its cache."""

    code = "model not found"


class UserNotFound(NotFound):
    """No such user."""

    code = "user not found"


class AlreadyExists(JimmError):
    """The name, or the uuid, is taken."""

    code = "already exists"


class Unauthorized(JimmError):
    """The caller is known and may not do this."""

    code = "unauthorized access"

    def __init__(self, message: str = "permission denied", *, field: str = "") -> None:
        super().__init__(message, field=field)


class InvalidLogin(Unauthorized):
    """Wrong name or wrong secret; `juju login` matches the text."""

    def __init__(self, message: str = "invalid entity name or password") -> None:
        super().__init__(message)


class SessionTokenInvalid(JimmError):
    """A session token that can't be used; a juju client then starts the device login."""

    code = "session token invalid"


class FatalLogin(JimmError):
    """A login that ended for good; a juju client then tries no other kind of login."""

    code = "fatal login error"


class NotValid(JimmError):
    """Input of the right shape with a value that can't be; ``field`` names it."""

    code = "not valid"


class CloudRegionRequired(NotValid):
    """A Kubernetes cloud that does not say which cloud and region it runs in."""

    code = "cloud region required"


class IncompatibleClouds(NotValid):
    """A cloud that can't be where it says it is."""

    code = "incompatible clouds"


class BadRequest(JimmError):
    """Input of the wrong shape."""

    code = "bad request"


class NotSupported(JimmError):
    """JIMM does not do this on purpose; the text says what to do instead."""

    code = "not supported"


class NotImplementedHere(JimmError):
    """No such facade, version or method (Juju's ``not implemented``)."""

    code = "not implemented"


class Conflict(JimmError):
    """The state of things forbids it now; the text says what stands in the way."""


class StillAlive(Conflict):
    """Something still lives on what was to be removed."""

    code = "still alive"


class ChecksFailed(Conflict):
    """A migration can't start; ``checks`` has every reason, as ``code``, ``found``, ``remedy``,
    and whether it is ``advice`` or ``mendable``."""

    code = "not valid"

    def __init__(self, message: str, checks: Sequence[Mapping[str, object]]) -> None:
        super().__init__(message)
        self.checks = checks


class MigrationUnderway(Conflict):
    """The model is being moved. Juju sends the bare text and an empty code."""

    def __init__(self, message: str = "model migration in progress") -> None:
        super().__init__(message)


class WatcherStopped(Conflict):
    """Whoever waited for a watcher's news waits in vain: it was stopped."""

    code = "stopped"

    def __init__(self, message: str = "watcher has been stopped") -> None:
        super().__init__(message)


class TryAgain(JimmError):
    """Too busy just now; the same request may pass in a moment."""

    code = "try again"


class ControllerError(JimmError):
    """Something about a controller behind JIMM."""


class ControllerUnavailable(ControllerError):
    """The controller can't be reached, and nothing was sent to it.

    ``why`` is for administrators and logs only: it may hold the controller's addresses.
    """

    code = "connection failed"

    def __init__(self, message: str, *, why: str = "") -> None:
        super().__init__(message)
        self.why = why


class LostAnswer(ControllerError):
    """The request was sent and no answer came: nobody knows whether it was carried out."""

    code = "connection failed"


class WrongController(ControllerError):
    """Another controller than the registered one answers at that address."""

    code = "not valid"


class RemoteError(ControllerError):
    """What a controller answered: its text, its code and its info.

    ``str()`` is the controller's own text; redact it before showing it to anybody, for
    Juju's texts can contain credentials (protocol: ``credential attribute mismatch``).
    """

    def __init__(
        self, message: str, code: str = "", info: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.remote_code = code
        self._info = info

    @property
    def juju_code(self) -> str:
        return self.remote_code

    @property
    def info(self) -> Mapping[str, object] | None:
        return self._info


class ConfigurationError(JimmError):
    """The operator's settings or surroundings don't allow to start."""
