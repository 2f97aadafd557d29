"""The keys that sign login tokens, and the set (RFC 7517) by which controllers check them.

Juju fetches the set rarely: at its start, and then not more often than hourly. So a new key is
published long before it signs, and an old one stays until the last of its tokens is over.
"""

import asyncio
import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from jimm.access.jwt import ALGORITHM, SigningPrivate
from jimm.errors import ConfigurationError
from jimm.registry import keys as stored_keys
from jimm.registry.crypto import Sealer
from jimm.registry.keys import SigningKey
from jimm.registry.session import Registry, WriteSession, lock
from jimm.wire.secret import Secret

PUBLISHED_BEFORE: Final = timedelta(hours=2)
"""How long a new key is published before it signs."""

KEPT_AFTER: Final = timedelta(hours=1)
"""How long a key is published after its successor signs; tokens live five minutes."""

REREAD_AFTER: Final = timedelta(minutes=1)
"""How old the keys in memory may be; a rotation takes effect much later than that."""

_BITS: Final = 2048
_LOCK: Final = "jimm signing keys"
_PLACE: Final = {"table": "signing_keys", "column": "private_sealed"}


@dataclass(frozen=True, slots=True)
class _Loaded:
    at: datetime
    keys: Sequence[SigningKey]


class KeyRing:
    """All replicas sign with the same key, which the registry holds sealed."""

    def __init__(self, registry: Registry, sealer: Sealer, now: Callable[[], datetime]) -> None:
        self._registry = registry
        self._sealer = sealer
        self._now = now
        self._loading = asyncio.Lock()
        self._loaded: _Loaded | None = None
        self._opened: SigningPrivate | None = None

    async def signing(self) -> SigningPrivate:
        """The key to sign with now; the first call ever makes one.

        Raises:
            ConfigurationError: the key was sealed by a key that JIMM was not given.
        """
        current = _current(await self._published(), self._now())
        if self._opened is None or self._opened.kid != current.kid:
            self._opened = self._open(current)
        return self._opened

    async def jwks(self) -> dict[str, object]:
        """The JWK set to publish: keys that will sign, that sign, and that lately did."""
        return {"keys": [key.public_jwk for key in await self._published()]}

    async def rotate(self) -> None:
        """Publishes a new key; it signs in :data:`PUBLISHED_BEFORE`, and the others retire
        :data:`KEPT_AFTER` later."""
        new = await asyncio.to_thread(new_signing_key, self._sealer, self._now())
        new = replace(new, signs_from=new.created_at + PUBLISHED_BEFORE)
        async with self._registry.write() as session:
            await lock(session, _LOCK)
            for key in await stored_keys.published(session):
                if key.retired_at is None:
                    await stored_keys.retire(session, key.kid, at=new.signs_from + KEPT_AFTER)
            await stored_keys.add(session, new)
        self._loaded = None

    async def _published(self) -> Sequence[SigningKey]:
        async with self._loading:
            now = self._now()
            if self._loaded is None or abs(now - self._loaded.at) >= REREAD_AFTER:
                self._loaded = _Loaded(now, await self._read() or await self._first())
            loaded = self._loaded.keys
        return [key for key in loaded if key.retired_at is None or key.retired_at > now]

    async def _read(self) -> Sequence[SigningKey]:
        async with self._registry.read() as session:
            return await stored_keys.published(session)

    async def _first(self) -> Sequence[SigningKey]:
        made = await asyncio.to_thread(new_signing_key, self._sealer, self._now())
        async with self._registry.write() as session:
            return await _agree(session, made)

    def _open(self, key: SigningKey) -> SigningPrivate:
        pem = self._sealer.open(key.private_sealed, **_PLACE, row=key.kid)
        private = serialization.load_pem_private_key(
            pem.reveal().encode(),
            password=None,
            unsafe_skip_rsa_key_validation=True,  # as it was sealed; 60 ms of CPU otherwise
        )
        if not isinstance(private, rsa.RSAPrivateKey):
            raise ConfigurationError(f"signing key {key.kid} is no RSA key")
        return SigningPrivate(key.kid, private)


def new_signing_key(sealer: Sealer, now: datetime) -> SigningKey:
    """A key that signs from now on; takes a tenth of a second of CPU."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    kid, jwk = _public(private.public_key())
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    sealed = sealer.seal(Secret(pem.decode()), **_PLACE, row=kid)
    return SigningKey(
        kid=kid,
        created_at=now,
        signs_from=now,
        retired_at=None,
        public_jwk=jwk,
        private_sealed=sealed,
    )


async def _agree(session: WriteSession, made: SigningKey) -> Sequence[SigningKey]:
    """Adds the key unless another replica was first; what is published then."""
    await lock(session, _LOCK)
    there = await stored_keys.published(session)
    if there:
        return there
    await stored_keys.add(session, made)
    return [made]


def _current(published: Sequence[SigningKey], now: datetime) -> SigningKey:
    """The newest that may sign; with none, the one that may soonest (clocks of replicas differ)."""
    if not published:
        raise ConfigurationError("every signing key is retired; a new one is made within a minute")
    ready = [key for key in published if key.signs_from <= now]
    if ready:
        return max(ready, key=lambda key: key.signs_from)
    return min(published, key=lambda key: key.signs_from)


def _public(key: rsa.RSAPublicKey) -> tuple[str, dict[str, object]]:
    """The key's id, its thumbprint (RFC 7638), and the JWK."""
    jwk: dict[str, Any] = RSAAlgorithm.to_jwk(key, as_dict=True)
    essential = {name: jwk[name] for name in ("e", "kty", "n")}
    canonical = json.dumps(essential, separators=(",", ":"), sort_keys=True).encode()
    digest = hashlib.sha256(canonical).digest()
    kid = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return kid, {**essential, "kid": kid, "use": "sig", "alg": ALGORITHM}
