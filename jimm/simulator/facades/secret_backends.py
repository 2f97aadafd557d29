"""``SecretBackends`` 1 (Juju ``apiserver/facades/client/secretbackends``)."""

import secrets as random
from collections import Counter

from jimm.simulator import secret_backends
from jimm.simulator.secret_backends import of_model, without_keys
from jimm.simulator.session import Answering, each
from jimm.simulator.state import SecretBackend
from jimm.wire.facade import method
from jimm.wire.params import secret_backends as params_
from jimm.wire.params.common import ErrorResults


class SecretBackends(Answering):
    """Stores for secrets outside the controller."""

    name = "SecretBackends"

    @method("ListSecretBackends", versions=(1,))
    async def list_backends(
        self, params: params_.ListSecretBackends
    ) -> params_.SecretBackendResults:
        """The built-in one and those that were added, by id; keys only for superusers."""
        if params.reveal:
            self.caller.require_superuser(self.core)
        held = self._held()
        own = SecretBackend(name="internal", id=self.core.uuid, type="controller")
        everything = [own, *self.core.store.controller.secret_backends.values()]
        return params_.SecretBackendResults(
            results=[
                _row(backend, held[backend.name], reveal=params.reveal)
                for backend in sorted(everything, key=lambda found: found.id)
                if not params.names or backend.name in params.names
            ]
        )

    @method("AddSecretBackends", versions=(1,))
    async def add_backends(self, params: params_.AddSecretBackends) -> ErrorResults:
        """Adds some, under ids of their own or those they had elsewhere; superusers only."""
        self.caller.require_superuser(self.core)

        async def one(wanted: params_.AddSecretBackend) -> None:
            backend = SecretBackend(
                name=wanted.name,
                id=wanted.id or random.token_hex(12),
                type=wanted.backend_type,
                config=wanted.config or {},
            )
            self.core.store.put(secret_backends.added(self.core.store.controller, backend))

        return await each(params.args, one)

    @method("RemoveSecretBackends", versions=(1,))
    async def remove_backends(self, params: params_.RemoveSecretBackends) -> ErrorResults:
        """Removes some; superusers only."""
        self.caller.require_superuser(self.core)

        async def one(wanted: params_.RemoveSecretBackend) -> None:
            controller = secret_backends.removed(
                self.core.store.controller,
                wanted.name,
                secrets=self._held()[wanted.name],
                force=wanted.force,
            )
            self.core.store.put(controller)

        return await each(params.args, one)

    def _held(self) -> Counter[str]:
        """How many secrets are in each backend, by its name."""
        held: Counter[str] = Counter()
        for model in self.core.store.models.values():
            backend = of_model(self.core.store.controller, model)
            held[backend.name if backend is not None else "internal"] += len(model.secrets)
        return held


def _row(backend: SecretBackend, held: int, *, reveal: bool) -> params_.SecretBackendResult:
    shown = dict(backend.config) if reveal else without_keys(backend.config)
    return params_.SecretBackendResult(
        result=params_.SecretBackend(
            name=backend.name, backend_type=backend.type, config=shown or None
        ),
        id=backend.id,
        num_secrets=held,
        status="active",
    )
