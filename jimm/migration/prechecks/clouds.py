"""The model's cloud on the target. Juju 3.6 finds a missing one only in ``IMPORT``."""

from collections.abc import Iterator

from jimm.migration.prechecks.finding import Finding
from jimm.migration.prechecks.values import Cloud, ControllerFacts, ModelFacts


def check(model: ModelFacts, source: ControllerFacts, target: ControllerFacts) -> list[Finding]:
    """Whether the target has the model's cloud and region, and it is the same cloud."""
    if target.clouds is None:
        return []
    regions = target.clouds.get(model.cloud)
    if regions is None:
        return [
            Finding(
                "cloud-missing",
                f"{target.name} does not have cloud {model.cloud}",
                "add the cloud there, or choose a controller that has it",
            )
        ]
    findings = []
    if model.region and model.region not in regions:
        findings.append(
            Finding(
                "region-missing",
                f"{target.name} does not have region {model.region} of cloud {model.cloud}",
                "choose a controller that reaches the region",
            )
        )
    if source.cloud is not None and target.cloud is not None:
        findings += _compare(model, source, target, source.cloud, target.cloud)
    return findings


def _compare(
    model: ModelFacts, source: ControllerFacts, target: ControllerFacts, here: Cloud, there: Cloud
) -> Iterator[Finding]:
    both = f"cloud {model.cloud} on {target.name}"
    if here.type != there.type:
        yield Finding(
            "cloud-differs",
            f"{both} is of type {there.type}, and of type {here.type} on {source.name}",
            "choose a controller that has the same cloud",
        )
    elif _where(here, model.region) != _where(there, model.region):
        # The same cloud may have two names; another one would not show the model's machines, and
        # the machine check would fail.
        yield Finding(
            "cloud-endpoint-differs",
            f"{both} has another endpoint than on {source.name}; unless both lead to the same "
            "cloud, the migration will fail when the model's machines are looked for",
            f"compare juju show-cloud {model.cloud} on both controllers",
            advice=True,
        )


def _where(cloud: Cloud, region: str) -> str:
    return (cloud.regions.get(region) or cloud.endpoint).rstrip("/")
