"""Lists over REST and in `jimmctl`, page by page, while models come and go."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import TextClause, text

from jimm.registry.session import Registry
from tests.fix_dev import Dev
from tests.system.facades.test_many_models import registry
from tests.system.rest.scene import client_of

MANY = 1_200

ADD = text(
    """
    INSERT INTO models (uuid, name, owner_id, cloud, region, state)
    SELECT gen_random_uuid(), :prefix || n, id, 'metro', 'north', 'unmanaged'
    FROM generate_series(1, :many) AS n, identities WHERE identities.name = 'bob@jimm'
    """
)
REMOVE = text("DELETE FROM models WHERE name LIKE :prefix || '%'")


@asynccontextmanager
async def crowded(dev: Dev) -> AsyncIterator[Registry]:
    """Bob has many models; whatever a test adds to them goes with them."""
    async with registry(dev) as opened:
        await change(opened, ADD, prefix="page-", many=MANY)
        try:
            yield opened
        finally:
            await change(opened, REMOVE, prefix="page-")


async def change(opened: Registry, statement: TextClause, **values: object) -> None:
    """Runs one statement."""
    async with opened.write() as session:
        await session.execute(statement, values)


async def test_a_walk_misses_none_and_repeats_none(dev: Dev) -> None:
    async with crowded(dev) as opened, client_of(dev, "bob") as bob:
        seen: list[str] = []
        query = {"limit": "100"}
        while True:
            page = (await bob.get("/models", params=query)).json()
            seen += [each["model-name"] for each in page["models"]]
            if "next" not in page:
                break
            query["cursor"] = page["next"]
            # Between any two pages some come and others go, before and behind the cursor.
            number = len(seen) // 100
            await change(opened, ADD, prefix=f"page-{number}-new-", many=3)
            await change(opened, REMOVE, prefix=f"page-{number}-new-1")
            await change(opened, REMOVE, prefix="page-77")
    kept = {f"page-{n}" for n in range(1, MANY + 1) if not str(n).startswith("77")}
    assert len(seen) == len(set(seen))
    assert kept <= set(seen)


async def test_jimmctl_shows_all(dev: Dev) -> None:
    async with crowded(dev):
        told = dev.jimmctl("models", "--format", "json")
    models = json.loads(told.stdout)["models"]
    names = [each["model-name"] for each in models if each["model-name"].startswith("page-")]
    assert sorted(names) == sorted(f"page-{n}" for n in range(1, MANY + 1))
