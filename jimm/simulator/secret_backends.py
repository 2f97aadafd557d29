"""The stores for secrets that a controller knows (Juju ``state/secretbackends.go``)."""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from jimm.errors import AlreadyExists, Conflict, NotFound, NotValid
from jimm.simulator.state import Controller, Model, SecretBackend

SETTING: Final = "secret-backend"
"""The model's setting that names its backend."""

BUILT_IN: Final = ("", "auto", "internal")
"""Values of it that mean a store of the controller's own, or of its cloud."""

_PROVIDERS: Final = ("vault", "kubernetes")
_KEYS: Final = frozenset({"token", "client-key", "password"})


def added(controller: Controller, backend: SecretBackend) -> Controller:
    """The controller with one more backend.

    Raises:
        NotValid: no name for one, or a provider that is not known.
        AlreadyExists: its name or its id is taken.
    """
    if not backend.name:
        raise NotValid("missing backend name not valid")
    if backend.name in BUILT_IN:
        raise NotValid(f'backend "{backend.name}" not valid')
    if backend.type not in _PROVIDERS:
        kind = backend.type
        raise NotFound(f'creating backend provider type "{kind}": no registered provider "{kind}"')
    if any(each.id == backend.id for each in controller.secret_backends.values()):
        raise AlreadyExists(f'secret backend with ID "{backend.id}" already exists')
    if backend.name in controller.secret_backends:
        raise AlreadyExists(f'secret backend "{backend.name}" already exists')
    return _with(controller, {**controller.secret_backends, backend.name: backend})


def removed(controller: Controller, name: str, *, secrets: int, force: bool) -> Controller:
    """The controller without a backend that holds so many secrets.

    Raises:
        NotFound: there is none of that name.
        Conflict: it holds some, and no force.
    """
    if name not in controller.secret_backends:
        raise NotFound(f'secret backend "{name}" not found')
    if secrets and not force:
        raise Conflict(f'backend "{name}" still contains secret content')
    left = {each: kept for each, kept in controller.secret_backends.items() if each != name}
    return _with(controller, left)


def of_model(controller: Controller, model: Model) -> SecretBackend | None:
    """The backend that a model's setting names, if it is none of the built-in ones."""
    name = str(model.config.get(SETTING, ""))
    return None if name in BUILT_IN else controller.secret_backends.get(name)


def without_keys(config: Mapping[str, object]) -> dict[str, object]:
    """What everybody may see of a backend's configuration."""
    return {key: value for key, value in config.items() if key not in _KEYS}


def by_id(controller: Controller, backend_id: str) -> SecretBackend | None:
    """The backend with that id."""
    found = (each for each in controller.secret_backends.values() if each.id == backend_id)
    return next(found, None)


def _with(controller: Controller, backends: dict[str, SecretBackend]) -> Controller:
    return replace(controller, secret_backends=backends)
