"""Arguments are right or named before anything is sent."""

import pytest

from jimmctl import arguments
from jimmctl.errors import Usage

UUID = "982b16d9-a945-4762-b684-fd4fd885aa11"


@pytest.mark.parametrize("given", [UUID, f"model-{UUID}", UUID.upper()])
def test_a_model_by_uuid(given: str) -> None:
    assert arguments.model(given).given == UUID
    assert arguments.model(given).path == f"/models/{UUID}"
    assert arguments.model_uuid(given) == UUID


@pytest.mark.parametrize("given", ["alice/m1", "alice@jimm/m-1", "a.b@corp.example/m"])
def test_a_model_by_owner_and_name(given: str) -> None:
    found = arguments.model(given)
    assert (found.given, found.path) == (given, f"/models/{given}")
    with pytest.raises(Usage, match=f'"{given}" is not a valid model uuid'):
        arguments.model_uuid(given)


@pytest.mark.parametrize(
    "given",
    ["", "m1", UUID[:-1], f"{UUID}0", "alice/", "/m1", "alice/M1", "a/b/c", "../m1", "a b/c"],
)
def test_what_is_no_model(given: str) -> None:
    with pytest.raises(Usage, match="is not a model: give its uuid"):
        arguments.model(given)


def test_names_of_controllers() -> None:
    assert arguments.controller_name("my-controller_1.a") == "my-controller_1.a"
    for given in ("", "a/b", "..", "-x", "a b"):
        with pytest.raises(Usage, match="is not a valid controller name"):
            arguments.controller_name(given)


def test_ids_of_migrations() -> None:
    assert arguments.migration_id(f"{UUID}:0") == f"{UUID}:0"
    for given in ("", "a/b", "..", "a?b"):
        with pytest.raises(Usage, match="is not a migration id"):
            arguments.migration_id(given)


def test_durations() -> None:
    given = ["90", "90s", "1.5m", "2h"]
    assert [arguments.duration(one) for one in given] == [90, 90, 90, 7200]
    for wrong in ("", "0", "-1", "1d", "soon"):
        with pytest.raises(Usage, match="is not a duration"):
            arguments.duration(wrong)


def test_a_reason_has_words() -> None:
    assert arguments.reason(" seen there ") == "seen there"
    with pytest.raises(Usage):
        arguments.reason(" ")
