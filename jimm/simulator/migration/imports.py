"""Why ``MigrationTarget.Import`` fails. Juju finds these here and in no precheck
(``state/migration_import.go``)."""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from jimm.simulator.migration.description import Description
from jimm.simulator.migration.prechecks import Problem
from jimm.simulator.secret_backends import BUILT_IN, SETTING, by_id
from jimm.simulator.state import Controller, Credential, Model, SecretBackend
from jimm.wire import codes
from jimm.wire.tags import CredentialId


def import_problem(
    description: Description,
    *,
    controller: Controller,
    models: Iterable[Model],
    local_users: Iterable[str],
    credentials: Mapping[CredentialId, Credential],
) -> Problem | None:
    """The first reason why this controller can't take the model in."""
    model = description.model
    here = list(models)
    if any(each.uuid == model.uuid for each in here):
        return Problem(f"model {model.uuid} already exists", codes.ALREADY_EXISTS)
    problem = _cloud_problem(model, controller) or _credential_problem(
        description.credential, credentials
    )
    if problem is not None:
        return problem
    if any((each.owner, each.name) == (model.owner, model.name) for each in here):
        text = f'model "{model.name}" for {model.owner} already exists'
        return Problem(text, codes.ALREADY_EXISTS)
    if "@" not in model.owner and model.owner not in set(local_users):
        text = f'granting admin permission to the owner: user "{model.owner}" not found'
        return Problem(text, codes.NOT_FOUND)
    return _backend_problem(description, controller)


def import_problem_of_four(
    description: Description,
    *,
    controller: Controller,
    models: Iterable[Model],
    local_users: Iterable[str],
    credentials: Mapping[CredentialId, Credential],
) -> Problem | None:
    """The same on 4.0 (Juju 4.0 ``domain/model/modelmigration``, ``domain/access``)."""
    model, known = description.model, set(local_users)
    problem = _credential_problem(description.credential, credentials)
    if problem is not None:
        return problem
    during = f'importing model "{model.name}" with id "{model.uuid}" during migration: '
    if any(
        each.uuid == model.uuid or (each.owner, each.name) == (model.owner, model.name)
        for each in models
    ):
        return Problem(f"{during}model already exists", codes.ALREADY_EXISTS)
    found = _cloud_problem(model, controller)
    if found is not None:
        return found.within(during)
    if "@" not in model.owner and model.owner not in known:
        where = f'importing model "{model.name}" with uuid "{model.uuid}"'
        return Problem(f'{where}, user not found for name "{model.owner}"', codes.USER_NOT_FOUND)
    missing = sorted(user for user in model.users if "@" not in user and user not in known)
    if missing:
        text = f'creating permission for user "{missing[0]}": user not found'
        return Problem(text, codes.USER_NOT_FOUND)
    return _backend_problem(description, controller)


def settled_in(model: Model, backend: SecretBackend | None) -> Model:
    """The model with the name that its secret backend has here."""
    if backend is None:
        return model
    return replace(model, config={**model.config, SETTING: backend.name})


def _backend_problem(description: Description, controller: Controller) -> Problem | None:
    wanted = str(description.model.config.get(SETTING, ""))
    found = description.secret_backend
    if wanted in BUILT_IN or by_id(controller, found):
        return None
    if not found:
        text = f'secret backend: secret backend config "{wanted}" in model export not found'
        return Problem(text, codes.NOT_FOUND)
    text = f'cannot load secret backend "{found}": secret backend "{found}" not found'
    return Problem(f"secret backend: {text}", codes.NOT_FOUND)


def _cloud_problem(model: Model, controller: Controller) -> Problem | None:
    cloud = controller.clouds.get(model.cloud)
    if cloud is None:
        return Problem(f'cloud "{model.cloud}" not found', codes.NOT_FOUND)
    regions = [region.name for region in cloud.regions]
    if model.region and model.region not in regions:
        expected = " ".join(f'"{name}"' for name in sorted(regions))
        text = f'region "{model.region}" not found (expected one of [{expected}])'
        return Problem(text, codes.NOT_FOUND)
    return None


def _credential_problem(
    credential: Credential | None, existing: Mapping[CredentialId, Credential]
) -> Problem | None:
    found = existing.get(credential.id) if credential is not None else None
    if credential is None or found is None:
        return None
    if found.auth_type != credential.auth_type:
        text = f'credential auth type mismatch: "{found.auth_type}" != "{credential.auth_type}"'
        return Problem(text)
    if found.attrs != credential.attrs:
        # Juju prints the values, so a broker's redaction has something to prove itself on.
        here, coming = _go_map(found.attrs), _go_map(credential.attrs)
        return Problem(f"credential attribute mismatch: {here} != {coming}")
    if not found.valid:
        return Problem(f'credential "{credential.id}" is revoked')
    return None


def _go_map(attributes: Mapping[str, str]) -> str:
    pairs = " ".join(f"{key}:{value}" for key, value in sorted(attributes.items()))
    return f"map[{pairs}]"
