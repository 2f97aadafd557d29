import base64
import uuid
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from jimm.access.jwt import CLOCK_SKEW, SigningPrivate, mint

NOW = datetime(2026, 5, 4, 3, 2, 1, 123456, tzinfo=UTC)
ACCESS = {"controller-c1": "login", "model-m1": "admin"}


@pytest.fixture(scope="module")
def key() -> SigningPrivate:
    return SigningPrivate("k1", rsa.generate_private_key(public_exponent=65537, key_size=2048))


def compact(key: SigningPrivate, now: datetime = NOW) -> str:
    token = mint(
        key,
        issuer="jimm.example.com",
        audience="c1",
        subject="user-alice@jimm",
        access=ACCESS,
        now=now,
    )
    return base64.b64decode(token.reveal(), validate=True).decode()


def test_the_public_key_reads_who_and_what(key: SigningPrivate) -> None:
    token = compact(key)
    claims = jwt.decode(
        token,
        key.key.public_key(),
        algorithms=["RS256"],
        audience="c1",
        options={"verify_exp": False},
    )
    seconds = int(NOW.timestamp())
    assert uuid.UUID(claims.pop("jti")).version == 4
    assert claims == {
        "iss": "jimm.example.com",
        "aud": ["c1"],
        "sub": "user-alice@jimm",
        "iat": seconds - 60,
        "nbf": seconds - 60,
        "exp": seconds + 300,
        "access": ACCESS,
    }
    assert jwt.get_unverified_header(token) == {"alg": "RS256", "typ": "JWT", "kid": "k1"}


def test_a_controller_whose_clock_is_a_little_behind_takes_it(key: SigningPrivate) -> None:
    token = compact(key, datetime.now(UTC) + CLOCK_SKEW)
    jwt.decode(token, key.key.public_key(), algorithms=["RS256"], audience="c1")


def test_it_is_over_after_five_minutes(key: SigningPrivate) -> None:
    token = compact(key, datetime.now(UTC) - timedelta(minutes=5, seconds=1))
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(token, key.key.public_key(), algorithms=["RS256"], audience="c1")


def test_each_token_is_another_one(key: SigningPrivate) -> None:
    assert compact(key) != compact(key)


def test_nothing_shows_the_key(key: SigningPrivate) -> None:
    assert repr(key) == "SigningPrivate(kid='k1')"
