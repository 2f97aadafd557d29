"""Login tokens: JWTs signed with keys that are fetched from ``login-token-refresh-url``.

Kept apart from the logins because its libraries are slow to import: a controller that never
sees a token never loads them.
"""

import base64
import binascii
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import jwt

from jimm.errors import Conflict, NotValid
from jimm.net.tls import client_context
from jimm.wire.tags import parse_user_tag

FETCH_DEADLINE: Final = 30.0
"""Seconds for one fetch of the keys, as Juju gives it."""

REFRESH_AFTER: Final = 3600.0
"""Seconds before keys are fetched again for a key id that is not among them."""

_ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384"]


@dataclass(frozen=True)
class Claims:
    """Who a token is for, and the levels by tag that it grants."""

    user: str
    access: Mapping[str, str]


class TokenKeys:
    """The keys behind one URL; fetched at the first token, then kept."""

    def __init__(self, url: str, ca: Path | None, refresh_after: float = REFRESH_AFTER) -> None:
        self._url = url
        self._ca = ca
        self._refresh_after = refresh_after
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched: float | None = None

    async def verify(self, token: str) -> Claims:
        """The claims in a base64 text of a compact JWT. Audience and issuer are not looked at,
        as Juju does not.

        Raises:
            Conflict: not a token, not signed by these keys, or its time is over; in Juju's
                words and without a code.
        """
        try:
            return await self._verify(token)
        except (jwt.PyJWTError, httpx.HTTPError, ValueError, binascii.Error) as error:
            raise Conflict(f"parsing login access token: {_reason(error)}") from error

    async def _verify(self, token: str) -> Claims:
        compact = base64.b64decode(token, validate=True).decode("ascii")
        key_id = jwt.get_unverified_header(compact).get("kid", "")
        key = await self._key(key_id)
        claims = jwt.decode(
            compact,
            key=key,
            algorithms=_ALGORITHMS,
            options={"verify_aud": False, "verify_iss": False, "verify_sub": False},
        )
        return _claims(claims)

    async def _key(self, key_id: str) -> jwt.PyJWK:
        if key_id not in self._keys and self._is_due():
            await self._fetch()
        if key_id not in self._keys:
            raise ValueError(f'failed to find key with key ID "{key_id}" in key set')
        return self._keys[key_id]

    def _is_due(self) -> bool:
        return self._fetched is None or time.monotonic() - self._fetched >= self._refresh_after

    async def _fetch(self) -> None:
        context = client_context(self._ca.read_text() if self._ca else None)
        async with httpx.AsyncClient(verify=context, timeout=FETCH_DEADLINE) as client:
            reply = await client.get(self._url)
        reply.raise_for_status()
        found = jwt.PyJWKSet.from_dict(json.loads(reply.content))
        self._keys = {key.key_id: key for key in found.keys if key.key_id}
        self._fetched = time.monotonic()


def _claims(claims: Mapping[str, object]) -> Claims:
    subject = claims.get("sub")
    try:
        user = parse_user_tag(subject if isinstance(subject, str) else "")
    except NotValid as error:
        raise Conflict(f"invalid user tag in authToken: {error}") from error
    access = claims.get("access")
    levels = access if isinstance(access, dict) else {}
    return Claims(
        user=user,
        access={str(tag): level for tag, level in levels.items() if isinstance(level, str)},
    )


def _reason(error: Exception) -> str:
    match error:
        case jwt.ExpiredSignatureError():
            return '"exp" not satisfied'
        case jwt.ImmatureSignatureError():
            return '"iat" not satisfied' if "iat" in str(error) else '"nbf" not satisfied'
        case jwt.InvalidSignatureError():
            return "could not verify message using any of the signatures or keys"
        case _:
            return str(error)
