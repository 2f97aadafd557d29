"""Whether a model may be taken in, told from what its controller shows of it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from jimm.migration.adoption import Place, Told, check
from jimm.migration.verdict import Attempt, Present
from jimm.wire.params.common import EntityStatus
from jimm.wire.params.model_manager import MigrationStatus

PLACE = Place("a", "c1", {"metro": frozenset({"north"})})
VIEW = Present("c1")
TOLD = Told(
    name="web",
    uuid="u1",
    controller_uuid="c1",
    is_controller=False,
    owner_tag="user-admin@local",
    cloud_tag="cloud-metro",
    cloud_region="north",
    life="alive",
    status=EntityStatus(status="available", info="", since=None),
)
START = datetime(2026, 1, 1, tzinfo=UTC)
SHELL = MigrationStatus(
    status="removing exported model failed: no space", start="2026-01-01T00:00:00Z", end=""
)


def codes(told: Told, view: Present = VIEW, place: Place = PLACE) -> list[str]:
    """What speaks against it."""
    findings = check(told, view, place)
    assert all(each.found and each.remedy for each in findings)
    return [each.code for each in findings]


def told(**changes: Any) -> Told:
    """The model, but for this."""
    return msgspec.structs.replace(TOLD, **changes)


def busy(info: str) -> EntityStatus:
    """A status as Juju gives it to a model on its way."""
    return EntityStatus(status="busy", info=info, since=None)


def test_a_model_that_lives_may_come_in() -> None:
    assert codes(TOLD) == []
    assert codes(told(cloud_region="")) == []
    assert (TOLD.owner, TOLD.cloud) == ("admin", "metro")


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("controller-model", {"is_controller": True, "life": "dying"}),
        ("model-dying", {"life": "dying"}),
        ("half-imported", {"status": busy("importing")}),
        ("half-imported", {"status": busy("the model is being migrated")}),
        ("model-moved", {"migration": SHELL}),
        ("model-moved", {"controller_uuid": "c2"}),
        ("cloud-missing", {"cloud_tag": "cloud-other"}),
        ("region-missing", {"cloud_region": "south"}),
    ],
)
def test_each_reason_has_its_code(code: str, changes: dict[str, Any]) -> None:
    assert codes(told(**changes)) == [code]


def test_an_attempt_counts_until_it_has_ended() -> None:
    running = Attempt("exporting model", START)
    assert codes(TOLD, replace(VIEW, attempt=running)) == ["already-migrating"]
    assert codes(TOLD, replace(VIEW, attempt=replace(running, end=START))) == []
    assert codes(TOLD, replace(VIEW, importing=True)) == ["half-imported"]


def test_the_name_must_be_free_in_jimm() -> None:
    assert codes(TOLD, place=replace(PLACE, taken=True)) == ["name-taken"]
    assert codes(TOLD, place=replace(PLACE, being_made=True)) == ["being-made"]
    both = codes(told(life="dead"), place=replace(PLACE, taken=True, being_made=True))
    assert both == ["model-dying", "name-taken", "being-made"]
