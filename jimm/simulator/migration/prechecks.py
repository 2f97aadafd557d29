"""What stands in the way of a migration, in Juju 3.6's words and in the order Juju asks.

Sources: Juju ``migration/precheck.go``, ``apiserver/facades/client/controller/controller.go``,
``apiserver/facades/controller/migrationtarget``, ``state/modelmigration.go``. Every function
gives the first :class:`Problem` it finds, or ``None``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from jimm.simulator.migration.phases import Phase
from jimm.simulator.migration.versions import ZERO, Version
from jimm.simulator.state import Application, Controller, Machine, Model, Unit
from jimm.wire import codes

DRY_RUN_SINCE: Final = Version.parse("3.6.13")
"""Older controllers don't know ``dry-run`` and start the migration."""

_OLDEST_FOR_THREE: Final = Version.parse("2.9.43")


@dataclass(frozen=True, slots=True)
class Problem:
    """A refusal: Juju's text, and its code where it has one."""

    message: str
    code: str = ""

    def within(self, prefix: str) -> "Problem":
        """The same with a text before it; the code stays."""
        return Problem(prefix + self.message, self.code)


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a source tells a target about a model (``MigrationTarget.Prechecks``). ``owner`` is
    a user id."""

    uuid: str
    name: str
    owner: str
    agent_version: Version
    controller_version: Version
    facade_versions: Mapping[str, Iterable[int]]


def source_problem(
    model: Model, *, credential_valid: bool, controller: Controller, controller_model: Model | None
) -> Problem | None:
    """Why the model can't leave; without the prefix ``source prechecks failed: ``.

    ``controller_model`` is the source controller's own model, if it has one.
    """
    return _first(
        _model_problem(model, credential_valid=credential_valid),
        _machines_problem(model),
        _applications_problem(model),
        _relations_problem(model),
        Problem("cleanup needed") if model.cleanups else None,
        _prefixed("controller: ", controller_problem(controller, controller_model)),
    )


def controller_problem(controller: Controller, controller_model: Model | None) -> Problem | None:
    """Why a controller, source or target, can't take part."""
    if controller_model is not None and controller_model.life != "alive":
        return Problem(f"model is {controller_model.life}")
    if controller.upgrading:
        return Problem("upgrade in progress")
    return _machines_problem(controller_model) if controller_model is not None else None


def users_problem(
    users: Iterable[str],
    *,
    target_users: Iterable[str],
    source_identity_url: str,
    target_identity_url: str,
) -> Problem | None:
    """Why the model's users can't follow it. ``users`` are ids; ``target_users`` are the local
    ones of the target, disabled ones included."""
    everyone = set(users)
    known = set(target_users)
    missing = sorted(user for user in everyone if "@" not in user and user not in known)
    external = sorted(user for user in everyone if "@" in user)
    stranded = external if source_identity_url != target_identity_url else []
    if stranded and missing:
        return Problem(_BOTH.format(external=_listed(stranded), missing=_listed(missing)))
    if stranded:
        return Problem(_EXTERNAL.format(external=_listed(stranded)))
    if missing:
        return Problem(_MISSING.format(missing=_listed(missing)))
    return None


def target_problem(
    incoming: Incoming,
    *,
    controller: Controller,
    controller_model: Model | None,
    models: Iterable[Model],
    required_facades: Mapping[str, Iterable[int]],
) -> Problem | None:
    """Why the target won't have the model; without the prefix ``target prechecks failed: ``."""
    version = Version.parse(controller.version)
    here = list(models)
    return _first(
        _facades_problem(incoming, version, required_facades),
        _names_problem(incoming),
        leaving_problem(incoming, here),
        _versions_problem(incoming, version),
        controller_problem(controller, controller_model),
        _existing_problem(incoming, here),
    )


def creation_problem(
    model: Model,
    *,
    controller: Controller,
    target_uuid: str,
    addresses: Iterable[str],
    secret: bool,
) -> Problem | None:
    """Why the attempt can't be recorded, all prechecks passed (``State.CreateMigration``).

    ``secret`` says whether any of password, macaroons and token was given.
    """
    if model.is_controller:
        return Problem("controllers can't be migrated")
    for address in addresses:
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal():
            return Problem(f'"{address}" in Addrs not valid', codes.NOT_VALID)
    if not secret:
        return Problem("missing Password, Macaroons or Token not valid", codes.NOT_VALID)
    if target_uuid == controller.uuid:
        return Problem("model already attached to target controller")
    if model.life != "alive":
        return Problem("failed to create migration: model is not alive")
    if model.migration is not None and model.migration.is_active:
        return Problem("failed to create migration: already in progress")
    if model.migration is not None and model.migration.phase is Phase.REAPFAILED:
        text = "failed to create migration: state changing too quickly; try again soon"
        return Problem(text)
    return None


def machine_check_problems(model: Model, instances: Iterable[str]) -> list[Problem]:
    """What ``MigrationTarget.CheckMachines`` says of an imported model, ``instances`` being
    those that the cloud has for it."""
    there = set(instances)
    wanted = {
        machine.instance_id: machine
        for machine in model.machines.values()
        if machine.instance_id and not machine.instance_id.startswith("manual:")
        if "/" not in machine.id
    }
    unknown = [
        Problem(f'no machine with instance "{instance}"')
        for instance in sorted(there - wanted.keys())
    ]
    lost = [
        Problem(f'couldn\'t find instance "{instance}" for machine {machine.id}')
        for instance, machine in sorted(wanted.items())
        if instance not in there
    ]
    return unknown + lost


_LISTED = "\n  - "
_MISSING = (
    "cannot initiate migration as the users granted access to the model do not exist\n"
    "on the destination controller. To resolve this issue you can add the following\n"
    "users to the destination controller or remove them from the current model:{missing}"
)
_EXTERNAL_HEAD = (
    "cannot initiate migration as external users have been granted access to the model\n"
    "and the two controllers have different identity provider configurations. To resolve\n"
)
_EXTERNAL = (
    _EXTERNAL_HEAD
    + "this issue you can remove the following users from the current model:{external}"
)
_BOTH = (
    _EXTERNAL_HEAD
    + "this issue you need to remove the following users from the current model:{external}\n\n"
    "and add the following users to the destination controller or remove them from\n"
    "the current model:{missing}"
)


def _listed(names: Iterable[str]) -> str:
    return "".join(_LISTED + name for name in names)


def _first(*problems: Problem | None) -> Problem | None:
    return next((problem for problem in problems if problem is not None), None)


def _prefixed(prefix: str, problem: Problem | None) -> Problem | None:
    return problem.within(prefix) if problem is not None else None


def _model_problem(model: Model, *, credential_valid: bool) -> Problem | None:
    if model.life != "alive":
        return Problem(f"model is {model.life}")
    if model.mode == "importing":
        return Problem("model is being imported as part of another migration")
    if not credential_valid:
        return Problem("model has revoked credentials")
    if model.upgrade_issues:
        reasons = "".join(f"\n- {issue}" for issue in model.upgrade_issues)
        text = (
            f'cannot migrate to controller due to issues:\n"{model.owner}/{model.name}":{reasons}'
        )
        return Problem(text, codes.NOT_SUPPORTED)
    return None


def _machines_problem(model: Model) -> Problem | None:
    return _first(*(_machine_problem(each, model) for each in _in_order(model.machines)))


def _machine_problem(machine: Machine, model: Model) -> Problem | None:
    name = f"machine {machine.id}"
    if machine.life != "alive":
        return Problem(f"{name} is {machine.life}")
    if machine.instance_status != "running":
        return Problem(f"{name} not running ({machine.instance_status})")
    if machine.status != "started":
        return Problem(f"{name} agent not functioning at this time ({machine.status})")
    if machine.rebooting:
        return Problem(f"{name} is scheduled to reboot")
    return _binaries_problem(name, machine.agent_version, model)


def _binaries_problem(name: str, agent_version: str, model: Model) -> Problem | None:
    if not agent_version or agent_version == model.agent_version:
        return None
    difference = f"({agent_version} != {model.agent_version})"
    return Problem(f"{name} agent binaries don't match model {difference}")


def _applications_problem(model: Model) -> Problem | None:
    applications = (model.applications[name] for name in sorted(model.applications))
    return _first(*(_application_problem(each, model) for each in applications))


def _application_problem(application: Application, model: Model) -> Problem | None:
    name = f"application {application.name}"
    if application.life != "alive":
        return Problem(f"{name} is {application.life}")
    if application.scaling:
        return Problem(f"{name} has an ongoing scale operation")
    if len(application.units) < application.min_units:
        return Problem(f"{name} is below its minimum units threshold")
    if not application.charm:
        return Problem("application charm url is nil")
    units = (_unit_problem(unit, application, model) for unit in _units(application))
    return _first(*units)


def _unit_problem(unit: Unit, application: Application, model: Model) -> Problem | None:
    name = f"unit {unit.name}"
    if unit.life != "alive":
        return Problem(f"{name} is {unit.life}")
    if unit.agent.status not in ("idle", "executing"):
        return Problem(f"{name} not idle or executing ({unit.agent.status})")
    if model.type == "iaas":
        problem = _binaries_problem(name, unit.agent_version, model)
        if problem is not None:
            return problem
    if unit.charm and unit.charm != application.charm:
        return Problem(f"{name} is upgrading")
    return None


def _relations_problem(model: Model) -> Problem | None:
    for application in (model.applications[name] for name in sorted(model.applications)):
        for unit in _units(application):
            for key in unit.unjoined:
                return Problem(f'unit {unit.name} hasn\'t joined relation "{key}" yet')
    return None


def _in_order(machines: Mapping[str, Machine]) -> Iterator[Machine]:
    """Containers (``0/lxd/1``) after their host, numbers as numbers."""
    for machine_id in sorted(machines, key=_natural):
        yield machines[machine_id]


def _units(application: Application) -> Iterator[Unit]:
    for name in sorted(application.units, key=_natural):
        yield application.units[name]


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(p), "") if p.isdecimal() else (-1, p) for p in name.split("/")]


def _facades_problem(
    incoming: Incoming, version: Version, required: Mapping[str, Iterable[int]]
) -> Problem | None:
    offered = incoming.facade_versions
    if all(set(versions) & set(offered.get(name, ())) for name, versions in required.items()):
        return None
    release = f"{version.major}.{version.minor}"
    patch = f", that is greater than {release}.{version.patch}" if version.patch else ""
    return Problem(
        "Source controller does not support required facades for performing migration.\n"
        f"Upgrade the controller to a newer version of {release}{patch} "
        "or migrate to a controller\n"
        "with an earlier version of the target controller and try again.\n\n"
    )


def _names_problem(incoming: Incoming) -> Problem | None:
    given: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("UUID", lambda: bool(incoming.uuid)),
        ("Owner", lambda: bool(incoming.owner)),
        ("Name", lambda: bool(incoming.name)),
        ("Version", lambda: incoming.agent_version != ZERO),
    )
    for what, is_there in given:
        if not is_there():
            return Problem(f"empty {what} not valid", codes.NOT_VALID)
    return None


def leaving_problem(incoming: Incoming, models: Iterable[Model]) -> Problem | None:
    """Why a model that is on its way out of a target can't come back."""
    for model in models:
        is_leaving = model.migration is not None and model.migration.is_active
        if is_leaving and model.uuid == incoming.uuid:
            return Problem("model is being migrated out of target controller")
    return None


def _versions_problem(incoming: Incoming, version: Version) -> Problem | None:
    model = incoming.agent_version
    source = incoming.controller_version
    if model > version:
        return Problem(f"model has higher version than target controller ({model} > {version})")
    if source.minor_release > version.minor_release:
        return Problem(
            f"source controller has higher version than target controller ({source} > {version})"
        )
    if model.major == version.major:
        return None
    if version.major != 3:
        return Problem(f"unknown target controller version {version}")
    if model < _OLDEST_FOR_THREE:
        return Problem(
            f"model must be upgraded to at least version {_OLDEST_FOR_THREE} "
            f"before being migrated to a controller with version {version}"
        )
    return None


def _existing_problem(incoming: Incoming, models: Iterable[Model]) -> Problem | None:
    for model in models:
        if model.is_controller:
            continue  # another controller's own model gets as far as its creation
        # A leftover of this very model passes here and is caught by its name.
        if model.uuid == incoming.uuid and model.mode != "importing":
            return Problem(f"model with same UUID already exists ({incoming.uuid})")
        if model.name == incoming.name and model.owner == incoming.owner:
            return Problem(f'model named "{incoming.name}" already exists')
    return None
