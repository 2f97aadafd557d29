"""What Juju says of machines, of a model and of a controller's own. Pure."""

from typing import Final

from jimm.migration.explanations.rule import Listing, Reading, Rule

_MACHINE: Final = r"machine (?P<machine>[\w/.-]+)"
_STATUS: Final = r"(?: \((?P<status>[^)]*)\))?"
_VERSIONS: Final = r"\((?P<here>[\w.-]+) != (?P<wanted>[\w.-]+)\)"

_WAIT: Final = "wait until it has gone (juju status -m MODEL {machine}), then try again"

OF_THE_MODEL: Final[tuple[Reading, ...]] = (
    Rule(
        "machine-dying",
        rf"{_MACHINE} is (?P<life>dying|dead)",
        "machine {machine} is {life}",
        _WAIT,
    ),
    Rule(
        "machine-not-running",
        rf"{_MACHINE} not running{_STATUS}",
        "the instance of machine {machine} is not running: {status}",
        "wait until it has started, or take it out: juju remove-machine -m MODEL {machine}",
    ),
    Rule(
        "machine-agent-down",
        rf"{_MACHINE} agent not functioning at this time{_STATUS}",
        "the agent of machine {machine} does not work: {status}",
        "see juju status -m MODEL {machine} and restart its agent there (sudo systemctl restart "
        "jujud-machine-{machine}), then try again",
    ),
    Rule(
        "machine-rebooting",
        rf"{_MACHINE} is scheduled to (?P<what>reboot|shutdown)",
        "machine {machine} is about to {what}",
        "wait until it is back, then try again",
    ),
    Rule(
        "machine-version",
        rf"{_MACHINE} agent binaries don't match model {_VERSIONS}",
        "machine {machine} runs {here}, the model is at {wanted}",
        "wait until the upgrade has reached it (juju status -m MODEL), or: juju upgrade-model",
    ),
    # Juju 4.0
    Rule(
        "machine-version",
        r"there exists machines in the model that are not running the target agent version of "
        r"the model \[(?P<machines>[^\]]*)\]",
        "these machines do not run the model's version: {machines}",
        "wait until the upgrade has reached them (juju status -m MODEL), or: juju upgrade-model",
    ),
    Listing(
        r"(?:pre-checking machine statuses for migration: )?"
        r"model machines\(s\) are not ready for migration:",
        (
            Rule(
                "machine-agent-down",
                r'machine "(?P<machine>[^"]*)" status is not started',
                "the agent of machine {machine} does not work",
                "see juju status -m MODEL and restart the agents that are down, then try again",
            ),
            Rule(
                "machine-not-running",
                r'machine "(?P<machine>[^"]*)" instance status is not running',
                "the instance of machine {machine} is not running",
                "wait until it has started, or take it out: juju remove-machine -m MODEL {machine}",
            ),
        ),
    ),
)


def of_the_controller(side: str) -> tuple[Reading, ...]:
    """The readings for a controller's own machines and life; ``side`` is ``source`` or
    ``target``."""
    whose = f"of the {side} controller"
    look = f"see juju status -m controller on the {side}, mend it there, then try again"
    return (
        Rule(
            f"{side}-controller-dying",
            "model is (?P<life>dying|dead)",
            f"the {side} controller is being destroyed",
            "choose another target"
            if side == "target"
            else "keep the controller until it is empty",
        ),
        Rule(
            f"{side}-controller-upgrading",
            "upgrade in progress",
            f"the {side} controller is being upgraded",
            "wait until that is over, then try again",
        ),
        Rule(
            f"{side}-controller-machine-dying",
            rf"{_MACHINE} is (?P<life>dying|dead)",
            f"machine {{machine}} {whose} is {{life}}",
            "wait until it has gone (juju status -m controller), then try again",
        ),
        Rule(
            f"{side}-controller-machine-not-running",
            rf"{_MACHINE} not running{_STATUS}",
            f"the instance of machine {{machine}} {whose} is not running: {{status}}",
            look,
        ),
        Rule(
            f"{side}-controller-machine-agent-down",
            rf"{_MACHINE} agent not functioning at this time{_STATUS}",
            f"the agent of machine {{machine}} {whose} does not work: {{status}}",
            look,
        ),
        Rule(
            f"{side}-controller-machine-rebooting",
            rf"{_MACHINE} is scheduled to (?P<what>reboot|shutdown)",
            f"machine {{machine}} {whose} is about to {{what}}",
            "wait until it is back, then try again",
        ),
        Rule(
            f"{side}-controller-machine-version",
            rf"{_MACHINE} agent binaries don't match model {_VERSIONS}",
            f"machine {{machine}} {whose} runs {{here}}, the controller is at {{wanted}}",
            f"let the upgrade of the {side} finish (juju status -m controller), then try again",
        ),
    )
