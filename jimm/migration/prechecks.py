"""What must hold before anything moves: all of it asked at once, each failure with a remedy.

Cloud, region and patch version are not checked by Juju 3.6 before it begins; there they would
fail in ``IMPORT``, after the model's agents were made to wait.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple


class Version(NamedTuple):
    """A Juju version; a tagged one (``3.7-beta1``) comes before every release of its minor."""

    major: int
    minor: int
    release: bool
    patch: int

    @classmethod
    def parse(cls, text: str) -> "Version | None":
        """The version in a text such as ``3.6.9`` or ``3.7-beta1``; ``None`` if there is none."""
        found = re.match(r"(\d+)\.(\d+)(?:\.(\d+)|-[a-z]+(\d+))?", text)
        if found is None:
            return None
        major, minor, patch, tagged = found.groups()
        return cls(int(major), int(minor), tagged is None, int(patch or tagged or 0))


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a migration can't start: a stable code, what was found, and what to do."""

    code: str
    found: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The model as the registry and its source show it.

    ``owner`` is the user's name on the source; ``found`` is false when the source says that it
    has no such model.
    """

    uuid: str
    name: str
    owner: str
    cloud: str
    region: str
    agent_version: str
    life: str = "alive"
    is_controller: bool = False
    migrating: bool = False
    found: bool = True


@dataclass(frozen=True, slots=True)
class ControllerFacts:
    """A controller as the registry and its last readings show it.

    ``clouds`` maps each cloud's name to its regions. ``has`` are the models found on it, as
    ``(uuid, owner, name)``, importing ones included; ``None`` when it could not be asked.
    """

    name: str
    healthy: bool
    status_info: str = ""
    agent_version: str = ""
    deprecated: bool = False
    clouds: dict[str, frozenset[str]] | None = None
    has: frozenset[tuple[str, str, str]] | None = None


def check(model: ModelFacts, source: ControllerFacts, target: ControllerFacts) -> list[Finding]:
    """Every reason why ``model`` can't go from ``source`` to ``target``; none means it can."""
    if source.name == target.name:
        return [
            Finding(
                "target-is-source",
                f"the model is on {target.name} already",
                "choose another controller",
            )
        ]
    return [
        *_check_presence(model, source),
        *_check_model(model),
        *_check_health(source, "source"),
        *_check_health(target, "target"),
        *_check_deprecated(target),
        *_check_cloud(model, target),
        *_check_versions(model, source, target),
        *_check_names(model, target),
    ]


def _check_presence(model: ModelFacts, source: ControllerFacts) -> list[Finding]:
    if model.found:
        return []
    return [
        Finding(
            "model-missing",
            f"{source.name} says that it does not have the model",
            "if it was moved by hand: jimmctl update-migrated-model",
        )
    ]


def _check_model(model: ModelFacts) -> list[Finding]:
    findings = []
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


def _check_health(controller: ControllerFacts, side: str) -> list[Finding]:
    if controller.healthy:
        return []
    why = f": {controller.status_info}" if controller.status_info else ""
    return [
        Finding(
            f"{side}-unavailable",
            f"the {side} controller {controller.name} is not available{why}",
            "bring it back, then try again",
        )
    ]


def _check_deprecated(target: ControllerFacts) -> list[Finding]:
    if not target.deprecated:
        return []
    return [
        Finding(
            "target-deprecated",
            f"{target.name} is deprecated",
            f"choose another, or: jimmctl set-controller-deprecated {target.name} --undo",
        )
    ]


def _check_cloud(model: ModelFacts, target: ControllerFacts) -> list[Finding]:
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
    if model.region and model.region not in regions:
        return [
            Finding(
                "region-missing",
                f"{target.name} does not have region {model.region} of cloud {model.cloud}",
                "choose a controller that reaches the region",
            )
        ]
    return []


def _check_versions(
    model: ModelFacts, source: ControllerFacts, target: ControllerFacts
) -> list[Finding]:
    there = Version.parse(target.agent_version)
    if there is None:
        return []
    findings = []
    for code, what, text in (
        ("version-model", "the model runs", model.agent_version),
        # Juju compares only major and minor; a newer patch can still abort in IMPORT.
        ("version-source", f"the source {source.name} runs", source.agent_version),
    ):
        here = Version.parse(text)
        if here is not None and here > there:
            findings.append(
                Finding(
                    code,
                    f"{what} {text}, newer than {target.agent_version} on {target.name}",
                    f"upgrade {target.name}, or choose a controller with {text} or later",
                )
            )
    return findings


def _check_names(model: ModelFacts, target: ControllerFacts) -> list[Finding]:
    for uuid, owner, name in target.has or ():
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
