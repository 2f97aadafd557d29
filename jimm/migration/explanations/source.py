"""Why a source won't let a model go: ``source prechecks failed: …``. Pure."""

from typing import Final

from jimm.migration.explanations import machines
from jimm.migration.explanations.rule import Listing, Place, Reading, Rule

_APPLICATION: Final = r"application (?P<application>[\w-]+)"
_UNIT: Final = r"unit (?P<unit>[\w-]+/\d+)"
_QUOTED_UNIT: Final = r'unit "(?P<unit>[\w-]+/\d+)"'
_WAIT: Final = "wait until it has gone (juju status -m MODEL), then try again"
_SETTLE: Final = "wait until it is idle (juju status -m MODEL {unit}), then try again"

_MODEL: Final[tuple[Reading, ...]] = (
    Rule(
        "model-dying",
        "model is (?P<life>dying|dead)",
        "the model is {life}",
        "let it go, or create it anew on the target",
    ),
    Rule(
        "model-importing",
        "model is being imported as part of another migration",
        "the model is itself just being imported there",
        "wait until that migration is over (jimmctl migrations), then try again",
    ),
    Rule(
        "credential-invalid",
        "model has revoked credentials",
        "the source holds the model's cloud credential for invalid",
        "give it a valid one: juju update-credential CLOUD CREDENTIAL, or "
        "juju set-credential -m MODEL CLOUD CREDENTIAL",
    ),
    Rule(
        "cleanup-needed",
        "cleanup needed",
        "the source still tidies up after something that was removed from the model",
        "wait a minute, then try again",
    ),
)

_ISSUES: Final = (
    Rule(
        "upgrade-series-lock",
        "unexpected upgrade series lock found",
        "a machine of the model is locked for an upgrade of its base",
        "end it on the machine: juju upgrade-machine -m MODEL MACHINE complete",
    ),
    Rule(
        "windows-machines",
        r"the model hosts deprecated windows machine\(s\): (?P<found>.*)",
        "the model has Windows machines, which Juju does not move: {found}",
        "remove them: juju remove-machine -m MODEL MACHINE",
    ),
    Rule(
        "ubuntu-too-old",
        r"the model hosts deprecated ubuntu machine\(s\): (?P<found>.*)",
        "the model has machines of an Ubuntu that the target no longer knows: {found}",
        "upgrade them (juju upgrade-machine -m MODEL MACHINE prepare BASE) or replace them",
    ),
    Rule(
        "charm-store-charms",
        r"the model hosts deprecated charm store charms\(s\): (?P<found>.*)",
        "the model has charms from the old charm store: {found}",
        "replace them by those of Charmhub: juju refresh -m MODEL APPLICATION --switch ch:CHARM",
    ),
    Rule(
        "lxd-version",
        r"(?P<found>.*\bLXD\b.*)",
        "the model's LXD is of a version that Juju does not work with: {found}",
        "upgrade LXD on the model's cloud",
    ),
    Rule(
        "upgrade-blocked",
        r"(?P<found>.+)",
        "the model can't go to a newer controller: {found}",
        "mend what is said there, then try again",
    ),
)

_APPLICATIONS: Final = (
    Rule(
        "application-dying",
        rf"{_APPLICATION} is (?P<life>dying|dead)",
        "application {application} is {life}",
        _WAIT,
    ),
    Rule(
        "application-scaling",
        rf"{_APPLICATION} has an ongoing (?P<what>[\w-]+) operation",
        "application {application} is in the middle of a {what} operation",
        "wait until it has the units that it should have (juju status -m MODEL), then try again",
    ),
    Rule(
        "application-below-minimum",
        rf"{_APPLICATION} is below its minimum units threshold",
        "application {application} has fewer units than the least that was set for it",
        "add units (juju add-unit -m MODEL {application}), then try again",
    ),
    Rule(
        "application-without-charm",
        "application charm url is nil",
        "an application of the model has no charm",
        "remove it: juju remove-application -m MODEL APPLICATION --force",
    ),
)

_UNITS: Final[tuple[Reading, ...]] = (
    Rule("unit-dying", rf"{_UNIT} is (?P<life>dying|dead)", "unit {unit} is {life}", _WAIT),
    Rule(
        "unit-not-idle",
        rf"{_UNIT} not idle or executing(?: \((?P<status>[^)]*)\))?",
        "the agent of unit {unit} is neither idle nor at work: {status}",
        "wait until it is idle; if it has failed: juju resolved -m MODEL {unit}",
    ),
    Rule(
        "unit-version",
        rf"{_UNIT} agent binaries don't match model "
        r"\((?P<here>[\w.-]+) != (?P<wanted>[\w.-]+)\)",
        "unit {unit} runs {here}, the model is at {wanted}",
        "wait until the upgrade has reached it (juju status -m MODEL), or: juju upgrade-model",
    ),
    Rule(
        "unit-upgrading",
        rf"{_UNIT} is upgrading",
        "the charm of unit {unit} is being upgraded",
        _SETTLE,
    ),
    Rule(
        "unit-not-joined",
        rf"{_UNIT} hasn't joined relation \"(?P<relation>[^\"]*)\" yet",
        "unit {unit} has not joined the relation {relation} yet",
        "wait until it has; if it never does: juju remove-relation -m MODEL {relation}",
    ),
    # Juju 4.0
    Rule(
        "unit-version",
        r"there exists units in the model that are not running the target agent version of the "
        r"model \[(?P<units>[^\]]*)\]",
        "these units do not run the model's version: {units}",
        "wait until the upgrade has reached them (juju status -m MODEL), or: juju upgrade-model",
    ),
    Listing(
        r"model unit\(s\) are not ready for migration:",
        (
            Rule(
                "unit-not-logged-in",
                rf"{_QUOTED_UNIT} is not logged into the controller",
                "the agent of unit {unit} is not connected to the source",
                "see juju status -m MODEL and restart the agents that are lost, then try again",
            ),
            Rule(
                "unit-not-idle",
                rf"{_QUOTED_UNIT} agent not idle or executing",
                "the agent of unit {unit} is neither idle nor at work",
                "wait until all are idle; if one has failed: juju resolved -m MODEL UNIT",
            ),
            Rule(
                "unit-workload",
                rf"{_QUOTED_UNIT} workload not active or viable",
                "the workload of unit {unit} is neither active nor on its way there",
                "see juju status -m MODEL, mend what its message says, then try again",
            ),
        ),
    ),
)

READINGS: Final[tuple[Reading, ...]] = (
    Place(
        r"source prechecks failed:\s*",
        (
            Place(r"controller:\s*", machines.of_the_controller("source")),
            Listing(r'cannot migrate to controller due to issues:\s*"[^"\n]*":', _ISSUES),
            *_MODEL,
            *machines.OF_THE_MODEL,
            Place(r"(?:pre-checking applications for migration: )?", (*_APPLICATIONS, *_UNITS)),
            Rule(
                "source-check-failed",
                r"(?P<why>.*)",
                "the source's own checks failed: {why}",
                "mend what is said there on the source, then try again",
            ),
        ),
    ),
    Rule(
        "source-info-failed",
        r"failed to (?:obtain model info|assemble model envelope) during prechecks: (?P<why>.*)",
        "the source could not gather what is to be said of the model: {why}",
        "see the source's log (juju debug-log -m controller), mend it there, then try again",
    ),
)
"""Of ``InitiateMigration`` and of ``QUIESCE`` alike."""
