"""JIMM with pages, once for all tests of a module."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.databases import Databases
from tests.system.web.site import Site, site

DASHBOARD = "https://dashboard.example/jaas/"
FRIEND = "https://friend.example:8443"
"""An origin that the operator trusts."""


@pytest.fixture(scope="module")
def local(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """With users of its own, a Dashboard, and a proxy on this machine."""
    folder: Path = tmp_path_factory.mktemp("site")
    more = {
        "JIMM_DASHBOARD_URL": DASHBOARD,
        "JIMM_CORS_ORIGINS": FRIEND,
        "JIMM_TRUSTED_PROXIES": "127.0.0.0/8",
    }
    with databases.lent() as url, site(folder, url, more) as made:
        yield made


@pytest.fixture
async def browser(local: Site) -> AsyncIterator[httpx.AsyncClient]:
    """One without eyes."""
    async with local.browser() as client:
        yield client
