"""Lists cost what they show, not what there is; no controller is asked for them."""

from collections import Counter
from collections.abc import Sequence
from functools import partial

import pytest
from sqlalchemy import text

from jimm.registry import listings
from jimm.registry.listings import Listed
from jimm.wire.params import model_manager as params
from jimm.wire.params.common import Entities, Entity
from tests.system.listings.conftest import ALICES, Crowd

READ = text(
    "SELECT seq_tup_read, idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'models'"
)


async def test_what_one_may_see_comes_in_one_statement(crowd: Crowd) -> None:
    asked = params.ListModelSummaries(user_tag="user-alice", all=True)
    told = await crowd.manager("alice").list_summaries(asked)
    rows = [row.result for row in told.results if row.result is not None]
    assert len(crowd.statements) == 1
    assert len({row.uuid for row in rows}) == len(told.results) == ALICES
    access = Counter((row.owner_tag, row.user_access) for row in rows)
    assert access == {
        ("user-alice", "admin"): 500,
        ("user-bob", "read"): 200,  # of which a hundred through everyone
        ("user-bob", "write"): 200,  # of which a hundred are hers to read besides
        ("user-bob", "admin"): 100,
    }
    # Nobody is connected to any controller: had one been asked, it would be away.
    assert {(row.status.status, row.provider_type) for row in rows} == {("available", "manual")}
    assert [(row.owner_tag, row.name) for row in rows] == sorted(
        (row.owner_tag, row.name) for row in rows
    )


async def test_an_administrator_is_shown_every_one(crowd: Crowd) -> None:
    manager = crowd.manager("admin")
    listed = await manager.list_models(Entity(tag="user-admin"))
    assert len({row.model.uuid for row in listed.user_models}) == crowd.models
    asked = params.ListModelSummaries(user_tag="user-admin", all=True)
    told = await manager.list_summaries(asked)
    assert len({row.result.uuid for row in told.results if row.result}) == crowd.models
    assert len(crowd.statements) == 2
    own = params.ListModelSummaries(user_tag="user-admin", all=False)
    assert len((await manager.list_summaries(own)).results) == 100, "what everyone may see"


async def test_no_other_model_is_looked_at(crowd: Crowd) -> None:
    async with crowd.fleet.registry.read() as session:
        # Within one transaction Postgres counts what it read.
        await session.connection(execution_options={"isolation_level": "READ COMMITTED"})
        found = await listings.every(session, "alice@jimm", admin=False)
        scanned, fetched = (await session.execute(READ)).one()
    assert len(found) == ALICES
    if crowd.models > ALICES:  # of all there are, all may be read one after the other
        assert scanned == 0
    assert scanned + fetched <= 2 * ALICES


async def test_thousand_models_in_full_take_three_statements(crowd: Crowd) -> None:
    async with crowd.fleet.registry.read() as session:
        uuids = [each.uuid for each in await listings.every(session, "", admin=True, limit=2000)]
    crowd.statements.clear()
    tags = Entities.of(*(f"model-{uuid}" for uuid in uuids))
    told = await crowd.manager("alice").model_info(tags)
    rows = told["results"]
    assert isinstance(rows, list)
    assert len(rows) == len(uuids)
    infos = [row["result"] for row in rows if "result" in row]
    refused = [row["error"].code for row in rows if "error" in row]
    assert len(infos) <= ALICES
    assert set(refused) <= {"model not found"}
    assert {info["status"]["status"] for info in infos} == {"unavailable"}
    assert {user.user for info in infos for user in info["users"]} <= {"alice", "bob"}
    assert len(crowd.statements) == 3


@pytest.mark.parametrize(
    ("who", "admin", "controller", "size"),
    [
        ("alice@jimm", False, "c4", 30),
        ("alice@jimm", False, "", 300),
        ("admin@jimm", True, "c4", 300),
        ("admin@jimm", True, "", 900),
    ],
)
async def test_pages_follow_each_other(
    crowd: Crowd, who: str, admin: bool, controller: str, size: int
) -> None:
    found: list[str] = []
    page: Sequence[Listed] = ()
    async with crowd.fleet.registry.read() as session:
        ask = partial(listings.every, session, who, admin=admin, controller=controller)
        while not found or len(page) == size:
            after = (page[-1].owner, page[-1].name) if page else ("", "")
            page = await ask(after=after, limit=size)
            found += [each.uuid for each in page]
        whole = await ask()
    assert found == [each.uuid for each in whole]
    assert len(whole) == (crowd.models if admin else ALICES) // (20 if controller else 1)
    assert not controller or {each.controller_name for each in whole} == {controller}


async def test_a_page_of_everything_reads_two_pages_at_most(crowd: Crowd) -> None:
    async with crowd.fleet.registry.read() as session:
        await session.connection(execution_options={"isolation_level": "READ COMMITTED"})
        found = await listings.every(
            session, "admin@jimm", admin=True, after=("alice@jimm", "m-500"), limit=100
        )
        scanned, fetched = (await session.execute(READ)).one()
    assert len(found) == 100
    if crowd.models > ALICES:
        assert (scanned, fetched <= 4 * 100) == (0, True)
