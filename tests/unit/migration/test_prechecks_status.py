"""What Juju would hold against machines, applications and units, as their status shows them."""

from dataclasses import replace

import pytest

from jimm.migration.prechecks.status import (
    Application,
    Machine,
    Status,
    Unit,
    check,
    check_controller,
)

MACHINE = Machine("0", version="3.6.9", base="ubuntu@24.04")
UNIT = Unit("db/0", version="3.6.9")
APPLICATION = Application("db", charm="ch:amd64/db-1", units=1)
WELL = Status("3.6.9", machines=(MACHINE,), applications=(APPLICATION,), units=(UNIT,))


def codes(status: Status, *, source_major: int = 3) -> list[str]:
    found = check(status, source_major=source_major)
    assert all(each.found and each.remedy for each in found)
    return [each.code for each in found]


def test_a_model_that_is_well() -> None:
    assert codes(WELL) == []
    assert codes(WELL, source_major=4) == []
    assert WELL.agents == 2


@pytest.mark.parametrize(
    ("code", "machine"),
    [
        ("machine-dying", {"life": "dying"}),
        ("machine-not-running", {"instance": "pending"}),
        ("machine-not-running", {"instance": ""}),
        ("machine-agent-down", {"agent": "down"}),
        ("machine-version", {"version": "3.6.8"}),
        ("windows-machines", {"base": "win2019@standard"}),
        ("ubuntu-too-old", {"base": "ubuntu@18.04/stable"}),
    ],
)
def test_machines(code: str, machine: dict[str, str]) -> None:
    wrong = replace(MACHINE, name="3/lxd/1", **machine)
    (found,) = check(replace(WELL, machines=(MACHINE, wrong)), source_major=3)
    assert found.code == code
    assert "3/lxd/1" in found.found
    assert not found.advice


@pytest.mark.parametrize("base", ["ubuntu@20.04", "ubuntu@22.04/stable", "centos@7", "", "ubuntu@"])
def test_bases_that_juju_moves(base: str) -> None:
    assert codes(replace(WELL, machines=(replace(MACHINE, base=base),))) == []


@pytest.mark.parametrize(
    ("code", "unit"),
    [
        ("unit-dying", {"life": "dead"}),
        ("unit-not-idle", {"agent": "allocating"}),
        ("unit-version", {"version": "3.6.8"}),
        ("unit-upgrading", {"upgrading": True}),
    ],
)
def test_units(code: str, unit: dict[str, object]) -> None:
    wrong = replace(UNIT, **unit)  # type: ignore[arg-type]
    assert codes(replace(WELL, units=(wrong,))) == [code]


def test_units_on_kubernetes_may_run_what_they_like() -> None:
    old = replace(UNIT, version="3.6.8")
    assert codes(replace(WELL, type="caas", units=(old,))) == []


@pytest.mark.parametrize(
    ("workload", "message", "viable"),
    [
        ("active", "", True),
        ("waiting", "waiting for a relation", True),
        ("waiting", "installing agent", False),
        ("maintenance", "installing charm software", False),
        ("maintenance", "backing up", True),
        ("blocked", "", False),
        ("error", "", False),
        ("", "", False),
    ],
)
def test_juju_4_looks_at_workloads(workload: str, message: str, viable: bool) -> None:
    status = replace(WELL, units=(replace(UNIT, workload=workload, message=message),))
    assert codes(status, source_major=4) == ([] if viable else ["unit-workload"])
    assert codes(status) == []


@pytest.mark.parametrize(
    ("code", "application"),
    [
        ("application-dying", {"life": "dying"}),
        ("charm-store-charms", {"charm": "cs:db-1"}),
        ("application-scaling", {"scale": 3}),
    ],
)
def test_applications(code: str, application: dict[str, object]) -> None:
    wrong = replace(APPLICATION, **application)  # type: ignore[arg-type]
    assert codes(replace(WELL, applications=(wrong,))) == [code]


def test_a_relation_that_nobody_joined() -> None:
    (found,) = check(replace(WELL, unjoined=("db:x web:y",)), source_major=3)
    assert found.code == "unit-not-joined"
    assert "db:x web:y" in found.found


def test_each_kind_is_told_once_with_all_that_are_of_it() -> None:
    down = tuple(replace(MACHINE, name=str(number), agent="down") for number in range(3))
    lost = (replace(UNIT, agent="lost"), replace(UNIT, name="db/1", agent="lost"))
    found = check(replace(WELL, machines=down, units=lost), source_major=3)
    assert [each.code for each in found] == ["machine-agent-down", "unit-not-idle"]
    assert "0 (down), 1 (down), 2 (down)" in found[0].found


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_controllers_own_machines(side: str) -> None:
    status = Status(
        "3.6.9", machines=(replace(MACHINE, agent="down", version="3.6.8"),), units=(UNIT,)
    )
    found = check_controller(status, "a", side)
    assert [each.code for each in found] == [
        f"{side}-controller-machine-agent-down",
        f"{side}-controller-machine-version",
    ]
    assert all(f"{side} controller a" in each.found for each in found)
