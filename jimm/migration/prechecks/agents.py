"""Many agents at once: all of a model's log in to the target while the source waits.

The manual's advice for large models (Juju ``docs/howto/manage-models``), in numbers.
"""

from typing import Final

from jimm.migration.prechecks.finding import Finding
from jimm.migration.prechecks.values import ControllerFacts, ModelFacts

LARGE: Final = 500
"""From so many agents on a model is large."""

LONG: Final = 1800.0
"""Seconds that a source should wait for a large model's agents."""

_SHARE: Final = 4
"""Logging in should take no more than this part of the time that the source waits."""


def advise(model: ModelFacts, source: ControllerFacts, target: ControllerFacts) -> list[Finding]:
    """Settings that are too tight for the model's size."""
    agents = model.status.agents if model.status is not None else 0
    here, there = source.pace, target.pace
    findings = []
    if here is not None and agents >= LARGE and here.wait_time < LONG:
        findings.append(
            Finding(
                "agent-wait-time",
                f"the model has {agents} agents, and {source.name} waits "
                f"{here.wait_time / 60:.0f} minutes for them in each phase",
                f"juju controller-config -c {source.name} migration-agent-wait-time=30m",
                advice=True,
            )
        )
    if here is not None and there is not None:
        seconds = max(0, agents - there.burst) * there.every
        if seconds * _SHARE > here.wait_time:
            findings.append(
                Finding(
                    "agent-rate-limit",
                    f"{target.name} lets {agents} agents in within {seconds / 60:.0f} minutes, and "
                    f"{source.name} waits {here.wait_time / 60:.0f}",
                    f"juju controller-config -c {target.name} agent-ratelimit-rate=50ms "
                    "agent-ratelimit-max=100",
                    advice=True,
                )
            )
    return findings
