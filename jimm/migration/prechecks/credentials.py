"""The model's cloud credential: valid, its owner's, and no other than the target's.

Juju 3.6 makes the credential in ``IMPORT`` if it is not there, and otherwise takes none but an
identical one (``state/migration_import.go``).
"""

from collections.abc import Iterator
from typing import Final

from jimm.migration.prechecks.finding import Finding
from jimm.migration.prechecks.values import (
    ControllerFacts,
    Credential,
    CredentialThere,
    ModelFacts,
)

_EMPTY: Final = "empty"
_SET: Final = "give the model another: juju set-credential -m MODEL CLOUD CREDENTIAL"


def check(model: ModelFacts, target: ControllerFacts) -> list[Finding]:
    """What of the credential keeps the model from the target."""
    if model.credential is None:
        return [*_check_none(model, target)]
    return [*_check_here(model, model.credential), *_check_there(model, model.credential, target)]


def _check_none(model: ModelFacts, target: ControllerFacts) -> Iterator[Finding]:
    cloud = target.cloud
    if cloud is not None and cloud.auth_types and _EMPTY not in cloud.auth_types:
        yield Finding(
            "credential-required",
            f"the model has no credential, and cloud {model.cloud} on {target.name} demands one",
            _SET,
        )


def _check_here(model: ModelFacts, used: Credential) -> Iterator[Finding]:
    if used.valid is False:
        yield Finding(
            "credential-invalid",
            f"the source holds the model's credential {used.name} for invalid",
            f"juju update-credential CLOUD CREDENTIAL, or {_SET}",
        )
    if used.owner != model.owner:
        yield Finding(
            "credential-not-owners",
            f"the model's credential {used.name} is {used.owner}'s, and the model {model.owner}'s",
            f"{_SET}, one of the owner's own",
        )


def _check_there(model: ModelFacts, used: Credential, target: ControllerFacts) -> Iterator[Finding]:
    there = target.credential
    if isinstance(there, CredentialThere):
        yield from _compare(used, there, target)
    elif there is False:
        yield Finding(
            "credential-missing",
            f"{target.name} does not have the credential {used.name} of {used.owner}'s; the "
            "import brings it along",
            "go on, unless it is not to be kept there",
            advice=True,
        )
        cloud = target.cloud
        if cloud is not None and used.auth_type and used.auth_type not in cloud.auth_types:
            yield Finding(
                "credential-type-unknown",
                f"cloud {model.cloud} on {target.name} takes no credentials of type "
                f"{used.auth_type}",
                f"choose another controller, or {_SET}",
            )


def _compare(
    used: Credential, there: CredentialThere, target: ControllerFacts
) -> Iterator[Finding]:
    name = f"the credential {used.name} of {used.owner}'s"
    same = (
        f"give both controllers the same (juju update-credential, or jimmctl migrate --prepare "
        f"where JIMM keeps it), or {_SET}"
    )
    if used.auth_type and used.auth_type != there.auth_type:
        yield Finding(
            "credential-type-differs",
            f"{target.name} has {name} with type {there.auth_type} in place of {used.auth_type}",
            same,
            mendable=used.kept,
        )
    elif there.same is False:
        yield Finding(
            "credential-differs",
            f"{target.name} has {name} with other values",
            same,
            mendable=used.kept,
        )
    elif there.same is None:
        yield Finding(
            "credential-not-compared",
            f"{target.name} has {name} too, and nobody can tell whether with the same values; "
            "with others the import will fail",
            same,
            advice=True,
            mendable=used.kept,
        )
    if there.valid is False:
        yield Finding(
            "credential-revoked",
            f"{target.name} holds {name} for invalid",
            same,
            mendable=used.kept,
        )
