"""What must hold before anything moves: all of it asked at once, each failure with a remedy.

*Facts* are what both controllers and the registry told, a *finding* is what speaks against a
migration, *advice* is a finding that refuses nothing, and what is *mendable* JIMM makes right
itself if asked to (``--prepare``). What could not be asked is advice at most.

Much of this Juju itself asks only after it has begun, in ``IMPORT``, when the model's agents were
made to wait; and of what it asks before, it tells the first failure alone.
"""

from jimm.migration.prechecks import (
    agents,
    clouds,
    controllers,
    credentials,
    models,
    possessions,
    status,
    users,
    versions,
)
from jimm.migration.prechecks.finding import Finding, refusing
from jimm.migration.prechecks.values import ControllerFacts, ModelFacts
from jimm.migration.prechecks.versions import Version

__all__ = ["ControllerFacts", "Finding", "ModelFacts", "Version", "check", "refusing"]


def check(model: ModelFacts, source: ControllerFacts, target: ControllerFacts) -> list[Finding]:
    """Everything that speaks against ``model`` going from ``source`` to ``target``, advice last."""
    if source.name == target.name:
        return [
            Finding(
                "target-is-source",
                f"the model is on {target.name} already",
                "choose another controller",
            )
        ]
    return [*_refusals(model, source, target), *_advice(model, source, target)]


def _refusals(model: ModelFacts, source: ControllerFacts, target: ControllerFacts) -> list[Finding]:
    found = [
        *models.check(model, source),
        *controllers.check(source, target),
        *clouds.check(model, source, target),
        *versions.check(model, source, target),
        *models.check_names(model, target),
        *users.check(model, source, target),
        *credentials.check(model, target),
        *possessions.check(model, source, target),
    ]
    if model.status is not None:
        found += status.check(model.status, source_major=versions.major(source.agent_version))
    return sorted(found, key=lambda each: each.advice)


def _advice(model: ModelFacts, source: ControllerFacts, target: ControllerFacts) -> list[Finding]:
    return [
        *models.advise(model),
        *possessions.advise(model, source, target),
        *agents.advise(model, source, target),
        *controllers.advise(source, target),
    ]
