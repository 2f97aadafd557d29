"""The model itself: whether it is there, may move, and is not moving already."""

from jimm.migration.prechecks.finding import Finding, named
from jimm.migration.prechecks.values import ControllerFacts, ModelFacts


def check(model: ModelFacts, source: ControllerFacts) -> list[Finding]:
    """What of the model keeps it where it is."""
    findings = []
    if not model.found:
        findings.append(
            Finding(
                "model-missing",
                f"{source.name} says that it does not have the model",
                "if it was moved by hand: jimmctl update-migrated-model",
            )
        )
    if model.is_controller:
        findings.append(
            Finding(
                "controller-model",
                f"{model.name} is a controller's own model",
                "controller models stay where they are",
            )
        )
    if model.life != "alive":
        findings.append(
            Finding("model-dying", f"the model is {model.life}", "let it go, or create it anew")
        )
    if model.migrating:
        findings.append(
            Finding(
                "already-migrating",
                "a migration of this model is under way",
                "wait until it ends: jimmctl migrations",
            )
        )
    return findings


def advise(model: ModelFacts) -> list[Finding]:
    """What may surprise: Juju moves a model however much is disabled on it."""
    if not model.blocks:
        return []
    return [
        Finding(
            "model-blocked",
            f"commands are disabled on the model ({named(model.blocks)}); the migration goes on "
            "all the same, and they stay disabled on the new controller",
            "if it is not to be moved, ask whoever disabled them: juju disabled-commands -m MODEL",
            advice=True,
        )
    ]


def check_names(model: ModelFacts, target: ControllerFacts) -> list[Finding]:
    """Whether the target has a model of that uuid, or of that owner and name."""
    for uuid, owner, name in sorted(target.has or (), key=lambda each: each[0] != model.uuid):
        if uuid == model.uuid:
            return [
                Finding(
                    "leftover-import",
                    f"{target.name} already has a model with this uuid",
                    "if the model runs there: jimmctl update-migrated-model; "
                    "if it is just being imported, wait until that has ended",
                )
            ]
        if (owner, name) == (model.owner, model.name):
            return [
                Finding(
                    "name-taken",
                    f"{target.name} already has a model {owner}/{name}",
                    "rename or remove that one, or choose another controller",
                )
            ]
    return []
