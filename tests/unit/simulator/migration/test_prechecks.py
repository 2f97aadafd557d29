"""Each refusal in Juju's words, one broken thing at a time, and their order."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from jimm.simulator.migration import lifecycle, prechecks
from jimm.simulator.migration.phases import Phase
from jimm.simulator.migration.prechecks import Incoming, Problem
from jimm.simulator.migration.versions import Version
from jimm.simulator.state import Application, Machine, Model, Status, Unit
from tests.unit.simulator.migration.values import (
    HERE,
    LATER,
    NOW,
    THERE,
    UUID,
    controller,
    model,
    target,
)

Change = Callable[[Model], Model]


def with_machine(**changes: object) -> Change:
    def change(model: Model) -> Model:
        machine: Machine = replace(model.machines["0"], **changes)
        return replace(model, machines={"0": machine})

    return change


def with_application(**changes: object) -> Change:
    def change(model: Model) -> Model:
        application: Application = replace(model.applications["a"], **changes)
        return replace(model, applications={"a": application})

    return change


def with_unit(**changes: object) -> Change:
    def change(model: Model) -> Model:
        unit: Unit = replace(model.applications["a"].units["a/0"], **changes)
        return with_application(units={"a/0": unit})(model)

    return change


def with_model(**changes: object) -> Change:
    return lambda model: replace(model, **changes)


SOURCE: list[tuple[Change, str]] = [
    (with_model(life="dying"), "model is dying"),
    (with_model(life="dead"), "model is dead"),
    (
        with_model(mode="importing"),
        "model is being imported as part of another migration",
    ),
    (with_machine(life="dying"), "machine 0 is dying"),
    (with_machine(instance_status="pending"), "machine 0 not running (pending)"),
    (with_machine(status="down"), "machine 0 agent not functioning at this time (down)"),
    (with_machine(rebooting=True), "machine 0 is scheduled to reboot"),
    (
        with_machine(agent_version="3.6.1"),
        "machine 0 agent binaries don't match model (3.6.1 != 3.6.9)",
    ),
    (with_application(life="dying"), "application a is dying"),
    (with_application(scaling=True), "application a has an ongoing scale operation"),
    (with_application(min_units=2), "application a is below its minimum units threshold"),
    (with_application(charm=""), "application charm url is nil"),
    (with_unit(life="dying"), "unit a/0 is dying"),
    (
        with_unit(agent=Status(status="failed", since=NOW)),
        "unit a/0 not idle or executing (failed)",
    ),
    (
        with_unit(agent_version="3.6.1"),
        "unit a/0 agent binaries don't match model (3.6.1 != 3.6.9)",
    ),
    (with_unit(charm="ch:amd64/ubuntu-2"), "unit a/0 is upgrading"),
    (with_unit(unjoined=("a:x b:y",)), 'unit a/0 hasn\'t joined relation "a:x b:y" yet'),
    (with_model(cleanups=True), "cleanup needed"),
]


def source(
    leaving: Model, *, credential_valid: bool = True, controller_model: Model | None = None
) -> Problem | None:
    return prechecks.source_problem(
        leaving,
        credential_valid=credential_valid,
        controller=controller(),
        controller_model=controller_model,
    )


def test_a_sound_model_may_leave() -> None:
    assert source(model(), controller_model=model()) is None


@pytest.mark.parametrize(("change", "text"), SOURCE, ids=[text for _, text in SOURCE])
def test_source_prechecks(change: Change, text: str) -> None:
    assert source(change(model())) == Problem(text)


@pytest.mark.parametrize(
    ("first", "second"),
    [(first, second) for i, first in enumerate(SOURCE) for second in SOURCE[i + 1 :]],
)
def test_the_first_problem_is_told(first: tuple[Change, str], second: tuple[Change, str]) -> None:
    both = first[0](second[0](model()))
    problem = source(both)
    assert problem is not None
    # The same field changed twice keeps the later change, which here is the first of the two.
    assert problem.message == first[1]


def test_a_revoked_credential() -> None:
    found = source(with_machine(life="dying")(model()), credential_valid=False)
    assert found == Problem("model has revoked credentials")


def test_upgrade_issues_have_a_code() -> None:
    issue = "unexpected upgrade series lock found"
    assert source(replace(model(), upgrade_issues=(issue,))) == Problem(
        f'cannot migrate to controller due to issues:\n"alice@jimm/m":\n- {issue}',
        "not supported",
    )


def test_a_k8s_units_binaries_are_not_compared() -> None:
    kubernetes = replace(with_unit(agent_version="3.6.1")(model()), type="caas")
    assert source(kubernetes) is None


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (with_model(life="dying"), "controller: model is dying"),
        (
            with_machine(status="down"),
            "controller: machine 0 agent not functioning at this time (down)",
        ),
    ],
)
def test_the_source_controller_is_checked_too(change: Change, text: str) -> None:
    assert source(model(), controller_model=change(model())) == Problem(text)


def test_a_controller_that_upgrades() -> None:
    upgrading = replace(controller(), upgrading=True)
    found = prechecks.controller_problem(upgrading, model())
    assert found == Problem("upgrade in progress")


MISSING = (
    "cannot initiate migration as the users granted access to the model do not exist\n"
    "on the destination controller. To resolve this issue you can add the following\n"
    "users to the destination controller or remove them from the current model:"
)
HEAD = (
    "cannot initiate migration as external users have been granted access to the model\n"
    "and the two controllers have different identity provider configurations. To resolve\n"
)


@pytest.mark.parametrize(
    ("users", "there", "url", "text"),
    [
        (["alice", "e@x"], ["alice"], "", ""),
        (
            ["alice", "bob", "e@x"],
            ["alice"],
            "",
            MISSING + "\n  - bob",
        ),
        (
            ["alice", "e@x"],
            ["alice"],
            "https://id",
            HEAD + "this issue you can remove the following users from the current model:\n  - e@x",
        ),
        (
            ["bob", "e@x"],
            ["alice"],
            "https://id",
            HEAD + "this issue you need to remove the following users from the current model:\n"
            "  - e@x\n\n"
            "and add the following users to the destination controller or remove them from\n"
            "the current model:\n"
            "  - bob",
        ),
    ],
)
def test_users(users: list[str], there: list[str], url: str, text: str) -> None:
    found = prechecks.users_problem(
        users, target_users=there, source_identity_url="", target_identity_url=url
    )
    assert (found.message if found else "") == text


def incoming(**changes: Any) -> Incoming:
    sound = Incoming(
        uuid=UUID,
        name="m",
        owner="alice@jimm",
        agent_version=Version.parse("3.6.9"),
        controller_version=Version.parse("3.6.9"),
        facade_versions={},
    )
    return dataclasses.replace(sound, **changes)


def at_target(
    coming: Incoming,
    *here: Model,
    version: str = "3.6.9",
    controller_model: Model | None = None,
    required: dict[str, list[int]] | None = None,
) -> Problem | None:
    return prechecks.target_problem(
        coming,
        controller=controller(version),
        controller_model=controller_model,
        models=here,
        required_facades=required or {},
    )


def test_a_sound_model_may_come() -> None:
    assert at_target(incoming(), replace(model(), uuid=HERE, name="other")) is None


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"uuid": ""}, "empty UUID not valid"),
        ({"owner": ""}, "empty Owner not valid"),
        ({"name": ""}, "empty Name not valid"),
        ({"agent_version": Version.parse("0.0.0")}, "empty Version not valid"),
    ],
)
def test_what_is_missing(changes: dict[str, object], text: str) -> None:
    assert at_target(incoming(**changes)) == Problem(text, "not valid")


@pytest.mark.parametrize(
    ("model_version", "source_version", "version", "text"),
    [
        (
            "3.6.5",
            "3.6.5",
            "3.6.4",
            "model has higher version than target controller (3.6.5 > 3.6.4)",
        ),
        (
            "3.5.9",
            "3.6.5",
            "3.5.9",
            "source controller has higher version than target controller (3.6.5 > 3.5.9)",
        ),
        ("3.6.4", "3.6.5", "3.6.4", ""),
        ("3.6.4", "0.0.0", "3.6.4", ""),
        (
            "2.9.42",
            "2.9.42",
            "3.6.4",
            (
                "model must be upgraded to at least version 2.9.43 "
                "before being migrated to a controller with version 3.6.4"
            ),
        ),
        ("2.9.43", "2.9.43", "3.6.4", ""),
        ("3.6.4", "3.6.4", "9.0.0", "unknown target controller version 9.0.0"),
    ],
)
def test_versions(model_version: str, source_version: str, version: str, text: str) -> None:
    coming = incoming(
        agent_version=Version.parse(model_version),
        controller_version=Version.parse(source_version),
    )
    found = at_target(coming, version=version)
    assert (found.message if found else "") == text


@pytest.mark.parametrize(
    ("version", "middle"), [("3.6.0", ""), ("3.6.4", ", that is greater than 3.6.4")]
)
def test_facades_that_the_source_lacks(version: str, middle: str) -> None:
    coming = incoming(
        agent_version=Version.parse("3.6.0"), facade_versions={"MigrationMaster": [3]}
    )
    assert at_target(coming, version=version, required={"MigrationMaster": [4]}) == Problem(
        "Source controller does not support required facades for performing migration.\n"
        f"Upgrade the controller to a newer version of 3.6{middle} or migrate to a controller\n"
        "with an earlier version of the target controller and try again.\n\n"
    )


def test_the_target_controller_has_no_prefix() -> None:
    found = at_target(incoming(), controller_model=with_machine(status="down")(model()))
    assert found == Problem("machine 0 agent not functioning at this time (down)")


def test_the_same_model_on_its_way_out() -> None:
    leaving = lifecycle.started(model(), target(), NOW)
    assert at_target(incoming(), leaving) == Problem(
        "model is being migrated out of target controller"
    )


def test_the_same_uuid() -> None:
    found = at_target(incoming(), replace(model(), name="other"))
    assert found == Problem(f"model with same UUID already exists ({UUID})")


@pytest.mark.parametrize(
    "here",
    [replace(model(), uuid=HERE), lifecycle.imported(model(), NOW)],
    ids=["another model", "its own leftover"],
)
def test_the_same_name(here: Model) -> None:
    assert at_target(incoming(), here) == Problem('model named "m" already exists')


def creating(
    model: Model,
    *,
    target_uuid: str = THERE,
    addresses: tuple[str, ...] = ("h:1",),
    secret: bool = True,
) -> Problem | None:
    return prechecks.creation_problem(
        model,
        controller=controller(),
        target_uuid=target_uuid,
        addresses=addresses,
        secret=secret,
    )


def test_creation() -> None:
    assert creating(model()) is None
    assert creating(replace(model(), is_controller=True)) == Problem(
        "controllers can't be migrated"
    )
    assert creating(model(), addresses=("x",)) == Problem('"x" in Addrs not valid', "not valid")
    assert creating(model(), secret=False) == Problem(
        "missing Password, Macaroons or Token not valid", "not valid"
    )
    assert creating(model(), target_uuid=HERE) == Problem(
        "model already attached to target controller"
    )
    assert creating(replace(model(), life="dying")) == Problem(
        "failed to create migration: model is not alive"
    )


def test_creation_during_and_after_an_attempt() -> None:
    leaving = lifecycle.started(model(), target(), NOW)
    assert creating(leaving) == Problem("failed to create migration: already in progress")
    for phase in (Phase.ABORT, Phase.ABORTDONE):
        leaving = lifecycle.moved(leaving, phase, LATER)
    assert creating(leaving) is None


def test_creation_after_a_failed_reap() -> None:
    stranded = lifecycle.started(model(), target(), NOW)
    for phase in (
        Phase.IMPORT,
        Phase.PROCESSRELATIONS,
        Phase.VALIDATION,
        Phase.SUCCESS,
        Phase.LOGTRANSFER,
        Phase.REAP,
        Phase.REAPFAILED,
    ):
        stranded = lifecycle.moved(stranded, phase, LATER)
    assert creating(stranded) == Problem(
        "failed to create migration: state changing too quickly; try again soon"
    )


def test_machines() -> None:
    assert prechecks.machine_check_problems(model(), ["i-0"]) == []
    assert prechecks.machine_check_problems(model(), ["i-2"]) == [
        Problem('no machine with instance "i-2"'),
        Problem('couldn\'t find instance "i-0" for machine 0'),
    ]


@pytest.mark.parametrize(
    "machine",
    [
        Machine(id="0/lxd/0", instance_id="juju-0", created=NOW),
        Machine(id="1", instance_id="manual:10.0.0.1", created=NOW),
        Machine(id="1", instance_id="", created=NOW),
    ],
    ids=["container", "manual", "not provisioned"],
)
def test_machines_that_no_cloud_knows(machine: Machine) -> None:
    assert prechecks.machine_check_problems(replace(model(), machines={"1": machine}), []) == []
