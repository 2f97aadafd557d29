"""Fixtures of the controllers' tests."""

import pytest

from jimm.net.certificates import Authority


@pytest.fixture(scope="session")
def authority() -> Authority:
    """Signs the scripted controllers' certificates."""
    return Authority.create("controllers under test")
