"""The two controllers: whether they answer, and may take part."""

from jimm.migration.prechecks import status
from jimm.migration.prechecks.finding import Finding
from jimm.migration.prechecks.values import ControllerFacts

CHANGE = "BlockChange"
"""What ``juju disable-command all`` switches on; it covers users (Juju
``apiserver/facades/client/usermanager``)."""


def check(source: ControllerFacts, target: ControllerFacts) -> list[Finding]:
    """What keeps one of them out of it."""
    return [
        *_check_health(source, "source"),
        *_check_health(target, "target"),
        *_check_deprecated(target),
        *_check_own(source, "source"),
        *_check_own(target, "target"),
        *_check_blocked(target),
    ]


def advise(source: ControllerFacts, target: ControllerFacts) -> list[Finding]:
    """What they could not be asked; Juju asks most of it itself when it begins."""
    return [
        Finding(
            "not-checked",
            "; ".join(each.unasked),
            "go on; if it fails, its reason says what to mend",
            advice=True,
        )
        for each in (source, target)
        if each.unasked and each.healthy
    ]


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


def _check_own(controller: ControllerFacts, side: str) -> list[Finding]:
    """Its upgrade and its own machines."""
    findings = []
    if controller.upgrading:
        findings.append(
            Finding(
                f"{side}-controller-upgrading",
                f"the {side} controller {controller.name} is being upgraded",
                "wait until that is over, then try again",
            )
        )
    if controller.status is not None:
        findings += status.check_controller(controller.status, controller.name, side)
    return findings


def _check_blocked(target: ControllerFacts) -> list[Finding]:
    if CHANGE not in target.blocks:
        return []
    return [
        Finding(
            "target-blocked",
            f"changes are disabled on {target.name}, so that it can't be given the login that "
            "the source needs",
            f"juju enable-command all -m {target.name}:controller",
        )
    ]
