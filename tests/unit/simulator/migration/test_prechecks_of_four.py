"""What stands in the way of a migration, in 4.0's words."""

from typing import Any

import pytest
from msgspec.structs import replace

from jimm.simulator.migration import prechecks_of_four
from jimm.simulator.migration.description import Description
from jimm.simulator.migration.prechecks import Incoming, Problem
from jimm.simulator.migration.versions import Version
from jimm.simulator.state import Model
from jimm.wire.tags import ModelUUID
from tests.unit.simulator.migration import values
from tests.unit.simulator.migration.values import NOW, UUID, model

MACHINES = (
    "pre-checking machine statuses for migration: model machines(s) are not ready for migration:\n"
)
UNITS = "model unit(s) are not ready for migration:\n"
LAGS = "in the model that are not running the target agent version of the model"


def with_machine(**changes: Any) -> Model:
    found = model()
    first = next(iter(found.machines))
    machine = replace(found.machines[first], **changes)
    return replace(found, machines={first: machine})


def with_unit(**changes: Any) -> Model:
    found = model()
    application = next(iter(found.applications.values()))
    unit = next(iter(application.units.values()))
    for key in ("agent", "workload"):
        if key in changes:
            changes[key] = replace(getattr(unit, key), status=changes[key])
    units = {unit.name: replace(unit, **changes)}
    changed = replace(application, units=units)
    return replace(found, applications={application.name: changed})


def source(seen: Model, **options: Any) -> Problem | None:
    given: dict[str, Any] = {
        "credential_valid": True,
        "controller": values.controller("4.0.13"),
        "controller_model": None,
    }
    return prechecks_of_four.source_problem(seen, **{**given, **options})


def test_nothing_stands_in_the_way() -> None:
    assert source(model()) is None


@pytest.mark.parametrize(
    ("seen", "text"),
    [
        (replace(model(), life="dying"), "model is dying"),
        (
            replace(model(), mode="importing"),
            "model is being imported as part of another migration",
        ),
        (with_machine(agent_version="4.0.1"), f"there exists machines {LAGS} [0]"),
        (with_machine(status="down"), f'{MACHINES}- machine "0" status is not started'),
        (
            with_machine(status="down", instance_status="error"),
            (
                f'{MACHINES}- machine "0" status is not started\n'
                '- machine "0" instance status is not running'
            ),
        ),
        (with_machine(life="dying"), "machine 0 is dying"),
        (
            with_unit(agent="lost"),
            (
                f'{UNITS}- unit "a/0" is not logged into the controller\n'
                '- unit "a/0" agent not idle or executing'
            ),
        ),
        (with_unit(workload="error"), f'{UNITS}- unit "a/0" workload not active or viable'),
        (with_unit(agent_version="4.0.1"), f"there exists units {LAGS} [a/0]"),
        (with_unit(unjoined=("a:x b:y",)), 'unit a/0 hasn\'t joined relation "a:x b:y" yet'),
    ],
)
def test_a_source_that_is_not_ready(seen: Model, text: str) -> None:
    assert source(seen) == Problem(text)


def test_the_rest_of_a_source() -> None:
    upgrading = replace(values.controller("4.0.13"), upgrading=True)
    assert source(model(), credential_valid=False) == Problem("model has revoked credentials")
    assert source(model(), controller=upgrading) == Problem("controller: upgrade in progress")
    sick = source(model(), controller_model=with_machine(status="down"))
    assert sick == Problem(f'controller: {MACHINES}- machine "0" status is not started')
    stopped = source(replace(model(), upgrade_issues=("a lock",)))
    assert stopped is not None
    assert stopped.message.startswith("cannot migrate to controller due to issues:\n")
    assert stopped.code == "not supported"


def incoming(**changes: Any) -> Incoming:
    given: dict[str, Any] = {
        "uuid": UUID,
        "name": "m",
        "owner": "alice@jimm",
        "agent_version": Version.parse("3.6.9"),
        "controller_version": Version.parse("3.6.9"),
        "facade_versions": {},
    }
    return Incoming(**{**given, **changes})


def target(coming: Incoming, *here: Model, cloud: str = "metro") -> str:
    found = prechecks_of_four.target_problem(
        coming,
        cloud=cloud,
        controller=values.controller("4.0.13"),
        controller_model=None,
        models=here,
    )
    if found is None:
        return ""
    prefix = "migration target prechecks failed: "
    assert found.message.startswith(prefix)
    return found.message.removeprefix(prefix)


def test_a_target() -> None:
    here = replace(model(), name="m", owner="alice@jimm")
    other = replace(here, uuid=ModelUUID("1" * 36))
    assert target(incoming()) == ""
    assert target(incoming(), replace(here, mode="importing")) == ""
    assert target(incoming(), here) == f"model with same UUID already exists ({UUID})"
    assert target(incoming(), other) == 'model named "m" already exists'
    assert target(incoming(owner="")) == "empty Qualifier not valid"
    lacking = 'model\'s cloud "moon" not found on target controller'
    assert target(incoming(), cloud="moon") == lacking
    newer = Version.parse("4.1.0")
    assert target(incoming(agent_version=newer)) == (
        "model has higher version than target controller (4.1.0 > 4.0.13)"
    )
    assert target(incoming(controller_version=newer)) == (
        "source controller has higher version than target controller (4.1.0 > 4.0.13)"
    )


@pytest.mark.parametrize(
    ("config", "refused"),
    [
        ({}, ""),
        ({"fan-config": ""}, ""),
        ({"container-networking-method": "local"}, ""),
        ({"fan-config": "x"}, 'remove fan-config "x"'),
        ({"container-networking-method": "fan"}, 'remove container-networking-method "fan"'),
    ],
)
def test_fans(config: dict[str, object], refused: str) -> None:
    seen = Description(model=replace(model(), config=config), credential=None)
    found = prechecks_of_four.description_problem(seen)
    assert (found is not None) == bool(refused)
    assert found is None or refused in found.message


def test_instances() -> None:
    seen = with_machine(instance_id="i-0", created=NOW)
    check = prechecks_of_four.machine_check_problem
    assert check(seen, ["i-0"]) is None
    lost = 'instance IDs ["i-0"] are not part of the provider instance IDs'
    assert check(seen, []) == Problem(lost)
    unknown = 'provider instance IDs ["i-1"] are not part of the model machines instance IDs'
    assert check(seen, ["i-0", "i-1"]) == Problem(unknown)
