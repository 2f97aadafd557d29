"""``SecretBackends`` 1: where secrets are kept outside a controller."""

from typing import Final

from msgspec import Struct

from jimm.controllers import deadlines
from jimm.controllers.calls.rows import only_done
from jimm.controllers.link import Link
from jimm.wire.params.common import ErrorResults
from jimm.wire.params.secret_backends import (
    AddSecretBackend,
    AddSecretBackends,
    ListSecretBackends,
    RemoveSecretBackend,
    RemoveSecretBackends,
    SecretBackendResult,
    SecretBackendResults,
)

_FACADE: Final = "SecretBackends"
_VERSIONS: Final = (1,)


async def secret_backends(
    link: Link, *, deadline: float = deadlines.READ
) -> list[SecretBackendResult]:
    """All of them, the controller's own included, without the keys to them. The controller asks
    each how it is, which may take long."""
    found = await link.call(
        _FACADE,
        "ListSecretBackends",
        ListSecretBackends(),
        SecretBackendResults,
        versions=_VERSIONS,
        deadline=deadline,
    )
    return found.results


async def revealed_backends(
    link: Link, names: list[str], *, deadline: float = deadlines.READ
) -> list[SecretBackendResult]:
    """These, with the keys to them; for superusers."""
    found = await link.call(
        _FACADE,
        "ListSecretBackends",
        ListSecretBackends(names=names, reveal=True),
        SecretBackendResults,
        versions=_VERSIONS,
        deadline=deadline,
    )
    return found.results


async def add_backend(
    link: Link, backend: AddSecretBackend, *, deadline: float = deadlines.CHANGE
) -> None:
    """Adds one; the controller asks it first whether it answers."""
    params = AddSecretBackends(args=[backend])
    only_done(link, await _call(link, "AddSecretBackends", params, deadline))


async def remove_backend(link: Link, name: str, *, deadline: float = deadlines.CHANGE) -> None:
    """Removes one; refused while there are secrets in it."""
    params = RemoveSecretBackends(args=[RemoveSecretBackend(name=name)])
    only_done(link, await _call(link, "RemoveSecretBackends", params, deadline))


async def _call(link: Link, method: str, params: Struct, deadline: float) -> ErrorResults:
    return await link.call(
        _FACADE, method, params, ErrorResults, versions=_VERSIONS, deadline=deadline
    )
