"""A house for a test that kills."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jimm.registry.session import Registry
from tests.system.crash.house import House, house


@pytest.fixture
async def home(registry: Registry, database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """JIMM and two controllers."""
    async with house(registry, database_url, tmp_path) as made:
        await made.add_controller("a")
        await made.add_controller("b")
        yield made
