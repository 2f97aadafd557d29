"""Clients of ``/v1`` for each user of ``dev``."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.fix_dev import Dev
from tests.system.rest.scene import Stage, client_of


@pytest.fixture
async def nobody(dev: Dev) -> AsyncIterator[httpx.AsyncClient]:
    """Without a token."""
    async with client_of(dev, "") as client:
        yield client


@pytest.fixture
async def admin(dev: Dev) -> AsyncIterator[httpx.AsyncClient]:
    """JIMM's administrator."""
    async with client_of(dev, "admin") as client:
        yield client


@pytest.fixture
async def alice(dev: Dev) -> AsyncIterator[httpx.AsyncClient]:
    """A user with a credential."""
    async with client_of(dev, "alice") as client:
        yield client


@pytest.fixture
async def bob(dev: Dev) -> AsyncIterator[httpx.AsyncClient]:
    """Another user."""
    async with client_of(dev, "bob") as client:
        yield client


@pytest.fixture
async def stage(dev: Dev, admin: httpx.AsyncClient) -> AsyncIterator[Stage]:
    """``dev`` with models and faults that end with the test."""
    made = Stage(dev, admin)
    try:
        yield made
    finally:
        await made.clear()
