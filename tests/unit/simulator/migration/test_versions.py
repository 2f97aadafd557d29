"""Juju's version numbers."""

import pytest

from jimm.simulator.migration.versions import Version

ASCENDING = ["2.9.43", "3.6-beta2", "3.6-rc1", "3.6.0", "3.6.9", "3.6.9.1", "3.6.10", "4.0.0"]


def test_the_order() -> None:
    versions = [Version.parse(text) for text in ASCENDING]
    assert sorted(versions) == versions


@pytest.mark.parametrize("text", ASCENDING)
def test_there_and_back(text: str) -> None:
    assert str(Version.parse(text)) == text


def test_a_missing_patch_is_zero() -> None:
    assert str(Version.parse("3.6")) == "3.6.0"


@pytest.mark.parametrize("text", ["", "3", "3.6.", "v3.6.1", "3.6.1 ", "3.6-1", "9" * 20 + ".1"])
def test_what_is_no_version(text: str) -> None:
    with pytest.raises(ValueError, match="invalid version"):
        Version.parse(text)
