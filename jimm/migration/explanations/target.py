"""Why a target won't take a model: ``target prechecks failed: …``. Pure."""

from typing import Final

from jimm.migration.explanations import machines
from jimm.migration.explanations.connecting import LOGIN_REFUSED, PERMISSION_DENIED
from jimm.migration.explanations.rule import Place, Reading, Rule

_HIGHER: Final = r"has higher version than target controller \((?P<here>\S+) > (?P<there>\S+)\)"
_OTHER: Final = "choose another: jimmctl list-migration-targets MODEL"

NAME_TAKEN: Final = "rename or remove that one, or " + _OTHER

DESCRIPTION_TOO_NEW: Final = Rule(
    "description-too-new",
    r"(?:deserializing model for import"
    r"|cannot deserialize model \S+ description during prechecks): "
    r"(?:.*: )?version (?P<version>\d+) not valid",
    "the source describes models in a way (version {version}) that the target does not know yet",
    "upgrade the target at least to the source's release, patch included, or " + _OTHER,
)

CLOUD_MISSING: Final = Rule(
    "cloud-missing",
    r"(?:model's )?cloud \"(?P<cloud>[^\"]*)\" not found(?: on target controller)?",
    "the target does not have cloud {cloud}",
    "add it there (juju add-cloud --controller TARGET {cloud}), or " + _OTHER,
)

BELOW_4_1: Final = Rule(
    "target-below-4-1",
    "target controller does not support the model migration format; .*",
    "the target is too old for a model of a Juju 4 controller",
    "upgrade the target to Juju 4.1 or later, or choose one that is",
)

_VERSIONS: Final = (
    Rule(
        "source-facades-too-old",
        r"Source controller does not support required facades for performing migration\.\s+"
        r"Upgrade the controller to a newer version of (?P<release>[\d.]+\d)"
        r"(?:, that is greater than (?P<patch>[\d.]+\d))?.*",
        "the source is too old to give models to the target",
        "upgrade the source to a newer {release}, or choose an older target: "
        "jimmctl list-migration-targets MODEL",
    ),
    Rule(
        "version-model",
        f"model {_HIGHER}",
        "the model runs {here}, newer than {there} on the target",
        "upgrade the target, or choose one with {here} or later: "
        "jimmctl list-migration-targets MODEL",
    ),
    Rule(
        "version-source",
        f"source controller {_HIGHER}",
        "the source runs {here}, newer than {there} on the target",
        "upgrade the target, or choose one with {here} or later: "
        "jimmctl list-migration-targets MODEL",
    ),
    Rule(
        "target-version-unknown",
        r"unknown target controller version (?P<there>\S+)(?:: .*)?",
        "Juju knows no way from the model's version to {there} on the target",
        "upgrade the model first (juju upgrade-model -m MODEL), or " + _OTHER,
    ),
    Rule(
        "version-model-too-old",
        r"model must be upgraded to at least version (?P<least>\S+) before being migrated to a "
        r"controller with version (?P<there>\S+)",
        "the model is too old for a target with {there}: it must run {least} or later",
        "juju upgrade-model -m MODEL --agent-version {least}, then try again",
    ),
    BELOW_4_1,
    DESCRIPTION_TOO_NEW,
)

_MODELS: Final = (
    Rule(
        "model-info-incomplete",
        r"empty (?P<what>UUID|Owner|Name|Version|Qualifier) not valid",
        "the source did not tell the target the model's {what}",
        "see juju show-model MODEL and the source's log (juju debug-log -m controller)",
    ),
    Rule(
        "leaving-target",
        "model is being migrated out of target controller",
        "the target is itself just moving this model away",
        "wait until that is over, then: jimmctl update-migrated-model",
    ),
    Rule(
        "model-on-target",
        r"model with same UUID already exists \((?P<uuid>[\w-]+)\)",
        "the target already has a model with this uuid, {uuid}",
        "if the model runs there: jimmctl update-migrated-model TARGET {uuid}; "
        "otherwise remove that copy on the target, then try again",
    ),
    Rule(
        "name-taken",
        r"model named \"(?P<name>[^\"]*)\" already exists",
        "the target already has a model {name} of this owner, or a half import of this one",
        "try again, which clears a half import away; if it is another model, " + NAME_TAKEN,
    ),
    CLOUD_MISSING,
    Rule(
        "fan-networking",
        r"fan networking not supported, remove (?P<what>[\w-]+) .*",
        "the model uses fan networking ({what}), which the target no longer has",
        "juju model-config -m MODEL --reset {what}, then try again",
    ),
    Rule(
        "charms-without-manifest",
        r".*all charms now require a manifest\.yaml file, this model hosts charm\(s\) with no "
        r"manifest\.yaml file: (?P<applications>.*)",
        "these applications have charms without a manifest, which the target requires: "
        "{applications}",
        "upgrade their charms: juju refresh -m MODEL APPLICATION",
    ),
    Rule(
        "target-without-cross-model",
        r"target controller must be upgraded to (?P<least>[\d.]+\d) or later\s.*",
        "the target is too old for a model with relations to other models",
        "upgrade the target to {least} or later, or " + _OTHER,
    ),
)

READINGS: Final[tuple[Reading, ...]] = (
    Place(
        r"target prechecks failed:\s*"
        r"(?:migration target prechecks failed:\s*|migration import prechecks:\s*"
        r"|checking model (?:for charms without manifest\.yaml|config for fan config):\s*)*",
        (
            *_VERSIONS,
            *_MODELS,
            PERMISSION_DENIED,
            LOGIN_REFUSED,
            *machines.of_the_controller("target"),
            Place(r"controller:\s*", machines.of_the_controller("target")),
            Rule(
                "target-check-failed",
                r"(?P<why>.*)",
                "the target's own checks failed: {why}",
                "mend what is said there on the target, or " + _OTHER,
            ),
        ),
    ),
    *(each for each in _MODELS if each.code == "target-without-cross-model"),
    BELOW_4_1,
)
"""Of ``InitiateMigration`` and of ``QUIESCE`` alike."""
