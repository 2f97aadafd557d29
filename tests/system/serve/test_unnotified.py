"""What the database holds counts, though no notification told of it."""

from pathlib import Path

from sqlalchemy import text

from jimm.registry.session import Registry
from tests.system.crash.house import house

WITHIN = 10.0


async def test_somebody_is_shut_out_without_a_word(
    registry: Registry, database_url: str, tmp_path: Path
) -> None:
    async with house(registry, database_url, tmp_path) as home:
        await home.add_controller("a")
        async with home.socket() as api:
            asked = {"name": "m1", "owner-tag": "user-alice", "cloud-tag": "cloud-metro"}
            made = await api.call("ModelManager", 10, "CreateModel", asked)
            async with home.socket(f"/model/{made['uuid']}/api") as pipe:
                async with registry.write() as session:
                    await session.execute(text("UPDATE identities SET disabled_at = now()"))
                assert await pipe.closed(WITHIN) == 1001
                assert await api.closed(WITHIN) == 1001
