"""What a model has that another controller may not know: secrets outside, offers, networks."""

from jimm.migration.prechecks.finding import Finding, named
from jimm.migration.prechecks.values import ControllerFacts, ModelFacts
from jimm.migration.prechecks.versions import major


def check(model: ModelFacts, source: ControllerFacts, target: ControllerFacts) -> list[Finding]:
    """What of it would be refused there."""
    return [*_check_backends(model, target), *_check_fan(model, source, target)]


def advise(model: ModelFacts, source: ControllerFacts, target: ControllerFacts) -> list[Finding]:
    """Offers go on across controllers, as long as these reach one another (Juju 3.6
    ``MigrationTarget.Activate`` remembers the source, ``remoterelations`` follows redirects)."""
    between = f"they go on only as long as {source.name} and {target.name} reach one another's API"
    if major(source.agent_version) != major(target.agent_version):
        between += ", and Juju does not promise that they do between such different versions"
    together = "to keep them on one controller, move these models together"
    findings = []
    if model.offered:
        users = [uuid for uuids in model.offered.values() for uuid in uuids]
        findings.append(
            Finding(
                "offers-in-use",
                f"other models use offers of this one ({named(sorted(model.offered))}); {between}",
                f"{together}: {named(sorted(users))}" if users else together,
                advice=True,
            )
        )
    if model.consumed:
        findings.append(
            Finding(
                "offers-consumed",
                f"the model uses offers of other models ({named(model.consumed)}); {between}",
                together,
                advice=True,
            )
        )
    return findings


def _check_backends(model: ModelFacts, target: ControllerFacts) -> list[Finding]:
    if target.backends is None:
        return []
    missing = [
        f"{name} ({identifier})"
        for identifier, name in sorted(model.backends.items())
        if identifier not in target.backends
    ]
    if not missing:
        return []
    return [
        Finding(
            "secret-backend-missing",
            f"{target.name} does not have the model's secret backends under the same ids: "
            f"{named(missing)}",
            "jimmctl migrate --prepare, or add them there: juju add-secret-backend NAME TYPE "
            "--import-id ID",
            mendable=True,
        )
    ]


def _check_fan(
    model: ModelFacts, source: ControllerFacts, target: ControllerFacts
) -> list[Finding]:
    if not model.fan or major(target.agent_version) < 4 or major(source.agent_version) >= 4:
        return []
    return [
        Finding(
            "fan-networking",
            f"the model uses fan networking ({model.fan}), which Juju 4 does not know",
            "juju model-config -m MODEL --reset fan-config,container-networking-method",
        )
    ]
