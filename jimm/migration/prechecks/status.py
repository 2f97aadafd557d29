"""A model's machines, applications and units, and what Juju would hold against them.

Juju asks the same before it begins (3.6 ``migration/precheck.go``, ``upgrades/
upgradevalidation``; 4.0 ``internal/migration/precheck.go``, ``domain/status``) and stops at the
first; here all of it is told. What ``Client.FullStatus`` does not show stays Juju's to find: a
machine that is to reboot, a least number of units, queued cleanups.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

from jimm.migration.prechecks.finding import Finding, named

T = TypeVar("T")

_ALIVE: Final = frozenset({"", "alive"})
_OLDEST_UBUNTU: Final = (20, 4)
_NOT_YET: Final = frozenset(
    {
        ("waiting", "waiting for machine"),
        ("waiting", "installing agent"),
        ("waiting", "agent initialising"),
        ("maintenance", "installing charm software"),
    }
)
"""Workloads that Juju 4 does not hold for viable (``core/status/present.go``)."""
_LOOK: Final = "juju status -m MODEL"


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine or container. ``base`` is ``ubuntu@24.04``; ``version`` empty if none is told."""

    name: str
    life: str = "alive"
    agent: str = "started"
    instance: str = "running"
    version: str = ""
    base: str = ""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit. ``upgrading``: it does not run its application's charm yet."""

    name: str
    life: str = "alive"
    agent: str = "idle"
    workload: str = "active"
    message: str = ""
    version: str = ""
    upgrading: bool = False


@dataclass(frozen=True, slots=True)
class Application:
    """An application. ``scale`` is how many units it should have, where that is told (k8s)."""

    name: str
    life: str = "alive"
    charm: str = ""
    scale: int | None = None
    units: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    """What ``Client.FullStatus`` shows. ``unjoined`` are the keys of relations between
    applications with units that no unit has joined yet."""

    version: str
    type: str = "iaas"
    machines: tuple[Machine, ...] = ()
    applications: tuple[Application, ...] = ()
    units: tuple[Unit, ...] = ()
    unjoined: tuple[str, ...] = ()

    @property
    def agents(self) -> int:
        """How many agents there are: each has to find its way to the target."""
        return len(self.machines) + len(self.units)


def check(status: Status, *, source_major: int) -> list[Finding]:
    """Why Juju would not let the model go as it is; Juju 4 looks at workloads too."""
    return [
        *_check_machines(status, ""),
        *_check_bases(status),
        *_check_applications(status),
        *_check_units(status),
        *(_check_workloads(status) if source_major >= 4 else []),
        *_check_relations(status),
    ]


def check_controller(status: Status, name: str, side: str) -> list[Finding]:
    """Why Juju would not let that controller take part: its own machines (its life and upgrade
    are told by the controller itself). ``side`` is source or target."""
    return [
        Finding(
            f"{side}-controller-{each.code}",
            f"the {side} controller {name}: {each.found}",
            f"see juju status -m controller on {name}, mend it there, then try again",
        )
        for each in _check_machines(status, "controller ")
    ]


def _check_machines(status: Status, whose: str) -> list[Finding]:
    machines = status.machines
    version = status.version
    wait = f"wait until it has gone ({_LOOK}), then try again"
    return _each(
        (
            "machine-dying",
            _if(machines, lambda m: m.life not in _ALIVE, lambda m: f"{m.name} is {m.life}"),
            "machines are on their way out: {}",
            wait,
        ),
        (
            "machine-not-running",
            _if(
                machines,
                lambda m: m.instance != "running",
                lambda m: f"{m.name} ({m.instance or 'unknown'})",
            ),
            "machines whose instances are not running: {}",
            "wait until they have started, or take them out: juju remove-machine -m MODEL MACHINE",
        ),
        (
            "machine-agent-down",
            _if(
                machines,
                lambda m: m.agent != "started",
                lambda m: f"{m.name} ({m.agent or 'unknown'})",
            ),
            "machines whose agents do not work: {}",
            f"see {_LOOK} and restart the agents there, then try again",
        ),
        (
            "machine-version",
            _if(
                machines,
                lambda m: m.version not in ("", version),
                lambda m: f"{m.name} ({m.version})",
            ),
            f"machines that do not run the {whose}model's {version}: {{}}",
            f"an upgrade is under way: wait until it has reached them ({_LOOK})",
        ),
    )


def _check_bases(status: Status) -> list[Finding]:
    return _each(
        (
            "windows-machines",
            _if(status.machines, lambda m: m.base.startswith("win"), lambda m: m.name),
            "Juju does not move Windows machines: {}",
            "remove them: juju remove-machine -m MODEL MACHINE",
        ),
        (
            "ubuntu-too-old",
            _if(status.machines, _is_too_old, lambda m: f"{m.name} ({m.base})"),
            "machines of an Ubuntu that Juju does not move any more: {}",
            "upgrade them (juju upgrade-machine -m MODEL MACHINE prepare BASE) or replace them",
        ),
    )


def _check_applications(status: Status) -> list[Finding]:
    found = _each(
        (
            "application-dying",
            _if(
                status.applications,
                lambda a: a.life not in _ALIVE,
                lambda a: f"{a.name} is {a.life}",
            ),
            "applications are on their way out: {}",
            f"wait until they have gone ({_LOOK}), then try again",
        ),
        (
            "charm-store-charms",
            _if(status.applications, lambda a: a.charm.startswith("cs:"), lambda a: a.name),
            "applications with charms of the old charm store: {}",
            "replace them: juju refresh -m MODEL APPLICATION --switch ch:CHARM",
        ),
    )
    scaling = [
        f"{each.name} ({each.units} of {each.scale})"
        for each in status.applications
        if each.scale is not None and each.scale != each.units
    ]
    if scaling:
        # Juju refuses while the operation lasts; a scale that is never reached is none.
        found.append(
            Finding(
                "application-scaling",
                f"applications that may be in the middle of scaling: {named(scaling)}",
                f"wait until they have their units ({_LOOK})",
                advice=True,
            )
        )
    return found


def _check_units(status: Status) -> list[Finding]:
    units, version = status.units, status.version
    on_machines = units if status.type == "iaas" else ()
    return _each(
        (
            "unit-dying",
            _if(units, lambda u: u.life not in _ALIVE, lambda u: f"{u.name} is {u.life}"),
            "units are on their way out: {}",
            f"wait until they have gone ({_LOOK}), then try again",
        ),
        (
            "unit-not-idle",
            _if(
                units,
                lambda u: u.agent not in ("idle", "executing"),
                lambda u: f"{u.name} ({u.agent or 'unknown'})",
            ),
            "units whose agents are neither idle nor at work: {}",
            "wait until they are idle; if one has failed: juju resolved -m MODEL UNIT",
        ),
        (
            "unit-version",
            _if(
                on_machines,
                lambda u: u.version not in ("", version),
                lambda u: f"{u.name} ({u.version})",
            ),
            f"units that do not run the model's {version}: {{}}",
            f"an upgrade is under way: wait until it has reached them ({_LOOK})",
        ),
        (
            "unit-upgrading",
            _if(units, lambda u: u.upgrading, lambda u: u.name),
            "units whose charms are being upgraded: {}",
            f"wait until they run their application's charm ({_LOOK})",
        ),
    )


def _check_workloads(status: Status) -> list[Finding]:
    return _each(
        (
            "unit-workload",
            _if(
                status.units,
                lambda u: not _is_viable(u),
                lambda u: f"{u.name} ({u.workload or 'unknown'})",
            ),
            "units whose workloads are neither active nor on their way there: {}",
            f"see {_LOOK}, mend what the units say, then try again",
        )
    )


def _check_relations(status: Status) -> list[Finding]:
    if not status.unjoined:
        return []
    return [
        Finding(
            "unit-not-joined",
            f"relations that no unit has joined yet: {named(status.unjoined)}",
            "wait until they have; if they never do: juju remove-relation -m MODEL RELATION",
        )
    ]


def _each(*kinds: tuple[str, Iterator[str], str, str]) -> list[Finding]:
    """A finding for each kind of which there is any."""
    findings = []
    for code, things, text, remedy in kinds:
        listed = list(things)
        if listed:
            findings.append(Finding(code, text.format(named(listed)), remedy))
    return findings


def _if(
    things: Iterable[T], is_wrong: Callable[[T], bool], told: Callable[[T], str]
) -> Iterator[str]:
    return (told(each) for each in things if is_wrong(each))


def _is_too_old(machine: Machine) -> bool:
    system, _, channel = machine.base.partition("@")
    major, _, minor = channel.partition("/")[0].partition(".")
    if system != "ubuntu" or not (major.isdecimal() and minor.isdecimal()):
        return False
    return (int(major), int(minor)) < _OLDEST_UBUNTU


def _is_viable(unit: Unit) -> bool:
    if unit.workload in ("maintenance", "waiting"):
        return (unit.workload, unit.message) not in _NOT_YET
    return unit.workload == "active"
