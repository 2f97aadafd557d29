"""Every check fails for its own reason, all of them are told at once, each with a remedy."""

from dataclasses import replace

import pytest

from jimm.migration.prechecks import ControllerFacts, ModelFacts, Version, check

MODEL = ModelFacts("u1", "m1", "alice@jimm", "metro", "north", "3.6.9")
SOURCE = ControllerFacts(
    "a", healthy=True, agent_version="3.6.9", clouds={"metro": frozenset({"north"})}
)
TARGET = replace(SOURCE, name="b", has=frozenset({("u9", "alice@jimm", "other")}))


def codes(model: ModelFacts, source: ControllerFacts, target: ControllerFacts) -> list[str]:
    findings = check(model, source, target)
    assert all(each.found and each.remedy for each in findings)
    return [each.code for each in findings]


def test_nothing_stands_in_the_way() -> None:
    assert codes(MODEL, SOURCE, TARGET) == []


@pytest.mark.parametrize(
    ("code", "model", "target"),
    [
        ("target-is-source", {}, {"name": "a"}),
        ("controller-model", {"is_controller": True}, {}),
        ("model-dying", {"life": "dying"}, {}),
        ("already-migrating", {"migrating": True}, {}),
        ("model-missing", {"found": False}, {}),
        ("target-unavailable", {}, {"healthy": False}),
        ("target-deprecated", {}, {"deprecated": True}),
        ("cloud-missing", {}, {"clouds": {}}),
        ("region-missing", {"region": "south"}, {}),
        ("version-model", {"agent_version": "3.6.10"}, {}),
        ("name-taken", {}, {"has": frozenset({("u9", "alice@jimm", "m1")})}),
        ("leftover-import", {}, {"has": frozenset({("u1", "alice@jimm", "m1")})}),
    ],
)
def test_each_reason_alone(code: str, model: dict[str, object], target: dict[str, object]) -> None:
    assert codes(replace(MODEL, **model), SOURCE, replace(TARGET, **target)) == [code]  # type: ignore[arg-type]


def test_a_newer_patch_on_the_source_is_refused_though_juju_would_begin() -> None:
    assert codes(MODEL, replace(SOURCE, agent_version="3.6.10"), TARGET) == ["version-source"]


def test_an_unavailable_source_is_told() -> None:
    assert codes(MODEL, replace(SOURCE, healthy=False), TARGET) == ["source-unavailable"]


def test_all_reasons_come_at_once() -> None:
    model = replace(MODEL, life="dying", region="south")
    target = replace(TARGET, healthy=False, deprecated=True, agent_version="3.5.0")
    assert codes(model, SOURCE, target) == [
        "model-dying",
        "target-unavailable",
        "target-deprecated",
        "region-missing",
        "version-model",
        "version-source",
    ]


def test_versions_compare_as_juju_means_them() -> None:
    ordered = ["2.9.43", "3.6-beta1", "3.6.0", "3.6.9", "3.6.10", "3.6.10.1", "4.0.0"]
    parsed = [Version.parse(text) for text in ordered]
    assert all(each is not None for each in parsed)
    assert parsed == sorted(parsed)  # type: ignore[type-var]
    assert Version.parse("") is None
