import uuid
from datetime import UTC, datetime, timedelta

import pytest

from jimm.errors import AlreadyExists, NotFound, UserNotFound
from jimm.registry import identities, keys, relations, settings, tokens
from jimm.registry.keys import SigningKey
from jimm.registry.listen import IDENTITIES, Notification
from jimm.registry.relations import Object
from jimm.registry.session import Registry
from jimm.registry.words import Relation
from tests.fix_registry import Fleet


async def test_a_name_is_taken_once_and_people_are_kept_apart(fleet: Fleet) -> None:
    async with fleet.registry.write() as session:
        with pytest.raises(AlreadyExists):
            await identities.add(session, "alice@jimm")
        other = await identities.ensure(session, "alice@corp")
        assert (await identities.ensure(session, "alice@corp")).id == other.id
        assert other.id != fleet.alice.id
        names = [each.name for each in await identities.page(session, after="alice@corp")]
        assert names == ["alice@jimm", "bob@jimm"]
        with pytest.raises(UserNotFound):
            await identities.by_name(session, "nobody@jimm")


async def test_a_login_needs_one_query(fleet: Fleet) -> None:
    async with fleet.registry.write() as session:
        await identities.set_password(session, fleet.alice.id, "hash")
        await relations.add(session, "alice@jimm", Relation.ADMINISTRATOR, Object.jimm())
        assert await relations.administrators(session) == ["alice@jimm"]
    alice = await identities.login(fleet.registry, "alice@jimm")
    bob = await identities.login(fleet.registry, "bob@jimm")
    assert await identities.login(fleet.registry, "nobody@jimm") is None
    assert alice is not None
    assert (alice.identity.id, alice.password_hash, alice.admin) == (fleet.alice.id, "hash", True)
    assert bob is not None
    assert (bob.password_hash, bob.admin) == (None, False)


async def test_disabling_and_a_new_password_are_told(fleet: Fleet) -> None:
    events = fleet.registry.listen(IDENTITIES)
    await anext(events)
    async with fleet.registry.write() as session:
        disabled = await identities.set_disabled(session, "alice@jimm", True)
    assert disabled.disabled
    assert await anext(events) == Notification(IDENTITIES, "alice@jimm")
    async with fleet.registry.write() as session:
        assert not (await identities.set_disabled(session, "alice@jimm", False)).disabled
        await identities.set_password(session, fleet.bob.id, "hash")
        with pytest.raises(UserNotFound):
            await identities.set_disabled(session, "nobody@jimm", True)
    told = [await anext(events), await anext(events)]
    assert told == [Notification(IDENTITIES, "alice@jimm"), Notification(IDENTITIES, "bob@jimm")]
    await events.aclose()


async def test_a_token_is_found_by_its_hash_and_revoked_by_its_owner(fleet: Fleet) -> None:
    token_id, day = str(uuid.uuid4()), timedelta(days=1)
    async with fleet.registry.write() as session:
        added = await tokens.add(session, token_id, fleet.alice.id, "cli", b"hash", day)
    found = await tokens.by_hash(fleet.registry, b"hash")
    assert await tokens.by_hash(fleet.registry, b"other") is None
    assert found is not None
    assert (found.token, found.identity, found.admin) == (added, fleet.alice, False)
    assert found.now < found.token.expires_at
    async with fleet.registry.write() as session:
        assert await tokens.of_identity(session, fleet.alice.id) == [added]
        with pytest.raises(NotFound):
            await tokens.revoke(session, token_id, fleet.bob)
        with pytest.raises(NotFound):
            await tokens.revoke(session, "x", fleet.alice)
        await tokens.revoke(session, token_id, fleet.alice)
        assert await tokens.of_identity(session, fleet.alice.id) == []
    ended = await tokens.by_hash(fleet.registry, b"hash")
    assert ended is not None
    assert ended.token.revoked_at is not None


async def test_keys_are_published_until_they_retire(registry: Registry) -> None:
    now = datetime.now(UTC)
    old = SigningKey("old", now, now, None, {"kty": "RSA"}, b"sealed")
    new = SigningKey("new", now, now + timedelta(hours=1), None, {"kty": "RSA"}, b"sealed")
    async with registry.write() as session:
        await keys.add(session, old)
        await keys.add(session, new)
        assert [each.kid for each in await keys.published(session)] == ["new", "old"]
        await keys.retire(session, "old", at=now + timedelta(hours=2))
        assert [each.kid for each in await keys.published(session)] == ["new", "old"]
        await keys.retire(session, "old", at=now - timedelta(seconds=1))
        assert await keys.published(session) == [new]


async def test_sealed_settings_keep_the_first_or_the_last(registry: Registry) -> None:
    async with registry.write() as session:
        assert await settings.sealed(session, "ca") is None
        assert await settings.put_sealed_once(session, "ca", b"1") == b"1"
        assert await settings.put_sealed_once(session, "ca", b"2") == b"1"
        await settings.put_sealed(session, "ca", b"3")
        assert await settings.sealed(session, "ca") == b"3"
        await settings.put(session, "a", "1")
        await settings.put(session, "a", "2")
        assert await settings.get(session, "a") == "2"
