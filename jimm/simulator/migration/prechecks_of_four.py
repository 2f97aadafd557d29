"""What stands in the way of a migration in Juju 4.0's words (``internal/migration/precheck.go``,
``domain/status/service``). As in 3.6's, every function gives the first problem it finds."""

from collections.abc import Iterable, Iterator

from jimm.simulator.migration.description import Description
from jimm.simulator.migration.prechecks import Incoming, Problem, leaving_problem
from jimm.simulator.migration.versions import ZERO, Version
from jimm.simulator.state import Controller, Model, Unit
from jimm.wire import codes

TOO_OLD_FOR_PASSWORDS = (
    "target controller is too old to support password-authenticated migration; upgrade the target "
    "to a version that exposes MigrationTarget v8 or later"
)
TOO_OLD_FOR_THE_FORMAT = (
    "target controller does not support the model migration format; upgrade the target controller "
    "to Juju 4.1 or later"
)
ENVELOPES_SINCE = 8
"""The version of ``MigrationTarget`` that a 4.0 source needs."""


def source_problem(
    model: Model, *, credential_valid: bool, controller: Controller, controller_model: Model | None
) -> Problem | None:
    """Why the model can't leave; without the prefix ``source prechecks failed: ``."""
    for problem in _source_problems(model, credential_valid):
        return problem
    found = controller_problem(controller, controller_model)
    return found.within("controller: ") if found is not None else None


def controller_problem(controller: Controller, controller_model: Model | None) -> Problem | None:
    """Why a controller, source or target, can't take part."""
    if controller.upgrading:
        return Problem("upgrade in progress")
    if controller_model is None:
        return None
    return next(_machine_problems(controller_model), None)


def description_problem(description: Description) -> Problem | None:
    """What a description must not hold."""
    prefix = "migration import prechecks: checking model config for fan config: "
    for key in ("fan-config", "container-networking-method"):
        value = description.model.config.get(key, "")
        if value and (key == "fan-config" or value == "fan"):
            text = (
                f'fan networking not supported, remove {key} "{value}" from migrating model config'
            )
            return Problem(prefix + text)
    return None


def target_problem(
    incoming: Incoming,
    *,
    cloud: str,
    controller: Controller,
    controller_model: Model | None,
    models: Iterable[Model],
) -> Problem | None:
    """Why the target won't have the model, with 4.0's prefix of its own."""
    here = list(models)
    found = (
        _names_problem(incoming)
        or _versions_problem(incoming, Version.parse(controller.version))
        or _cloud_problem(cloud, controller)
        or controller_problem(controller, controller_model)
        or leaving_problem(incoming, here)
        or _existing_problem(incoming, here)
    )
    return found.within("migration target prechecks failed: ") if found is not None else None


def machine_check_problem(model: Model, instances: Iterable[str]) -> Problem | None:
    """What ``CheckMachines`` fails with; 3.6 would answer complaints instead."""
    there = set(instances)
    wanted = {
        machine.instance_id
        for machine in model.machines.values()
        if machine.instance_id and "/" not in machine.id
        if not machine.instance_id.startswith("manual:")
    }
    if lost := _quoted(wanted - there):
        return Problem(f"instance IDs {lost} are not part of the provider instance IDs")
    if unknown := _quoted(there - wanted):
        text = f"provider instance IDs {unknown} are not part of the model machines instance IDs"
        return Problem(text)
    return None


def _source_problems(model: Model, credential_valid: bool) -> Iterator[Problem]:
    if model.life != "alive":
        yield Problem(f"model is {model.life}")
    if model.mode == "importing":
        yield Problem("model is being imported as part of another migration")
    if not credential_valid:
        yield Problem("model has revoked credentials")
    if model.upgrade_issues:
        reasons = "".join(f"\n- {issue}" for issue in model.upgrade_issues)
        text = f'due to issues:\n"{model.owner}/{model.name}":{reasons}'
        yield Problem(f"cannot migrate to controller {text}", codes.NOT_SUPPORTED)
    yield from _machine_problems(model)
    yield from _unit_problems(model)
    for application in model.applications.values():
        if application.life != "alive":
            text = f"application {application.name} is {application.life}"
            yield Problem(f"pre-checking applications for migration: {text}")
    for unit in _units(model):
        for key in unit.unjoined:
            yield Problem(f'unit {unit.name} hasn\'t joined relation "{key}" yet')


def _machine_problems(model: Model) -> Iterator[Problem]:
    lagging = [each.id for each in model.machines.values() if _lags(each.agent_version, model)]
    if lagging:
        yield Problem(_LAGGING.format(what="machines", names=" ".join(sorted(lagging))))
    failed: list[str] = []
    for each in model.machines.values():
        if each.status != "started":
            failed.append(f'- machine "{each.id}" status is not started')
        if each.instance_status != "running":
            failed.append(f'- machine "{each.id}" instance status is not running')
    if failed:
        head = "pre-checking machine statuses for migration: model machines(s)"
        yield Problem("\n".join([f"{head} are not ready for migration:", *failed]))
    for each in model.machines.values():
        if each.life != "alive":
            yield Problem(f"machine {each.id} is {each.life}")


def _unit_problems(model: Model) -> Iterator[Problem]:
    units = list(_units(model))
    lagging = [each.name for each in units if _lags(each.agent_version, model)]
    if lagging:
        yield Problem(_LAGGING.format(what="units", names=" ".join(sorted(lagging))))
    failed: list[str] = []
    for each in units:
        if each.agent.status == "lost":
            failed.append(f'- unit "{each.name}" is not logged into the controller')
        if each.agent.status not in ("idle", "executing"):
            failed.append(f'- unit "{each.name}" agent not idle or executing')
        if each.workload.status not in ("active", "maintenance", "waiting"):
            failed.append(f'- unit "{each.name}" workload not active or viable')
    if failed:
        yield Problem("\n".join(["model unit(s) are not ready for migration:", *failed]))


_LAGGING = (
    "there exists {what} in the model that are not running the target agent version of the model "
    "[{names}]"
)


def _lags(agent_version: str, model: Model) -> bool:
    return bool(agent_version) and agent_version != model.agent_version


def _units(model: Model) -> Iterator[Unit]:
    for application in model.applications.values():
        yield from application.units.values()


def _names_problem(incoming: Incoming) -> Problem | None:
    given = (
        ("UUID", bool(incoming.uuid)),
        ("Qualifier", bool(incoming.owner)),
        ("Name", bool(incoming.name)),
        ("Version", incoming.agent_version != ZERO),
    )
    for what, is_there in given:
        if not is_there:
            return Problem(f"empty {what} not valid", codes.NOT_VALID)
    return None


def _versions_problem(incoming: Incoming, version: Version) -> Problem | None:
    model, source = incoming.agent_version, incoming.controller_version
    if model > version:
        return Problem(f"model has higher version than target controller ({model} > {version})")
    if source.minor_release > version.minor_release:
        return Problem(
            f"source controller has higher version than target controller ({source} > {version})"
        )
    return None


def _cloud_problem(cloud: str, controller: Controller) -> Problem | None:
    if cloud in controller.clouds:
        return None
    return Problem(f'model\'s cloud "{cloud}" not found on target controller')


def _existing_problem(incoming: Incoming, models: list[Model]) -> Problem | None:
    same = next((each for each in models if each.uuid == incoming.uuid), None)
    if same is not None and same.mode == "importing":
        return None  # a leftover; the import will stumble over it
    if same is not None:
        return Problem(f"model with same UUID already exists ({incoming.uuid})")
    if any((each.name, each.owner) == (incoming.name, incoming.owner) for each in models):
        return Problem(f'model named "{incoming.name}" already exists')
    return None


def _quoted(instances: set[str]) -> str:
    return "[" + " ".join(f'"{each}"' for each in sorted(instances)) + "]" if instances else ""
