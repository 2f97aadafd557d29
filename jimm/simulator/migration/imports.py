"""Why ``MigrationTarget.Import`` fails. Juju finds these here and in no precheck
(``state/migration_import.go``)."""

from collections.abc import Iterable, Mapping

from jimm.simulator.migration.description import Description
from jimm.simulator.migration.prechecks import Problem
from jimm.simulator.state import Controller, Credential, Model
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
    return None


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
