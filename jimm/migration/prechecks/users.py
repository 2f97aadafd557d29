"""The model's people on the target: Juju wants each local one there, and external ones only
where both controllers trust the same identity provider."""

from jimm.migration.prechecks.finding import Finding, named
from jimm.migration.prechecks.values import ControllerFacts, ModelFacts
from jimm.migration.prechecks.versions import major


def local(model: ModelFacts) -> frozenset[str]:
    """The local users that must exist on a target."""
    return frozenset(each for each in model.users | {model.owner} if "@" not in each)


def check(model: ModelFacts, source: ControllerFacts, target: ControllerFacts) -> list[Finding]:
    """Who can't follow the model."""
    return [*_check_local(model, source, target), *_check_external(model, source, target)]


def _check_local(
    model: ModelFacts, source: ControllerFacts, target: ControllerFacts
) -> list[Finding]:
    if target.users is None:
        return []
    missing = local(model) - model.made - target.users
    findings = []
    # On Juju 4 a model's owner is part of its name, and need not be anybody.
    if model.owner in missing and (model.owner in model.users or major(source.agent_version) < 4):
        findings.append(
            Finding(
                "owner-missing",
                f"the model's owner {model.owner} is no user of {target.name}",
                f"jimmctl migrate --prepare, or there: juju add-user {model.owner}",
                mendable=True,
            )
        )
    others = sorted(missing - {model.owner})
    if others:
        findings.append(
            Finding(
                "users-missing",
                f"users of the model do not exist on {target.name}: {named(others)}",
                "jimmctl migrate --prepare, or add them there (juju add-user), or take them out "
                "of the model (juju revoke)",
                mendable=True,
            )
        )
    return findings


def _check_external(
    model: ModelFacts, source: ControllerFacts, target: ControllerFacts
) -> list[Finding]:
    external = sorted(each for each in model.users if "@" in each)
    urls = source.identity_url, target.identity_url
    if not external or None in urls or urls[0] == urls[1]:
        return []
    return [
        Finding(
            "users-external",
            f"{source.name} and {target.name} have different identity providers, so these users "
            f"can't go along: {named(external)}",
            "take them out of the model (juju revoke), or give both the same identity-url",
        )
    ]
