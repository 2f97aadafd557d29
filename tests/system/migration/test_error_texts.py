"""Every text of Juju's, put in by the simulator, comes out of JIMM as a code, a sentence and a
remedy, and without what a credential holds."""

import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

import httpx
import pytest
from sqlalchemy import text

from jimm.migration.beginning import LOGIN_REFUSED
from jimm.migration.explanations import explain
from jimm.registry import migrations
from jimm.registry.crypto import Sealer
from jimm.registry.migrations import Migration, NewMigration
from jimm.registry.words import MigrationState
from jimm.simulator.migration.phases import Phase
from jimm.wire.tags import ModelUUID
from tests.eventually import eventually
from tests.fix_fleet import running_fleet
from tests.migration_texts import (
    ABORTED,
    IMPORT,
    INITIATE,
    QUIESCE,
    SECRET,
    SOURCE,
    TARGET,
    VALIDATION,
    Said,
)
from tests.system.migration import test_rest
from tests.system.migration.conftest import Scene

client = test_rest.client

MANY: Final = 20
"""Migrations that may be under way at the same time."""


@pytest.fixture
async def scene(database_url: str, sealer: Sealer, tmp_path: Path) -> AsyncIterator[Scene]:
    """Controllers a and b, and many migrations at once."""
    async with running_fleet(
        database_url,
        sealer,
        migrations_per_source=MANY,
        migrations_per_target=MANY,
        migrations_at_once=MANY,
    ) as fleet:
        made = Scene(fleet, tmp_path)
        try:
            await made.start("a", speed=500.0)
            await made.start("b")
            yield made
        finally:
            for peer in made.peers.values():
                await peer.stop()


def one_of_each(texts: Sequence[Said], besides: Sequence[Said] = ()) -> list[Said]:
    """One text for each code, and all that hold a secret."""
    known = {said.code for said in besides}
    first = {said.code: said for said in reversed(texts) if said.code not in known}
    return [said for said in texts if said is first.get(said.code) or SECRET in said.text]


STARTS: Final = [said for said in INITIATE if LOGIN_REFUSED not in said.text]
PRECHECKS: Final = (*QUIESCE, *SOURCE, *TARGET)
LONG: Final = (pytest.mark.soak, pytest.mark.timeout(900))


@pytest.mark.parametrize(
    ("point", "texts"),
    [
        ("initiate", one_of_each(STARTS)),
        (f"fail.{Phase.QUIESCE}", one_of_each(QUIESCE, besides=STARTS)),
        (f"fail.{Phase.IMPORT}", one_of_each(IMPORT, besides=STARTS)),
        (f"fail.{Phase.VALIDATION}", one_of_each(VALIDATION)),
        pytest.param("initiate", STARTS, marks=LONG),
        pytest.param(f"fail.{Phase.QUIESCE}", PRECHECKS, marks=LONG),
        pytest.param(f"fail.{Phase.IMPORT}", IMPORT, marks=LONG),
        pytest.param(f"fail.{Phase.VALIDATION}", VALIDATION, marks=LONG),
    ],
    ids=lambda given: given if isinstance(given, str) else f"{len(given)} texts",
)
async def test_every_text_is_explained(
    scene: Scene, client: httpx.AsyncClient, point: str, texts: Sequence[Said]
) -> None:
    found = await what_comes_of(scene, point, texts)
    aborted = "" if point == "initiate" else ABORTED
    assert_explained(found, [aborted + said.text for said in texts])
    await assert_shown(client, found)


async def test_a_login_that_the_target_goes_on_refusing_is_explained(scene: Scene) -> None:
    scene.fault("a", "initiate", "refuse", message=LOGIN_REFUSED, times=0)
    model = await scene.model()
    async with scene.working():
        failed = await scene.until(await scene.request(model), "failed")
    assert_explained([failed], [LOGIN_REFUSED])
    assert failed.error_code == "target-login-refused"


async def what_comes_of(scene: Scene, point: str, texts: Sequence[Said]) -> list[Migration]:
    """Migrations of which each met one of the texts at that point."""
    for said in texts:
        scene.fault("a", point, "refuse", message=said.text)
    models = [await scene.model(f"m{number}") for number, _ in enumerate(texts)]
    for model in models:
        await begin(scene, model)

    async def are_over() -> bool:
        async with scene.fleet.registry.read() as session:
            return not await migrations.active(session, models)

    async with scene.working():
        await eventually(are_over, deadline=120, interval=0.2)
    assert scene.peers["a"].faults.list() == []
    assert {*map(str, map(scene.hosts, models))} == {"['a']"}
    async with scene.fleet.registry.read() as session:
        found = await migrations.page(session, limit=len(texts))
    assert {each.state for each in found} == {MigrationState.FAILED}
    return found


async def begin(scene: Scene, model: ModelUUID) -> None:
    """A migration that has passed all checks, and that no worker has begun yet."""
    source, target = scene.controllers["a"], scene.controllers["b"]
    new = NewMigration(
        id=str(uuid.uuid4()),
        model_uuid=model,
        model_name="alice@jimm/m",
        source_id=source.id,
        source_name=source.name,
        target_id=target.id,
        target_name=target.name,
        requested_by="admin@jimm",
    )
    checked = "UPDATE migrations SET state = 'starting', recorded_start = '' WHERE id = :id"
    async with scene.fleet.registry.write() as session:
        await migrations.request(session, new)
        await session.execute(text(checked), {"id": new.id})


def assert_explained(found: Sequence[Migration], texts: Sequence[str]) -> None:
    """Each text came out once, with its code, its sentence and its remedy."""
    told = [explain(each) for each in texts]
    assert Counter((each.error_code, each.error, each.remedy) for each in found) == Counter(
        (each.code, each.sentence, each.remedy) for each in told
    )
    assert SECRET not in repr(found)


async def assert_shown(client: httpx.AsyncClient, found: Sequence[Migration]) -> None:
    """REST has the same, and nothing of a credential either."""
    answer = await client.get("/migrations", params={"limit": 200})
    assert answer.status_code == 200
    shown = {each["migration-id"]: each["error"] for each in answer.json()["migrations"]}
    assert shown == {
        each.id: {"code": each.error_code, "message": each.error, "remedy": each.remedy}
        for each in found
    }
    for each in found:
        if "macaroons" in each.error_code or "credential" in each.error_code:
            whole = await client.get(f"/migrations/{each.id}", params={"history": True})
            assert SECRET not in answer.text + whole.text
