"""What goes wrong once a migration has begun, but for the import. Pure."""

from typing import Final

from jimm.migration.explanations.connecting import LOGIN_REFUSED, PERMISSION_DENIED
from jimm.migration.explanations.rule import Explanation, Place, Reading, Rule

REASON_LOST: Final = Explanation(
    "reason-lost",
    "the source gave up and does not say why: it was restarted just then",
    "see the source's log (juju debug-log -m controller --replay), then try again",
)

_AGENTS_DO: Final = {
    "quiescing": "to stop their work",
    "validating": "to reach the target",
}
_AGENTS_REMEDY: Final = {
    "quiescing": "see juju status -m MODEL; the source's log has their names "
    "(juju debug-log -m controller --include-module juju.worker.migrationmaster); mend them, "
    "then try again",
    "validating": "open the way from the model's machines to the target's API "
    "(jimmctl show-controller TARGET has the addresses); the source's log has the agents' names "
    "(juju debug-log -m controller --include-module juju.worker.migrationmaster)",
}

_AGENTS: Final = tuple(
    rule
    for phase, task in _AGENTS_DO.items()
    for rule in (
        Rule(
            f"agents-failed-{phase}",
            f"{phase}, some agents reported failure",
            f"some of the model's agents failed {task}",
            _AGENTS_REMEDY[phase],
        ),
        Rule(
            f"agents-silent-{phase}",
            f"{phase}, timed out waiting for agents to report",
            f"some of the model's agents did not say in time that they were able {task}",
            f"{_AGENTS_REMEDY[phase]}; slow agents need more time: juju controller-config "
            "migration-agent-wait-time=30m on the source",
        ),
    )
)

_IMPORT_GONE: Final = Rule(
    "import-gone",
    r"(?:.*: )?(?:migration mode for the model is not importing|model \"?[\w-]*\"? ?not found"
    r"|model migration mode is \"[^\"]*\" instead of \"importing\""
    r"|model \"[^\"]*\" is not importing)",
    "the half import was no longer on the target: somebody or a restart has removed it",
    "try again",
)

_ACTIVATION: Final[tuple[Reading, ...]] = (
    _IMPORT_GONE,
    PERMISSION_DENIED,
    LOGIN_REFUSED,
    Rule(
        "activation-failed",
        r"(?P<why>.*)",
        "the target took the model in but could not set it to work: {why}",
        "see the target's log (juju debug-log -m controller), mend it there, then try again",
    ),
)


def _upload(what: str, code: str) -> Place:
    return Place(
        rf"cannot upload {what}:\s*",
        (
            _IMPORT_GONE,
            PERMISSION_DENIED,
            LOGIN_REFUSED,
            Rule(
                "charm-renamed",
                r"charm (?P<charm>\S+) unexpectedly assigned (?P<other>\S+)",
                "the target stored the charm {charm} under another name, {other}",
                "remove that charm's leftovers on the target, or choose another: "
                "jimmctl list-migration-targets MODEL",
            ),
            Rule(
                "binary-corrupt",
                r".*potentially corrupt binary.*",
                "the source's copy of a file of the model is damaged",
                "deploy the charm or the resource anew (juju refresh -m MODEL APPLICATION), "
                "then try again",
            ),
            Rule(
                code,
                r"(?P<why>.*)",
                f"the source could not send the {what} to the target: {{why}}",
                "see that the target has room on its disk and lets uploads pass, then try again",
            ),
        ),
    )


READINGS: Final[tuple[Reading, ...]] = (
    *_AGENTS,
    Rule(
        "export-failed",
        r"model data transfer failed, model export failed: (?P<why>.*)",
        "the source could not write the model down: {why}",
        "mend what is said there, then try again; the source's log has more "
        "(juju debug-log -m controller)",
    ),
    Place(
        r"model data transfer failed, failed to migrate binaries:\s*",
        (
            _upload("charms", "charms-upload-failed"),
            _upload("agent binaries", "agent-binaries-upload-failed"),
            _upload("resources", "resources-upload-failed"),
            Rule(
                "upload-failed",
                r"(?P<why>.*)",
                "the source could not send the model's files to the target: {why}",
                "see that the target has room on its disk and lets uploads pass, then try again",
            ),
        ),
    ),
    Rule(
        "relations-failed",
        r"processing relations failed, (?:processing relations failed: )?(?P<why>.*)",
        "the source could not prepare the model's relations: {why}",
        "see juju status -m MODEL --relations, mend what is said there, then try again",
    ),
    Rule(
        "machine-sanity-check",
        r"machine sanity check failed, (?P<count>\d+) errors? found",
        "the target's cloud does not show the same machines as the model ({count} differ)",
        "the source's log names them (juju debug-log -m controller --include-module "
        "juju.worker.migrationmaster): remove machines that the cloud lost "
        "(juju remove-machine -m MODEL MACHINE --force), end instances that the model does not "
        "know, and see that the credential shows the target the same project; then try again",
    ),
    Place(r"model activation failed,\s*", _ACTIVATION),
    Rule(
        "reap-failed",
        r"removing exported model failed: (?P<why>.*)",
        "the model has moved, but the source could not remove its copy: {why}",
        "leave the copy alone until the source's log is looked at (juju debug-log -m controller); "
        "it can't be migrated again while it is there",
    ),
)
