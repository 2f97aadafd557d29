"""ID tokens that must not be believed, from a provider that says whatever a test wants."""

import http.server
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from jimm.access.oidc import Client, Provider
from jimm.errors import ConfigurationError, InvalidLogin, TryAgain
from jimm.wire.secret import Secret

NONCE = "the nonce that was sent"


@dataclass
class Forger:
    """``answers`` are what it says at each path, and with which status."""

    issuer: str
    key: rsa.RSAPrivateKey
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)

    def discovery(self, **more: Any) -> None:
        """What it says of itself."""
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }
        self.answers["/.well-known/openid-configuration"] = (200, {**said, **more})

    def gives(self, key: Any = None, *, algorithm: str = "RS256", **claims: Any) -> None:
        """The ID token that the next code is good for."""
        now = int(time.time())
        said = {
            "iss": self.issuer,
            "sub": "u1",
            "aud": "jimm",
            "iat": now,
            "exp": now + 300,
            "nonce": NONCE,
            **claims,
        }
        said = {name: value for name, value in said.items() if value is not None}
        token = jwt.encode(said, key or self.key, algorithm=algorithm, headers={"kid": "k1"})
        self.answers["/token"] = (200, {"access_token": "x", "id_token": token})

    async def asked(self, provider: Provider) -> Any:
        """What the provider's word is worth to JIMM."""
        return await provider.by_code(
            "code",
            redirect_uri="https://jimm.example/auth/callback",
            verifier=Secret("v"),
            nonce=NONCE,
            issuer="",
        )


@pytest.fixture
def forger() -> Iterator[Forger]:
    """It is honest until told otherwise."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    made = Forger(f"http://127.0.0.1:{server.server_address[1]}", key)
    server.RequestHandlerClass = _handler(made)
    public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    made.answers["/keys"] = (200, {"keys": [{**public, "kid": "k1", "use": "sig"}]})
    made.discovery()
    made.gives()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def provider(forger: Forger) -> Provider:
    """As JIMM knows it."""
    return Provider(forger.issuer, Client("jimm", Secret("secret")))


async def test_an_honest_token_is_believed(forger: Forger, provider: Provider) -> None:
    forger.gives(email="a@corp.example", aud=["jimm", "other"], azp="jimm")
    assert (await forger.asked(provider))["email"] == "a@corp.example"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "somebody-else"},
        {"aud": ["jimm", "other"], "azp": "other"},
        {"exp": 1_000_000_000},
        {"iat": 10_000_000_000},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": None},
        {"aud": None},
        {"iss": None},
        {"sub": None},
    ],
    ids=str,
)
async def test_a_token_that_says_something_else(
    forger: Forger, provider: Provider, claims: dict[str, Any]
) -> None:
    forger.gives(**claims)
    with pytest.raises(InvalidLogin):
        await forger.asked(provider)


async def test_a_token_that_somebody_else_signed(forger: Forger, provider: Provider) -> None:
    forger.gives(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    with pytest.raises(InvalidLogin):
        await forger.asked(provider)
    forger.gives("a shared secret of thirty-two bytes!", algorithm="HS256")
    with pytest.raises(InvalidLogin):
        await forger.asked(provider)
    header, _, rest = jwt.encode({}, "", algorithm="none").partition(".")
    for token in (f"{header}.{rest}", "x.y.z", "", 7, None):
        forger.answers["/token"] = (200, {"access_token": "x", "id_token": token})
        with pytest.raises(InvalidLogin):
            await forger.asked(provider)


async def test_what_userinfo_says_of_another_person_is_ignored(
    forger: Forger, provider: Provider
) -> None:
    forger.discovery(userinfo_endpoint=f"{forger.issuer}/userinfo")
    forger.answers["/userinfo"] = (200, {"sub": "u2", "email": "other@corp.example"})
    assert "email" not in await forger.asked(provider)
    forger.answers["/userinfo"] = (200, {"sub": "u1", "email": "me@corp.example", "aud": "x"})
    found = await forger.asked(provider)
    assert (found["email"], found["aud"]) == ("me@corp.example", "jimm")


@pytest.mark.parametrize(
    "answers",
    [
        {"/token": (500, {})},
        {"/token": (200, ["no object"])},
        {"/token": (502, b"<html>")},
        {"/.well-known/openid-configuration": (200, {"issuer": "https://elsewhere.example"})},
        {"/.well-known/openid-configuration": (404, {})},
        {"/keys": (200, {"keys": []})},
        {"/keys": (200, {})},
    ],
    ids=str,
)
async def test_a_provider_out_of_order(
    forger: Forger, provider: Provider, answers: dict[str, tuple[int, Any]]
) -> None:
    forger.answers |= answers
    with pytest.raises(TryAgain, match="identity provider can't be used just now"):
        await forger.asked(provider)


async def test_a_refused_code(forger: Forger, provider: Provider) -> None:
    forger.answers["/token"] = (400, {"error": "invalid_grant"})
    with pytest.raises(InvalidLogin, match="did not accept"):
        await forger.asked(provider)


def test_an_issuer_in_the_clear_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="https"):
        Provider("http://idp.example", Client("jimm", Secret("")))


def _handler(forger: Forger) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self._answer()

        def _answer(self) -> None:
            status, said = forger.answers.get(self.path, (404, {}))
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Silent."""

    return Handler
