"""Every check fails for its own reason, all of them are told at once, each with a remedy."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from jimm.migration.prechecks import ControllerFacts, Finding, ModelFacts, Version, check, refusing
from jimm.migration.prechecks.finding import named
from jimm.migration.prechecks.status import Machine, Status, Unit
from jimm.migration.prechecks.values import Cloud, Credential, CredentialThere, Pace
from jimm.migration.prechecks.versions import knows_dry_run

METRO = Cloud("openstack", "https://metro", frozenset({"userpass"}), {"north": ""})
MODEL = ModelFacts(
    "u1",
    "m1",
    "alice@jimm",
    "metro",
    "north",
    "3.6.9",
    users=frozenset({"alice@jimm", "carol", "jimm-bob"}),
    made=frozenset({"jimm-bob"}),
    credential=Credential("alice@jimm", "c1", "userpass", valid=True, kept=True),
    status=Status("3.6.9", machines=(Machine("0", version="3.6.9"),), units=(Unit("db/0"),)),
)
SOURCE = ControllerFacts(
    "a",
    healthy=True,
    agent_version="3.6.9",
    clouds={"metro": frozenset({"north"})},
    cloud=METRO,
    identity_url="",
    pace=Pace(),
)
TARGET = replace(
    SOURCE,
    name="b",
    has=frozenset({("u9", "alice@jimm", "other")}),
    takes=frozenset({4, 5, 6}),
    users=frozenset({"carol"}),
    credential=CredentialThere("userpass", same=True, valid=True),
    backends=frozenset({"63c8"}),
)
FOUR = {"agent_version": "4.0.13", "takes": frozenset({4, 5, 6, 7})}
LATER = {"agent_version": "4.1.0", "takes": frozenset({4, 5, 6, 7, 8})}
DYING = Status("3.6.9", machines=(Machine("0", life="dying"),))
CREDENTIAL = Credential("alice@jimm", "c1", "userpass", valid=True)


def findings(
    model: Mapping[str, object], source: Mapping[str, object], target: Mapping[str, object]
) -> list[Finding]:
    return check(
        replace(MODEL, **model),  # type: ignore[arg-type]
        replace(SOURCE, **source),  # type: ignore[arg-type]
        replace(TARGET, **target),  # type: ignore[arg-type]
    )


def test_nothing_stands_in_the_way() -> None:
    assert check(MODEL, SOURCE, TARGET) == []


@pytest.mark.parametrize(
    ("code", "model", "source", "target"),
    [
        ("target-is-source", {}, {}, {"name": "a"}),
        ("controller-model", {"is_controller": True}, {}, {}),
        ("model-dying", {"life": "dying"}, {}, {}),
        ("already-migrating", {"migrating": True}, {}, {}),
        ("model-missing", {"found": False}, {}, {}),
        ("source-unavailable", {}, {"healthy": False, "status_info": "on fire"}, {}),
        ("target-unavailable", {}, {}, {"healthy": False}),
        ("target-deprecated", {}, {}, {"deprecated": True}),
        ("source-controller-upgrading", {}, {"upgrading": True}, {}),
        ("target-controller-upgrading", {}, {}, {"upgrading": True}),
        ("source-controller-machine-dying", {}, {"status": DYING}, {}),
        ("target-controller-machine-dying", {}, {}, {"status": DYING}),
        ("target-blocked", {}, {}, {"blocks": ("BlockChange",)}),
        ("cloud-missing", {}, {}, {"clouds": {}}),
        ("region-missing", {"region": "south"}, {}, {}),
        ("cloud-differs", {}, {}, {"cloud": replace(METRO, type="ec2")}),
        ("version-model", {"agent_version": "3.6.10"}, {}, {}),
        ("version-model-too-old", {"agent_version": "2.9.42"}, {}, {}),
        ("version-source", {}, {"agent_version": "3.7.0"}, {}),
        ("description-too-new", {}, {"agent_version": "3.6.10"}, {}),
        ("target-below-4-1", {}, {"agent_version": "4.0.13"}, FOUR),
        ("target-below-4-1", {}, {"agent_version": "4.0.13"}, {**FOUR, "takes": None}),
        ("source-facades-too-old", {}, {}, {**LATER, "takes": frozenset({8})}),
        ("name-taken", {}, {}, {"has": frozenset({("u9", "alice@jimm", "m1")})}),
        ("leftover-import", {}, {}, {"has": frozenset({("u1", "alice@jimm", "m1")})}),
        ("users-missing", {}, {}, {"users": frozenset()}),
        ("owner-missing", {"owner": "dave", "credential": None}, {"cloud": None}, {"cloud": None}),
        ("users-external", {}, {}, {"identity_url": "https://elsewhere"}),
        ("credential-invalid", {"credential": replace(CREDENTIAL, valid=False)}, {}, {}),
        ("credential-not-owners", {"credential": replace(CREDENTIAL, owner="carol")}, {}, {}),
        ("credential-required", {"credential": None}, {}, {}),
        ("credential-type-differs", {}, {}, {"credential": CredentialThere("oauth2")}),
        ("credential-differs", {}, {}, {"credential": CredentialThere("userpass", same=False)}),
        (
            "credential-revoked",
            {},
            {},
            {"credential": CredentialThere("userpass", same=True, valid=False)},
        ),
        ("secret-backend-missing", {"backends": {"77aa": "vault"}}, {}, {}),
        ("fan-networking", {"fan": "fan-config=x"}, {}, FOUR),
    ],
)
def test_each_reason_alone(
    code: str, model: dict[str, object], source: dict[str, object], target: dict[str, object]
) -> None:
    (found,) = findings(model, source, target)
    assert (found.code, found.advice) == (code, False)
    assert found.found
    assert found.remedy


@pytest.mark.parametrize(
    ("code", "model", "source", "target"),
    [
        ("model-blocked", {"blocks": ("BlockDestroy",)}, {}, {}),
        ("cloud-endpoint-differs", {}, {}, {"cloud": replace(METRO, endpoint="https://x")}),
        ("credential-missing", {}, {}, {"credential": False}),
        ("credential-not-compared", {}, {}, {"credential": CredentialThere("userpass")}),
        ("offers-in-use", {"offered": {"db": ("u7",)}}, {}, {}),
        ("offers-consumed", {"consumed": ("admin/m2.db",)}, {}, {}),
        ("not-checked", {}, {}, {"unasked": ("b does not tell its users: no",)}),
        ("agent-rate-limit", {}, {"pace": Pace(1.0)}, {"pace": Pace(burst=1, every=60.0)}),
    ],
)
def test_each_advice_alone_refuses_nothing(
    code: str, model: dict[str, object], source: dict[str, object], target: dict[str, object]
) -> None:
    found = findings(model, source, target)
    assert [(each.code, each.advice) for each in found] == [(code, True)]
    assert refusing(found, prepare=False) == []


@pytest.mark.parametrize(
    ("model", "target"),
    [
        ({}, {"users": frozenset()}),
        ({"owner": "dave", "credential": None}, {"cloud": None}),
        ({}, {"credential": CredentialThere("userpass", same=False)}),
        ({"backends": {"77aa": "vault"}}, {}),
    ],
)
def test_what_is_mended_on_request_refuses_only_without(
    model: dict[str, object], target: dict[str, object]
) -> None:
    found = findings(model, {}, target)
    assert refusing(found, prepare=False) == found != []
    assert refusing(found, prepare=True) == []


def test_only_a_credential_that_jimm_keeps_can_be_mended() -> None:
    there = {"credential": CredentialThere("userpass", same=False)}
    found = findings({"credential": CREDENTIAL}, {}, there)
    assert refusing(found, prepare=True) == found != []


def test_a_large_model_needs_more_time() -> None:
    units = tuple(Unit(f"db/{number}") for number in range(4000))
    found = findings({"status": Status("3.6.9", units=units)}, {}, {})
    assert [each.code for each in found] == ["agent-wait-time", "agent-rate-limit"]
    patient = {"pace": Pace(wait_time=3600.0)}
    quick = {"pace": Pace(burst=100, every=0.05)}
    assert findings({"status": Status("3.6.9", units=units)}, patient, quick) == []


@pytest.mark.parametrize("unknown", ["clouds", "cloud", "has", "takes", "users", "identity_url"])
def test_what_nobody_told_refuses_nothing(unknown: str) -> None:
    assert findings({"credential": None}, {}, {unknown: None, "cloud": None}) == []
    assert findings({"status": None}, {"pace": None, "cloud": None}, {"credential": None}) == []


def test_users_of_an_owner_outside_and_inside() -> None:
    (found,) = findings({}, {"identity_url": "https://one"}, {"identity_url": "https://two"})
    assert "alice@jimm" in found.found
    assert "carol" not in found.found
    assert "jimm-bob" not in findings({}, {}, {"users": frozenset()})[0].found


def test_fan_networking_matters_only_on_the_way_to_juju_4() -> None:
    assert findings({"fan": "fan-config=x"}, {}, {}) == []


def test_a_newer_patch_is_told_with_why_it_matters() -> None:
    (found,) = findings({}, {"agent_version": "3.6.10"}, {})
    assert "describes models" in found.found


def test_the_owner_of_a_model_on_juju_4_need_not_be_anybody() -> None:
    model = {"owner": "dave", "credential": None}
    nothing: dict[str, object] = {"cloud": None}
    assert findings(model, {**nothing, "agent_version": "4.0.13"}, {**LATER, **nothing}) == []


def test_juju_4_goes_to_4_1_and_3_6_to_4_0() -> None:
    assert findings({}, {"agent_version": "4.0.13"}, LATER) == []
    assert findings({}, {}, FOUR) == []


def test_all_reasons_come_at_once_and_advice_last() -> None:
    found = findings(
        {"life": "dying", "region": "south", "blocks": ("BlockDestroy",)},
        {},
        {"healthy": False, "deprecated": True, "agent_version": "3.5.0", "credential": False},
    )
    assert [each.code for each in found] == [
        "model-dying",
        "target-unavailable",
        "target-deprecated",
        "region-missing",
        "version-model",
        "version-source",
        "credential-missing",
        "model-blocked",
    ]


def test_versions_compare_as_juju_means_them() -> None:
    ordered = ["2.9.43", "3.6-beta1", "3.6.0", "3.6.9", "3.6.10", "3.6.10.1", "4.0.0"]
    parsed = [Version.parse(text) for text in ordered]
    assert all(each is not None for each in parsed)
    assert parsed == sorted(parsed)  # type: ignore[type-var]
    assert Version.parse("") is None


@pytest.mark.parametrize(
    ("version", "knows"),
    [
        ("2.9.50", False),
        ("3.5.20", False),
        ("3.6.12", False),
        ("3.6.13", True),
        ("3.6-rc13", False),
        ("4.0.9", False),
        ("4.0.13", True),
        ("4.1-beta2", False),
        ("4.1.0", True),
        ("", False),
    ],
)
def test_only_a_controller_known_for_dry_runs_is_asked_for_one(version: str, knows: bool) -> None:
    assert knows_dry_run(version) is knows


def test_long_lists_are_counted() -> None:
    assert named(["a", "b", "a"]) == "a, b"
    assert named(f"u/{number}" for number in range(9)) == "u/0, u/1, u/2, u/3, u/4 and 4 more"


def test_the_how_to_tells_every_code() -> None:
    root = Path(__file__).parents[3]
    told = (root / "docs/how-to/migrate-a-model.md").read_text()
    codes = {
        code
        for each in (root / "jimm/migration/prechecks").glob("*.py")
        for code in re.findall(r'\n\s+"([a-z0-9]+(?:-[a-z0-9]+)+)",\n', each.read_text())
    }
    assert {"owner-missing", "unit-not-idle", "agent-rate-limit"} <= codes
    assert sorted(code for code in codes if f"`{code}`" not in told) == []
