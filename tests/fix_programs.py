"""The two programs, loaded once for all tests."""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.loaded import Loaded, loaded

_JIMMCTL: Final = (
    *("jimmctl.app", "jimmctl.client", "jimmctl.drawing", "jimmctl.moving"),
    *("anyio.abc", "httpcore", "pydantic", "yaml"),
)
_JIMM: Final = ("jimm.cli", "jimm.app", "jimm.accounts", "jimm.registry.schema", "jimm.serving")


@pytest.fixture(scope="session")
def jimmctl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """``jimmctl``."""
    with loaded(tmp_path_factory.mktemp("jimmctl"), *_JIMMCTL) as program:
        yield program


@pytest.fixture(scope="session")
def loaded_jimm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """``jimm``, for commands that end by themselves."""
    with loaded(tmp_path_factory.mktemp("jimm"), *_JIMM) as program:
        yield program
