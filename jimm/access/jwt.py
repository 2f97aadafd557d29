"""Login tokens for controllers: RS256 JWTs (RFC 7519) in base64, as ``Admin.Login`` 3 takes them.

Juju checks the signature and the times; it looks at neither issuer nor audience. What a token
may do is all in ``access``, a map from tags to levels, so a token names one controller's things.
"""

import base64
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from jimm.wire.secret import Secret

ALGORITHM: Final = "RS256"

LIFETIME: Final = timedelta(minutes=5)
"""How long a token lives; it is needed only at login."""

CLOCK_SKEW: Final = timedelta(seconds=60)
"""How far a controller's clock may be behind: tokens are dated that much before their making."""


@dataclass(frozen=True, slots=True)
class SigningPrivate:
    """A key that signs, and the id under which its public part is published."""

    kid: str
    key: RSAPrivateKey = field(repr=False)


def mint(
    key: SigningPrivate,
    *,
    issuer: str,
    audience: str,
    subject: str,
    access: Mapping[str, str],
    now: datetime,
    lifetime: timedelta = LIFETIME,
) -> Secret:
    """The standard base64 of a compact JWT.

    ``subject`` is a user tag with its domain, ``audience`` the controller's uuid, and
    ``access`` maps tags to Juju's levels.
    """
    claims = {
        "iss": issuer,
        "aud": [audience],
        "sub": subject,
        "jti": str(uuid.uuid4()),
        "iat": now - CLOCK_SKEW,
        "nbf": now - CLOCK_SKEW,
        "exp": now + lifetime,
        "access": dict(access),
    }
    compact = jwt.encode(claims, key.key, ALGORITHM, headers={"kid": key.kid})
    return Secret(base64.b64encode(compact.encode()).decode())
