"""``SecretBackends`` 1 (Juju ``rpc/params/secrets.go``). A backend's ``config`` may hold the
keys to it."""

from jimm.wire.params.common import Error, Params


class SecretBackend(Params, kw_only=True):
    """A store for secrets outside the controller. ``token_rotate_interval`` is in ns."""

    name: str
    backend_type: str
    token_rotate_interval: int | None = None
    config: dict[str, object] | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r}, backend_type={self.backend_type!r})"


class AddSecretBackend(SecretBackend, kw_only=True):
    """One to add; ``id`` is set for one that another controller knows by that id."""

    id: str = ""


class AddSecretBackends(Params, kw_only=True):
    """``AddSecretBackends``."""

    args: list[AddSecretBackend]


class ListSecretBackends(Params, kw_only=True):
    """``ListSecretBackends``: all without ``names``; ``reveal`` shows the keys to superusers."""

    names: list[str] | None = None
    reveal: bool = False


class SecretBackendResult(Params, kw_only=True, omit_defaults=False):
    """A backend, how many secrets it holds, and whether it answers (``active``, ``error``)."""

    result: SecretBackend
    id: str
    num_secrets: int = 0
    status: str = ""


class SecretBackendResults(Params, kw_only=True):
    """``ListSecretBackends``."""

    results: list[SecretBackendResult]


class RemoveSecretBackend(Params, kw_only=True):
    """One to remove; one that is in use only with ``force``."""

    name: str
    force: bool = False


class RemoveSecretBackends(Params, kw_only=True):
    """``RemoveSecretBackends``."""

    args: list[RemoveSecretBackend]


class FailedSecretBackend(Params, kw_only=True):
    """A row that is an error."""

    id: str
    error: Error
