"""An OpenID Connect provider: what JIMM asks it, over HTTP.

OpenID Connect Core 1.0 and Discovery 1.0; OAuth 2.0 (RFC 6749) with PKCE (RFC 7636), device
authorization (RFC 8628) and issuer identification (RFC 9207). Signatures are PyJWT's to check.
"""

import asyncio
import base64
import hashlib
import hmac
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx
import jwt

from jimm.errors import ConfigurationError, InvalidLogin, TryAgain
from jimm.wire.secret import Secret

DEADLINE: Final = 10.0
"""Seconds that the provider has for an answer."""

DISCOVERED_FOR: Final = 3600.0
"""Seconds for which its addresses are remembered."""

KEYS_AT_MOST_EVERY: Final = 10.0
"""Seconds between two fetches of its keys: anybody can name a key that isn't there."""

LEEWAY: Final = 60
"""Seconds by which its clock may differ."""

_ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
)  # fmt: skip
_DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})

log = logging.getLogger(__name__)


class Refused(Exception):
    """The provider refused a grant; ``code`` is its own (RFC 6749, 5.2; RFC 8628, 3.5)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Client:
    """JIMM as the provider knows it; a public client has no secret."""

    id: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class DeviceGrant:
    """A device login at the provider; ``every`` are the seconds between two questions."""

    device_code: Secret
    user_code: str
    verification_uri: str
    lasts: float
    every: float


class _Way(NamedTuple):
    """How a request shows who the client is."""

    fields: dict[str, str]
    headers: dict[str, str]


class Provider:
    """One provider. Its addresses and keys are fetched when first needed, and again in time.

    Raises:
        ConfigurationError: the issuer is not https (or on this machine).
    """

    def __init__(self, issuer: str, client: Client) -> None:
        parts = urlsplit(issuer)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise ConfigurationError("JIMM_OIDC_ISSUER must be an https:// URL")
        self._issuer = issuer
        self._client = client
        self._metadata: Mapping[str, Any] = {}
        self._discovered_at = 0.0
        self._keys: Mapping[str | None, jwt.PyJWK] = {}
        self._keys_at = 0.0
        self._turn = asyncio.Lock()

    async def authorization_url(
        self,
        *,
        redirect_uri: str,
        scope: str,
        state: str,
        nonce: str,
        verifier: Secret,
        again: bool,
    ) -> str:
        """Where a browser is sent to sign in; ``again`` asks even who is signed in there.

        Raises:
            TryAgain: the provider doesn't answer as it should.
        """
        endpoint = await self._endpoint("authorization_endpoint")
        challenge = _url64(hashlib.sha256(verifier.reveal().encode()).digest())
        query = {
            "response_type": "code",
            "client_id": self._client.id,
            "redirect_uri": redirect_uri,
            "scope": scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **({"prompt": "login"} if again else {}),
        }
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    async def by_code(
        self, code: str, *, redirect_uri: str, verifier: Secret, nonce: str, issuer: str
    ) -> Mapping[str, object]:
        """The claims about the person who comes back with a code. ``issuer`` is what came with
        the code, if anything did.

        Raises:
            InvalidLogin: the code, or what the provider gives for it, can't be used.
            TryAgain: the provider doesn't answer as it should.
        """
        if issuer and issuer != self._issuer:
            raise InvalidLogin("the sign-in came back from another identity provider")
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier.reveal(),
        }
        try:
            answer = await self._grant(self._client, fields)
        except Refused as error:
            raise InvalidLogin("the identity provider did not accept the sign-in") from error
        return await self._claims(answer, nonce)

    async def begin_device(self, scope: str) -> DeviceGrant:
        """Begins a device login at the provider.

        Raises:
            TryAgain: the provider doesn't answer as it should.
        """
        endpoint = await self._endpoint("device_authorization_endpoint")
        try:
            told = await self._post(endpoint, self._client, {"scope": scope})
            return DeviceGrant(
                Secret(str(told["device_code"])),
                str(told["user_code"]),
                str(told["verification_uri"]),
                float(told["expires_in"]),
                float(told.get("interval", 5)),
            )
        except (Refused, KeyError, TypeError, ValueError) as error:
            raise _silent("begins no device login") from error

    async def by_device(self, grant: DeviceGrant) -> Mapping[str, object]:
        """The claims about the person who confirmed.

        Raises:
            Refused: not yet (``authorization_pending``, ``slow_down``), or never.
            InvalidLogin: what the provider gives can't be used.
            TryAgain: the provider doesn't answer as it should.
        """
        fields = {"grant_type": _DEVICE_GRANT, "device_code": grant.device_code.reveal()}
        return await self._claims(await self._grant(self._client, fields), "")

    async def check_client(self, client: Client, scope: str) -> bool:
        """Whether the provider gives a client a token for its secret (RFC 6749, 4.4).

        Raises:
            TryAgain: the provider doesn't answer as it should.
        """
        fields = {"grant_type": "client_credentials", **({"scope": scope} if scope else {})}
        try:
            answer = await self._grant(client, fields)
        except Refused as error:
            log.info("the identity provider refused client %r: %s", client.id, error.code)
            return False
        return bool(answer.get("access_token"))

    async def _grant(self, client: Client, fields: Mapping[str, str]) -> Mapping[str, Any]:
        return await self._post(await self._endpoint("token_endpoint"), client, fields)

    async def _post(self, url: str, client: Client, fields: Mapping[str, str]) -> Mapping[str, Any]:
        """The answer, whichever way of two the client is registered to show its secret: nothing
        tells, and one that shows it in the other way is an ``invalid_client``."""
        first, *others = await self._ways(client)
        try:
            return await self._post_once(url, first, fields)
        except Refused as error:
            if error.code != "invalid_client" or not others:
                raise
        return await self._post_once(url, others[0], fields)

    async def _ways(self, client: Client) -> list[_Way]:
        """How a client's secret can be shown, the likely way first (RFC 6749, 2.3.1)."""
        secret = client.secret.reveal()
        if not secret:
            return [_Way({"client_id": client.id}, {})]
        pair = f"{quote_plus(client.id)}:{quote_plus(secret)}".encode()
        ways = {
            "client_secret_basic": _Way(
                {}, {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
            ),
            "client_secret_post": _Way({"client_id": client.id, "client_secret": secret}, {}),
        }
        taken = (await self._discovered()).get("token_endpoint_auth_methods_supported")
        if not isinstance(taken, list):
            return list(ways.values())
        return [way for name, way in ways.items() if name in taken] or list(ways.values())

    async def _post_once(self, url: str, way: _Way, fields: Mapping[str, str]) -> Mapping[str, Any]:
        async with _http() as http:
            answer = await http.post(url, data={**fields, **way.fields}, headers=way.headers)
        told = _object(answer)
        if isinstance(code := told.get("error"), str):
            raise Refused(code)
        if answer.status_code != 200:
            raise _silent(f"answers {answer.status_code}")
        return told

    async def _claims(self, answer: Mapping[str, Any], nonce: str) -> Mapping[str, object]:
        """Those of the checked ID token, and what the userinfo endpoint adds to them."""
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise InvalidLogin("the identity provider told nothing about you")
        claims = await self._checked(token)
        if not hmac.compare_digest(str(claims.get("nonce", "")), nonce):
            raise InvalidLogin("the sign-in was not begun here")
        endpoint = (await self._discovered()).get("userinfo_endpoint")
        if not isinstance(endpoint, str):
            return claims
        async with _http() as http:
            bearer = {"Authorization": f"Bearer {answer.get('access_token')}"}
            more = _object(await http.get(endpoint, headers=bearer))
        if more.get("sub") != claims["sub"]:  # OpenID Connect Core 1.0, 5.3.2
            return claims
        return {**more, **claims}

    async def _checked(self, token: str) -> Mapping[str, Any]:
        """The claims of an ID token (OpenID Connect Core 1.0, 3.1.3.7)."""
        try:
            key = await self._key(jwt.get_unverified_header(token).get("kid"))
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=_ALGORITHMS,
                audience=self._client.id,
                issuer=self._issuer,
                leeway=LEEWAY,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except jwt.PyJWTError as error:
            log.warning("an ID token can't be used: %s", error)
            raise InvalidLogin("what the identity provider told can't be trusted") from error
        if claims.get("azp", self._client.id) != self._client.id:
            raise InvalidLogin("the sign-in was meant for somebody else than JIMM")
        return claims

    async def _key(self, kid: str | None) -> jwt.PyJWK:
        """The key of that id, which may be new."""
        async with self._turn:
            stale = time.monotonic() - self._keys_at > KEYS_AT_MOST_EVERY
            if not self._keys or (kid not in self._keys and stale):
                self._keys = await self._fetch_keys()
                self._keys_at = time.monotonic()
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        if kid not in self._keys:
            raise jwt.InvalidKeyError("signed with a key that the provider does not publish")
        return self._keys[kid]

    async def _fetch_keys(self) -> Mapping[str | None, jwt.PyJWK]:
        uri = await self._endpoint("jwks_uri")
        async with _http() as http:
            told = _object(await http.get(uri))
        try:
            keys = jwt.PyJWKSet.from_dict(dict(told)).keys
        except jwt.PyJWTError as error:
            raise _silent("publishes no keys") from error
        return {each.key_id: each for each in keys if each.public_key_use in {None, "sig"}}

    async def _endpoint(self, name: str) -> str:
        found = (await self._discovered()).get(name)
        if not isinstance(found, str):
            raise _silent(f"has no {name}")
        return found

    async def _discovered(self) -> Mapping[str, Any]:
        if self._metadata and time.monotonic() - self._discovered_at < DISCOVERED_FOR:
            return self._metadata
        url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        async with _http() as http:
            told = _object(await http.get(url))
        if told.get("issuer") != self._issuer:
            raise _silent("names another issuer than JIMM_OIDC_ISSUER")
        self._metadata, self._discovered_at = told, time.monotonic()
        return told


@asynccontextmanager
async def _http() -> AsyncIterator[httpx.AsyncClient]:
    try:
        async with httpx.AsyncClient(timeout=DEADLINE) as client:
            yield client
    except httpx.HTTPError as error:
        raise _silent(f"does not answer ({type(error).__name__})") from error


def _object(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        told = answer.json()
    except ValueError as error:
        raise _silent(f"answers {answer.status_code} without JSON") from error
    if not isinstance(told, dict):
        raise _silent("answers something else than a JSON object")
    return told


def _silent(why: str) -> TryAgain:
    """The log knows more than the person who waits."""
    log.warning("the identity provider %s", why)
    return TryAgain("the identity provider can't be used just now; try again in a minute")


def _url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
