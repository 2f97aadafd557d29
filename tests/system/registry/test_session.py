import asyncio
import uuid
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import InternalError

from jimm.errors import ConfigurationError
from jimm.registry import audit, controllers, relations, settings
from jimm.registry.audit import NewAuditEvent
from jimm.registry.crypto import Sealer
from jimm.registry.listen import RELATIONS, Notification, Reconnected
from jimm.registry.relations import Object
from jimm.registry.session import Registry, notify
from jimm.registry.words import Relation
from jimm.wire.secret import Secret
from tests.fix_registry import new_controller


async def test_a_read_session_cannot_write(registry: Registry) -> None:
    async with registry.read() as session:
        with pytest.raises(InternalError, match="read-only"):
            await session.execute(text("INSERT INTO settings VALUES ('a', 'b')"))


async def test_a_failed_write_leaves_nothing(registry: Registry) -> None:
    async def fail() -> None:
        async with registry.write() as session:
            await settings.put(session, "a", "b")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with registry.read() as session:
        assert await settings.get(session, "a") is None


async def test_the_uuid_is_made_once(registry: Registry) -> None:
    async def ask() -> str:
        async with registry.write() as session:
            return await settings.jimm_uuid(session)

    assert len(set(await asyncio.gather(*(ask() for _ in range(5))))) == 1


async def test_connections_that_died_while_nobody_used_them_are_no_error(
    database_url: str,
) -> None:
    idle = Registry(database_url, application_name="jimm-idle", believed_for=0.0)
    await idle.ping()
    async with idle.write() as session:
        await settings.put(session, "a", "b")
    with psycopg.connect(database_url, autocommit=True) as connection:
        ended = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'jimm-idle'"
        ).fetchall()
    assert len(ended) == 2
    await idle.ping()
    async with idle.write() as session:
        assert await settings.get(session, "a") == "b"
    await idle.aclose()


async def test_a_listener_hears_and_survives_a_cut(registry: Registry, database_url: str) -> None:
    events = registry.listen("jimm_test")
    assert await anext(events) == Reconnected()
    async with registry.write() as session:
        await notify(session, "jimm_test", "one")
    assert await anext(events) == Notification("jimm_test", "one")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'jimm-test-listen'"
        )
    assert await anext(events) == Reconnected()
    async with registry.write() as session:
        await notify(session, "jimm_test", "two")
    assert await anext(events) == Notification("jimm_test", "two")
    await events.aclose()


async def test_relations_have_revisions_and_are_told(registry: Registry) -> None:
    model = Object.model(str(uuid.uuid4()))
    events = registry.listen(RELATIONS)
    await anext(events)

    async def add(number: int) -> None:
        async with registry.write() as session:
            await relations.add(session, f"u{number}@jimm", Relation.READER, model)

    await asyncio.gather(*(add(number) for number in range(5)))
    heard = [await anext(events) for _ in range(5)]
    async with registry.write() as session:
        changes = await relations.changes_since(session, 0)
        assert [str(change.revision) for change in changes] == [
            event.payload for event in heard if isinstance(event, Notification)
        ]
        assert await relations.revision(session) == changes[-1].revision
        assert not await relations.add(session, "u0@jimm", Relation.READER, model)
        assert await relations.remove(session, "u0@jimm", Relation.READER, model)
        assert len(await relations.about(session, [model])) == 4
        assert await relations.held_by(session, "u0@jimm", [model]) == []
    await events.aclose()


async def test_what_is_sealed_is_unreadable_in_the_database(
    registry: Registry, sealer: Sealer
) -> None:
    new = new_controller("a")
    place = {"table": "controllers", "column": "admin_password_sealed", "row": new.uuid}
    sealed = sealer.seal(Secret("s3cret"), **place)
    async with registry.write() as session:
        await controllers.add(session, replace(new, admin_password_sealed=sealed))
        login = await controllers.admin_login(session, new.uuid)
        raw = await session.scalar(text("SELECT admin_password_sealed FROM controllers"))
    assert b"s3cret" not in bytes(raw)
    assert login.password_sealed is not None
    assert sealer.open(login.password_sealed, **place) == Secret("s3cret")


async def test_audit_events_are_found_by_who(registry: Registry) -> None:
    one = NewAuditEvent("alice@jimm", "rest", "migrate", "ok", {"a": 1})
    async with registry.write() as session:
        await audit.add(session, [one, NewAuditEvent("bob@jimm", "rest", "x", "ok", {})])
        await audit.add(session, [])
        (found,) = await audit.page(session, identity="alice@jimm")
        assert len(await audit.page(session, limit=1)) == 1
        assert await audit.page(session, before=found.id, model_uuid=str(uuid.uuid4())) == []
    assert (found.action, found.params) == ("migrate", {"a": 1})


async def test_a_database_that_does_not_answer_is_the_operators_to_mend() -> None:
    registry = Registry("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(ConfigurationError):
        await registry.ping()
    await registry.aclose()
    with pytest.raises(ConfigurationError):
        Registry("mysql://x/y")
