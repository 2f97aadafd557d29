import asyncio
import base64

import jwt
import pytest

from jimm.access.jwt import mint
from jimm.access.keys import KEPT_AFTER, PUBLISHED_BEFORE, KeyRing
from jimm.errors import ConfigurationError
from jimm.registry.crypto import Sealer, new_key
from jimm.registry.session import Registry
from tests.system.access.clock import Clock


@pytest.fixture
def ring(registry: Registry, sealer: Sealer, clock: Clock) -> KeyRing:
    return KeyRing(registry, sealer, clock)


async def published(ring: KeyRing) -> list[str]:
    keys = jwt.PyJWKSet.from_dict(await ring.jwks()).keys
    return [key.key_id or "" for key in keys]


async def test_what_is_signed_is_read_by_what_is_published(ring: KeyRing, clock: Clock) -> None:
    token = mint(
        await ring.signing(),
        issuer="jimm",
        audience="c1",
        subject="user-alice@jimm",
        access={},
        now=clock(),
    )
    compact = base64.b64decode(token.reveal()).decode()
    key = jwt.PyJWKSet.from_dict(await ring.jwks())[jwt.get_unverified_header(compact)["kid"]]
    claims = jwt.decode(compact, key, algorithms=["RS256"], audience="c1")
    assert claims["sub"] == "user-alice@jimm"


async def test_only_public_parts_are_published(ring: KeyRing) -> None:
    document = await ring.jwks()
    keys = document["keys"]
    assert isinstance(keys, list)
    assert [set(key) for key in keys] == [{"kty", "n", "e", "kid", "use", "alg"}]


async def test_replicas_agree_on_one_key(registry: Registry, sealer: Sealer, clock: Clock) -> None:
    rings = [KeyRing(registry, sealer, clock) for _ in range(3)]
    keys = await asyncio.gather(*(ring.signing() for ring in rings * 2))
    assert len({key.kid for key in keys}) == 1
    assert await published(KeyRing(registry, sealer, clock)) == [keys[0].kid]


async def test_a_new_key_is_published_long_before_it_signs(ring: KeyRing, clock: Clock) -> None:
    old = (await ring.signing()).kid
    await ring.rotate()
    new = next(kid for kid in await published(ring) if kid != old)
    clock.time += PUBLISHED_BEFORE * 0.99
    assert (await ring.signing()).kid == old
    clock.time += PUBLISHED_BEFORE * 0.01
    assert (await ring.signing()).kid == new
    assert set(await published(ring)) == {old, new}
    clock.time += KEPT_AFTER
    assert await published(ring) == [new]


async def test_a_rotation_reaches_other_replicas(
    registry: Registry, sealer: Sealer, ring: KeyRing, clock: Clock
) -> None:
    other = KeyRing(registry, sealer, clock)
    await other.signing()
    await ring.rotate()
    clock.pass_by(minutes=1)
    assert set(await published(other)) == set(await published(ring))
    clock.time += PUBLISHED_BEFORE
    assert (await other.signing()).kid == (await ring.signing()).kid


async def test_the_private_part_opens_with_the_right_key_only(
    registry: Registry, ring: KeyRing, clock: Clock
) -> None:
    await ring.signing()
    stranger = KeyRing(registry, Sealer(new_key()), clock)
    with pytest.raises(ConfigurationError, match="private_sealed"):
        await stranger.signing()
